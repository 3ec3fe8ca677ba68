"""front.py with a law in place of trainings: what a search of a wide space comes to, in minutes and on any machine.

    python benchmarks/front_replayed.py [--seconds 300] [--seeds 8] [--budget 20] [--space extended] [OPTION=NUMBER ..]
    python benchmarks/front_replayed.py --drawn 0            # laws drawn at random, another one for every seed
    python benchmarks/front_replayed.py --drawn 0 --told 60  # .. of which 60 branches of each input are told before

Designs, prices and sampler are those of the search (an OPTION is the sampler's, ``cost_exponent=0.5``); errors of
faces and voices, and the seconds of trainings, are made up. The law (``front_laws.py``) is near what some trainings of
the embedded people showed, or drawn, each error with a scatter of its own for every seed, and fusions follow from their
branches. A training that would end after the seconds does not count. Without cascades, as these are priced after the
search. What a search with ``--told`` comes to, no first guess can surpass by much.

Last line: means over seeds of ``trainings``, ``hypervolume_extended_over_paper`` and ``latency_at_equal_error_ratio``
(a median), as in ``front.py``; ``price_met``, in how many seeds the cheapest point that needs no PSRAM and is as good
as the paper's best single branch costs no more; ``best_branch_over_paper``, of the errors of the best single branches,
geometric mean.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from front import PAPER, Point, compared
from front_laws import WORST, Law, drawn_law, near_trainings, told_by_law
from scipy.special import ndtr, ndtri
from worlds import OBJECTIVES

from tinysearch.app.building.designs import Designs, build_designs
from tinysearch.app.building.spaces import build_space
from tinysearch.app.building.wiring import build_models
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.error_rates import ErrorRates
from tinysearch.evaluation.analytic import AnalyticModels
from tinysearch.search.known.design import NO_BRANCH
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.known.objective_values import ObjectiveVector
from tinysearch.search.memoized.sampler import MemoizedSampler
from tinysearch.search.proposals import Proposal

SCATTER, FUSION_SCATTER = 0.05, 0.04
"""Standard deviations of a log error, and of the probit of a fusion's."""
START_SHARE = 0.45
"""Of the seconds of a training, for one that finds its float32 start already trained."""


def seconds(macs: float, *, started: bool) -> float:
    """Of a training."""
    return float((9.0 + 4.5 * (macs / 1e6) ** 0.7) * (START_SHARE if started else 1.0))


class LawErrors:
    """Errors by the law; the same for a seed, whatever is asked first."""

    def __init__(self, designs: Designs, law: Law, *, seed: int) -> None:
        table = designs.table
        self._law = law
        self._sizes = dict(zip(table.branches, zip(table.params, table.macs, strict=True), strict=True))
        self._seed = seed

    def _normal(self, branches: tuple[BranchSpec, ...]) -> float:
        digest = hashlib.sha256("+".join(branch.key for branch in branches).encode()).digest()
        return float(np.random.default_rng([self._seed, int.from_bytes(digest[:8], "little")]).normal())

    def _alone(self, branch: BranchSpec) -> float:
        log = self._law(branch, *self._sizes[branch]) + SCATTER * self._normal((branch,))
        return float(np.clip(math.exp(log), 0.02, WORST))

    def error_rates(self, branches: Any) -> ErrorRates:
        """Of a branch, or of a fusion: linear in the probits of its branches, as scores of like spread add up."""
        eer = self._alone(branches[0])
        if len(branches) > 1:
            probit = -0.02 + 0.7 * sum(float(ndtri(self._alone(branch))) for branch in branches)
            eer = float(np.clip(ndtr(probit + FUSION_SCATTER * self._normal(tuple(branches))), 0.002, WORST))
        return ErrorRates(eer=eer, evidence="table")


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """A space as the search sees it, and what prices it."""

    designs: Designs
    models: AnalyticModels

    @classmethod
    def named(cls, name: str, *, budget_usd: float) -> Space:
        config = plain(compose_config([f"space={name}", f"budget={budget_usd:g}usd"]))
        models = build_models(config)
        return cls(designs=build_designs(models, build_space(config)), models=models)

    def searched(self, law: Law, *, seed: int, limit_s: float, options: dict[str, Any], told: int = 0) -> Knowledge:
        """What is known after so many seconds of trainings, where a law tells of some branches beforehand."""
        errors, sampler = LawErrors(self.designs, law, seed=seed), MemoizedSampler(**options)
        known, spent = Knowledge(self.designs.table, ObjectiveVector(OBJECTIVES), errors.error_rates), 0.0
        if told:
            known.warm(told_by_law(law, self.designs.table, branches=told))
        while True:
            proposal = sampler.propose(known, np.random.default_rng([seed, len(known.order)]))
            if not isinstance(proposal, Proposal) or proposal.row is None:
                return known
            for branch in known.table.needs[proposal.row].tolist():
                if branch == NO_BRANCH or known.known[branch]:
                    continue
                started = bool(np.isin(known.table.start[branch], known.table.start[known.known]))
                spent += seconds(float(known.table.macs[branch]), started=started)
                if spent > limit_s:
                    return known
                known.learn([branch])

    def front(self, known: Knowledge) -> list[Point]:
        """Its front, as ``front.py`` reads one."""
        return [self._point(known, int(row)) for row in known.front]

    def _point(self, known: Knowledge, row: int) -> Point:
        candidate, (error, usd, latency) = known.table.candidate(row), known.values(row).tolist()
        models = self.models.executing(candidate.platform.execution)
        needed = models.require(candidate.branches, candidate.platform.processor)
        return Point(
            error=error,
            usd=usd,
            latency_s=latency,
            branches=len(candidate.branches),
            psram=needed.psram_bytes > 0,
            cascade=None,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--budget", type=float, default=20.0, help="US$")
    parser.add_argument("--space", default="extended")
    parser.add_argument("--drawn", type=int, metavar="FIRST", help="laws drawn at random, one a seed, from this one on")
    parser.add_argument("--told", type=int, default=0, help="branches of each input of which the law itself tells")
    parser.add_argument("options", nargs="*", metavar="OPTION=NUMBER")
    asked = parser.parse_args()
    options = {name: json.loads(value) for name, value in (word.split("=") for word in asked.options)}
    spaces = [Space.named(name, budget_usd=asked.budget) for name in (PAPER, asked.space)]
    rows = []
    for seed in range(asked.seeds):
        law = near_trainings if asked.drawn is None else drawn_law(asked.drawn + seed)
        both = [
            space.searched(law, seed=seed, limit_s=asked.seconds, options=given, told=told)
            for space, given, told in zip(spaces, ({}, options), (0, asked.told), strict=True)
        ]
        paper, extended = (space.front(known) for space, known in zip(spaces, both, strict=True))
        found = compared(paper, extended, [], budget_usd=asked.budget)
        ours, theirs = found.cheapest
        best = [min(point.error for point in points if point.branches == 1) for points in (extended, paper)]
        met = ours is not None and theirs is not None and ours <= theirs
        rows.append((len(both[1].order), found.hypervolume, found.latency, met, math.log(best[0] / best[1])))
        print(f"seed {seed}: {len(both[1].order)} trainings; best branches {best}; {found}", flush=True)
    trainings, volumes, latencies, prices_met, logs = (np.array(column, float) for column in zip(*rows, strict=True))
    last = {
        "trainings": round(float(trainings.mean()), 2),
        "hypervolume_extended_over_paper": round(float(volumes.mean()), 4),
        "latency_at_equal_error_ratio": round(float(np.median(latencies)), 4),
        "price_met": int(prices_met.sum()),
        "best_branch_over_paper": round(float(np.exp(logs.mean())), 4),
    }
    print(json.dumps({name: getattr(asked, name) for name in ("seconds", "seeds", "space", "drawn", "told")} | last))


if __name__ == "__main__":
    main()
