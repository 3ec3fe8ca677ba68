"""The best beliefs about branches of drawn tables: of one who knows all laws, but not which one was drawn.

What our sampler needs with these is what no surrogate, however good, can get below with the same acquisition: the rest
of what it needs beyond that is what its own beliefs cost. Laws are drawn like those of ``drawn_errors.py`` and weighed
by how likely they make what was trained; level, slopes and layouts, in which a law is linear, are integrated out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from drawn_errors import (
    COARSE,
    FAILURES,
    LAYOUT,
    LEVEL,
    MACS,
    MIDDLE,
    MIDDLES,
    PARAMS,
    SCATTERS,
    WORST,
    draw_law,
)

from tinysearch.core.candidate import BranchSpec
from tinysearch.search.known.design import DesignTable, Floats, Ints
from tinysearch.search.memoized import sampler
from tinysearch.search.memoized.evidence import Evidence
from tinysearch.search.memoized.process import Belief, Posterior

LAWS, BELIEFS = 3000, 24
"""So many laws of each input are weighed, and so many of them, drawn by their weights, share the draws."""
AT_WORST = 0.3
"""How far an error at the largest that is drawn may lie below the law's, a standard deviation."""
JITTER = 1e-8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Laws:
    """Laws of one input: what its branches [b] would be by each of ``LAWS`` of them.

    Attributes:
        mean: float64 [LAWS, b], log errors at the means of what is linear.
        lines: float64 [b, b], covariance of level and slopes.
        layouts: float64 [LAWS, b], variance of each branch's layout.
        same: bool [b, b], branches of the same layout.
        scatter: float64 [LAWS].
    """

    mean: Floats
    lines: Floats
    layouts: Floats
    same: Floats
    scatter: Floats

    def covariance(self, a: Ints, b: Ints) -> Floats:
        """float64 [LAWS, a, b], without the scatter."""
        return self.lines[np.ix_(a, b)] + self.layouts[:, a, None] * self.same[np.ix_(a, b)]


class LawSurrogate:
    """In place of the sampler's own surrogate, for tables of one metric.

    Args:
        table: the branches.
        doubtful: of no account; these beliefs are as doubtful as they should be.
    """

    def __init__(self, table: DesignTable, *, doubtful: bool = False) -> None:
        del doubtful
        self._inputs = np.array([branch.modality for branch in table.branches])
        sizes = np.log10(np.column_stack([table.params, table.macs]))
        sizes -= sizes.mean(axis=0)
        self._places, self._laws = {}, {}
        for name in np.unique(self._inputs).tolist():
            own = np.flatnonzero(self._inputs == name)
            self._places[name] = own
            self._laws[name] = _laws_of([table.branches[b] for b in own], sizes[own], table)

    def posterior(self, evidence: Evidence, wanted: Ints) -> Posterior:
        """Joint belief about branches ``wanted``."""
        rng = np.random.default_rng(len(evidence.branches))
        means, roots = np.zeros((BELIEFS, len(wanted))), np.zeros((BELIEFS, len(wanted), len(wanted)))
        for name, laws in self._laws.items():
            known, there = (self._inputs[branches] == name for branches in (evidence.branches, wanted))
            seen, asked = (np.searchsorted(self._places[name], b) for b in (evidence.branches[known], wanted[there]))
            at = np.flatnonzero(there)
            means[:, at], roots[np.ix_(range(BELIEFS), at, at)] = _given(
                laws, seen, np.log(evidence.metrics[known, 0]), asked, rng
            )
        ratio = np.ones(1)
        return Posterior(
            beliefs=tuple(
                Belief(weight=1 / BELIEFS, mean=mean[:, None], root=root, ratio=ratio)
                for mean, root in zip(means, roots, strict=True)
            )
        )


def _laws_of(branches: Sequence[BranchSpec], sizes: Floats, table: DesignTable) -> _Laws:
    """Of the branches of one input with sizes [b, 2]: decades of parameters and MACs about the mean of all branches."""
    rng, name = np.random.default_rng(0), branches[0].modality
    drawn = [draw_law(rng, name, table) for _ in range(LAWS)]
    labels = [branch.architecture.label for branch in branches]
    coarse = np.array([COARSE[str(branch.precision)] for branch in branches])
    params, macs = sizes.T
    bend, best_at, cost = np.array([(law.bend, law.best_at, law.coarse) for law in drawn]).T[:, :, None]
    failed = np.array([[law.layouts[label] for label in labels] for law in drawn]) >= FAILURES[0]
    mean = np.log(MIDDLES.get(name, MIDDLE)) + PARAMS[0] * params + MACS[0] * macs
    mean = mean + bend * np.maximum(0.0, params - best_at) ** 2 + cost * coarse * np.exp(-0.5 * params)
    lines = LEVEL**2 + PARAMS[1] ** 2 * np.outer(params, params) + MACS[1] ** 2 * np.outer(macs, macs)
    return _Laws(
        mean=mean + failed * np.mean(FAILURES),
        lines=lines,
        layouts=np.where(failed, (FAILURES[1] - FAILURES[0]) ** 2 / 12, LAYOUT**2),
        same=np.equal.outer(labels, labels).astype(float),
        scatter=rng.uniform(*SCATTERS, LAWS),
    )


def _given(laws: _Laws, seen: Ints, y: Floats, asked: Ints, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Means [BELIEFS, a] and roots [BELIEFS, a, a] of log errors asked for, by laws drawn by their likelihood."""
    among = laws.covariance(seen, seen)
    noise = laws.scatter[:, None] ** 2 + np.where(np.exp(y) >= WORST - 1e-6, AT_WORST**2, 0.0)
    among[:, range(len(seen)), range(len(seen))] += noise
    root = np.linalg.cholesky(among)
    right = np.concatenate([(y - laws.mean[:, seen])[:, :, None], laws.covariance(seen, asked)], axis=2)
    solved = np.linalg.solve(root, right)
    white, projected = solved[:, :, 0], solved[:, :, 1:]
    scores = -0.5 * (white**2).sum(axis=1) - np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
    weights = np.exp(scores - scores.max())
    places = np.searchsorted(np.cumsum(weights / weights.sum()), (rng.random() + np.arange(BELIEFS)) / BELIEFS)
    # Laws of one input have nothing to do with those of the other, beside which they stand.
    chosen = rng.permutation(np.minimum(places, LAWS - 1))
    means = laws.mean[np.ix_(chosen, asked)] + np.einsum("lka,lk->la", projected[chosen], white[chosen])
    left = laws.covariance(asked, asked)[chosen] - np.einsum("lka,lkb->lab", projected[chosen], projected[chosen])
    left[:, range(len(asked)), range(len(asked))] += laws.scatter[chosen, None] ** 2 + JITTER
    return means, np.linalg.cholesky(left)


@contextmanager
def ideal_beliefs() -> Iterator[None]:
    """Within this our sampler believes the laws; processes forked within it do, too."""
    kept = sampler.BranchSurrogate
    sampler.BranchSurrogate = LawSurrogate
    try:
        yield
    finally:
        sampler.BranchSurrogate = kept
