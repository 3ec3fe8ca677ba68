"""How the log errors of branches vary together, as far as it is known before any is trained.

A handful of trainings cannot teach a process its own length scales, so the covariance is written down from what is
known of such networks: errors fall with parameters and MACs by an unknown slope, binary arithmetic costs an unknown
amount that shrinks with size, branches of one modality rise and fall together, and so do a layout's precisions (which
is what makes a float32 sibling evidence).
"""

from __future__ import annotations

import numpy as np

from tinysearch.core.quantization import Precision
from tinysearch.search.design import DesignTable, Floats

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
    precisions = sorted({branch.precision for branch in table.branches})
    rows = []
    for branch, start in zip(table.branches, table.start.tolist(), strict=True):
        precision = Precision.parse(branch.precision)
        product = precision.activation_bits * precision.weight_bits
        rows.append(
            [
                modalities.index(branch.modality),
                0.0,
                0.0,
                float(len(branch.blocks)),
                _XNOR_PENALTY / product if precision.kind == "xnor" else _PENALTY[precision.kind],
                precisions.index(branch.precision),
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


def covariance(a: Floats, b: Floats, *, bend: float, odd: tuple[int, ...]) -> Floats:
    """Covariance of log errors of branches with features ``a`` [n, 7] and ``b`` [m, 7], float64 [n, m].

    Standard deviations: level 0.4, level of a modality 0.4, slope in a decade of parameters 0.3 and of MACs 0.15, cost
    of coarse arithmetic half its first guess and as much again per decade, each precision 0.05, each layout of a
    modality 0.2, and its precisions 0.06 more; ``bend`` of a curve over the parameters, half of it of each modality;
    0.7 of layouts ``odd``.
    """
    same_modality = (a[:, None, _MODALITY] == b[None, :, _MODALITY]).astype(np.float64)
    same_precision = (a[:, None, _PRECISION] == b[None, :, _PRECISION]).astype(np.float64)
    params = np.outer(a[:, _PARAMS], b[:, _PARAMS])
    coarse = np.outer(a[:, _COARSENESS], b[:, _COARSENESS])
    out = (
        0.4**2
        + same_modality * (0.4**2 + 0.15**2 * params)
        + 0.3**2 * params
        + 0.15**2 * np.outer(a[:, _MACS], b[:, _MACS])
        + 0.25 * coarse * (1.0 + params)
        + same_precision * 0.05**2
        + same_modality
        * _matern(a[:, _PLACE] / _LENGTHS, b[:, _PLACE] / _LENGTHS)
        * (0.2**2 + 0.06**2 * same_precision)
    )
    if bend:
        out += (
            bend**2
            * (1.0 + same_modality)
            / 2
            * _matern(a[:, [_PARAMS]] / _BEND_LENGTH, b[:, [_PARAMS]] / _BEND_LENGTH)
        )
    return np.asarray(out + oddness(a, b, odd), np.float64)


def oddness(a: Floats, b: Floats, odd: tuple[int, ...]) -> Floats:
    """What layouts ``odd`` add to the covariance of branches, float64 [n, m]."""
    same = a[:, None, LAYOUT] == b[None, :, LAYOUT]
    return np.asarray(ODD**2 * (same & np.isin(b[:, LAYOUT], odd)), np.float64)


def variance(a: Floats, *, bend: float, odd: tuple[int, ...]) -> Floats:
    """Diagonal of ``covariance(a, a, bend=bend, odd=odd)``, float64 [n]."""
    params, macs, coarse = a[:, _PARAMS] ** 2, a[:, _MACS] ** 2, a[:, _COARSENESS] ** 2
    fixed = 0.4**2 + 0.4**2 + 0.05**2 + 0.2**2 + 0.06**2 + bend**2
    odds = ODD**2 * np.isin(a[:, LAYOUT], odd)
    return np.asarray(
        fixed + odds + (0.15**2 + 0.3**2) * params + 0.15**2 * macs + 0.25 * coarse * (1.0 + params), np.float64
    )


def _matern(a: Floats, b: Floats) -> Floats:
    """Matern 5/2 correlation of points with unit length scales."""
    squared = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None] - 2 * a @ b.T
    distance = np.sqrt(5.0 * np.maximum(squared, 0.0))
    return np.asarray((1 + distance + distance**2 / 3) * np.exp(-distance), np.float64)
