"""Objectives, constraints and the evaluation of one candidate, with the evidence behind every figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from tinysearch.core.candidate import BranchSpec, Candidate
from tinysearch.core.cascade import Cascade, CascadeFigures
from tinysearch.core.errors import UserError
from tinysearch.core.power import PowerReport
from tinysearch.core.task import Decision

ErrorEvidence = Literal["trained", "table", "published", "surrogate", "none"]
LatencyEvidence = Literal["calibrated", "uncalibrated"]

OBJECTIVES: dict[str, str] = {
    "eer": "equal error rate",
    "bom_cost_usd": "board cost (US$)",
    "latency_s": "latency (s)",
    "effective_latency_far1_s": "effective latency at FAR 1 % (s)",
    "effective_latency_far10_s": "effective latency at FAR 10 % (s)",
    "flash_bytes": "flash needed (bytes)",
    "ram_bytes": "RAM needed (bytes)",
    "energy_mj": "energy an authentication (mJ)",
    "power_mw": "average power (mW)",
    "battery_days": "battery life (days)",
}
"""Objectives by name, minimized but for :data:`MAXIMIZED`, with the label that people read."""

FAR_OF_OBJECTIVE = {"effective_latency_far1_s": 0.01, "effective_latency_far10_s": 0.1}
"""Objectives that are the time of an attempt divided by the share of genuine attempts accepted at a FAR."""

MAXIMIZED = frozenset({"battery_days"})
"""Objectives of which more is better; a study, which minimizes, records the negative: see :func:`recorded_name`."""

POWER_OBJECTIVES = frozenset({"power_mw", "battery_days"})
"""Objectives that follow from the task's schedule and what every part draws."""

ALIASES = {"error": "eer"}
"""Other names of objectives: the error rate of a verification is its equal error rate."""

_NEGATIVE = "negative_"

ERROR_OBJECTIVES = frozenset({"eer", "effective_latency_far1_s", "effective_latency_far10_s"})
"""Objectives that need a trained network; all others follow from the analytic models."""


def check_objectives(names: Sequence[str]) -> tuple[str, ...]:
    """The names as a tuple, aliases replaced.

    Raises:
        UserError: none, unknown or repeated names.
    """
    chosen = tuple(ALIASES.get(str(name), str(name)) for name in names or ())
    if not chosen or len(set(chosen)) != len(chosen) or not {objective_of(name) for name in chosen} <= set(OBJECTIVES):
        raise UserError(
            f"objectives must be different names out of {', '.join(OBJECTIVES)}",
            value=list(names or ()),
            remedy="write for example objectives=[eer,bom_cost_usd,latency_s]",
        )
    return chosen


def recorded_name(name: str) -> str:
    """What an objective is called where everything is minimized: ``negative_battery_days``."""
    return f"{_NEGATIVE}{name}" if name in MAXIMIZED else name


def recorded_value(name: str, value: Any) -> Any:
    """A value, or an array of them, as it is recorded and back: negative where more is better; None stays None."""
    return -value if value is not None and objective_of(name) in MAXIMIZED else value


def objective_of(recorded: str) -> str:
    """The objective that a recorded name stands for: the reverse of :func:`recorded_name`."""
    return recorded.removeprefix(_NEGATIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredRates:
    """How a device answers test windows that follow each other, by thresholds of validation data; in fractions.

    Attributes:
        smooth: windows of one recording whose scores are added before an answer.
        reject: share of right answers on validation data that thresholds were set to give up.
        wrong, wrong_ci95: share that is answered with another class, and its interval.
        unknown, unknown_ci95: share that is answered ``unknown``, and its interval.
    """

    smooth: int
    reject: float
    wrong: float
    wrong_ci95: tuple[float, float]
    unknown: float
    unknown_ci95: tuple[float, float]

    @classmethod
    def of_dict(cls, value: Mapping[str, Any]) -> AnsweredRates:
        """As ``dataclasses.asdict`` writes it, through JSON.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        bounds = {name: (float(value[name][0]), float(value[name][1])) for name in ("wrong_ci95", "unknown_ci95")}
        return cls(**{**value, **bounds})


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRates:
    """Error rates of one branch or one fusion of branches. Rates are fractions.

    Attributes:
        eer: equal error rate on test people, of a classification the share of wrongly classified test samples; None
            where nothing was trained.
        eer_ci95: bootstrap interval over people, or the interval of the table; None where unknown.
        eer_validation: equal error rate on validation people, by which the search decides; equals ``eer`` for tables.
        frr_at_far: FRR by FAR (0.01, 0.1) on test people at the threshold from validation people.
        frr_at_far_validation: the same on the validation people, by which the search decides; empty for tables.
        frr_ci95_at_far: bootstrap interval of ``frr_at_far`` over test people; empty where unknown.
        thresholds: accepting score by FAR, fixed point as in the firmware (sum of cosines over branches), from
            validation people; without the FARs that these have too few pairs for.
        far_at_threshold: by the FAR that a threshold was set for, the FAR of test people at it.
        people, genuine, impostor: how many test people and pairs stand behind it.
        impostor_validation: how many impostor pairs of validation people the thresholds rest on; 0 where unknown.
        curves: arrays for the report by name ("far", "frr", "genuine_histogram" ...), possibly empty.
        weights: by modality, with which the scores of a fusion are added, fixed point
            (:mod:`tinysearch.metrics.fusion`); empty for the plain sum.
        cascade: when one branch of a fusion decides alone; None where all always run.
        auc, auc_ci95: of an anomaly task the chance that an anomaly is farther from what was seen than a normal test
            sample, and its interval; None for others. There an alarm is what is accepted, so that FAR is the share of
            normal samples with an alarm, and FRR the share of anomalies without (:mod:`tinysearch.metrics.anomaly`).
        answered: of a classification, how a device answers; None for others, and where nothing is ever recognized.
    """

    eer: float | None
    evidence: ErrorEvidence
    eer_ci95: tuple[float, float] | None = None
    eer_validation: float | None = None
    frr_at_far: Mapping[float, float] = field(default_factory=dict)
    frr_at_far_validation: Mapping[float, float] = field(default_factory=dict)
    frr_ci95_at_far: Mapping[float, tuple[float, float]] = field(default_factory=dict)
    thresholds: Mapping[float, int] = field(default_factory=dict)
    far_at_threshold: Mapping[float, float] = field(default_factory=dict)
    people: int = 0
    genuine: int = 0
    impostor: int = 0
    impostor_validation: int = 0
    curves: Mapping[str, list[float]] = field(default_factory=dict)
    weights: Mapping[str, int] = field(default_factory=dict)
    cascade: Cascade | None = None
    auc: float | None = None
    auc_ci95: tuple[float, float] | None = None
    answered: AnsweredRates | None = None

    @property
    def decision_eer(self) -> float | None:
        """The rate that the search minimizes."""
        return self.eer if self.eer_validation is None else self.eer_validation

    @property
    def decision_frr_at_far(self) -> Mapping[float, float]:
        """The false reject rates by which the search decides."""
        return self.frr_at_far_validation or self.frr_at_far


NO_ERROR_RATES = ErrorRates(eer=None, evidence="none")


FAILURES_TO_LOCK = 5
"""Failed attempts in a row after which the firmware locks, unless menuconfig says otherwise (``TS_ATTEMPTS``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """At which FAR the firmware's threshold is set, and what that means to an owner. Rates are fractions.

    Attributes:
        far: false accept rate that the threshold is set for.
        far_test: false accept rate of test people at that threshold; None where unknown.
        frr, frr_ci95: share of an owner's attempts that are rejected, and its interval over test people.
        evidence: where ``frr`` comes from.
        attempts: mean number of attempts until an owner is in; None if that never happens.
        effective_latency_s: mean time until then, capturing and computing in every attempt.
        locked_out: chance that an owner fails :data:`FAILURES_TO_LOCK` times in a row, attempts being independent;
            None, as ``attempts`` and ``effective_latency_s``, for an anomaly task, where nobody tries again.
        usable: whether the FRR leaves it usable, by the rule of :mod:`tinysearch.evaluation.operating`.
        threshold: accepting score, fixed point as in the firmware; None where no network was trained here.
    """

    far: float
    far_test: float | None
    frr: float
    frr_ci95: tuple[float, float] | None
    evidence: ErrorEvidence
    attempts: float | None
    effective_latency_s: float | None
    locked_out: float | None
    usable: bool
    threshold: int | None

    @property
    def retried(self) -> bool:
        """Whether whoever is rejected tries again; nobody does of an anomaly task."""
        return self.locked_out is not None

    def to_dict(self) -> dict[str, Any]:
        """As a point of front.json has it."""
        return {
            "far": self.far,
            "far_test": self.far_test,
            "frr": self.frr,
            "frr_ci95": None if self.frr_ci95 is None else list(self.frr_ci95),
            "evidence": self.evidence,
            "attempts": self.attempts,
            "effective_latency_s": self.effective_latency_s,
            "locked_out": self.locked_out,
            "usable": self.usable,
            "threshold": self.threshold,
            "threshold_from": None if self.threshold is None else "validation",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One broken rule: its name, limit and actual value in base units, and one line for people."""

    rule: str
    limit: float
    actual: float
    message: str

    def to_dict(self) -> dict[str, Any]:
        return {"rule": self.rule, "limit": self.limit, "actual": self.actual, "message": self.message}


@dataclass(frozen=True, slots=True, kw_only=True)
class BomLine:
    """One part on the bill of materials.

    Attributes:
        usd: of one piece.
        source: where the price can be looked up.
        quantity: the order size that it holds for; None where that is not known.
        seller, date, kind: who asks it, when it was read, and how it was obtained (``assumed`` is an estimate).
        url: where it can be ordered; empty where no address is known.
    """

    part: str
    usd: float
    source: str = ""
    quantity: int | None = None
    seller: str = ""
    date: str = ""
    kind: str = ""
    url: str = ""

    @property
    def about(self) -> str:
        """What the price is, for people: ``marketplace, 1 piece, 2026-08`` or ``assumed, ...``."""
        pieces = "" if self.quantity is None else f"{self.quantity} piece{'' if self.quantity == 1 else 's'}"
        told = ["assumed" if self.kind == "assumed" else self.seller, pieces, self.date]
        return ", ".join(word for word in told if word)

    def to_dict(self) -> dict[str, Any]:
        return {
            "part": self.part,
            "usd": round(self.usd, 4),
            "quantity": self.quantity,
            "seller": self.seller or None,
            "date": self.date or None,
            "kind": self.kind or None,
            "source": self.source or None,
            "url": self.url or None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNote:
    """Whether a bill can be ordered by one person, and what else it takes.

    Attributes:
        build: what carries the processor: ``board``, ``module`` or ``chip``.
        quantity: of the order that prices were asked for; None for the prices as listed.
        bring: what is needed and not in the bill, in words.
        marking: what is printed on the carrier, by which it is told from its likes.
    """

    build: str
    quantity: int | None = None
    bring: tuple[str, ...] = ()
    marking: str = ""

    @property
    def ready(self) -> bool:
        """True for ready boards and breakouts; false for a design, which somebody has to draw and assemble."""
        return self.build == "board"

    @property
    def text(self) -> str:
        """One line for people."""
        if not self.ready:
            return (
                f"design, not an order: a {'bare chip' if self.build == 'chip' else 'module'} on a carrier of your own"
            )
        extra = f"; bring {', '.join(self.bring)}" if self.bring else ""
        return f"order: ready-made parts{extra}"

    def to_dict(self) -> dict[str, Any]:
        return {
            "ready": self.ready,
            "build": self.build,
            "quantity": self.quantity,
            "bring": list(self.bring),
            "marking": self.marking or None,
            "text": self.text,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchFigures:
    """Analytic figures of one branch: parameters, MACs, weights in flash and arena (bytes), latency (s)."""

    params: int
    macs: int
    weight_bytes: int
    arena_bytes: int
    latency_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Everything known of one candidate; ``to_dict`` gives the point of front.json.

    Attributes:
        figures: by modality.
        sensors: parts that sense, by name.
        flash_bytes, ram_bytes: what the firmware needs.
        latency_range_s: low and high estimate of ``latency_s``.
        acquisition_s: capture and front-end of one attempt, before the networks.
        effective_latency_s: by FAR, the mean time until an owner who retries is accepted; without FARs whose FRR is not
            known, None where nobody is ever accepted.
        operating_point: what the firmware's threshold means to people; None where no FRR is known.
        violations: broken rules; empty means feasible.
        order: whether the bill is one that can be ordered; None for a board that nobody sells.
        power: average power and battery life; None where neither a schedule nor a battery asks for it.
        decision: of the task; an error rate of a verification is its EER.
        input_kinds: by modality.
        cascade: means over attempts, where one branch decides alone when it is sure; ``latency_s`` is of both.
        details: figures for the report that no outsider relies on (memory map, layer times ...), JSON-able.
    """

    candidate: Candidate
    figures: Mapping[str, BranchFigures]
    sensors: tuple[str, ...]
    flash_bytes: int
    ram_bytes: int
    bom: tuple[BomLine, ...]
    latency_s: float
    latency_range_s: tuple[float, float]
    latency_evidence: LatencyEvidence
    acquisition_s: float
    energy_mj: float | None
    violations: tuple[Violation, ...] = ()
    errors: ErrorRates = NO_ERROR_RATES
    order: OrderNote | None = None
    effective_latency_s: Mapping[float, float | None] = field(default_factory=dict)
    operating_point: OperatingPoint | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    power: PowerReport | None = None
    decision: Decision = "verification"
    input_kinds: Mapping[str, str] = field(default_factory=dict)
    cascade: CascadeFigures | None = None

    @property
    def feasible(self) -> bool:
        return not self.violations

    @property
    def bom_cost_usd(self) -> float | None:
        """Sum of the bill of materials; None for a board that nobody sells."""
        return sum(line.usd for line in self.bom) if self.bom else None

    @property
    def attempt_s(self) -> float:
        """One whole attempt: capture and front-end, then inference. Whoever is rejected waits for another."""
        return self.acquisition_s + self.latency_s

    def values(self) -> dict[str, float | None]:
        """Objective values by name, and the time of capture."""
        return {
            "eer": self.errors.eer,
            "bom_cost_usd": None if self.bom_cost_usd is None else round(self.bom_cost_usd, 4),
            "latency_s": self.latency_s,
            "acquisition_s": self.acquisition_s,
            "effective_latency_far1_s": self.effective_latency_s.get(0.01),
            "effective_latency_far10_s": self.effective_latency_s.get(0.1),
            "flash_bytes": self.flash_bytes,
            "ram_bytes": self.ram_bytes,
            "energy_mj": self.energy_mj,
            **self._power_values(),
        }

    def _power_values(self) -> dict[str, float | None]:
        """Average power, and days where there is a battery; nothing where nobody asked."""
        if self.power is None:
            return {}
        days = {"battery_days": self.power.battery_days} if self.power.battery else {}
        return {"power_mw": self.power.total_mw, **days}

    def _area(self) -> dict[str, Any]:
        """The area under the curve of an anomaly task."""
        if self.decision != "anomaly":
            return {}
        bounds = self.errors.auc_ci95
        return {"auc": self.errors.auc, "auc_ci95": None if bounds is None else list(bounds)}

    def to_dict(self) -> dict[str, Any]:
        """The point as front.json spells it, with feasibility and violations; ``firmware`` is null until emitted."""
        platform = self.candidate.platform
        shown = self.values()
        return {
            "id": self.candidate.id,
            "modality": self.candidate.modality,
            "decision": self.decision,
            "branches": {
                branch.modality: _branch_dict(
                    branch, self.figures[branch.modality], self.input_kinds.get(branch.modality)
                )
                for branch in self.candidate.branches
            },
            "platform": {
                "processor": self.details.get("family", platform.processor),
                "chip": platform.processor,
                "cores": self.details.get("cores"),
                "flash_bytes": platform.flash_bytes,
                "psram_bytes": platform.psram_bytes,
                "sensors": list(self.sensors),
                "board": platform.board,
            },
            "requires": {"flash_bytes": self.flash_bytes, "ram_bytes": self.ram_bytes},
            "bom": [line.to_dict() for line in self.bom],
            "order": None if self.order is None else self.order.to_dict(),
            "values": {
                "error": shown["eer"],
                "error_ci95": None if self.errors.eer_ci95 is None else list(self.errors.eer_ci95),
                "eer": shown["eer"],
                "eer_ci95": None if self.errors.eer_ci95 is None else list(self.errors.eer_ci95),
                "eer_validation": self.errors.eer_validation,
                **self._area(),
                "bom_cost_usd": shown["bom_cost_usd"],
                "latency_s": self.latency_s,
                "latency_range_s": list(self.latency_range_s),
                "acquisition_s": self.acquisition_s,
                "effective_latency_far1_s": shown["effective_latency_far1_s"],
                "effective_latency_far10_s": shown["effective_latency_far10_s"],
                "energy_mj": self.energy_mj,
                **self._power_values(),
            },
            **({} if self.cascade is None else {"fusion": self.cascade.to_dict()}),
            **({} if self.power is None else {"power": self.power.to_dict()}),
            "operating_point": None if self.operating_point is None else self.operating_point.to_dict(),
            **({} if self.errors.answered is None else {"answered": asdict(self.errors.answered)}),
            "evidence": {"eer": self.errors.evidence, "latency": self.latency_evidence},
            "firmware": None,
            "feasible": self.feasible,
            "violations": [violation.to_dict() for violation in self.violations],
        }


def _branch_dict(branch: BranchSpec, figures: BranchFigures, kind: str | None) -> dict[str, Any]:
    """A branch as front.json spells it: what its family knows of it, then figures."""
    own = branch.architecture.parameters()
    return {
        "input_kind": kind,
        "architecture": branch.architecture.family,
        "layout": branch.architecture.label,
        "parameters": own,
        "precision": str(branch.precision),
        "input_size": branch.input_size,
        "channels": branch.channels,
        **{name: own[name] for name in ("blocks", "width", "embedding") if name in own},
        "params": figures.params,
        "macs": figures.macs,
        "weight_bytes": figures.weight_bytes,
    }
