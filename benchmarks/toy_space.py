"""A small space with a toy catalogue and synthetic error rates, for the search's benchmarks and tests.

Layouts and precisions are those of the paper; MACs, bytes, prices and speeds are rough and only have the right shape.
No figure of it is a claim about hardware.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tinysearch.architectures.resnet import resnet_branch
from tinysearch.core.candidate import BranchSpec, PlatformChoice
from tinysearch.core.error_rates import ErrorRates
from tinysearch.core.limits import Violation
from tinysearch.core.protocols import ProgressCallback, TrainingProgress, TrainingRecord
from tinysearch.core.quantization import Precision
from tinysearch.search.known.assess import Assessment
from tinysearch.search.known.design import DesignTable
from tinysearch.search.known.flat import FlatPoint, FlatSpace

LAYOUTS = ((1, 1), (2, 1), (1, 2), (2, 2), (2, 2, 2), (2, 2, 2, 2))
PRECISIONS = ("float32", "int8", "xnor1/1", "xnor2/1", "xnor3/1", "xnor2/2")
FLASH_USD = {1 << 20: 0.3, 2 << 20: 0.35, 4 << 20: 0.45, 8 << 20: 0.6, 16 << 20: 0.9}
PSRAM_USD = {0: 0.0, 2 << 20: 0.5}
SENSOR_USD = {"face": 5.0, "voice": 1.5}
ACQUISITION_S = {"face": 0.12, "voice": 1.6}
MOST_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyChip:
    """Price, clock, cores, whether a camera fits, cycles a MAC of float32 and int8, and SRAM."""

    usd: float
    hz: float
    cores: int
    camera: bool
    cycles: Mapping[str, float]
    sram_bytes: int


CHIPS = {
    "esp32c3": ToyChip(usd=1.3, hz=160e6, cores=1, camera=False, cycles={"float32": 60, "int8": 4}, sram_bytes=300_000),
    "esp32s3": ToyChip(
        usd=3.3, hz=240e6, cores=2, camera=True, cycles={"float32": 1.7, "int8": 0.6}, sram_bytes=360_000
    ),
    "esp32": ToyChip(usd=2.6, hz=240e6, cores=2, camera=True, cycles={"float32": 5, "int8": 6}, sram_bytes=280_000),
}


def branch_size(branch: BranchSpec) -> tuple[float, float]:
    """Parameters and MACs, roughly."""
    width, side = branch.architecture.width, branch.input_size - 6
    macs, params, inputs = side * side * 49.0 * width, 49.0 * width, width
    side //= 4
    for stage, blocks in enumerate(branch.architecture.blocks):
        outputs = width * 2**stage
        for block in range(blocks):
            if block == 0 and stage:
                side = (side + 1) // 2
                macs, params = macs + side * side * inputs * outputs, params + inputs * outputs
            macs += side * side * 9 * (inputs * outputs + outputs * outputs)
            params += 9 * (inputs * outputs + outputs * outputs)
            inputs = outputs
    return params + inputs * branch.architecture.embedding, macs


def _cycles_per_mac(chip: ToyChip, precision: Precision) -> float:
    if precision.kind == "xnor":
        return 0.3 * precision.activation_bits * precision.weight_bits + 0.05
    return chip.cycles[precision.kind]


class ToySpace:
    """Every branch, board and design of the toy, and what a board costs and takes.

    Args:
        budget_usd: dearer designs are infeasible.
        widths: of the networks; more than one makes a larger space.
    """

    rules = ("budget", "camera", "flash", "ram", "latency", "space")

    def __init__(self, *, budget_usd: float = float("inf"), widths: Sequence[int] = (16,)) -> None:
        self.budget_usd = budget_usd
        self.branches = tuple(
            resnet_branch(m, blocks=blocks, precision=p, width=w)
            for m in ("face", "voice")
            for w in widths
            for blocks in LAYOUTS
            for p in PRECISIONS
        )
        self.size = {branch: branch_size(branch) for branch in self.branches}
        self.flat = FlatSpace(
            branches=self.branches,
            modalities={"face": ("face",), "voice": ("voice",), "fusion": ("face", "voice")},
            processors=tuple(CHIPS),
            flash_bytes=tuple(FLASH_USD),
            psram_bytes=tuple(PSRAM_USD),
        )
        self.table = self._table()

    def models(self) -> list[tuple[BranchSpec, ...]]:
        faces = [b for b in self.branches if b.modality == "face"]
        voices = [b for b in self.branches if b.modality == "voice"]
        return [(b,) for b in self.branches] + list(itertools.product(faces, voices))

    def needs_bytes(self, branches: Sequence[BranchSpec]) -> tuple[float, float]:
        """Flash and RAM that some branches need."""
        flash, ram = 250e3, 60e3
        for branch in branches:
            precision = Precision.parse(branch.precision)
            flash += self.size[branch][0] * precision.weight_bits / 8
            ram = max(ram, 60e3 + branch.architecture.width * 29 * 29 * min(precision.activation_bits, 32) / 8 * 2)
        return flash, ram

    def figures(self, branches: Sequence[BranchSpec], chip: str, flash: int, psram: int) -> dict[str, float]:
        """Analytic objectives of one design."""
        part = CHIPS[chip]
        times = [self.size[b][1] * _cycles_per_mac(part, Precision.parse(b.precision)) / part.hz for b in branches]
        seconds = (max(times) if part.cores > 1 else sum(times)) * (1.1 if psram else 1.0)
        usd = 2.5 + part.usd + FLASH_USD[flash] + PSRAM_USD[psram] + sum(SENSOR_USD[b.modality] for b in branches)
        needed, ram = self.needs_bytes(branches)
        capture = max(ACQUISITION_S[b.modality] for b in branches)
        return {
            "bom_cost_usd": usd,
            "latency_s": seconds,
            "acquisition_s": capture,
            "flash_bytes": needed,
            "ram_bytes": ram,
        }

    def assess(self, point: FlatPoint) -> Assessment:
        """One flat point: its figures and broken rules."""
        if point.branches is None:
            broken = Violation(rule="space", limit=0, actual=1, message="no such network in the space")
            return Assessment(violations=(broken,))
        figures = self.figures(point.branches, point.processor, point.flash_bytes, point.psram_bytes)
        chip = CHIPS[point.processor]
        faces = sum(b.modality == "face" for b in point.branches)
        limits = {
            "budget": (self.budget_usd, figures["bom_cost_usd"]),
            "camera": (1.0 if chip.camera else 0.0, float(faces)),
            "flash": (float(point.flash_bytes), figures["flash_bytes"]),
            "ram": (float(chip.sram_bytes + point.psram_bytes), figures["ram_bytes"]),
            "latency": (MOST_SECONDS, figures["latency_s"]),
        }
        violations = tuple(
            Violation(rule=rule, limit=limit, actual=actual, message=f"{rule}: {actual:g} is over {limit:g}")
            for rule, (limit, actual) in limits.items()
            if actual > limit
        )
        return Assessment(
            branches=point.branches, platform=self.platform(point), analytic=figures, violations=violations
        )

    @staticmethod
    def platform(point: FlatPoint) -> PlatformChoice:
        return PlatformChoice(
            processor=point.processor, flash_bytes=point.flash_bytes, psram_bytes=point.psram_bytes, board="bare"
        )

    def _table(self) -> DesignTable:
        index = {branch: i for i, branch in enumerate(self.branches)}
        columns = ("bom_cost_usd", "latency_s", "acquisition_s", "flash_bytes", "ram_bytes")
        platforms: dict[PlatformChoice, int] = {}
        needs, rows, boards = [], [], []
        for branches in self.models():
            flash_needed, ram_needed = self.needs_bytes(branches)
            flash = next((size for size in FLASH_USD if size >= flash_needed), None)
            for name, chip in CHIPS.items():
                psram = next((size for size in PSRAM_USD if chip.sram_bytes + size >= ram_needed), None)
                if flash is None or psram is None:
                    continue
                point = FlatPoint(branches=branches, processor=name, flash_bytes=flash, psram_bytes=psram)
                assessed = self.assess(point)
                if assessed.violations or assessed.analytic is None:
                    continue
                needs.append([*(index[b] for b in branches), -1][:2])
                rows.append([assessed.analytic[c] for c in columns])
                boards.append(platforms.setdefault(self.platform(point), len(platforms)))
        sizes = np.array([self.size[b] for b in self.branches])
        return DesignTable(
            branches=self.branches,
            params=sizes[:, 0],
            macs=sizes[:, 1],
            columns=columns,
            analytic=np.array(rows).reshape(-1, len(columns)),
            needs=np.array(needs, np.int64).reshape(-1, 2),
            platforms=tuple(platforms),
            platform=np.array(boards, np.int64),
        )


class SyntheticErrors:
    """Smooth made-up error rates: fewer with more parameters, more with fewer bits, fusion near a geometric mean.

    An :class:`~tinysearch.core.protocols.ErrorModel` whose trainings take no time.

    Args:
        seed: of the scatter about the smooth law.
        noise: standard deviation of an EER's extra relative error, as if people had been resampled.
        remember: whether branches count as known without training.
    """

    evidence = "table"
    needs_training = True

    def __init__(self, space: ToySpace, *, seed: int, noise: float = 0.0, remember: bool = False) -> None:
        rng = np.random.default_rng(seed)
        self._trained: set[BranchSpec] = set(space.branches) if remember else set()
        self.trainings: list[BranchSpec] = []
        self._eer: dict[tuple[BranchSpec, ...], float] = {}
        self._seconds = {branch: 1e-6 * space.size[branch][1] + 5 for branch in space.branches}
        for branch in space.branches:
            decades = np.log10(space.size[branch][0]) - 4.4
            penalty = {"float32": 0, "int8": 0.004, "xnor1/1": 0.09, "xnor2/1": 0.04, "xnor3/1": 0.025, "xnor2/2": 0.03}
            base = (0.10 if branch.modality == "face" else 0.17) + 0.12 * np.exp(-2.2 * decades)
            base += penalty[str(branch.precision)] * np.exp(-0.8 * decades) + rng.normal(0, 0.008)
            self._eer[(branch,)] = max(0.02, base)
        for pair in space.models():
            if len(pair) == 2:
                mean = 0.62 * np.sqrt(self._eer[pair[:1]] * self._eer[pair[1:]])
                self._eer[pair] = max(0.005, mean + rng.normal(0, 0.004))
        if noise:
            self._eer = {k: min(0.5, v * float(np.exp(rng.normal(0, noise)))) for k, v in self._eer.items()}

    def knows(self, branch: BranchSpec) -> bool:
        return branch in self._trained

    def train(self, branch: BranchSpec, *, progress: ProgressCallback) -> TrainingRecord:
        remembered = branch in self._trained
        if not remembered:
            for step in range(2):
                progress(TrainingProgress(branch=branch, phase=f"epoch {step + 1}/2", fraction=(step + 1) / 2))
            self._trained.add(branch)
            self.trainings.append(branch)
        return TrainingRecord(
            branch=branch, seconds=0.0 if remembered else self._seconds[branch], remembered=remembered
        )

    def error_rates(self, branches: Sequence[BranchSpec]) -> ErrorRates:
        eer = self._eer[tuple(branches)]
        frr = {0.01: min(0.99, 4 * eer), 0.1: min(0.9, eer)}
        return ErrorRates(eer=eer, evidence="table", eer_ci95=(eer * 0.8, eer * 1.2), frr_at_far=frr)

    def seconds(self, branch: BranchSpec) -> float:
        return self._seconds[branch]

    def has(self, branches: Sequence[BranchSpec]) -> bool:
        return tuple(branches) in self._eer
