"""How the log errors of branches vary together, as far as it is known before any is trained.

A handful of trainings cannot teach a process its own length scales, so the covariance is written down from what is
known of such networks: errors fall with parameters and MACs by an unknown slope, binary arithmetic costs an unknown
amount that shrinks with size, branches of one modality rise and fall together, and so do a layout's precisions (which
is what makes a float32 sibling evidence); networks of like sizes differ by family, and an input that shows less costs.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from tinysearch.core.candidate import BranchSpec
from tinysearch.search.known.design import Bools, DesignTable, Floats

PARAMS_SLOPE = -0.35
"""First guess of the change of a log error for ten times the parameters."""

ODD = 0.7
"""Standard deviation of how far a layout lies off whose training goes wrong, which tells nothing of others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What may be the case besides what the covariance always says.

    Attributes:
        bend: standard deviation of a curve over the parameters.
        odd: layouts that lie off by :data:`ODD`.
        alone: standard deviation of what every layout has of its own, whatever those of like size and depth are like.
    """

    bend: float = 0.0
    odd: tuple[int, ...] = ()
    alone: float = 0.0

    def of_layouts(self, layouts: Floats) -> Floats:
        """Variance that the branches of each of some layouts [n] share beyond what other layouts tell, float64 [n]."""
        return np.asarray(ODD**2 * np.isin(layouts, self.odd) + self.alone**2, np.float64)


STRAIGHT = Shape()


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
        family, kind: of each family of a modality's networks, and of each of its kinds (stems, kernels, expansions).
        smaller, grayer: of what an input costs in a decade of fewer places, and of fewer channels.
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
    family: float = 0.15
    kind: float = 0.08
    smaller: float = 0.3
    grayer: float = 0.2


_OF = Deviations()

LEVEL_TOLD = 0.5
"""How far the level of another table's errors tells of the level here, where its differences tell everything."""

_PENALTY = {"float32": 0.0, "int8": 0.02}
_XNOR_PENALTY = 0.35
_SMALLER_PENALTY, _GRAYER_PENALTY = 0.3, 0.15
"""First guesses of what an input costs that has a tenth of the places, or of the channels, of the modality's largest:
its networks have as many parameters, and less to look at."""
_KIN = 0.6
"""How far what networks of like sizes share beyond all this is shared by those of different kinds."""
_MODALITY, _PARAMS, _MACS, _DEPTH, _COARSENESS, _PRECISION, LAYOUT, _FAMILY, _KIND, _SMALLER, _GRAYER = range(11)
_PLACE, _LENGTHS = [_PARAMS, _MACS, _DEPTH], np.array([0.4, 0.4, 2.0])
_BEND_LENGTH = 0.7
"""Decades of parameters over which a curve turns."""


def branch_features(table: DesignTable) -> Floats:
    """What the surrogate sees of each branch, float64 [B, 11].

    Columns: modality (index), decades of parameters and of MACs about the mean, depth in stages, first guess of what
    the precision costs (log error), precision (index), layout of one modality and width (index); then what is 0 where
    all branches of a modality are alike in it: family, and kind of it (numbers from 1), decades of places and of
    channels that the input has less than the modality's largest.
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
    out = np.zeros((len(rows), _GRAYER + 1))
    out[:, :_FAMILY] = np.array(rows, np.float64).reshape(-1, _FAMILY)
    for number in range(len(modalities)):
        own = np.flatnonzero(out[:, _MODALITY] == number)
        out[own, _FAMILY:] = _kinds_of([table.branches[place] for place in own])
    for column, sizes in ((_PARAMS, table.params), (_MACS, table.macs)):
        decades = np.log10(np.maximum(sizes, 1.0))
        out[:, column] = decades - decades.mean()
    return out


def _kinds_of(branches: Sequence[BranchSpec]) -> Floats:
    """The last four columns of :func:`branch_features`, of all branches of one modality, float64 [n, 4]."""
    families = [branch.architecture.family for branch in branches]
    kinds = [(branch.architecture.family, branch.architecture.extras) for branch in branches]
    places = np.log10([branch.shape.height * branch.shape.width for branch in branches])
    channels = np.log10([branch.shape.channels for branch in branches])
    return np.column_stack([_numbers(families), _numbers(kinds), places.max() - places, channels.max() - channels])


def _numbers(values: Sequence[Hashable]) -> list[int]:
    """Each value's number from 1, or 0 where there is only one."""
    number = {value: place for place, value in enumerate(dict.fromkeys(values), start=1)}
    return [number[value] if len(number) > 1 else 0 for value in values]


def prior_mean(features: Floats) -> Floats:
    """First guess of a branch's log error, apart from its level, float64 [n]."""
    guess = PARAMS_SLOPE * features[:, _PARAMS] + features[:, _COARSENESS]
    guess += _SMALLER_PENALTY * features[:, _SMALLER] + _GRAYER_PENALTY * features[:, _GRAYER]
    return np.asarray(guess, np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lines:
    """What a covariance takes from the features of branches, times the deviations of each.

    Attributes:
        common: float64 [n, 5], level, slopes and costs of arithmetic that all branches share.
        own: float64 [n, 4], level and slope of each modality, and what smaller and grayer inputs cost it.
        place: float64 [n, 3], where a branch stands among others of its modality, in lengths over which errors differ.
    """

    common: Floats
    own: Floats
    place: Floats


def lines_of(features: Floats) -> Lines:
    """Of branches with features [n, 11]."""
    params, macs, coarse = (features[:, column] for column in (_PARAMS, _MACS, _COARSENESS))
    cost, count = _OF.coarseness * coarse, len(features)
    common = [np.full(count, _OF.level), _OF.params_slope * params, _OF.macs_slope * macs, cost, cost * params]
    own = [np.full(count, _OF.modality_level), _OF.modality_slope * params]
    own += [_OF.smaller * features[:, _SMALLER], _OF.grayer * features[:, _GRAYER]]
    return Lines(common=np.column_stack(common), own=np.column_stack(own), place=features[:, _PLACE] / _LENGTHS)


class Covariances:
    """Covariances of log errors of branches with features ``a`` [n, 11] and ``b`` [m, 11], under any hypothesis.

    How far what they share may lie off is told by :class:`Deviations`.

    Args:
        lines: of ``b``, where these are at hand.

    Attributes:
        straight: float64 [n, m], where errors bend nowhere and no layout is odd.
        same: bool [n, m], whether layout and precision are the same.
    """

    def __init__(self, a: Floats, b: Floats, *, lines: Lines | None = None) -> None:
        self._params = a[:, _PARAMS], b[:, _PARAMS]
        self._same_modality = _same(a, b, _MODALITY)
        self._same_layout = _same(a, b, LAYOUT)
        self._layouts = b[:, LAYOUT]
        self._curve: Floats | None = None
        same_precision = _same(a, b, _PRECISION)
        self.same = self._same_layout & same_precision
        self.straight = self._straight(a, b, same_precision, lines)

    def _straight(self, a: Floats, b: Floats, same_precision: Bools, lines: Lines | None) -> Floats:
        here, there = lines_of(a), lines_of(b) if lines is None else lines
        out = here.common @ there.common.T + same_precision * _OF.precision**2
        # Other modalities tell nothing more, and most branches are of others.
        for modality in np.unique(a[:, _MODALITY]):
            of, near = (np.flatnonzero(each[:, _MODALITY] == modality) for each in (a, b))
            block, own = np.ix_(of, near), here.own[of] @ there.own[near].T
            alike = _OF.layout**2 + _OF.layout_precision**2 * same_precision[block]
            if a[of, _KIND].any():
                for column, deviation in ((_FAMILY, _OF.family), (_KIND, _OF.kind)):
                    own += deviation**2 * (_same(a[of], b[near], column) & (a[of, column] > 0)[:, None])
                alike *= np.where(_same(a[of], b[near], _KIND), 1.0, _KIN)
            own += _matern(here.place[of], there.place[near]) * alike
            out[block] += own
        return np.asarray(out, np.float64)

    @property
    def curve(self) -> Floats:
        """Float64 [n, m], of a curve over the parameters whose deviation is 1, half of it each modality's own."""
        if self._curve is None:
            a, b = (params[:, None] / _BEND_LENGTH for params in self._params)
            self._curve = (1.0 + self._same_modality) / 2 * _matern(a, b)
        return self._curve

    def under(self, shape: Shape) -> Floats:
        """Float64 [n, m], with the curve and the layouts of a shape."""
        out = self.straight
        if shape.bend:
            out = out + shape.bend**2 * self.curve
        if shape.odd or shape.alone:
            out = out + self._same_layout * shape.of_layouts(self._layouts)
        return np.asarray(out, np.float64)

    def told(self) -> Floats:
        """Float64 [n, m], of the errors of branches here with those of another table that is believed in full.

        Other data are harder or easier as a whole, or for one modality, which tells little of how they are here.
        """
        level = _OF.level**2 + _OF.modality_level**2 * self._same_modality
        return np.asarray(self.straight - (1.0 - LEVEL_TOLD) * level, np.float64)


def variance_terms(a: Floats) -> Floats:
    """What :func:`variance` takes from features [n, 11], float64 [4, n]."""
    params, macs, coarse = a[:, _PARAMS] ** 2, a[:, _MACS] ** 2, a[:, _COARSENESS] ** 2
    slope = _OF.modality_slope**2 + _OF.params_slope**2
    kinds = _OF.family**2 * (a[:, _FAMILY] > 0) + _OF.kind**2 * (a[:, _KIND] > 0)
    kinds += (_OF.smaller * a[:, _SMALLER]) ** 2 + (_OF.grayer * a[:, _GRAYER]) ** 2
    return np.stack([slope * params, _OF.macs_slope**2 * macs, _OF.coarseness**2 * coarse * (1.0 + params), kinds])


def variance(layouts: Floats, terms: Floats, shape: Shape) -> Floats:
    """Diagonal of ``Covariances(a, a).under(shape)``, float64 [n].

    Args:
        layouts: that column of the features ``a``.
        terms: see :func:`variance_terms`.
    """
    fixed = _OF.level**2 + _OF.modality_level**2 + _OF.precision**2 + _OF.layout**2 + _OF.layout_precision**2
    out = fixed + shape.bend**2 + shape.of_layouts(layouts)
    for term in terms:
        out += term
    return np.asarray(out, np.float64)


def _same(a: Floats, b: Floats, column: int) -> Bools:
    """Whether branches agree in a column of their features, bool [n, m]."""
    return np.equal.outer(a[:, column], b[:, column])


def _matern(a: Floats, b: Floats) -> Floats:
    """Matern 5/2 correlation of points with unit length scales."""
    squared = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None] - 2 * a @ b.T
    distance = np.sqrt(np.maximum(5.0 * squared, 0.0))
    return np.asarray((1 + distance + distance * distance / 3) * np.exp(-distance), np.float64)
