"""Error rates drawn by laws of many shapes over the branches of a space, and relatives of them, for the benchmarks.

Nobody's measurements: each draw has its own levels, slopes, bends, costs of coarse arithmetic, failed layouts and
scatter, so that a search tuned to one table is found out by the others. A *relative* of a draw is what the same
networks would show with other data: another level, other slopes within bounds, a scatter of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.error_rates import ErrorRates

COARSE = {"float32": 0.0, "int8": 0.02, "xnor1/1": 0.5, "xnor2/1": 0.25, "xnor3/1": 0.18, "xnor2/2": 0.15}
MIDDLES, MIDDLE = {"face": 0.12, "voice": 0.2}, 0.15
WORST = 0.47
LEVEL = 0.35
"""Standard deviation of the log error at the middle."""
PARAMS, MACS = (-0.4, 0.25), (-0.1, 0.15)
"""Mean and standard deviation of its slope per decade."""
SCATTERS = (0.02, 0.1)
FAILED, FAILURES, LAYOUT = 0.08, (0.3, 0.9), 0.08
"""Share of layouts that fail, how far these lie off, and the standard deviation of how far the others do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """Of one input: log error at the middle, per decade of parameters and of MACs, its bend, and of coarseness."""

    level: float
    params: float
    macs: float
    bend: float
    best_at: float
    coarse: float
    layouts: dict[str, float]


class DrawnErrors:
    """One draw of all errors, smooth but for its scatter and layouts that fail; fusions linear in the probit.

    Args:
        space: with ``branches``, ``size`` (params and MACs by branch) and ``models()``.
        seed: of the draw.
        relative: 0 for the draw itself, else the number of one of its relatives.
    """

    evidence = "table"

    def __init__(self, space: Any, *, seed: int, relative: int = 0) -> None:
        rng = np.random.default_rng([seed, 17])
        own = rng if not relative else np.random.default_rng([seed, 17, relative])
        inputs = sorted({branch.modality for branch in space.branches})
        laws = {name: draw_law(rng, name, space) for name in inputs}
        scatter = float(rng.uniform(*SCATTERS))
        fusion = rng.normal([-0.02, 0.7, 0.7], [0.08, 0.07, 0.07])
        if relative:
            laws = {name: _related(own, law) for name, law in laws.items()}
        sizes = np.log10(np.array([space.size[branch] for branch in space.branches]))
        places = dict(zip(space.branches, sizes - sizes.mean(axis=0), strict=True))
        self._seconds = {branch: 1e-6 * space.size[branch][1] + 5 for branch in space.branches}
        self._eer: dict[tuple[BranchSpec, ...], float] = {}
        for branch in space.branches:
            law, (params, macs) = laws[branch.modality], places[branch]
            log = law.level + law.params * params + law.macs * macs + law.bend * max(0.0, params - law.best_at) ** 2
            log += law.coarse * COARSE[str(branch.precision)] * np.exp(-0.5 * params)
            log += law.layouts[branch.architecture.label] + own.normal(0.0, scatter)
            self._eer[(branch,)] = float(np.clip(np.exp(log), 0.005, WORST))
        effects = {branch: own.normal(0.0, 0.02) for branch in space.branches}
        for pair in space.models():
            if len(pair) == 2:
                probits = [ndtri(self._eer[(branch,)]) for branch in pair]
                probit = fusion[0] + fusion[1:] @ probits + sum(effects[b] for b in pair) + own.normal(0.0, 0.025)
                self._eer[pair] = float(np.clip(ndtr(probit), 0.002, WORST))

    def error_rates(self, branches: Sequence[BranchSpec]) -> ErrorRates:
        eer = self._eer[tuple(branches)]
        return ErrorRates(eer=eer, evidence="table", eer_ci95=(0.85 * eer, 1.17 * eer))

    def seconds(self, branch: BranchSpec) -> float:
        return self._seconds[branch]

    def has(self, branches: Sequence[BranchSpec]) -> bool:
        return tuple(branches) in self._eer


def draw_law(rng: np.random.Generator, name: str, space: Any) -> Law:
    """Of one input."""
    labels = sorted({branch.architecture.label for branch in space.branches if branch.modality == name})
    failed = rng.random(len(labels)) < FAILED
    offsets = np.where(failed, rng.uniform(*FAILURES, len(labels)), rng.normal(0.0, LAYOUT, len(labels)))
    return Law(
        level=float(np.log(MIDDLES.get(name, MIDDLE)) + rng.normal(0.0, LEVEL)),
        params=float(rng.normal(*PARAMS)),
        macs=float(rng.normal(*MACS)),
        bend=float(max(0.0, rng.normal(0.1, 0.25))),
        best_at=float(rng.uniform(-0.3, 0.5)),
        coarse=float(np.exp(rng.normal(-0.2, 0.6))),
        layouts=dict(zip(labels, offsets.tolist(), strict=True)),
    )


def _related(rng: np.random.Generator, law: Law) -> Law:
    """The same with other data: half as hard or twice as hard, and a little of everything else."""
    return Law(
        level=law.level + float(rng.normal(0.0, 0.35)),
        params=law.params * float(rng.uniform(0.75, 1.25)),
        macs=law.macs * float(rng.uniform(0.75, 1.25)),
        bend=law.bend * float(rng.uniform(0.6, 1.4)),
        best_at=law.best_at + float(rng.normal(0.0, 0.1)),
        coarse=law.coarse * float(rng.uniform(0.75, 1.25)),
        layouts={label: offset + float(rng.normal(0.0, 0.04)) for label, offset in law.layouts.items()},
    )
