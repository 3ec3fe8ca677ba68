"""Whether the search finds the front, and stops in time, on tables that have little in common with those we know.

Errors that fall steeply with size, not at all, or rise with it; ties; wide intervals; half of all trainings gone wrong;
rates that nothing explains; an input that dominates and fusions that help nobody; three inputs; five branches; budgets
that leave one branch or two. Nobody's measurements, and nothing that the search is tuned to.

    python benchmarks/odd_tables.py --seeds 5
    python benchmarks/odd_tables.py --kinds ties,tiny

The last line is one JSON object: for each kind mean trainings to 99 % of the hypervolume and to where the search stops
by itself, how many branches there are, and the least and the median share of the hypervolume at the stop.
"""

from __future__ import annotations

import argparse
import json
import sys
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from overhead import make_wide_table
from replays import Curve, replay
from search import ENOUGH
from toy_space import ToySpace
from worlds import make_world

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.error_rates import ErrorRates
from tinysearch.search.known.design import NO_BRANCH, DesignTable, Ints

Law = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]
"""Errors of branches from decades of parameters about the mean, and what their precision costs."""
Fusion = Callable[[np.ndarray], float]
"""Error of a fusion from those of its branches."""

COSTS = {"float32": 0.0, "int8": 0.01, "xnor1/1": 0.4, "xnor2/1": 0.2, "xnor3/1": 0.15, "xnor2/2": 0.12}
WORST = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Odd:
    """A kind of table.

    Attributes:
        law: of the errors of branches.
        fusion: of fusions.
        inputs: how many; of more than two the space is another one.
        most: so many branches of the space at most, drawn at random; None for all.
        cheapest: the budget allows designs of about so many branches; None for no budget.
        interval: the 95 % interval of a rate is this times as high as it, and as low.
    """

    law: Law
    fusion: Fusion = lambda errors: float(0.62 * np.sqrt(errors.prod()))
    inputs: int = 2
    most: int | None = None
    cheapest: int | None = None
    interval: float = 1.2


def smooth(decades: np.ndarray, costs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return 0.15 * np.exp(-0.8 * decades + costs + 0.05 * rng.standard_normal(len(decades)))


def _one_dominates(errors: np.ndarray) -> float:
    return float(errors.min())


KINDS: Mapping[str, Odd] = {
    "smooth": Odd(law=smooth),
    "steep": Odd(law=lambda d, c, rng: 0.1 * np.exp(-4.0 * d + c + 0.05 * rng.standard_normal(len(d)))),
    "flat": Odd(law=lambda d, c, rng: 0.1 * np.exp(0.002 * rng.standard_normal(len(d)))),  # noqa: ARG005
    "rising": Odd(law=lambda d, c, rng: 0.15 * np.exp(0.8 * d + c + 0.05 * rng.standard_normal(len(d)))),
    "ties": Odd(law=lambda d, c, rng: np.round(smooth(d, c, rng) / 0.05) * 0.05 + 0.01),
    "wide intervals": Odd(
        law=lambda d, c, rng: smooth(d, c, rng) * np.exp(0.4 * rng.standard_normal(len(d))), interval=2.5
    ),
    "unexplained": Odd(law=lambda d, c, rng: np.exp(rng.uniform(np.log(0.02), np.log(0.4), len(d)))),  # noqa: ARG005
    "half failed": Odd(law=lambda d, c, rng: np.where(rng.random(len(d)) < 0.5, WORST, smooth(d, c, rng))),
    "perfect": Odd(law=lambda d, c, rng: np.where(d + 0.3 * rng.standard_normal(len(d)) > 0.2, 0.0, smooth(d, c, rng))),
    "one dominates": Odd(law=smooth, fusion=_one_dominates),
    "fusions harm": Odd(law=smooth, fusion=lambda errors: float(errors.mean())),
    "three inputs": Odd(law=smooth, inputs=3, fusion=lambda errors: float(0.4 * errors.prod() ** (1 / len(errors)))),
    "tiny": Odd(law=smooth, most=5),
    "two affordable": Odd(law=smooth, cheapest=2),
    "one affordable": Odd(law=smooth, cheapest=1),
}


class OddErrors:
    """Errors of one kind, drawn once, over some branches."""

    def __init__(self, table: DesignTable, kind: Odd, *, seed: int) -> None:
        rng = np.random.default_rng([seed, 29])
        decades = np.log10(table.params) - np.log10(table.params).mean()
        costs = np.array([COSTS[str(branch.precision)] for branch in table.branches])
        # No input is like another: each has a level of its own.
        level = np.exp(0.5 * rng.standard_normal(kind.inputs))[table.input]
        errors = np.clip(level * kind.law(decades, costs, rng), 0.0, WORST)
        self._errors = dict(zip(table.branches, errors.tolist(), strict=True))
        self._kind, self._seed = kind, seed

    def error_rates(self, branches: Sequence[BranchSpec]) -> ErrorRates:
        errors = np.array([self._errors[branch] for branch in branches])
        eer = float(errors[0])
        if len(branches) > 1:
            rng = np.random.default_rng([self._seed, *(zlib.crc32(branch.key.encode()) for branch in branches)])
            eer = min(WORST, self._kind.fusion(errors) * float(np.exp(0.03 * rng.standard_normal())))
        low, high = eer / self._kind.interval, min(1.0, eer * self._kind.interval)
        return ErrorRates(eer=eer, evidence="table", eer_ci95=(low, high))

    def seconds(self, branch: BranchSpec) -> float:
        del branch
        return 1.0

    def has(self, branches: Sequence[BranchSpec]) -> bool:
        return all(branch in self._errors for branch in branches)


@dataclass(frozen=True, slots=True, kw_only=True)
class OddSpace:
    """What a replay needs of a space; it proposes rows of the table alone."""

    table: DesignTable
    flat: None = None
    rules: tuple[str, ...] = ()


def make_space(kind: Odd, *, seed: int) -> OddSpace:
    """The toy's designs, or the made-up ones of three inputs, as far as a kind has them."""
    rng = np.random.default_rng([seed, 31])
    if kind.inputs > 2:
        return OddSpace(table=make_wide_table(90, rng))
    table = ToySpace().table
    kept = np.arange(len(table))
    if kind.most is not None:
        faces, voices = (np.flatnonzero(table.useful() & (table.input == number)) for number in (0, 1))
        first = rng.choice(faces, (kind.most + 1) // 2, replace=False)
        kept = _rows_of(table, np.concatenate([first, rng.choice(voices, kind.most // 2, replace=False)]))
    if kind.cheapest is not None:
        alone = np.flatnonzero(table.needs[:, 1] == NO_BRANCH)
        order = alone[np.argsort(table.analytic[alone, 0] + 1e-6 * rng.random(len(alone)))]
        kept = _rows_of(table, np.unique(table.needs[order, 0][: 4 * kind.cheapest])[: kind.cheapest])
    return OddSpace(table=_cut(table, kept))


def _rows_of(table: DesignTable, branches: Ints) -> Ints:
    """Rows that need no other branches."""
    return np.flatnonzero(np.isin(table.needs, [*branches.tolist(), NO_BRANCH]).all(axis=1))


def _cut(table: DesignTable, rows: Ints) -> DesignTable:
    """The same with some of its rows alone."""
    return DesignTable(
        branches=table.branches,
        params=table.params,
        macs=table.macs,
        columns=table.columns,
        analytic=table.analytic[rows],
        needs=table.needs[rows],
        platforms=table.platforms,
        platform=table.platform[rows],
    )


def run(kind: Odd, *, seed: int) -> tuple[Curve, int]:
    """One search until it stops by itself, and how many branches it could train."""
    space = make_space(kind, seed=seed)
    world = make_world(space, OddErrors(space.table, kind, seed=seed))
    curve = replay(world, "memoized", seed=seed, memo=True, most=10**9, options={}, level=np.inf)
    return curve, int(space.table.useful().sum())


def measure(kind: Odd, seeds: int) -> dict[str, Any]:
    """Of one kind, over seeds."""
    curves, branches = zip(*(run(kind, seed=seed) for seed in range(seeds)), strict=True)
    shares = sorted(curve.shares[-1] for curve in curves)
    return {
        "branches": float(np.mean(branches)),
        "mean99": float(np.mean([curve.first(0.99)[0] for curve in curves])),
        "stop": float(np.mean([curve.trainings[-1] for curve in curves])),
        "least": round(shares[0], 5),
        "median": round(float(np.median(shares)), 5),
        "enough": sum(share >= ENOUGH for share in shares),
    }


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--kinds", default=",".join(KINDS))
    options = parser.parse_args(arguments)
    found = {}
    print(f"{'kind':16s} branches  mean99   stop  least at stop  median  {ENOUGH:.1%} of {options.seeds}")
    for name in options.kinds.split(","):
        of = found[name] = measure(KINDS[name], options.seeds)
        cells = f"{of['branches']:8.0f} {of['mean99']:7.1f} {of['stop']:6.1f} {of['least']:14.3%} {of['median']:7.3%}"
        print(f"{name:16s} {cells}  {of['enough']}", flush=True)
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
