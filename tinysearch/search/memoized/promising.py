"""Of very many branches those that matter to one decision: every one is looked at, few are drawn."""

from __future__ import annotations

import math

import numpy as np

from tinysearch.search.known.design import NO_BRANCH, Bools, Floats, Ints
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.known.pareto import dominated_by, is_nondominated
from tinysearch.search.memoized.candidates import OPTIMISM, candidates, distinct, lacking_of, lucky_models

FEW_BRANCHES = 100
"""With more unknown branches than this, only the most promising that many are drawn jointly."""

MOST_TOGETHER = 22_000
"""In very large spaces a decision looks at about so many models of branches that no other one is better than, by what
is expected of it and what it costs at least, and of some more, see :class:`Screen`."""

LEAST_BOARDS, MOST_BOARDS = 400, 1500
"""Of these designs, on their boards, about so many are drawn: the front of the most that they may be, then the next."""


def promising(
    knowledge: Knowledge, screen: Screen, mean: Floats, deviation: Floats, trainable: Ints
) -> tuple[Ints, Ints]:
    """Of designs that would be on the front, or near it, if predictions erred on the bright side.

    Args:
        screen: of this knowledge, from decision to decision the same.
        mean, deviation: of log metrics of branches that are not known, float64 [B, M].
        trainable: int64, branches that may be trained.

    Returns:
        Those of these branches that they lack, int64, ascending, and their boards, int64, rows of the table's boards.
    """
    order, pending = np.array(knowledge.order, np.int64), np.flatnonzero(knowledge.pending)
    metrics = np.full((len(mean) + 1, mean.shape[1]), np.nan)
    metrics[:-1] = np.minimum(np.exp(mean - OPTIMISM * deviation), knowledge.objectives.worst_metrics())
    metrics[order] = knowledge.branch_metrics[order]
    screened = screen.of(metrics[:-1])
    if not screened[trainable].any():
        # Others promise more, but these alone are left.
        screened[trainable[np.argsort(metrics[trainable, 0], kind="stable")[:FEW_BRANCHES]]] = True
    trainable = trainable[screened[trainable]]
    knowledge.reveal_anew(screened, with_any=trainable)
    open_ = np.zeros(len(metrics), bool)
    open_[trainable] = open_[pending] = True
    free = np.append(knowledge.known & screened, True)
    boards = candidates(knowledge, free | open_)
    models, of = distinct(knowledge.board_model[boards])
    points = knowledge.points(boards, lucky_models(knowledge, models, metrics[None])[0, of])
    left = np.flatnonzero(~dominated_by(points, knowledge.front_points))
    kept = _layers(points, left, enough=LEAST_BOARDS, most=MOST_BOARDS)
    rows = np.sort(np.concatenate(kept))
    # Those of the best layers first, and of a layer those in most of its designs.
    seen: dict[int, None] = {}
    for layer in kept:
        lacked, counts = np.unique(lacking_of(knowledge, boards[layer], free), return_counts=True)
        seen |= dict.fromkeys(lacked[np.argsort(-counts, kind="stable")].tolist())
    open_[pending] = open_[NO_BRANCH] = False
    chosen = [b for b in seen if open_[b]][:FEW_BRANCHES] or trainable[:FEW_BRANCHES].tolist()
    return np.sort(np.array(chosen, np.int64)), boards[rows]


def are_many(knowledge: Knowledge, trainable: Ints) -> bool:
    """Whether these branches, and what they could be fused with, are too many to be drawn jointly."""
    if len(trainable) > FEW_BRANCHES:
        return True
    free = np.append(knowledge.known | knowledge.pending, True)
    reach = free.copy()
    reach[trainable] = True
    if knowledge.table.pricing is None:
        locked = reach[knowledge.table.models].all(axis=1) & ~knowledge.unlocked
        return int(locked.sum()) > MOST_TOGETHER
    combinations = knowledge.table.pricing.combinations
    of_reach, of_free = (
        sum(math.prod(int(some[own].sum()) for own in inputs) for inputs in combinations) for some in (reach, free)
    )
    return of_reach - of_free > MOST_TOGETHER


def _layers(
    points: Floats, left: Ints, *, enough: int, most: int, likely: Ints | None = None, by: Ints | None = None
) -> list[Ints]:
    """Of some rows of points [n, K] the front, then that of the others, until there are enough.

    Args:
        left: int64, the rows, ascending.
        enough, most: rows in all; of a layer that is too large some are taken.
        likely: rows that are likely among those of the first layers.
        by: int64 [n], by which rows of equal points are ordered; None for the rows' own order.
    """
    layers, count = [left[:0]], 0
    while len(left) and count < enough:
        all_left = points if len(left) == len(points) else points[left]
        first = None if likely is None else _places_among(left, likely)
        best = is_nondominated(all_left, keep_equals=True, likely=first)
        layer = left[best]
        if len(layer) > most - count:
            if by is not None:
                layer = layer[np.argsort(by[layer])]
            layer = _evenly(layer, points[layer], most - count)
        layers.append(layer)
        left, count = left[~best], count + len(layers[-1])
    return layers


def _evenly(rows: Ints, points: Floats, most: int) -> Ints:
    """So many of more rows, evenly from the least to the greatest of their points [n, K]."""
    ordered = rows[np.lexsort(points.T[::-1])]
    return np.asarray(ordered[np.linspace(0, len(rows) - 1, most).astype(int)], np.int64)


class Screen:
    """Of each input the branches that few others beat in their metrics and in what they cost.

    From decision to decision only metrics change. So branches stand by what they cost for good, as ascending values are
    looked up much faster than others, and those found last are what nearly all others are compared with first.
    """

    def __init__(self, knowledge: Knowledge) -> None:
        costs, inputs = knowledge.branch_costs, knowledge.table.input
        finite = np.isfinite(costs).all(axis=1)
        self._most = int(MOST_TOGETHER ** (1.0 / knowledge.table.needs.shape[1]))
        self._count, self._metrics = len(costs), len(knowledge.objectives.metrics)
        self._own: list[Ints] = []
        self._points: list[Floats] = []
        for number in range(int(inputs.max(initial=-1)) + 1):
            own = np.flatnonzero((inputs == number) & finite)
            own = own[np.lexsort(costs[own].T)]
            self._own.append(own)
            self._points.append(np.hstack([np.zeros((len(own), self._metrics)), costs[own]]))
        self._last = [own[:0] for own in self._own]

    def of(self, metrics: Floats) -> Bools:
        """Bool [B]: layer by layer, until there are enough; of a layer that is too large some, evenly.

        Args:
            metrics: float64 [B, M]; branches with NaN are left out.
        """
        out = np.zeros(self._count, bool)
        for number, (own, points) in enumerate(zip(self._own, self._points, strict=True)):
            points[:, : self._metrics] = metrics[own]
            left = np.flatnonzero(~np.isnan(points[:, : self._metrics]).any(axis=1))
            found = _layers(points, left, enough=self._most // 3, most=self._most, likely=self._last[number], by=own)
            self._last[number] = chosen = np.concatenate(found)
            out[own[chosen]] = True
        return out


def _places_among(ascending: Ints, some: Ints) -> Ints:
    """Where in an ascending array some values are, of those that are."""
    places = np.searchsorted(ascending, some)
    return np.asarray(places[np.append(ascending, -1)[places] == some], np.int64)
