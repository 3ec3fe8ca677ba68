"""What is believed of every branch by itself, where there are very many: what no training changes is computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.blas import dtrsm
from scipy.linalg.lapack import dpstrf

from tinysearch.search.known.design import Floats, Ints
from tinysearch.search.memoized.covariance import (
    LAYOUT,
    Covariances,
    Shape,
    lines_of,
    prior_mean,
    variance,
    variance_terms,
)
from tinysearch.search.memoized.process import Process

WORK, FEWEST_POINTS = 3e7, 16
"""Multiplications for the deviations of very many branches, and the known points that these rest on at least."""

AT_A_TIME = 1 << 17
"""So many covariances with what is known at a time, which stay in the processor's cache."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Reading:
    """How a process reads covariances with what is known.

    Attributes:
        weights: float64 [k], times these covariances at an amplitude of 1 the shift of a mean.
        from_source: float64 [h], times what a source says the rest of this shift; empty if the process believes none.
        telling: int64 [t], the points that deviations rest on.
        root: float64 [t, t], lower: its inverse times the covariances with these, times itself, is what a variance is
            lessened by; of covariances at an amplitude of 1, or at the process's own if it believes a source.
    """

    weights: Floats
    from_source: Floats
    telling: Ints
    root: Floats


class _Rows:
    """A row [B] for each of some branches, all in one array, so that none has to be copied to be weighed.

    A row's place is its own until the branch is forgotten, then that of a new one.

    Args:
        count: B.
    """

    def __init__(self, count: int) -> None:
        self._held = np.zeros((0, count))
        self._places: dict[int, int] = {}

    def keep(self, wanted: list[int], make: Callable[[list[int]], Floats]) -> None:
        """Have the rows of these branches and no others; ``make`` gives those of new ones, [f, B]."""
        kept = set(wanted)
        self._places = {branch: place for branch, place in self._places.items() if branch in kept}
        fresh = [branch for branch in wanted if branch not in self._places]
        if not fresh:
            return
        if len(wanted) > len(self._held):
            held = np.zeros((len(wanted) + len(wanted) // 2, self._held.shape[1]))
            held[: len(self._held)] = self._held
            self._held = held
        taken = set(self._places.values())
        free = [place for place in range(len(self._held)) if place not in taken][: len(fresh)]
        self._held[free] = make(fresh)
        self._places |= dict(zip(fresh, free, strict=True))

    def weighed(self, branches: list[int], weights: Floats) -> Floats:
        """The sum of the rows of branches [k] in their order, each times its weight, float64 [B]."""
        at = self._at(branches)
        in_order = (at == np.arange(len(at))).all()
        return np.asarray(weights @ (self._held[: len(at)] if in_order else self._held[at]), np.float64)

    def part(self, branches: list[int], at: slice | Ints) -> Floats:
        """float64 [k, n], a copy."""
        return np.asarray(self._held[:, at][self._at(branches)], np.float64)

    def _at(self, branches: list[int]) -> Ints:
        return np.array([self._places[branch] for branch in branches], np.int64)


class Marginals:
    """Means and deviations of branches by themselves, and their covariances with what was known before.

    Covariances of all branches with a known one at an amplitude of 1 are the same in every decision, whatever the
    hypothesis: they are kept for as long as it is evidence. So is the variance of all branches under the last shape.

    Args:
        features: float64 [B, 11].
    """

    def __init__(self, features: Floats) -> None:
        # Columns are what is asked for of all branches.
        self._features = np.asfortranarray(features)
        self._first_guess, self._lines = prior_mean(features), lines_of(features)
        self._layouts, self._terms = features[:, LAYOUT].astype(np.int64), variance_terms(features)
        self._straight, self._curved = _Rows(len(features)), _Rows(len(features))
        self._variance: tuple[Shape, Floats] | None = None

    def of(self, process: Process, known: Ints, wanted: Ints) -> tuple[Floats, Floats]:
        """Mean and standard deviation [n] of latent log errors, scatter included.

        With very many branches the deviations rest on those points alone that tell most, and are a little large.

        Args:
            process: of the branches ``known`` [k].
            wanted: int64 [n], branches.
        """
        branches = known.tolist()
        self._remember(branches, curved=process.shape.bend > 0)
        reading = _read(process, most=max(FEWEST_POINTS, int(np.sqrt(WORK / max(1, len(wanted))))))
        mean = self._first_guess + self._weighed(process.shape, reading.weights, branches)
        variances = process.amplitude**2 * self._prior(process.shape)
        telling = [branches[place] for place in reading.telling.tolist()]
        # Of nearly all branches the others cost less than picking them out.
        parts = self._parts(len(telling)) if 2 * len(wanted) > len(self._features) else iter([wanted])
        for at in parts:
            covariances = self._with(process.shape, telling, at)
            if process.told is not None and process.told_here is not None:
                by_source = process.told.project(Covariances(self._features[at], process.told.x))
                covariances = process.amplitude**2 * covariances - process.told_here @ by_source.T
                mean[at] += by_source @ reading.from_source
                variances[at] -= (by_source**2).sum(axis=1)
            # Columns of the transposed are rows that follow one another in memory, which no solver has to copy.
            projected = dtrsm(1.0, reading.root, covariances.T, side=1, lower=1, trans_a=1, overwrite_b=1)
            variances[at] -= np.einsum("ij,ij->i", projected, projected)
        deviation = np.sqrt(np.maximum(variances[wanted], 0.0) + process.scatter**2)
        return mean[wanted], np.asarray(deviation, np.float64)

    def _parts(self, telling: int) -> Iterator[slice]:
        step = AT_A_TIME // max(1, telling)
        return (slice(first, first + step) for first in range(0, len(self._features), step))

    def _remember(self, known: list[int], *, curved: bool) -> None:
        """Have the covariances of all branches with those that are known, and no others."""
        self._straight.keep(known, lambda fresh: self._covariances(fresh, lambda them: them.straight))
        if curved:
            self._curved.keep(known, lambda fresh: self._covariances(fresh, lambda them: them.curve))

    def _covariances(self, fresh: list[int], part: Callable[[Covariances], Floats]) -> Floats:
        """A part of the covariances of some branches with all, float64 [f, B].

        Row by row, since a product of matrices may differ in its last bit with the number of rows: a run that goes on
        learns many branches at once, and must decide as if it had never been cut.
        """
        rows = (Covariances(self._features[[branch]], self._features, lines=self._lines) for branch in fresh)
        return np.concatenate([part(each) for each in rows])

    def _prior(self, shape: Shape) -> Floats:
        """Variance of all branches at an amplitude of 1, without the scatter."""
        if self._variance is None or self._variance[0] != shape:
            self._variance = shape, variance(self._features[:, LAYOUT], self._terms, shape)
        return self._variance[1]

    def _weighed(self, shape: Shape, weights: Floats, known: list[int]) -> Floats:
        """The sum of all branches' covariances with what is known, each times its weight [k], float64 [B]."""
        out = self._straight.weighed(known, weights)
        if shape.bend:
            out += shape.bend**2 * self._curved.weighed(known, weights)
        if shape.odd or shape.alone:
            of_layouts = shape.of_layouts(self._features[known, LAYOUT])
            count = int(self._layouts.max(initial=0)) + 1
            out += np.bincount(self._layouts[known], weights * of_layouts, minlength=count)[self._layouts]
        return out

    def _with(self, shape: Shape, branches: list[int], at: slice | Ints) -> Floats:
        """Covariances of known branches with some at an amplitude of 1, float64 [k, n]."""
        out = self._straight.part(branches, at)
        if shape.bend:
            out += shape.bend**2 * self._curved.part(branches, at)
        if shape.odd or shape.alone:
            of_layouts = shape.of_layouts(self._features[branches, LAYOUT])
            for place in np.flatnonzero(of_layouts):
                out[place] += of_layouts[place] * (self._layouts[at] == self._layouts[branches[place]])
        return out


def _read(process: Process, *, most: int) -> _Reading:
    """Of a process that believes a source all points tell, as what the source says stands between them."""
    weights = solve_triangular(process.root, process.whitened, lower=True, trans="T", check_finite=False)
    telling, root, from_source = np.arange(len(process.root)), process.root, np.zeros(0)
    if process.told is not None and process.told_here is not None:
        from_source = process.told.whitened - weights @ process.told_here
    else:
        if len(telling) > most:
            telling, root = _telling(process.covariance, most)
        root = root / process.amplitude**2
    return _Reading(weights=process.amplitude**2 * weights, from_source=from_source, telling=telling, root=root)


def _telling(covariance: Floats, most: int) -> tuple[Ints, Floats]:
    """Points [most] that tell most, one after the other of what the others leave open, and their Cholesky factor."""
    factor, pivots, *_ = dpstrf(covariance, lower=1)
    return np.asarray(pivots[:most] - 1, np.int64), np.asarray(np.tril(factor[:most, :most]), np.float64)
