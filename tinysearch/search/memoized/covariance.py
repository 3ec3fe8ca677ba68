"""How the log errors of branches vary together, as far as it is known before any is trained.

A handful of trainings cannot teach a process its own length scales, so the covariance is written down from what is
known of such networks: errors fall with parameters and MACs by an unknown slope, binary arithmetic costs an unknown
amount that shrinks with size, branches of one modality rise and fall together, and so do a layout's precisions (which
is what makes a float32 sibling evidence).
"""

from __future__ import annotations

import numpy as np

from tinysearch.search.known.design import Bools, DesignTable, Floats

PARAMS_SLOPE = -0.35
"""First guess of the change of a log error for ten times the parameters."""

ODD = 0.7
"""Standard deviation of how far a layout lies off whose training goes wrong, which tells nothing of others."""

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
                _XNOR_PENALTY / product if precision.kind == "xnor" else _PENALTY[precision.kind],
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


class Covariances:
    """Covariances of log errors of branches with features ``a`` [n, 7] and ``b`` [m, 7], under any hypothesis.

    Standard deviations: level 0.4, level of a modality 0.4, slope in a decade of parameters 0.3 and of MACs 0.15, cost
    of coarse arithmetic half its first guess and as much again per decade, each precision 0.05, each layout of a
    modality 0.2, and its precisions 0.06 more.
    """

    def __init__(self, a: Floats, b: Floats) -> None:
        self._params = a[:, _PARAMS], b[:, _PARAMS]
        self._same_modality = _same(a, b, _MODALITY)
        self._same_layout = _same(a, b, LAYOUT)
        self._layouts = b[:, LAYOUT]
        self._curve: Floats | None = None
        same_precision = _same(a, b, _PRECISION)
        near = _matern(a[:, _PLACE] / _LENGTHS, b[:, _PLACE] / _LENGTHS) * (0.2**2 + 0.06**2 * same_precision)
        self._straight = (
            _common_lines(a) @ _common_lines(b).T
            + same_precision * 0.05**2
            + self._same_modality * (_own_lines(a) @ _own_lines(b).T + near)
        )

    def under(self, *, bend: float, odd: tuple[int, ...]) -> Floats:
        """Float64 [n, m], with a curve over the parameters, half of it each modality's own, and with odd layouts.

        Args:
            bend: standard deviation of the curve.
            odd: layouts that lie off by 0.7.
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


def variance(a: Floats, *, bend: float, odd: tuple[int, ...]) -> Floats:
    """Diagonal of ``Covariances(a, a).under(bend=bend, odd=odd)``, float64 [n]."""
    params, macs, coarse = a[:, _PARAMS] ** 2, a[:, _MACS] ** 2, a[:, _COARSENESS] ** 2
    fixed = 0.4**2 + 0.4**2 + 0.05**2 + 0.2**2 + 0.06**2 + bend**2
    odds = ODD**2 * np.isin(a[:, LAYOUT], odd)
    return np.asarray(
        fixed + odds + (0.15**2 + 0.3**2) * params + 0.15**2 * macs + 0.25 * coarse * (1.0 + params), np.float64
    )


def _common_lines(features: Floats) -> Floats:
    """Level, slopes and costs of arithmetic that all branches share, each times its standard deviation, [n, 5]."""
    params, macs, coarse = (features[:, column] for column in (_PARAMS, _MACS, _COARSENESS))
    return np.column_stack(
        [np.full(len(features), 0.4), 0.3 * params, 0.15 * macs, 0.5 * coarse, 0.5 * coarse * params]
    )


def _own_lines(features: Floats) -> Floats:
    """The same of level and slope of each modality, [n, 2]."""
    return np.column_stack([np.full(len(features), 0.4), 0.15 * features[:, _PARAMS]])


def _same(a: Floats, b: Floats, column: int) -> Bools:
    """Whether branches agree in a column of their features, bool [n, m]."""
    return np.equal.outer(a[:, column], b[:, column])


def _matern(a: Floats, b: Floats) -> Floats:
    """Matern 5/2 correlation of points with unit length scales."""
    squared = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None] - 2 * a @ b.T
    distance = np.sqrt(np.maximum(5.0 * squared, 0.0))
    return np.asarray((1 + distance + distance * distance / 3) * np.exp(-distance), np.float64)
