"""How the log errors of branches vary together, as far as it is known before any is trained.

A handful of trainings cannot teach a process its own length scales, so the covariance is written down from what is
known of such networks: errors fall with parameters and MACs by an unknown slope, binary arithmetic costs an unknown
amount that shrinks with size, branches of one modality rise and fall together, and so do a layout's precisions (which
is what makes a float32 sibling evidence).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tinysearch.search.known.design import Bools, DesignTable, Floats, Ints

PARAMS_SLOPE = -0.35
"""First guess of the change of a log error for ten times the parameters."""

ODD = 0.7
"""Standard deviation of how far a layout lies off whose training goes wrong, which tells nothing of others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviations:
    """Standard deviations of log errors, before anything is trained.

    Attributes:
        level: of all branches together.
        params_slope, macs_slope: of the change in a decade of parameters and of MACs.
        coarseness: of what coarse arithmetic costs, in first guesses of it, and as much again per decade of parameters.
        precision: of each precision.
        modality_level, modality_slope: of what a modality has of its own, the slope in a decade of parameters.
        layout: of each layout of a modality.
        layout_precision: of each of its precisions, beyond that.
    """

    level: float = 0.4
    params_slope: float = 0.3
    macs_slope: float = 0.15
    coarseness: float = 0.5
    precision: float = 0.05
    modality_level: float = 0.4
    modality_slope: float = 0.15
    layout: float = 0.2
    layout_precision: float = 0.06


_OF = Deviations()

LEVEL_TOLD = 0.5
"""How far the level of another table's errors tells of the level here, where its differences tell everything."""

_PENALTY = {"float32": 0.0, "int8": 0.02}
_XNOR_PENALTY = 0.35
_MODALITY, _PARAMS, _MACS, _DEPTH, _COARSENESS, _PRECISION, LAYOUT = range(7)
_PLACE, _LENGTHS = [_PARAMS, _MACS, _DEPTH], np.array([0.4, 0.4, 2.0])
_BEND_LENGTH = 0.7
"""Decades of parameters over which a curve turns."""


def branch_features(table: DesignTable) -> Floats:
    """What the surrogate sees of each branch, float64 [B, 7].

    Columns: modality (index), decades of parameters and of MACs about the mean, depth in stages, first guess of what
    the precision costs (log error), precision (index), layout of one modality and width (index).
    """
    modalities = sorted({branch.modality for branch in table.branches})
    precisions = sorted({str(branch.precision) for branch in table.branches})
    rows = []
    for branch, start in zip(table.branches, table.start.tolist(), strict=True):
        precision = branch.precision
        product = precision.activation_bits * precision.weight_bits
        rows.append(
            [
                modalities.index(branch.modality),
                0.0,
                0.0,
                float(branch.architecture.depth),
                _XNOR_PENALTY / product / (1 + precision.from_stage)
                if precision.kind == "xnor"
                else _PENALTY[precision.kind],
                precisions.index(str(branch.precision)),
                start,
            ]
        )
    out = np.array(rows, np.float64).reshape(-1, 7)
    for column, sizes in ((_PARAMS, table.params), (_MACS, table.macs)):
        decades = np.log10(np.maximum(sizes, 1.0))
        out[:, column] = decades - decades.mean()
    return out


def prior_mean(features: Floats) -> Floats:
    """First guess of a branch's log error, apart from its level, float64 [n]."""
    return np.asarray(PARAMS_SLOPE * features[:, _PARAMS] + features[:, _COARSENESS], np.float64)


class Between(Protocol):
    """Covariances of branches with others, under any hypothesis."""

    def under(self, *, bend: float, odd: tuple[int, ...]) -> Floats:
        """Float64 [n, m], see :meth:`Covariances.under`."""
        ...


class Covariances:
    """Covariances of log errors of branches with features ``a`` [n, 7] and ``b`` [m, 7], under any hypothesis.

    How far what they share may lie off is told by :class:`Deviations`.
    """

    def __init__(self, a: Floats, b: Floats) -> None:
        self._params = a[:, _PARAMS], b[:, _PARAMS]
        self._same_modality = _same(a, b, _MODALITY)
        self._same_layout = _same(a, b, LAYOUT)
        self._layouts = b[:, LAYOUT]
        self._curve: Floats | None = None
        same_precision = _same(a, b, _PRECISION)
        self.same = self._same_layout & same_precision
        alike = _OF.layout**2 + _OF.layout_precision**2 * same_precision
        near = _matern(a[:, _PLACE] / _LENGTHS, b[:, _PLACE] / _LENGTHS) * alike
        self._straight = (
            _common_lines(a) @ _common_lines(b).T
            + same_precision * _OF.precision**2
            + self._same_modality * (_own_lines(a) @ _own_lines(b).T + near)
        )

    def under(self, *, bend: float, odd: tuple[int, ...]) -> Floats:
        """Float64 [n, m], with a curve over the parameters, half of it each modality's own, and with odd layouts.

        Args:
            bend: standard deviation of the curve.
            odd: layouts that lie off by :data:`ODD`.
        """
        out = self._straight
        if bend:
            if self._curve is None:
                a, b = (params[:, None] / _BEND_LENGTH for params in self._params)
                self._curve = (1.0 + self._same_modality) / 2 * _matern(a, b)
            out = out + bend**2 * self._curve
        if odd:
            out = out + ODD**2 * (self._same_layout * np.isin(self._layouts, odd))
        return np.asarray(out, np.float64)

    def told(self) -> Floats:
        """Float64 [n, m], of the errors of branches here with those of another table that is believed in full.

        Other data are harder or easier as a whole, or for one modality, which tells little of how they are here.
        """
        level = _OF.level**2 + _OF.modality_level**2 * self._same_modality
        return np.asarray(self._straight - (1.0 - LEVEL_TOLD) * level, np.float64)


class Remembered:
    """Covariances of all branches with those that are known, each of which is computed once; for very many branches.

    Args:
        features: float64 [B, 7].
    """

    def __init__(self, features: Floats) -> None:
        self._features = features
        self._place: dict[int, int] = {}
        self._straight = self._curve = np.zeros((0, len(features)))

    def between(self, rows: Ints, branches: Ints) -> Between:
        """Of ``rows`` [n] with known ``branches`` [m]."""
        fresh = [b for b in branches.tolist() if b not in self._place]
        if fresh:
            self._place |= {branch: len(self._place) + i for i, branch in enumerate(fresh)}
            columns = Covariances(self._features[fresh], self._features)
            straight = columns.under(bend=0.0, odd=())
            self._straight = np.concatenate([self._straight, straight])
            self._curve = np.concatenate([self._curve, columns.under(bend=1.0, odd=()) - straight])
        places = np.array([self._place[b] for b in branches.tolist()], np.int64)
        return _Part(self._features, self._straight, self._curve, rows=rows, branches=branches, places=places)


class _Part:
    """Some of what is remembered."""

    def __init__(
        self, features: Floats, straight: Floats, curve: Floats, *, rows: Ints, branches: Ints, places: Ints
    ) -> None:
        self._straight, self._curve, self._at = straight, curve, np.ix_(places, rows)
        self._layouts = features[rows, LAYOUT], features[branches, LAYOUT]

    def under(self, *, bend: float, odd: tuple[int, ...]) -> Floats:
        out = self._straight[self._at].T
        if bend:
            out = out + bend**2 * self._curve[self._at].T
        if odd:
            here, known = self._layouts
            suspected = np.isin(known, odd)
            out = out.copy()
            out[:, suspected] += ODD**2 * np.equal.outer(here, known[suspected])
        return out


def variance(a: Floats, *, bend: float, odd: tuple[int, ...]) -> Floats:
    """Diagonal of ``Covariances(a, a).under(bend=bend, odd=odd)``, float64 [n]."""
    params, macs, coarse = a[:, _PARAMS] ** 2, a[:, _MACS] ** 2, a[:, _COARSENESS] ** 2
    fixed = _OF.level**2 + _OF.modality_level**2 + _OF.precision**2 + _OF.layout**2 + _OF.layout_precision**2 + bend**2
    slope = _OF.modality_slope**2 + _OF.params_slope**2
    odds = ODD**2 * np.isin(a[:, LAYOUT], odd)
    return np.asarray(
        fixed + odds + slope * params + _OF.macs_slope**2 * macs + _OF.coarseness**2 * coarse * (1.0 + params),
        np.float64,
    )


def _common_lines(features: Floats) -> Floats:
    """Level, slopes and costs of arithmetic that all branches share, each times its standard deviation, [n, 5]."""
    params, macs, coarse = (features[:, column] for column in (_PARAMS, _MACS, _COARSENESS))
    cost = _OF.coarseness * coarse
    lines = [np.full(len(features), _OF.level), _OF.params_slope * params, _OF.macs_slope * macs, cost, cost * params]
    return np.column_stack(lines)


def _own_lines(features: Floats) -> Floats:
    """The same of level and slope of each modality, [n, 2]."""
    return np.column_stack([np.full(len(features), _OF.modality_level), _OF.modality_slope * features[:, _PARAMS]])


def _same(a: Floats, b: Floats, column: int) -> Bools:
    """Whether branches agree in a column of their features, bool [n, m]."""
    return np.equal.outer(a[:, column], b[:, column])


def _matern(a: Floats, b: Floats) -> Floats:
    """Matern 5/2 correlation of points with unit length scales."""
    squared = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None] - 2 * a @ b.T
    distance = np.sqrt(np.maximum(5.0 * squared, 0.0))
    return np.asarray((1 + distance + distance * distance / 3) * np.exp(-distance), np.float64)
