"""Runs for tests: evaluations made of core types, random fronts, and their run directories."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import strategies as st

from tinysearch.architectures.resnet import resnet_branch
from tinysearch.core.bill import BomLine
from tinysearch.core.candidate import BranchSpec, Candidate, PlatformChoice
from tinysearch.core.error_rates import ErrorRates
from tinysearch.core.evaluation import BranchFigures, Evaluation
from tinysearch.core.objectives import recorded_value
from tinysearch.core.power import PowerReport
from tinysearch.core.schedule import parse_schedule
from tinysearch.evaluation.operating import rated
from tinysearch.report import build_data, write_data
from tinysearch.report.data import ReportData
from tinysearch.report.view import RunView

PARTS = {"chip": 2.5, "module": 4.0, "flash": 0.5, "psram": 1.25, "camera": 6.5, "microphone": 1.5}
BOARDS = {
    "bare": ("chip", "flash", "microphone"),
    "bare with psram": ("chip", "flash", "psram", "microphone"),
    "camera": ("chip", "flash", "camera"),
    "two cores": ("module", "camera", "microphone"),
    "everything": ("module", "flash", "psram", "camera", "microphone"),
}
PRECISIONS = ("float32", "int8", "xnor1/1", "xnor2/1")
SENSORS = {"face": ["camera", "OV2640"], "voice": ["microphone", "INMP441"]}
BLOCKS = ((1, 1), (2, 1), (2, 2), (2, 2, 2))


def branch(modality: str, *, blocks: tuple[int, ...] = (1, 1), precision: str = "int8") -> BranchSpec:
    return resnet_branch(modality, blocks=blocks, precision=precision)


def figures(spec: BranchSpec, latency_s: float) -> BranchFigures:
    params = 1000 * sum(spec.architecture.blocks) ** 2
    bits = {"float32": 32, "int8": 8}.get(str(spec.precision), 1)
    return BranchFigures(
        params=params, macs=params * 50, weight_bytes=params * bits // 8, arena_bytes=20_000, latency_s=latency_s
    )


def battery_life(days: float) -> PowerReport:
    """Of a device that sleeps between decisions, on two AA of 7200 mWh."""
    total_mw = 7200 / (24 * days)
    return PowerReport(
        schedule=parse_schedule("every:10s"),
        rests="deep sleep",
        shares_mw={"asleep": total_mw / 4, "computing": total_mw * 3 / 4},
        range_mw=(total_mw, total_mw),
        kind="derived",
        battery="2 AA",
        battery_days=days,
        battery_range_days=(days, days),
    )


def rates(
    eer: float | None, *, validation: float | None = None, width: float = 0.02, curves: bool = True
) -> ErrorRates:
    if eer is None:
        return ErrorRates(eer=None, evidence="none")
    steps = [i / 20 for i in range(21)]
    return ErrorRates(
        eer=eer,
        evidence="trained",
        eer_ci95=(max(eer - width, 0.0), min(eer + width, 1.0)),
        eer_validation=validation,
        frr_at_far={0.01: min(3 * eer, 0.95), 0.1: min(eer, 0.9)},
        frr_ci95_at_far={0.1: (max(min(eer, 0.9) - width, 0.0), min(eer, 0.9) + width)},
        frr_at_far_validation={} if validation is None else {0.01: min(2 * validation, 0.95), 0.1: 0.8 * validation},
        people=40,
        genuine=1200,
        impostor=4800,
        curves={
            "far": steps,
            "frr": steps[::-1],
            "distance": [0.1 + 0.1 * i for i in range(20)],
            "genuine_histogram": [0.05] * 20,
            "impostor_histogram": [0.05] * 20,
        }
        if curves
        else {},
    )


def evaluation(
    branches: Sequence[BranchSpec],
    *,
    board: str,
    errors: ErrorRates,
    latency_s: float = 0.2,
    parts: Sequence[tuple[str, float]] | None = None,
    cores: int = 2,
    flash_bytes: int = 2**22,
    psram_bytes: int = 2**21,
    far: float | None = 0.1,
    days: float | None = None,
) -> Evaluation:
    """An evaluation on a board of :data:`BOARDS`, or of the parts given; ``days`` on two AA, where asked."""
    bom = parts if parts is not None else [(name, PARTS[name]) for name in BOARDS[board]]
    bare = Evaluation(
        candidate=Candidate(
            branches=tuple(branches),
            platform=PlatformChoice(processor="esp32s3", flash_bytes=flash_bytes, psram_bytes=psram_bytes, board=board),
        ),
        figures={spec.modality: figures(spec, latency_s * 0.8) for spec in branches},
        sensors=("OV2640", "INMP441"),
        flash_bytes=1_000_000,
        ram_bytes=90_000,
        psram_bytes=30_000,
        bom=tuple(BomLine(part=name, usd=price, source="a shop (2026-11)") for name, price in bom),
        latency_s=latency_s,
        latency_range_s=(latency_s * 0.9, latency_s * 1.2),
        latency_evidence="calibrated",
        acquisition_s=0.12,
        energy_mj=latency_s * 200,
        power=None if days is None else battery_life(days),
        details={
            "cores": cores,
            "reads": {spec.modality: SENSORS[spec.modality] for spec in branches},
            "board_name": f"{board} board",
            "flash": {"program_bytes": 300_000, "weight_bytes": 400_000, "app_bytes": 720_896, "total_bytes": 786_432},
            "buffers": [
                {"name": "arena_face", "bytes": 60_000, "sram": True},
                {"name": "camera_frame", "bytes": 30_000, "sram": False},
            ],
        },
    )
    return rated(bare, errors, far=far)


@dataclass(frozen=True, kw_only=True, repr=False)
class Case:
    """Evaluations with the front that a search would take of them."""

    evaluations: tuple[Evaluation, ...]
    objectives: tuple[str, ...]
    budget_usd: float | None
    front: tuple[str, ...]

    def __repr__(self) -> str:
        lines = [f"{e.candidate.id} {e.values()} {e.errors.decision_eer}" for e in self.evaluations]
        return "\n".join([f"budget {self.budget_usd}", f"front {self.front}", *lines])

    @property
    def data(self) -> ReportData:
        return build_data(evaluations=self.evaluations, front=self.front, title="a door lock")

    @property
    def view(self) -> RunView:
        return RunView(data=self.data, front=self.front, budget_usd=self.budget_usd, objectives=self.objectives)

    def write(self, folder: Path) -> Path:
        """The run directory."""
        points = [found.to_dict() for name in self.front for found in self.evaluations if found.candidate.id == name]
        front = {"schema": 1, "budget_usd": self.budget_usd, "objectives": self.objectives, "points": points}
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "front.json").write_text(json.dumps(front), encoding="utf-8")
        manifest = {
            "versions": {"tinysearch": "0"},
            "seed": 0,
            "search": {"trials": 9, "trainings": 4, "reason": "n_trials=9 reached"},
            "verify": {name: [{"name": "host", "status": "passed", "detail": ""}] for name in self.front[:1]},
        }
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        write_data(folder, self.data)
        return folder


def make_case(
    evaluations: Sequence[Evaluation],
    *,
    objectives: Sequence[str] = ("eer", "bom_cost_usd", "latency_s"),
    budget_usd: float | None = None,
) -> Case:
    """A case with its front: by the deciding rate, then by the rates shown, as the search takes it."""
    unique = list({found.candidate.id: found for found in evaluations}.values())
    chosen = [found for found in unique if budget_usd is None or (found.bom_cost_usd or 0) <= budget_usd + 5e-5]
    for validation in (True, False):
        chosen = _non_dominated(chosen, objectives, validation=validation)
    return Case(
        evaluations=tuple(unique),
        objectives=tuple(objectives),
        budget_usd=budget_usd,
        front=tuple(found.candidate.id for found in chosen),
    )


def _non_dominated(found: Sequence[Evaluation], objectives: Sequence[str], *, validation: bool) -> list[Evaluation]:
    def vector(evaluation: Evaluation) -> tuple[float, ...]:
        errors = evaluation.errors
        decided = replace(errors, eer=errors.decision_eer, frr_at_far=errors.decision_frr_at_far)
        values = rated(evaluation, decided if validation else errors).values()
        return tuple(float(recorded_value(name, values[name] or 0.0)) for name in objectives)

    kept: list[Evaluation] = []
    for candidate in sorted(found, key=lambda e: (vector(e), e.candidate.id)):
        mine = vector(candidate)
        if not any(all(a <= b for a, b in zip(vector(other), mine, strict=True)) for other in kept):
            kept.append(candidate)
    return kept


_rate = st.integers(5, 4500).map(lambda value: value / 10_000)
_seconds = st.integers(5, 5000).map(lambda value: value / 1000)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Random runs: up to 14 designs, ties and duplicates likely, any sensible objectives, budgets that bite."""
    coarse = st.sampled_from([0.05, 0.1, 0.1005, 0.2])
    evaluations = []
    for _ in range(draw(st.integers(1, 14))):
        modalities = draw(st.sampled_from([("face",), ("voice",), ("face", "voice")]))
        specs = [
            branch(m, blocks=draw(st.sampled_from(BLOCKS)), precision=draw(st.sampled_from(PRECISIONS)))
            for m in modalities
        ]
        eer = draw(st.one_of(_rate, coarse))
        errors = rates(eer, validation=draw(st.one_of(st.none(), coarse)), width=draw(st.sampled_from([0.001, 0.03])))
        if draw(st.booleans()):
            errors = replace(errors, eer_ci95=None)
        evaluations.append(
            evaluation(
                specs,
                board=draw(st.sampled_from(sorted(BOARDS))),
                errors=errors,
                latency_s=draw(st.one_of(_seconds, st.sampled_from([0.1, 0.2]))),
                flash_bytes=draw(st.sampled_from([2**20, 2**22])),
            )
        )
    objectives = draw(
        st.sampled_from(
            [
                ("eer", "bom_cost_usd", "latency_s"),
                ("eer", "bom_cost_usd"),
                ("latency_s", "eer"),
                ("bom_cost_usd", "effective_latency_far1_s", "ram_bytes"),
                ("eer",),
            ]
        )
    )
    cheapest = min(found.bom_cost_usd or 0.0 for found in evaluations)
    budget = draw(st.sampled_from([None, cheapest, cheapest + 2, 15.0]))
    return make_case(evaluations, objectives=objectives, budget_usd=budget if budget is None else max(budget, cheapest))
