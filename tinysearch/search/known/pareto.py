"""Fronts and hypervolumes; everything is minimized."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

MANY, SAMPLED = 2000, 400
"""Of more points than these, those are ruled out first that the front of so many of them dominates."""

MOST_CELLS, MOST_AXES = 250_000, 3
"""Of a grid over a front, with which points are compared: of more objectives than its axes and one it has none."""

FEWEST_AT_A_TIME, COMPARISONS_AT_A_TIME = 4, 30_000
"""Points of the front, or comparisons with them, between looks at what is still undominated, where there is no grid."""

TINY = 1e-9
"""What zeros, of which there is no logarithm, become before one; smaller numbers are the same then."""

FARTHEST = 1e9
"""No distance is taken to anything beyond this: an objective may be infinite (the latency of endless retries)."""


def is_nondominated(points: npt.ArrayLike, *, keep_equals: bool = False, likely: Ints | None = None) -> Bools:
    """Bool [n]: points that no other point beats or equals in every objective.

    Args:
        points: [n, K]; rows that hold a NaN are unknown and never on the front.
        keep_equals: keep every copy of equal points, not only the first.
        likely: rows, likely on the front or near it, that rule out others first where there are very many; by default
            a sample of all.
    """
    import moocore

    values = np.asarray(points, np.float64)
    keep = np.ones(len(values), bool)
    for column in values.T:
        keep &= ~np.isnan(column)
    if keep.sum() > MANY:
        rows = np.flatnonzero(keep)
        chosen = likely[keep[likely]] if likely is not None else rows[:0]
        sample = values[chosen if len(chosen) else rows[:: -(-len(rows) // SAMPLED)]]
        known = values if len(rows) == len(values) else values[rows]
        keep[rows] = ~dominated_by(known, sample[is_nondominated(sample)], strictly=True)
    if keep.any():
        # A contiguous copy: the C code neither wants strides nor may touch the caller's numbers.
        front = moocore.is_nondominated(np.ascontiguousarray(values[keep]), keep_weakly=keep_equals)
        keep[keep] = np.asarray(front, bool)
    return keep


def nondominated_in_each(points: Floats, among: Bools) -> Bools:
    """Bool [S, n]: points that no other one of the same set beats, or equals and stands before, in every objective.

    Args:
        points: float64 [S, n, K], finite where ``among``.
        among: bool [S, n], the points that there are in each set.
    """
    import moocore

    out, there = np.zeros(among.shape, bool), points[among]
    ends = np.cumsum(among.sum(axis=1)).tolist()
    # Set by set, since sorting all as one takes twice as long.
    fronts = [moocore.is_nondominated(there[first:last]) for first, last in itertools.pairwise([0, *ends])]
    out[among] = np.concatenate([np.zeros(0, bool), *fronts])
    return out


def below(points: Floats, corner: Floats) -> Bools:
    """Bool [n]: points [n, K] that are better than a reference point [K] in every objective."""
    out = np.ones(len(points), bool)
    for column, bound in zip(points.T, corner, strict=True):
        out &= column < bound
    return out


def dominated_by(points: Floats, front: Floats, *, strictly: bool = False) -> Bools:
    """Bool [n]: points [n, K] that some point of ``front`` [f, K] beats or equals in every objective.

    Args:
        strictly: and beats in the last one.
    """
    out = np.zeros(len(points), bool)
    if not len(front):
        return out
    alive, axes = np.arange(len(points)), points.shape[1] - 1
    # A part of the front at a time, those that dominate most first: what they rule out is done with.
    finite = np.minimum(front, FARTHEST)
    order = np.argsort(-np.prod(finite.max(axis=0) - finite + 1e-9, axis=1), kind="stable")
    while len(order) and len(alive):
        left = points if len(alive) == len(points) else points[alive]
        if 0 < axes <= MOST_AXES:
            few = int(MOST_CELLS ** (1.0 / axes)) - 1
            least, last = _least_last(left, front[order[:few]]), left[:, -1]
            gone = least < last if strictly else least <= last
        else:
            few = max(FEWEST_AT_A_TIME, COMPARISONS_AT_A_TIME // len(alive))
            gone = _compared(left, front[order[:few]], strictly=strictly)
        order = order[few:]
        out[alive[gone]] = True
        alive = alive[~gone]
    return out


def bars(points: Floats, front: Floats, corner: Floats, *, of: int) -> Floats:
    """Float64 [n]: below which value of one objective each point would add to the hypervolume of a front.

    So points that differ in this objective alone are compared with the front once.

    Args:
        points: float64 [n, K].
        front, corner: float64 [f, K] and [K], see :class:`Extension`.
        of: the objective.
    """
    others = [k for k in range(len(corner)) if k != of]
    if not others:
        return np.full(len(points), front[:, of].min(initial=corner[of]))
    least = np.where(below(points[:, others], corner[others]), corner[of], -np.inf)
    few = max(1, int(MOST_CELLS ** (1.0 / len(others))) - 1)
    for first in range(0, len(front), few):
        part = front[first : first + few]
        least = np.fmin(least, _least_last(points[:, others], part[:, [*others, of]]))
    return np.asarray(least, np.float64)


def _compared(points: Floats, front: Floats, *, strictly: bool) -> Bools:
    """Bool [n], see :func:`dominated_by`: every point with every other."""
    beaten = np.ones((len(front), len(points)), bool)
    for k in range(points.shape[1]):
        better = front[:, k, None] <= points[None, :, k]
        beaten &= better if k + 1 < points.shape[1] or not strictly else front[:, k, None] < points[None, :, k]
    return np.asarray(beaten.any(axis=0), bool)


def _least_last(points: Floats, front: Floats) -> Floats:
    """Float64 [n]: the least last objective of the points of a front [f, K] that are as good in all others.

    A grid over the front's values of all other objectives has the answer for every cell; NaN where there is none.

    Args:
        points: float64 [n, at least K - 1]; of the last objective nothing is read.
    """
    axes = [np.sort(front[:, k]) for k in range(front.shape[1] - 1)]
    grid = np.full([len(axis) + 1 for axis in axes], np.nan)
    at = tuple(np.searchsorted(axis, front[:, k]) + 1 for k, axis in enumerate(axes))
    np.fmin.at(grid, at, front[:, -1])
    for k in range(grid.ndim):
        np.fmin.accumulate(grid, axis=k, out=grid)
    cell = np.zeros(len(points), np.int64)
    for k, axis in enumerate(axes):
        cell *= len(axis) + 1
        cell += np.searchsorted(axis, points[:, k], side="right")
    return np.asarray(grid.ravel().take(cell), np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How objectives are measured against one another: linear or logarithmic, up to a reference point.

    Attributes:
        logarithmic: bool [K].
        reference: float64 [K], in base units, worse than what counts; negative for an objective that is maximized and
            whose negative is minimized.
    """

    logarithmic: Bools
    reference: Floats

    def transform(self, points: npt.ArrayLike) -> Floats:
        """[n, K] in base units to hypervolume's coordinates; zeros become :data:`TINY` before a logarithm."""
        values = np.array(points, np.float64).reshape(-1, len(self.reference))
        for k in np.flatnonzero(self.logarithmic):
            values[:, k] = self.transform_objective(int(k), values[:, k])
        return values

    def transform_objective(self, k: int, values: Floats) -> Floats:
        """The same of one objective, [n]."""
        if not self.logarithmic[k]:
            return values
        if self.reference[k] < 0:
            return np.asarray(-np.log10(np.maximum(-values, TINY)))
        return np.asarray(np.log10(np.maximum(values, TINY)))

    def inverse(self, points: Floats) -> Floats:
        """[n, K] in hypervolume's coordinates back to base units."""
        sign = np.where(self.reference < 0, -1.0, 1.0)
        raised = sign * 10.0 ** np.where(self.logarithmic, sign * points, 0.0)
        return np.asarray(np.where(self.logarithmic, raised, points), np.float64)

    @property
    def corner(self) -> Floats:
        """The reference point in hypervolume's coordinates, float64 [K]."""
        corner: Floats = self.transform(self.reference[None])[0]
        return corner

    def hypervolume(self, points: npt.ArrayLike) -> float:
        """Hypervolume of points in base units [n, K]; rows with NaN or beyond the reference count nothing."""
        return hypervolume(self.transform(points), self.corner)


def hypervolume(points: Floats, reference: Floats) -> float:
    """Volume dominated by ``points`` [n, K] and bounded by ``reference`` [K]; 0 without points."""
    import moocore

    inside = points[below(points, reference)]
    return float(moocore.hypervolume(inside, ref=reference)) if len(inside) else 0.0


class Extension:
    """Hypervolume of one front with ever other points beside it, as needed where many additions are weighed.

    Args:
        front: float64 [f, K].
        corner: reference point, float64 [K].
    """

    def __init__(self, front: Floats, corner: Floats) -> None:
        inside = front[below(front, corner)]
        # A hypervolume begins with sorting by the last objective.
        self._front = inside[np.argsort(inside[:, -1], kind="stable")]
        self._corner = np.ascontiguousarray(corner, np.float64)
        self.base = float(self.hypervolumes(inside[:0], [0, 0])[0])

    def hypervolume(self, points: Floats) -> float:
        """Of the front and ``points`` [n, K], all of them better than the reference point in every objective."""
        return float(self.hypervolumes(points, [0, len(points)])[0])

    def hypervolumes(self, points: Floats, ends: npt.ArrayLike) -> Floats:
        """Of the front and each of many sets of points, float64 [s].

        Args:
            points: float64 [n, K], set by set, all of them better than the reference point in every objective.
            ends: [s + 1], where each set begins and the last one ends.
        """
        bounds, own = np.asarray(ends, np.int64), len(self._front)
        counts = bounds[1:] - bounds[:-1]
        # Each set stands behind a front of its own, so that what is asked for lies in one piece.
        together = np.empty((len(counts), own + int(counts.max(initial=0)), len(self._corner)))
        together[:, :own] = self._front
        sets = np.repeat(np.arange(len(counts)), counts)
        together[sets, own + np.arange(len(points)) - bounds[sets]] = points
        return _volumes(together, (own + counts).tolist(), self._corner)


def _volumes(points: Floats, counts: Sequence[int], corner: Floats) -> Floats:
    """Hypervolume of the first ``counts`` of each of many sets of points [s, n, K], float64 [s].

    A decision asks a thousand times, and four fifths of each answer are moocore's look at its arguments. So its
    compiled function is called past that look, where this release of it has one by that name.
    """
    import moocore

    try:
        from moocore._libmoocore import ffi, lib

        compiled = lib.fpli_hv
    except (ImportError, AttributeError):
        volume = moocore.Hypervolume(ref=corner)
        return np.array([volume(own[:count]) if count else 0.0 for own, count in zip(points, counts, strict=True)])
    held, reference, objectives = ffi.from_buffer("double[]", points), ffi.from_buffer("double[]", corner), len(corner)
    size = objectives * points.shape[1]
    found = [compiled(held + size * i, n, objectives, reference) if n else 0.0 for i, n in enumerate(counts)]
    if min(found, default=0.0) < 0:
        raise MemoryError("moocore has no memory for a hypervolume")
    return np.array(found, np.float64)
