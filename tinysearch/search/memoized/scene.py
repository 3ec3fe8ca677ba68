"""One decision of the memoized sampler: draws of everything unknown, and what each training would gain in them."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from scipy.special import ndtri

from tinysearch.search.known.design import NO_BRANCH, Bools, Floats, Ints
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.known.objective_values import CHANCE_EER
from tinysearch.search.known.pareto import Extension, dominated_by, is_nondominated
from tinysearch.search.memoized.evidence import Evidence, evidence_of
from tinysearch.search.memoized.surrogate import BranchSurrogate

FEW_BRANCHES = 100
"""With more unknown branches than this, only the most promising that many are drawn jointly."""

MOST_TOGETHER = 22_000
"""In very large spaces a decision looks at about so many designs of branches that no other one is better than, by what
is expected of it and what it costs at least, and of some more, see :func:`_screened`."""

LEAST_BOARDS, MOST_BOARDS = 400, 1500
"""Of these designs, on their boards, about so many are drawn: the front of the most that they may be, then the next."""

OPTIMISM = 1.5
"""How far, in standard deviations, errors are taken to lie below their prediction when looking for the promising."""

HEAT, FINALISTS = 16, 8
"""Every action is weighed in about so many draws, and the so many best of them in all."""

_Unlocked = Mapping[tuple[int, ...], Ints]

LUCKY_QUANTILE = 0.1
"""Share of the draws in which a partner is better than it is taken to be when giving up a training is weighed."""


class Scene:
    """Draws of every unknown model, laid out by board, and the gains of actions within each draw.

    An *action* is a branch, or several of one design, to train.

    Args:
        draws: how many.
        shortlist: at most so many single branches, and so many actions of each larger size, are weighed.
    """

    def __init__(
        self, knowledge: Knowledge, surrogate: BranchSurrogate, *, draws: int, shortlist: int, rng: np.random.Generator
    ) -> None:
        self._knowledge = knowledge
        self._surrogate, self._evidence = surrogate, evidence_of(knowledge)
        self._shortlist = shortlist
        self.front = knowledge.front_points
        trainable, waiting = np.flatnonzero(knowledge.trainable()), np.flatnonzero(knowledge.pending)
        self._each: tuple[Floats, Floats] | None = None
        boards: Ints | None = None
        if len(trainable) > FEW_BRANCHES:
            wanted = _places(len(knowledge.known), trainable, waiting)
            self._each = _beliefs(surrogate, self._evidence, wanted, count=len(knowledge.known))
            trainable, boards = _promising(knowledge, *self._each, trainable)
        else:
            within = knowledge.known | knowledge.pending
            within[trainable] = True
            knowledge.reveal(within, with_any=trainable)
        unknown = _places(len(knowledge.known), trainable, waiting)
        order = np.array(knowledge.order, np.int64)
        worst = knowledge.objectives.worst_metrics()
        posterior = surrogate.posterior(self._evidence, unknown)
        # Of what is neither known nor drawn nothing is read: in large spaces the system gives no memory for it, the
        # less where the draws of one branch stand together.
        metrics = np.zeros((len(knowledge.known) + 1, draws, len(knowledge.objectives.metrics)))
        self.branch_metrics = metrics.transpose(1, 0, 2)
        self._drawn = knowledge.known.copy()
        self._drawn[unknown] = True
        self.branch_metrics[:, order] = np.minimum(knowledge.branch_metrics[order], worst)
        self.branch_metrics[:, unknown] = np.minimum(np.exp(posterior.draw(draws, rng)), worst)
        # Trainings in flight are taken to end as expected, so that workers choose different branches.
        expected = np.exp(posterior.mean[np.searchsorted(unknown, waiting)])
        self.branch_metrics[:, waiting] = np.minimum(expected, worst)[None]
        self._free = np.append(knowledge.known | knowledge.pending, True)
        self._open = np.zeros(len(knowledge.known) + 1, bool)
        self._open[trainable] = True
        self.boards, self.lacking = _candidates(knowledge, self._free, self._open, boards)
        self._rows_lacking = _RowsByBranch(self.lacking, len(self._open))
        distinct, self._of = _distinct(knowledge.board_model[self.boards])
        self._metrics = _model_metrics(
            knowledge, distinct, self.branch_metrics, partial(knowledge.relation.draw, rng=rng)
        )
        if len(waiting):
            self._grant_pending()
        self._extension = Extension(self.front, knowledge.corner)

    def _points(self, rows: Ints) -> Floats:
        """float64 [S, r, K]: where some candidates would lie in each draw."""
        metrics = self._metrics[:, self._of[rows]]
        points = self._knowledge.points(np.tile(self.boards[rows], len(metrics)), metrics.reshape(-1, metrics.shape[2]))
        return points.reshape(len(metrics), len(rows), points.shape[1])

    def _grant_pending(self) -> None:
        """Designs that only wait for trainings in flight join the front as expected."""
        granted = np.flatnonzero(self.lacking[:, 0] == NO_BRANCH)
        if len(granted):
            points = np.vstack([self.front, np.median(self._points(granted), axis=0)])
            self.front = points[is_nondominated(points)]

    def _possible(self) -> Ints:
        """Candidates, ascending, that the front does not dominate in at least one draw.

        Only errors differ from draw to draw, so it is enough to look at the lowest of each.
        """
        knowledge = self._knowledge
        points = knowledge.points(self.boards, self._metrics.min(axis=0)[self._of])
        rows = np.flatnonzero((points < knowledge.corner).all(axis=1))
        return np.asarray(rows[~dominated_by(points[rows], self.front)], np.int64)

    @property
    def empty(self) -> bool:
        """Whether no branch that may be trained now leads to a design, were it known."""
        return not (self.lacking[:, 0] != NO_BRANCH).any()

    def best_action(self, costs: Floats) -> tuple[tuple[int, ...], float, int]:
        """The branches to train next, the largest gain that any action promises, and the row to record."""
        possible = self._possible()
        drawn = self._points(possible)
        adds = self._adds(drawn.reshape(-1, drawn.shape[2])).reshape(drawn.shape[:2])
        actions = self._shortlist_of(possible, drawn, adds)
        place = np.full(len(self.boards), -1)
        place[possible] = np.arange(len(possible))
        rows_of = {action: kept[kept >= 0] for action in actions for kept in [place[self._unlocked(action)]]}
        gains = self._raced(rows_of, drawn, adds, costs)
        best = max(gains, key=lambda action: (_per_cost(gains, action, costs), [-i for i in action]))
        return best, max(gains.values()), self._row_to_record(best)

    def _raced(self, rows_of: _Unlocked, drawn: Floats, adds: Bools, costs: Floats) -> dict[tuple[int, ...], float]:
        """Mean gain of each action that stays in the race: all are weighed in a part of the draws, the best in all.

        Args:
            rows_of: candidates that each action unlocks.
            drawn, adds: where candidates lie in each draw, and whether they would add to the front.
        """
        # Every so many of them, since draws of one hypothesis stand together.
        heat = np.arange(0, len(drawn), max(1, len(drawn) // HEAT))
        first = self._summed(rows_of, drawn[heat], adds[heat])
        if len(heat) == len(drawn):
            return {action: gain / len(drawn) for action, gain in first.items()}
        ranked = sorted(first, key=lambda action: (-_per_cost(first, action, costs), action))[:FINALISTS]
        ranked += [max(first, key=lambda action: (first[action], [-i for i in action]))]
        rest = np.setdiff1d(np.arange(len(drawn)), heat)
        second = self._summed({action: rows_of[action] for action in ranked}, drawn[rest], adds[rest])
        return {action: (first[action] + gain) / len(drawn) for action, gain in second.items()}

    def _summed(self, rows_of: _Unlocked, drawn: Floats, adds: Bools) -> dict[tuple[int, ...], float]:
        """Gain of each action, summed over draws."""
        gains = dict.fromkeys(rows_of, 0.0)
        seen: list[dict[bytes, float]] = [{} for _ in drawn]
        for action, rows in rows_of.items():
            draws, places = np.nonzero(adds[:, rows])
            useful, ends = rows[places], np.searchsorted(draws, np.arange(len(drawn) + 1)).tolist()
            for draw, (first, last) in enumerate(itertools.pairwise(ends)):
                if first < last:
                    # A pair often unlocks nothing of worth beyond what one of its branches does.
                    key = useful[first:last].tobytes()
                    if key not in seen[draw]:
                        volume = self._extension.hypervolume(drawn[draw][useful[first:last]])
                        seen[draw][key] = volume - self._extension.base
                    gains[action] += seen[draw][key]
        return gains

    def _adds(self, points: Floats) -> Bools:
        """Bool [n]: points [n, K] that would add to the hypervolume of the front."""
        return ~dominated_by(points, self.front) & (points < self._knowledge.corner).all(axis=1)

    def _shortlist_of(self, possible: Ints, drawn: Floats, adds: Bools) -> list[tuple[int, ...]]:
        """Actions seen on the front that each draw would have in the end, the most often seen first.

        Args:
            possible, drawn, adds: candidates, where they lie in each draw, and whether they would add to the front.
        """
        on_front = adds.copy()
        for row, points in zip(on_front, drawn, strict=True):
            row[row] = is_nondominated(points[row])
        draws, rows = np.nonzero(on_front)
        lacking = self.lacking[possible[rows]]
        inputs, counts = lacking.shape[1], (lacking != NO_BRANCH).sum(axis=1)
        singles = _often_seen(np.tile(draws, inputs), lacking.T.reshape(-1, 1), self._shortlist)
        together_of = [
            _often_seen(draws[counts == size], lacking[counts == size, :size][:, ::-1], self._shortlist)
            for size in range(2, inputs + 1)
        ]
        if not singles:
            lacked = np.unique(self.lacking[self.lacking != NO_BRANCH])
            singles = [(int(b),) for b in lacked[: self._shortlist]]
        return [*singles, *(action for found in together_of for action in found)]

    def _unlocked(self, action: tuple[int, ...]) -> Ints:
        """Candidates that lack nothing but (some of) an action's branches."""
        rows = np.concatenate([self._rows_lacking[b] for b in action])
        lacking = self.lacking[rows]
        within = lacking == NO_BRANCH
        for branch in action:
            within |= lacking == branch
        return np.asarray(rows[within.all(axis=1)], np.int64)

    def useless_from(self, branch: int, *, gain: float) -> float | None:
        """The EER from which a branch would add less than ``gain`` to the hypervolume whatever it is fused with.

        Partners and fusions are taken to turn out well, so that no training is given up for a doubt.

        Returns:
            None where even guessing would add more (the cheapest board, say), or the search has no EER.
        """
        knowledge = self._knowledge
        if knowledge.objectives.metrics != ("eer",):
            return None
        models = np.sort(knowledge.models_of(branch))
        models = models[~np.append(knowledge.failed, False)[knowledge.table.models[models]].any(axis=1)]
        boards = knowledge.boards_of(models)
        of = np.searchsorted(models, knowledge.board_model[boards])
        rates = np.geomspace(0.01, CHANCE_EER, 17)
        among = np.zeros(self.branch_metrics.shape[1], bool)
        among[knowledge.table.models[models]] = True
        among[[branch, NO_BRANCH]] = False
        partners = np.flatnonzero(among)
        metrics = np.zeros((1, *self.branch_metrics.shape[1:]))
        metrics[:, partners] = self._lucky_branches(partners)

        def adds(i: int) -> bool:
            metrics[:, branch] = rates[i]
            points = knowledge.points(boards, lucky_models(knowledge, models, metrics)[0, of])
            useful = points[self._adds(points)]
            return len(useful) > 0 and self._extension.hypervolume(useful) - self._extension.base > gain

        if adds(len(rates) - 1):
            return None
        # A higher error never adds more.
        return float(rates[bisect_left(range(len(rates)), 1, key=lambda i: int(not adds(i)))])

    def _lucky_branches(self, branches: Ints) -> Floats:
        """Metrics [b, M] of branches that turn out well; in large spaces most of them are not among those drawn."""
        drawn = self._drawn[branches]
        out = np.empty((len(branches), self.branch_metrics.shape[2]))
        out[drawn] = np.quantile(self.branch_metrics[:, branches[drawn]], LUCKY_QUANTILE, axis=0)
        if not drawn.all():
            rest, count = branches[~drawn], len(self._open) - 1
            if self._each is None or np.isnan(self._each[0][rest]).any():
                self._each = _beliefs(self._surrogate, self._evidence, rest, count=count)
            mean, spread = self._each
            out[~drawn] = np.exp(mean[rest] + float(ndtri(LUCKY_QUANTILE)) * spread[rest])
        return np.asarray(np.minimum(out, self._knowledge.objectives.worst_metrics()), np.float64)

    def _row_to_record(self, action: tuple[int, ...]) -> int:
        """Of the designs that need all of an action, the row that adds most where the draws expect it."""
        exact = np.full(self.lacking.shape[1], NO_BRANCH)
        exact[: len(action)] = sorted(action, reverse=True)
        rows = np.flatnonzero((self.lacking == exact).all(axis=1))
        if not len(rows):
            rows = self._unlocked(action) if len(self._unlocked(action)) else self._rows_lacking[action[0]]
        middle = np.median(self._points(rows), axis=0)
        inside = np.all(middle < self._knowledge.corner, axis=1).tolist()
        volumes = [
            self._extension.hypervolume(point[None]) if counts else self._extension.base
            for point, counts in zip(middle, inside, strict=True)
        ]
        best = int(np.argmax(volumes))
        return int(self._knowledge.boards[self.boards[rows[best]]])


def lucky_models(knowledge: Knowledge, models: Ints, branch_metrics: Floats) -> Floats:
    """Metrics [S, m, M] of models from those of branches [S, B + 1, M], where fusions turn out well."""
    return _model_metrics(knowledge, models, branch_metrics, partial(knowledge.relation.lucky, spreads=OPTIMISM))


def _model_metrics(
    knowledge: Knowledge, models: Ints, branch_metrics: Floats, fuse: Callable[[Ints, Floats], Floats]
) -> Floats:
    """Metrics [S, m, M] of models from those of branches [S, B + 1, M], of fusions as ``fuse`` gives them."""
    branches = knowledge.table.models[models]
    metrics = branch_metrics[:, branches[:, 0]]
    fused = np.flatnonzero(branches[:, 1] != NO_BRANCH)
    metrics[:, fused] = fuse(branches[fused], branch_metrics)
    return np.asarray(np.minimum(metrics, knowledge.objectives.worst_metrics()), np.float64)


def _places(count: int, *indices: Ints) -> Ints:
    """All of some indices below ``count``, ascending and each once."""
    among = np.zeros(count, bool)
    for each in indices:
        among[each] = True
    return np.flatnonzero(among)


def _distinct(ascending: Ints) -> tuple[Ints, Ints]:
    """Distinct values of an ascending array, and for each element the position of its value among them."""
    starts = np.ones(len(ascending), bool)
    starts[1:] = ascending[1:] != ascending[:-1]
    return ascending[starts], np.asarray(np.cumsum(starts) - 1, np.int64)


def _candidates(knowledge: Knowledge, free: Bools, open_: Bools, boards: Ints | None = None) -> tuple[Ints, Ints]:
    """Boards of locked models that lack open branches at most, and the branches [n, K] they lack (-1 none, last).

    Args:
        boards: only these; None for all.
    """
    models, reach = knowledge.table.models, free | open_
    if boards is None:
        boards = knowledge.boards_of(np.flatnonzero(reach[models].all(axis=1) & ~knowledge.unlocked))
    else:
        boards = boards[reach[models[knowledge.board_model[boards]]].all(axis=1)]
    needs = models[knowledge.board_model[boards]]
    lacking = np.sort(np.where(free[needs], NO_BRANCH, needs), axis=1)[:, ::-1]
    return boards, np.ascontiguousarray(lacking)


def _beliefs(surrogate: BranchSurrogate, evidence: Evidence, branches: Ints, *, count: int) -> tuple[Floats, Floats]:
    """Mean and standard deviation of the log metrics of some branches by themselves, NaN of others, [count, M]."""
    mean, spread = surrogate.marginals(evidence, branches)
    out = np.full((2, count, mean.shape[1]), np.nan)
    out[:, branches] = mean, spread
    return out[0], out[1]


def _promising(knowledge: Knowledge, mean: Floats, spread: Floats, trainable: Ints) -> tuple[Ints, Ints]:
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
    knowledge.reveal(screened, with_any=trainable)
    open_ = np.zeros(len(metrics), bool)
    open_[trainable] = open_[pending] = True
    boards, lacking = _candidates(knowledge, np.append(knowledge.known & screened, True), open_)
    models, of = _distinct(knowledge.board_model[boards])
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
        seen |= dict.fromkeys(b for (b,) in _often_seen(np.arange(len(lacked)), lacked, len(lacked)))
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
    points[~np.isfinite(points).all(axis=1)] = np.nan
    most = int(MOST_TOGETHER ** (1.0 / knowledge.table.needs.shape[1]))
    out = np.zeros(len(points), bool)
    for number in range(int(knowledge.table.input.max(initial=-1)) + 1):
        left, count = np.flatnonzero((knowledge.table.input == number) & ~np.isnan(points[:, 0])), 0
        while len(left) and count < most // 3:
            best = is_nondominated(points[left], keep_equals=True)
            layer = _spread(left[best], points, most - count)
            out[layer] = True
            left, count = left[~best], count + len(layer)
    return out


def _per_cost(gains: Mapping[tuple[int, ...], float], action: tuple[int, ...], costs: Floats) -> float:
    return gains[action] / float(sum(costs[i] for i in action))


class _RowsByBranch:
    """For each branch, the rows of ``lacking`` [n, K] that name it (in the first column if only one is named)."""

    def __init__(self, lacking: Ints, count: int) -> None:
        flat, self._inputs = lacking.ravel(), lacking.shape[1]
        self._order = np.argsort(flat, kind="stable")
        self._starts = np.searchsorted(flat[self._order], np.arange(count + 1))

    def __getitem__(self, branch: int) -> Ints:
        return np.asarray(self._order[self._starts[branch] : self._starts[branch + 1]] // self._inputs, np.int64)


def _often_seen(draws: Ints, actions: Ints, most: int) -> list[tuple[int, ...]]:
    """The actions [n, members] seen in the most draws [n], each counted once a draw; not those that lack nothing."""
    real = actions[:, -1] != NO_BRANCH
    actions, draws = actions[real], draws[real]
    if not len(actions):
        return []
    # One number for each, by the order of actions.
    members, places = np.unique(actions, return_inverse=True)
    shape = (len(members),) * actions.shape[1]
    number = np.ravel_multi_index(tuple(places.reshape(actions.shape).T), shape)
    span = int(draws.max()) + 1
    distinct, counts = np.unique(np.unique(number * span + draws) // span, return_counts=True)
    often = distinct[np.argsort(-counts, kind="stable")][:most]
    return [tuple(action) for action in members[np.column_stack(np.unravel_index(often, shape))].tolist()]
