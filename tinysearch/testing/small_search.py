"""A search of a few dozen designs with made-up figures, to try samplers on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinysearch.architectures.resnet import resnet_branch
from tinysearch.core.candidate import BranchSpec, PlatformChoice
from tinysearch.core.error_rates import ErrorEvidence, ErrorRates
from tinysearch.core.protocols import ProgressCallback, TrainingProgress, TrainingRecord
from tinysearch.search.known.design import NO_BRANCH, DesignTable
from tinysearch.search.known.flat import FlatSpace
from tinysearch.search.problem import StudyProblem

OBJECTIVES = ("eer", "bom_cost_usd", "latency_s")
MIB = 1 << 20
_LAYOUTS, _PRECISIONS = ((1,), (2,), (2, 2), (3, 3)), ("float32", "int8", "xnor1/1")
_SLOWNESS = {"float32": 1.0, "int8": 0.3, "xnor1/1": 0.1}
_BITS = {"float32": 32, "int8": 8, "xnor1/1": 1}
_CHIPS = {"small": (2.0, 1.0, 600e3), "large": (4.0, 0.3, 4e6)}
"""Price, slowness, and bytes of flash by processor."""

_SENSOR_USD = {"face": 5.0, "voice": 1.5}
_ACQUISITION_S = {"face": 0.1, "voice": 1.5}


def _branches() -> tuple[BranchSpec, ...]:
    return tuple(
        resnet_branch(modality, blocks=blocks, precision=precision)
        for modality in ("face", "voice")
        for blocks in _LAYOUTS
        for precision in _PRECISIONS
    )


def _params(branch: BranchSpec) -> float:
    blocks: list[int] = branch.architecture.parameters()["blocks"]
    return 2e4 * sum(count << stage for stage, count in enumerate(blocks))


class SmallErrors:
    """Error rates that fall with parameters and rise as bits go; trainings take no time and are counted."""

    evidence: ErrorEvidence = "table"
    needs_training = True

    def __init__(self) -> None:
        self.trained: list[BranchSpec] = []

    def knows(self, branch: BranchSpec) -> bool:
        return branch in self.trained

    def train(self, branch: BranchSpec, *, progress: ProgressCallback) -> TrainingRecord:
        remembered = self.knows(branch)
        if not remembered:
            progress(TrainingProgress(branch=branch, phase="made up", fraction=1.0))
            self.trained.append(branch)
        return TrainingRecord(branch=branch, seconds=1.0, remembered=remembered)

    def error_rates(self, branches: Sequence[BranchSpec]) -> ErrorRates:
        eer = 1.0
        for branch in branches:
            bits = {"float32": 1.0, "int8": 1.05, "xnor1/1": 1.5}[str(branch.precision)]
            eer *= (0.1 if branch.modality == "face" else 0.18) * bits * (2e4 / _params(branch)) ** 0.3
        if len(branches) > 1:
            eer = 0.6 * eer**0.5
        return ErrorRates(eer=eer, evidence="table", eer_ci95=(0.8 * eer, 1.2 * eer), frr_at_far={0.01: 4 * eer})


def small_problem(errors: SmallErrors) -> StudyProblem:
    """Two modalities, four layouts, three precisions, two processors; large float networks fit on no small one."""
    branches = _branches()
    faces, voices = ([i for i, b in enumerate(branches) if b.modality == m] for m in ("face", "voice"))
    models = [(i, NO_BRANCH) for i in (*faces, *voices)] + [(i, j) for i in faces for j in voices]
    platforms = tuple(
        PlatformChoice(processor=chip, flash_bytes=MIB, psram_bytes=0, board=f"{chip}-board") for chip in _CHIPS
    )
    needs, analytic, platform = [], [], []
    for model in models:
        used = [branches[i] for i in model if i != NO_BRANCH]
        weights = sum(_params(b) * _BITS[str(b.precision)] / 8 for b in used)
        for number, (usd, slowness, flash_bytes) in enumerate(_CHIPS.values()):
            if weights <= flash_bytes:
                seconds = slowness * sum(_params(b) * _SLOWNESS[str(b.precision)] for b in used) * 1e-5
                needs.append(model)
                sensors = sum(_SENSOR_USD[b.modality] for b in used), max(_ACQUISITION_S[b.modality] for b in used)
                analytic.append((usd + sensors[0], seconds, sensors[1]))
                platform.append(number)
    sizes = np.array([_params(branch) for branch in branches])
    table = DesignTable(
        branches=branches,
        params=sizes,
        macs=100 * sizes,
        columns=("bom_cost_usd", "latency_s", "acquisition_s"),
        analytic=np.array(analytic),
        needs=np.array(needs, np.int64),
        platforms=platforms,
        platform=np.array(platform, np.int64),
    )
    flat = FlatSpace(
        branches=branches,
        modalities={"face": ("face",), "voice": ("voice",), "fusion": ("face", "voice")},
        processors=tuple(_CHIPS),
        flash_bytes=(MIB,),
        psram_bytes=(0,),
    )
    return StudyProblem(
        table=table, flat=flat, objectives=OBJECTIVES, error_model=errors, rules={"space": "small", "data": "made up"}
    )
