"""A finished run as the report sees it: the front of front.json, everything else known, and what was checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinysearch.core.candidate import layout_heard
from tinysearch.core.errors import UserError
from tinysearch.core.records import checked
from tinysearch.core.task import rate_called
from tinysearch.metrics import effective_latency_s, known
from tinysearch.reading import read_json
from tinysearch.report.data import (
    MALFORMED,
    BoardCard,
    BranchCard,
    DesignCard,
    PartCard,
    ReportData,
    answered,
    consistent,
    operating_point,
    read_data,
    reason_of,
)

FRONT_SCHEMAS = (1, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """What advice and page are made from.

    Attributes:
        front: ids in the order of front.json; every one is a design of ``data``.
        budget_usd: None without a limit.
        affordable: known designs within the budget.
        firmware: folder by id, of emitted points.
        rungs: verification by id, each with name, status and detail.
        manifest: of the run; empty while it is not finished.
    """

    data: ReportData
    front: tuple[str, ...]
    budget_usd: float | None
    objectives: tuple[str, ...]
    firmware: Mapping[str, str] = field(default_factory=dict)
    rungs: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)
    manifest: Mapping[str, Any] = field(default_factory=dict)
    affordable: tuple[DesignCard, ...] = field(init=False, repr=False)
    _index: Mapping[str, DesignCard] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_index", {design.id: design for design in self.data.designs})
        object.__setattr__(self, "affordable", tuple(d for d in self.data.designs if self.within(d)))

    def design(self, identity: str) -> DesignCard:
        """A design by id."""
        return self._index[identity]

    @property
    def operating_far(self) -> float | None:
        """The FAR that the run's thresholds are set for; None where no FRR is known."""
        return next((d.operating_point.far for d in self.points if d.operating_point is not None), None)

    @property
    def retried(self) -> bool:
        """Whether whoever is rejected tries again; true where no FRR is known."""
        return all(d.operating_point.retried for d in self.points if d.operating_point is not None)

    @property
    def points(self) -> tuple[DesignCard, ...]:
        """The front, in its order."""
        return tuple(self._index[identity] for identity in self.front)

    def within(self, design: DesignCard) -> bool:
        """Whether a design's board is affordable (half a hundredth of a cent is forgiven, as in the search)."""
        return self.budget_usd is None or self.cost(design) <= self.budget_usd + 5e-5

    def board(self, design: DesignCard) -> BoardCard:
        """The board of a design."""
        return self.data.boards[design.board]

    def branches(self, design: DesignCard) -> tuple[BranchCard, ...]:
        """The networks of a design."""
        return tuple(self.data.branches[key] for key in design.branches)

    def cost(self, design: DesignCard) -> float:
        """US$ of a design's board."""
        return self.board(design).price_usd

    def params(self, design: DesignCard) -> int:
        """Parameters of all branches."""
        return sum(branch.params for branch in self.branches(design))

    def weight_bytes(self, design: DesignCard) -> int:
        """Bytes of the parameters of all branches as packed in flash."""
        return sum(branch.weight_bytes for branch in self.branches(design))

    def value(self, design: DesignCard, objective: str, *, decided: bool = False) -> float | None:
        """An objective of a design; None where unknown. ``decided`` takes the error rates by which was chosen."""
        return _VALUES[objective](self, design.decided if decided else design)


def effective_s(design: DesignCard, frr: float | None) -> float | None:
    """Expected time until an owner of a design is in; None if unknown or never, and where nobody tries again."""
    once = design.operating_point is not None and not design.operating_point.retried
    return None if frr is None or once else known(effective_latency_s(design.attempt_s, frr))


_VALUES: dict[str, Callable[[RunView, DesignCard], float | None]] = {
    "eer": lambda _, design: design.eer,
    "bom_cost_usd": lambda view, design: view.cost(design),
    "latency_s": lambda _, design: design.latency_s,
    "effective_latency_far1_s": lambda _, design: effective_s(design, design.frr_far1),
    "effective_latency_far10_s": lambda _, design: effective_s(design, design.frr_far10),
    "flash_bytes": lambda _, design: design.flash_bytes,
    "ram_bytes": lambda _, design: design.ram_bytes,
    "energy_mj": lambda _, design: design.energy_mj,
    "power_mw": lambda _, design: design.power_mw,
    "battery_days": lambda _, design: design.battery_days,
}


def read_view(run_dir: Path) -> RunView:
    """A run directory's front, data and manifest. A run without report_data.json shows its front alone.

    Raises:
        UserError: no readable front.json, or the files do not belong together.
    """
    front = _read(run_dir / "front.json")
    if front is None:
        raise UserError(
            "a report must be made of a finished run, with its front.json",
            value=run_dir,
            remedy="name a search's run_dir",
        )
    if front.get("schema") not in FRONT_SCHEMAS:
        raise UserError(
            f"front.json must have schema {FRONT_SCHEMAS[-1]}", value=front.get("schema"), remedy="run the search again"
        )
    manifest = _read(run_dir / "manifest.json") or {}
    try:
        view = checked(_view(run_dir, front, manifest))
    except MALFORMED as error:
        raise UserError(
            "front.json and manifest.json must be as a search wrote them",
            value=f"{run_dir}: {reason_of(error)}",
            remedy="run the search again in this run_dir: what is recorded stays",
        ) from error
    missing = set(view.front) - {design.id for design in view.data.designs}
    if missing:
        raise UserError(
            "front.json and report_data.json must belong to one run",
            value=f"{sorted(missing)[0]} is only in front.json",
            remedy="run the search again in this run_dir",
        )
    return view


def _view(run_dir: Path, front: Mapping[str, Any], manifest: Mapping[str, Any]) -> RunView:
    _check_manifest(manifest)
    points = front["points"]
    data = read_data(run_dir) or _front_only(points)
    ids = tuple(point["id"] for point in points)
    return RunView(
        data=data,
        front=ids,
        budget_usd=front["budget_usd"],
        objectives=tuple(front["objectives"]),
        firmware={point["id"]: point["firmware"] for point in points if point.get("firmware")},
        rungs=manifest.get("verify", {}),
        manifest=manifest,
    )


def _check_manifest(manifest: Mapping[str, Any]) -> None:
    """Raise KeyError or TypeError where a page could not be written from it."""
    for name in ("search", "versions", "rules"):
        if not isinstance(manifest.get(name, {}), dict):
            raise TypeError(f"manifest.json's {name} is {manifest[name]!r}")
    search = manifest.get("search")
    if search and not (isinstance(search["trials"], int) and isinstance(search["trainings"], int)):
        raise TypeError("manifest.json's counts of trials and trainings are no numbers")
    if search:
        search["reason"]


def _read(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        document = read_json(path)
    except OSError as error:
        raise UserError(
            f"{path.name} must be readable JSON",
            value=f"{path}: {error.strerror}",
            remedy="run the search again in this run_dir: what is recorded stays",
        ) from error
    return document if isinstance(document, dict) else {}


def _layout(branch: Mapping[str, Any]) -> str:
    """What front.json calls a network; its first schema had blocks alone."""
    layout = str(branch.get("layout") or "-".join(map(str, branch.get("blocks", ()))))
    return layout_heard(layout, branch.get("frames"))


def _front_only(points: Sequence[Mapping[str, Any]]) -> ReportData:
    """What front.json alone tells."""
    branches: dict[str, BranchCard] = {}
    boards: dict[str, BoardCard] = {}
    designs = []
    for point in points:
        own = [_branch_card(modality, branch) for modality, branch in point["branches"].items()]
        board = _board_card(point)
        branches |= {card.key: card for card in own}
        boards[board.id] = board
        designs.append(_design_card(point, branches=tuple(card.key for card in own), board=board.id))
    data = ReportData(
        price_level="typical",
        known=len(designs),
        thinning="the front alone: this run has no report_data.json",
        rate=rate_called(point.get("decision") for point in points),
        branches=branches,
        boards=boards,
        processors={},
        designs=tuple(designs),
        details={},
    )
    return consistent(data)


def _branch_card(modality: str, branch: Mapping[str, Any]) -> BranchCard:
    layout = _layout(branch)
    sizes = [branch.get(name) for name in ("width", "input_size", "channels", "frames")]
    return BranchCard(
        key=" ".join(map(str, (modality, layout, branch["precision"], *sizes))),
        modality=modality,
        layout=layout,
        precision=branch["precision"],
        width=int(branch.get("width") or 0),
        input_size=branch["input_size"],
        params=branch["params"],
        macs=branch["macs"],
        weight_bytes=branch["weight_bytes"],
    )


def _board_card(point: Mapping[str, Any]) -> BoardCard:
    platform, order = point["platform"], point.get("order") or {}
    parts = tuple(PartCard(name=part["part"], usd=part["usd"]) for part in point["bom"])
    identity = "+".join(part.name for part in parts) or str(platform["processor"])
    return BoardCard(
        id=identity,
        name=str(platform.get("board") or identity),
        processor=platform["processor"],
        cores=platform["cores"] or 1,
        flash_bytes=platform["flash_bytes"],
        psram_bytes=platform["psram_bytes"],
        sensors=tuple(platform["sensors"]),
        parts=parts,
        order=order.get("text", ""),
        ready=order.get("ready"),
    )


def _design_card(point: Mapping[str, Any], *, branches: tuple[str, ...], board: str) -> DesignCard:
    """A point, whose branches and board are known by these keys."""
    platform, values, fusion = point["platform"], point["values"], point.get("fusion") or {}
    interval = values["eer_ci95"]
    return DesignCard(
        id=point["id"],
        modality=point["modality"],
        branches=branches,
        board=board,
        eer=values["eer"],
        eer_ci95=None if interval is None else (interval[0], interval[1]),
        eer_validation=values.get("eer_validation"),
        frr_far1=_frr(values, "effective_latency_far1_s"),
        frr_far10=_frr(values, "effective_latency_far10_s"),
        operating_point=operating_point(point.get("operating_point")),
        answered=answered(point.get("answered")),
        cascade=fusion.get("text", ""),
        first=fusion.get("first", ""),
        executed=platform.get("text", ""),
        shared=platform.get("branch_cores", 1) > 1,
        latency_s=values["latency_s"],
        latency_range_s=(values["latency_range_s"][0], values["latency_range_s"][1]),
        acquisition_s=values["acquisition_s"],
        energy_mj=values["energy_mj"],
        power_mw=values.get("power_mw"),
        battery_days=values.get("battery_days"),
        flash_bytes=point["requires"]["flash_bytes"],
        ram_bytes=point["requires"]["ram_bytes"],
        branch_latency_s={},
        eer_evidence=point["evidence"]["eer"],
        latency_evidence=point["evidence"]["latency"],
    )


def _frr(values: Mapping[str, Any], name: str) -> float | None:
    """The FRR behind an effective latency, which front.json gives in its place."""
    effective = values[name]
    return None if not effective else 1.0 - (values["acquisition_s"] + values["latency_s"]) / effective
