"""Of very many branches those that matter to one decision: every one is looked at, few are drawn."""

from __future__ import annotations

import numpy as np

from tinysearch.search.known.design import Bools, Floats, Ints
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.known.pareto import dominated_by, is_nondominated
from tinysearch.search.memoized.candidates import OPTIMISM, candidates, distinct, lucky_models, often_seen

FEW_BRANCHES = 100
"""With more unknown branches than this, only the most promising that many are drawn jointly."""

MOST_TOGETHER = 22_000
"""In very large spaces a decision looks at about so many designs of branches that no other one is better than, by what
is expected of it and what it costs at least, and of some more, see :func:`_screened`."""

LEAST_BOARDS, MOST_BOARDS = 400, 1500
"""Of these designs, on their boards, about so many are drawn: the front of the most that they may be, then the next."""


def promising(knowledge: Knowledge, mean: Floats, spread: Floats, trainable: Ints) -> tuple[Ints, Ints]:
    """Branches and boards of designs that would be on the front, or near it, if predictions erred on the bright side.

    Args:
        mean, spread: of log metrics of branches that are not known, [B, M].
    """
    order, pending = np.array(knowledge.order, np.int64), np.flatnonzero(knowledge.pending)
    metrics = np.full((len(mean) + 1, mean.shape[1]), np.nan)
    metrics[:-1] = np.minimum(np.exp(mean - OPTIMISM * spread), knowledge.objectives.worst_metrics())
    metrics[order] = knowledge.branch_metrics[order]
    screened = _screened(knowledge, metrics[:-1])
    trainable = trainable[screened[trainable]]
    knowledge.reveal_anew(screened, with_any=trainable)
    open_ = np.zeros(len(metrics), bool)
    open_[trainable] = open_[pending] = True
    boards, lacking = candidates(knowledge, np.append(knowledge.known & screened, True), open_)
    models, of = distinct(knowledge.board_model[boards])
    points = knowledge.points(boards, lucky_models(knowledge, models, metrics[None])[0, of])
    left = np.flatnonzero(~dominated_by(points, knowledge.front_points))
    kept, count = [left[:0]], 0
    while len(left) and count < LEAST_BOARDS:
        best = is_nondominated(points[left], keep_equals=True)
        kept.append(_spread(left[best], points, MOST_BOARDS - count))
        left, count = left[~best], count + len(kept[-1])
    rows = np.sort(np.concatenate(kept))
    # Those of the best layers first, and of a layer those in most of its designs.
    seen: dict[int, None] = {}
    for layer in kept:
        lacked = lacking[layer].reshape(-1, 1)
        seen |= dict.fromkeys(b for (b,) in often_seen(np.arange(len(lacked)), lacked, len(lacked)))
    open_[pending] = False
    chosen = [b for b in seen if open_[b]][:FEW_BRANCHES] or trainable[:FEW_BRANCHES].tolist()
    return np.sort(np.array(chosen, np.int64)), boards[rows]


def _spread(rows: Ints, points: Floats, most: int) -> Ints:
    """So many of some rows of points [n, K], evenly from the least to the greatest."""
    ordered = rows[np.lexsort(points[rows].T[::-1])]
    return np.asarray(ordered[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), most)).astype(int))], np.int64)


def _screened(knowledge: Knowledge, metrics: Floats) -> Bools:
    """Bool [B]: of each input the branches that few others beat in their metrics [B, M] and in what they cost.

    Layer by layer, until there are enough; of a layer that is too large some, evenly from the best to the worst.
    Branches whose metrics are NaN are left out.
    """
    points = np.hstack([metrics, knowledge.branch_costs])
    usable = np.ones(len(points), bool)
    for column in points.T:
        usable &= np.isfinite(column)
    most = int(MOST_TOGETHER ** (1.0 / knowledge.table.needs.shape[1]))
    out = np.zeros(len(points), bool)
    for number in range(int(knowledge.table.input.max(initial=-1)) + 1):
        left, count = np.flatnonzero((knowledge.table.input == number) & usable), 0
        while len(left) and count < most // 3:
            best = is_nondominated(points[left], keep_equals=True)
            layer = _spread(left[best], points, most - count)
            out[layer] = True
            left, count = left[~best], count + len(layer)
    return out
