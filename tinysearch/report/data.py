"""What a report is made of: the schema of report_data.json, its reader, and the conversion from evaluations.

The document holds designs with their figures, never models or trials, so that a page can be rebuilt on any machine from
the run directory alone. Boards and branches are stored once and named by the designs.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinysearch.core.error_rates import AnsweredRates, OperatingPoint
from tinysearch.core.errors import UserError
from tinysearch.core.records import checked
from tinysearch.core.units import US_DOLLARS, Currency
from tinysearch.reading import read_json

SCHEMA = 1
DATA_FILE = "report_data.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchCard:
    """One network: what it is and what it needs on any board."""

    key: str
    modality: str
    layout: str
    precision: str
    width: int
    input_size: int
    params: int
    macs: int
    weight_bytes: int

    @property
    def short(self) -> str:
        """``face 2-2 int8``."""
        return f"{self.modality} {self.layout} {self.precision}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartCard:
    """One line of a bill of materials; the range of prices is None where it is not known.

    Attributes:
        about: seller, order size and date of the price, for people.
        assumed: the price is an estimate.
    """

    name: str
    usd: float
    low_usd: float | None = None
    high_usd: float | None = None
    source: str = ""
    about: str = ""
    assumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardCard:
    """One priced way to get a board.

    Attributes:
        order: one line that says whether it can be ordered or asks for a design; empty where that is not known.
        ready: whether one person can order and wire it; None where that is not known.
    """

    id: str
    name: str
    processor: str
    cores: int
    flash_bytes: int
    psram_bytes: int
    sensors: tuple[str, ...]
    parts: tuple[PartCard, ...]
    buildable: bool = True
    reason: str = ""
    order: str = ""
    ready: bool | None = None

    @property
    def price_usd(self) -> float:
        """Sum of the parts."""
        return round(sum(part.usd for part in self.parts), 4)

    @property
    def price_range_usd(self) -> tuple[float, float] | None:
        """Sums of the low and of the high prices; None if one is unknown."""
        low = [part.low_usd for part in self.parts]
        high = [part.high_usd for part in self.parts]
        if any(price is None for price in (*low, *high)):
            return None
        return round(sum(p for p in low if p is not None), 4), round(sum(p for p in high if p is not None), 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessorCard:
    """Facts of a processor that pictures need; heap is what an application can allocate in SRAM."""

    id: str
    name: str
    cores: int
    frequency_hz: float
    heap_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignCard:
    """One design: branches on a board, with everything known of it.

    Attributes:
        branches: keys of its branches, one a modality.
        board: key of its board.
        eer: on test people; ``eer_validation`` is that by which the search decided, None where they are the same.
        frr_far1, frr_far10: FRR at FAR 1 % and 10 %, on test people; ``.._validation`` as with the EER.
        acquisition_s: capture and front-end of one attempt.
        operating_point: at which the firmware's threshold is set; None where no FRR is known.
        branch_latency_s: of one inference on one core, by modality.
        answered: of a classification, how a device answers windows; None where that is not known.
        cascade: what it means that one branch decides alone where it is sure; empty where all always run.
        reads: kind and name of the sensor that each modality is read from, as far as they are known.
        first: the branch that a cascade runs first, and alone where it is sure; empty where all always run.
        executed: what is said of how the networks are executed; empty for whole maps by one core.
        shared: whether two cores share the heavy layers of its only branch.
    """

    id: str
    modality: str
    branches: tuple[str, ...]
    board: str
    eer: float | None
    eer_ci95: tuple[float, float] | None
    eer_validation: float | None
    frr_far1: float | None
    frr_far10: float | None
    latency_s: float
    latency_range_s: tuple[float, float]
    acquisition_s: float
    energy_mj: float | None
    flash_bytes: int
    ram_bytes: int
    branch_latency_s: Mapping[str, float]
    eer_evidence: str
    latency_evidence: str
    frr_far1_validation: float | None = None
    frr_far10_validation: float | None = None
    operating_point: OperatingPoint | None = None
    power_mw: float | None = None
    battery_days: float | None = None
    answered: AnsweredRates | None = None
    cascade: str = ""
    reads: Mapping[str, Sequence[str]] = field(default_factory=dict)
    first: str = ""
    executed: str = ""
    shared: bool = False

    @property
    def attempt_s(self) -> float:
        """One whole attempt: capture and front-end, then inference."""
        return self.acquisition_s + self.latency_s

    @property
    def decided(self) -> DesignCard:
        """The design with the error rates by which the search decided."""
        return dataclasses.replace(
            self,
            eer=self.eer if self.eer_validation is None else self.eer_validation,
            frr_far1=self.frr_far1 if self.frr_far1_validation is None else self.frr_far1_validation,
            frr_far10=self.frr_far10 if self.frr_far10_validation is None else self.frr_far10_validation,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BufferCard:
    """One buffer of an attempt and where it lies."""

    name: str
    bytes: int
    sram: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailCard:
    """Figures of a front point that only its own panel shows.

    Attributes:
        flash: bytes by name: program, weights, app, total; empty where unknown.
        arena_bytes: arena by modality.
        power: where power goes, as a point of front.json has it; None where nobody asked.
        curves: ``far``, ``frr``, ``distance``, ``genuine_histogram``, ``impostor_histogram``; empty where unknown.
    """

    flash: Mapping[str, int] = field(default_factory=dict)
    buffers: tuple[BufferCard, ...] = ()
    arena_bytes: Mapping[str, int] = field(default_factory=dict)
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)
    people: int = 0
    genuine: int = 0
    impostor: int = 0
    power: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedCard:
    """A processor that cannot carry a network: the first rule that its nearest board breaks."""

    network: str
    processor: str
    rule: str
    limit: float
    actual: float
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportData:
    """All of report_data.json.

    Attributes:
        title: that the user gave the report.
        caveat: about the people whom error rates are of, empty where there is none.
        currency: of the run's budget, in which amounts are shown; all amounts here are US$.
        rate: what its error rate is called: EER, of a classification error.
        known: how many designs the search knew the error rates of; ``thinning`` says which of them are here.
        details: of front points, by id.
        blocked: processors that cannot carry the networks of the point with the lowest error rate.
    """

    price_level: str
    known: int
    thinning: str
    branches: Mapping[str, BranchCard]
    boards: Mapping[str, BoardCard]
    processors: Mapping[str, ProcessorCard]
    designs: tuple[DesignCard, ...]
    details: Mapping[str, DetailCard]
    blocked: tuple[BlockedCard, ...] = ()
    title: str = "tinysearch"
    caveat: str = ""
    currency: Currency = US_DOLLARS
    rate: str = "EER"
    schema: int = SCHEMA

    def to_json(self) -> str:
        """The document, without spaces; equal data give equal bytes."""
        return json.dumps(dataclasses.asdict(self), separators=(",", ":"), allow_nan=False)


def read_data(run_dir: Path) -> ReportData | None:
    """The report_data.json of a run; None if the run has none.

    Raises:
        UserError: it is damaged or of another version.
    """
    path = run_dir / DATA_FILE
    if not path.is_file():
        return None
    try:
        return from_dict(read_json(path))
    except (OSError, *MALFORMED) as error:
        raise UserError(
            f"{DATA_FILE} must be as a search of this version wrote it, schema {SCHEMA}",
            value=f"{path}: {reason_of(error)}",
            remedy="run the search again in this run_dir",
        ) from error


MALFORMED = (ValueError, TypeError, KeyError, AttributeError, IndexError)
"""What a document with missing or wrong parts leads to."""


def reason_of(error: Exception) -> str:
    """What is wrong with a document, in some words."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


RATES = ("EER", "error")
"""What an error rate may be called."""


def from_dict(document: Mapping[str, Any]) -> ReportData:
    """The data of a parsed document.

    Raises:
        ValueError, TypeError, KeyError: not of this schema.
    """
    if document.get("schema") != SCHEMA:
        raise ValueError(f"schema {document.get('schema')}")
    if document.get("rate", RATES[0]) not in RATES:
        raise ValueError(f"rate {document['rate']}")
    data = ReportData(
        price_level=document["price_level"],
        title=document["title"],
        caveat=document.get("caveat", ""),
        currency=Currency(**document.get("currency", {})),
        rate=document.get("rate", RATES[0]),
        known=document["known"],
        thinning=document["thinning"],
        branches={key: _branch(value) for key, value in document["branches"].items()},
        boards={key: _board(value) for key, value in document["boards"].items()},
        processors={key: ProcessorCard(**value) for key, value in document["processors"].items()},
        designs=tuple(_design(value) for value in document["designs"]),
        details={key: _detail(value) for key, value in document["details"].items()},
        blocked=tuple(BlockedCard(**value) for value in document.get("blocked", ())),
    )
    return consistent(data)


def consistent(data: ReportData) -> ReportData:
    """The data themselves, after a look at every field and at what designs name.

    Raises:
        TypeError, ValueError: a field of another kind, or a design without its branch or board.
    """
    for design in checked(data).designs:
        if not set(design.branches) <= set(data.branches) or design.board not in data.boards:
            raise ValueError(f"the branches or the board of {design.id} are missing")
    return data


def _branch(value: Mapping[str, Any]) -> BranchCard:
    card = dict(value)
    if "blocks" in card:  # of a run that was written when all networks were residual
        card["layout"] = "-".join(map(str, card.pop("blocks")))
    return BranchCard(**card)


def _board(value: Mapping[str, Any]) -> BoardCard:
    parts = tuple(PartCard(**part) for part in value["parts"])
    return BoardCard(**{**value, "sensors": tuple(value["sensors"]), "parts": parts})


def _design(value: Mapping[str, Any]) -> DesignCard:
    interval = value["eer_ci95"]
    return DesignCard(
        **{
            **value,
            "operating_point": operating_point(value.get("operating_point")),
            "answered": answered(value.get("answered")),
            "branches": tuple(value["branches"]),
            "eer_ci95": None if interval is None else (interval[0], interval[1]),
            "latency_range_s": (value["latency_range_s"][0], value["latency_range_s"][1]),
        }
    )


def operating_point(value: Mapping[str, Any] | None) -> OperatingPoint | None:
    """An operating point as report_data.json or front.json has it; None where there is none."""
    if value is None:
        return None
    names = {field.name for field in dataclasses.fields(OperatingPoint)}
    bounds = value["frr_ci95"]
    given = {name: value[name] for name in names}
    return OperatingPoint(**{**given, "frr_ci95": None if bounds is None else (bounds[0], bounds[1])})


def answered(value: Mapping[str, Any] | None) -> AnsweredRates | None:
    """Answers as report_data.json or front.json has them; None where there are none."""
    return None if value is None else AnsweredRates.of_dict(value)


def _detail(value: Mapping[str, Any]) -> DetailCard:
    return DetailCard(**{**value, "buffers": tuple(BufferCard(**buffer) for buffer in value["buffers"])})
