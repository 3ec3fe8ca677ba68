"""What is believed of every branch by itself, where there are very many: what no training changes is computed once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.blas import dtrsm
from scipy.linalg.lapack import dpstrf

from tinysearch.search.known.design import Floats, Ints
from tinysearch.search.memoized.covariance import (
    LAYOUT,
    Covariances,
    lines_of,
    prior_mean,
    variance,
    variance_terms,
)
from tinysearch.search.memoized.process import Process

WORK, FEWEST_POINTS = 3e7, 16
"""Multiplications for the deviations of very many branches, and the known points that these rest on at least."""

AT_A_TIME = 2048
"""So many branches at a time, whose covariances with what is known stay in the processor's cache."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Reading:
    """How a process reads covariances with what is known: at an amplitude of 1, or its own if it believes a source.

    Attributes:
        weights: float64 [k], times these covariances the shift of a mean.
        telling: int64 [t], the points that deviations rest on.
        root: float64 [t, t], lower: its inverse times the covariances with these, times itself, is what a variance is
            lessened by.
    """

    weights: Floats
    telling: Ints
    root: Floats


class Marginals:
    """Means and deviations of branches by themselves, and their covariances with what was known before.

    Args:
        features: float64 [B, 7].
    """

    def __init__(self, features: Floats) -> None:
        self._features = features
        self._first_guess, self._lines = prior_mean(features), lines_of(features)
        self._layouts, self._terms = np.ascontiguousarray(features[:, LAYOUT]), variance_terms(features)
        self._straight: dict[int, Floats] = {}
        self._curved: dict[int, Floats] = {}

    def of(self, process: Process, known: Ints, wanted: Ints) -> tuple[Floats, Floats]:
        """Mean and standard deviation [n] of latent log errors, scatter included.

        With very many branches the deviations rest on those points alone that tell most, and are a little large.

        Args:
            process: of the branches ``known`` [k].
            wanted: int64 [n], branches.
        """
        self._remember(known, curved=process.shape.bend > 0)
        reading = _read(process, most=max(FEWEST_POINTS, int(np.sqrt(WORK / max(1, len(wanted))))))
        mean, variances = np.empty((2, len(self._features)))
        # Of nearly all branches the others cost less than picking them out.
        parts = self._parts() if 2 * len(wanted) > len(self._features) else iter([wanted])
        for at in parts:
            mean[at], variances[at] = self._part(process, reading, known.tolist(), at)
        deviation = np.sqrt(np.maximum(variances[wanted], 0.0) + process.scatter**2)
        return mean[wanted], np.asarray(deviation, np.float64)

    def _parts(self) -> Iterator[slice]:
        return (slice(first, first + AT_A_TIME) for first in range(0, len(self._features), AT_A_TIME))

    def _remember(self, known: Ints, *, curved: bool) -> None:
        """Have the covariances of all branches with those that are known, and no others."""
        for kept, bend in ((self._straight, False), *([(self._curved, True)] if curved else [])):
            for forgotten in kept.keys() - set(known.tolist()):
                del kept[forgotten]
            fresh = [branch for branch in known.tolist() if branch not in kept]
            if fresh:
                covariances = Covariances(self._features[fresh], self._features, lines=self._lines)
                kept.update(zip(fresh, covariances.curve if bend else covariances.straight, strict=True))

    def _part(self, process: Process, reading: _Reading, known: list[int], at: slice | Ints) -> tuple[Floats, Floats]:
        """Mean and variance, without the scatter, of some branches."""
        covariances = self._with_known(process, known, at)
        mean = self._first_guess[at]
        prior = variance(self._layouts[at], self._terms[:, at], process.shape)
        variances = process.amplitude**2 * prior
        if process.told is not None and process.told_here is not None:
            by_source = process.told.project(Covariances(self._features[at], process.told.x))
            covariances = process.amplitude**2 * covariances - process.told_here @ by_source.T
            mean = mean + by_source @ process.told.whitened
            variances = variances - (by_source**2).sum(axis=1)
        mean = mean + reading.weights @ covariances
        # Columns of the transposed are rows that follow one another in memory, which no solver has to copy.
        projected = dtrsm(1.0, reading.root, covariances[reading.telling].T, side=1, lower=1, trans_a=1, overwrite_b=1)
        return mean, variances - np.einsum("ij,ij->i", projected, projected)

    def _with_known(self, process: Process, known: list[int], at: slice | Ints) -> Floats:
        """Covariances of what is known with some branches at an amplitude of 1, float64 [k, n]."""
        if not known:
            return np.zeros((0, len(self._features[at])))
        out = np.stack([self._straight[branch][at] for branch in known])
        if process.shape.bend:
            out += process.shape.bend**2 * np.stack([self._curved[branch][at] for branch in known])
        for place, shared in enumerate(process.shape.of_layouts(self._layouts[known]).tolist()):
            if shared:
                out[place] += shared * (self._layouts[at] == self._layouts[known[place]])
        return np.asarray(out, np.float64)


def _read(process: Process, *, most: int) -> _Reading:
    """Of a process that believes a source all points tell, as what the source says stands between them."""
    weights = solve_triangular(process.root, process.whitened, lower=True, trans="T", check_finite=False)
    every, root = np.arange(len(process.root)), process.root
    if process.told is not None:
        return _Reading(weights=weights, telling=every, root=root)
    if len(every) > most:
        every, root = _telling(root @ root.T, most)
    return _Reading(weights=process.amplitude**2 * weights, telling=every, root=root / process.amplitude**2)


def _telling(covariance: Floats, most: int) -> tuple[Ints, Floats]:
    """Points [most] that tell most, one after the other of what the others leave open, and their Cholesky factor."""
    factor, pivots, *_ = dpstrf(covariance, lower=1)
    return np.asarray(pivots[:most] - 1, np.int64), np.asarray(np.tril(factor[:most, :most]), np.float64)
