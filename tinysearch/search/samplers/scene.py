"""One decision of the memoized sampler: draws of everything unknown, and what each training would gain in them."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import TypeVar

import numpy as np

from tinysearch.search.design import NO_BRANCH, Bools, Floats, Ints
from tinysearch.search.knowledge import Knowledge, dominated_by
from tinysearch.search.objective_values import CHANCE_EER
from tinysearch.search.pareto import hypervolume, is_nondominated
from tinysearch.search.samplers.surrogate import BranchSurrogate, evidence_of

_T = TypeVar("_T", int, tuple[int, ...])

FEW_BRANCHES = 100
"""With more unknown branches than this, only the most promising that many are drawn jointly."""

MOST_LOOKED_AT = 1000
"""In very large spaces each decision looks at so many unknown branches, drawn at random: their neighbors are alike."""

OPTIMISM = 1.5
"""How far, in standard deviations, errors are taken to lie below their prediction when looking for the promising."""

LUCKY = 0.1
"""Share of the draws in which a partner is better than it is taken to be when giving up a training is weighed."""

STRONGEST = 12


class Scene:
    """Draws of every unknown model, laid out by board, and the gains of actions within each draw.

    An *action* is a branch, or a pair of branches, to train.

    Args:
        draws: how many.
        shortlist: at most so many single branches, and so many pairs, are weighed.
    """

    def __init__(
        self, knowledge: Knowledge, surrogate: BranchSurrogate, *, draws: int, shortlist: int, rng: np.random.Generator
    ) -> None:
        self._knowledge = knowledge
        self._shortlist = shortlist
        self.front = knowledge.front_points
        unknown = np.flatnonzero(knowledge.trainable() | knowledge.pending)
        if len(unknown) > FEW_BRANCHES:
            looked_at = np.sort(rng.permutation(unknown)[:MOST_LOOKED_AT])
            unknown = np.union1d(_promising(knowledge, surrogate, looked_at), np.flatnonzero(knowledge.pending))
        order = np.array(knowledge.order, np.int64)
        posterior = surrogate.posterior(evidence_of(knowledge), unknown)
        self.branch_logs = np.full((draws, len(knowledge.known) + 1, len(knowledge.objectives.metrics)), np.nan)
        self.branch_logs[:, order] = np.log(np.maximum(knowledge.branch_metrics[order], 1e-4))
        self.branch_logs[:, unknown] = posterior.draw(draws, rng)
        # Trainings in flight are taken to end as expected, so that workers choose different branches.
        waiting = np.flatnonzero(knowledge.pending)
        self.branch_logs[:, waiting] = posterior.mean[np.searchsorted(unknown, waiting)][None]
        self._free = np.append(knowledge.known | knowledge.pending, True)
        self._open = np.zeros(len(knowledge.known) + 1, bool)
        self._open[unknown] = knowledge.trainable()[unknown]
        self.boards, self.lacking = _candidates(knowledge, self._free, self._open)
        self._rows_lacking = _rows_by_branch(self.lacking, len(self._open))
        self.points = self._draw_points(draws, rng)
        if len(waiting):
            self._grant_pending()

    def _draw_points(self, draws: int, rng: np.random.Generator) -> Floats:
        """float64 [S, n, K]: where every candidate would lie in each draw."""
        knowledge, models = self._knowledge, self._knowledge.board_model[self.boards]
        distinct, of = _distinct(models)
        noise = knowledge.relation.noise
        out = []
        for s in range(draws):
            logs, _ = predict_models(knowledge, distinct, self.branch_logs[s])
            pair = knowledge.table.models[distinct, 1] != NO_BRANCH
            logs[pair] += noise * rng.standard_normal((int(pair.sum()), 1))
            metrics = np.minimum(np.exp(logs), knowledge.objectives.chance_metrics())
            out.append(knowledge.points(self.boards, metrics[of]))
        return np.array(out)

    def _grant_pending(self) -> None:
        """Designs that only wait for trainings in flight join the front as expected."""
        granted = self.lacking[:, 0] == NO_BRANCH
        if granted.any():
            points = np.vstack([self.front, np.median(self.points[:, granted], axis=0)])
            self.front = points[is_nondominated(points)]

    def best_action(self, costs: Floats) -> tuple[tuple[int, ...], float, int]:
        """The branches to train next, the largest gain that any action promises, and the row to record."""
        hopeful = np.array([~dominated_by(points, self.front) for points in self.points])
        hopeful &= (self.points < self._knowledge.corner).all(axis=2)
        actions = self._shortlist_of(hopeful)
        rows_of = {action: self._unlocked(action) for action in actions}
        corner = self._knowledge.corner
        base = hypervolume(self.front, corner)
        gains = dict.fromkeys(actions, 0.0)
        for points, worth in zip(self.points, hopeful, strict=True):
            for action, rows in rows_of.items():
                useful = rows[worth[rows]]
                if len(useful):
                    gain = hypervolume(np.vstack([self.front, points[useful]]), corner) - base
                    gains[action] += gain / len(self.points)
        rates = {action: gain / sum(costs[i] for i in action) for action, gain in gains.items()}
        best = max(rates, key=lambda action: (rates[action], [-i for i in action]))
        return best, max(gains.values()), self._row_to_record(best)

    def _shortlist_of(self, hopeful: Bools) -> list[tuple[int, ...]]:
        """Branches and pairs seen on the front that each draw would have in the end, the most often seen first."""
        singles: Counter[int] = Counter()
        pairs: Counter[tuple[int, ...]] = Counter()
        for points, worth in zip(self.points, hopeful, strict=True):
            rows = np.flatnonzero(worth)
            lacking = self.lacking[rows[is_nondominated(points[rows])]]
            pairs.update({(int(b), int(a)) for a, b in lacking if b != NO_BRANCH})
            singles.update({int(b) for b in lacking.ravel() if b != NO_BRANCH})
        if not singles:
            singles.update(int(b) for b in np.flatnonzero(self._open[:-1]))
        kept: list[tuple[int, ...]] = [(b,) for b in _most_frequent(singles, self._shortlist)]
        return kept + _most_frequent(pairs, self._shortlist)

    def _unlocked(self, action: tuple[int, ...]) -> Ints:
        """Candidates that lack nothing but (some of) an action's branches."""
        wanted = np.append(np.array(action), NO_BRANCH)
        rows = np.concatenate([self._rows_lacking[b] for b in action])
        return rows[np.isin(self.lacking[rows, 0], wanted) & np.isin(self.lacking[rows, 1], wanted)]

    def useless_from(self, branch: int, *, gain: float) -> float | None:
        """The EER from which a branch would add less than ``gain`` to the hypervolume whatever it is fused with.

        Partners and fusions are taken to turn out well, so that no training is given up for a doubt.

        Returns:
            None where even guessing would add more (the cheapest board, say), or the search has no EER.
        """
        knowledge = self._knowledge
        if knowledge.objectives.metrics != ("eer",):
            return None
        logs = np.full((len(self._open), 1), np.nan)
        logs[:, 0] = np.quantile(self.branch_logs[:, :, 0], LUCKY, axis=0)
        models = np.sort(knowledge.models_of(branch))
        models = models[(self._free | self._open)[knowledge.table.models[models]].all(axis=1)]
        boards = knowledge.boards_of(models)
        of = np.searchsorted(models, knowledge.board_model[boards])
        base = hypervolume(self.front, knowledge.corner)

        def adds(eer: float) -> bool:
            logs[branch, 0] = np.log(eer)
            mean, spread = predict_models(knowledge, models, logs)
            points = knowledge.points(boards, np.exp(mean - OPTIMISM * spread)[of])
            useful = points[~dominated_by(points, self.front)]
            return len(useful) > 0 and hypervolume(np.vstack([self.front, useful]), knowledge.corner) - base > gain

        rates = np.geomspace(0.01, CHANCE_EER, 17)
        if adds(CHANCE_EER):
            return None
        # A higher error never adds more.
        first = bisect_left(range(len(rates)), 1, key=lambda i: int(not adds(float(rates[i]))))
        return float(rates[first])

    def _row_to_record(self, action: tuple[int, ...]) -> int:
        """Of the designs that need all of an action, the row that adds most where the draws expect it."""
        exact = np.array([*sorted(action, reverse=True), NO_BRANCH][:2])
        rows = np.flatnonzero((self.lacking == exact).all(axis=1))
        if not len(rows):
            rows = self._unlocked(action) if len(self._unlocked(action)) else self._rows_lacking[action[0]]
        middle = np.median(self.points[:, rows], axis=0)
        corner = self._knowledge.corner
        gains = [hypervolume(np.vstack([self.front, point]), corner) for point in middle]
        best = int(np.argmax(gains))
        return int(self._knowledge.boards[self.boards[rows[best]]])


def predict_models(knowledge: Knowledge, models: Ints, branch_logs: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation [m, M] of the log metrics of models, given log metrics of all branches [B + 1, M]."""
    first, second = knowledge.table.models[models].T
    mean = branch_logs[first].copy()
    spread = np.zeros_like(mean)
    pair = np.flatnonzero(second != NO_BRANCH)
    if len(pair):
        mean[pair], spread[pair] = knowledge.relation.predict_logs(branch_logs[first[pair]], branch_logs[second[pair]])
    return mean, spread


def _distinct(ascending: Ints) -> tuple[Ints, Ints]:
    """Distinct values of an ascending array, and for each element the position of its value among them."""
    starts = np.ones(len(ascending), bool)
    starts[1:] = ascending[1:] != ascending[:-1]
    return ascending[starts], np.asarray(np.cumsum(starts) - 1, np.int64)


def _candidates(knowledge: Knowledge, free: Bools, open_: Bools) -> tuple[Ints, Ints]:
    """Boards of models that only lack open branches, and the branches [n, 2] they lack (-1 none, last)."""
    models = knowledge.table.models
    reachable = (free | open_)[models].all(axis=1) & ~knowledge.model_done
    boards = knowledge.boards_of(np.flatnonzero(reachable))
    needs = models[knowledge.board_model[boards]]
    return boards, np.sort(np.where(free[needs], NO_BRANCH, needs), axis=1)[:, ::-1]


def _promising(knowledge: Knowledge, surrogate: BranchSurrogate, unknown: Ints) -> Ints:
    """The unknown branches that designs need which would be on the front if predictions erred on the bright side."""
    order = np.array(knowledge.order, np.int64)
    mean, spread = surrogate.marginals(evidence_of(knowledge), unknown)
    logs = np.full((len(knowledge.known) + 1, mean.shape[1]), np.nan)
    logs[order] = np.log(np.maximum(knowledge.branch_metrics[order], 1e-4))
    free = np.append(knowledge.known, True)
    open_ = np.zeros(len(free), bool)
    open_[unknown] = True
    boards, lacking = _candidates(knowledge, free, open_)
    logs[unknown] = mean - OPTIMISM * spread
    models, of = _distinct(knowledge.board_model[boards])
    middle, noise = predict_models(knowledge, models, logs)
    points = knowledge.points(boards, np.exp(middle - OPTIMISM * noise)[of])
    # The strongest of the front rule most out cheaply; sorting is faster than comparing the rest with all of it.
    front = knowledge.front_points
    alive = np.flatnonzero(~dominated_by(points, front, strongest=STRONGEST))
    on_front = alive[is_nondominated(np.vstack([front, points[alive]]))[len(front) :]]
    seen = Counter(int(b) for b in lacking[on_front].ravel() if b != NO_BRANCH)
    chosen = _most_frequent(seen, FEW_BRANCHES) or [int(b) for b in unknown[:FEW_BRANCHES]]
    return np.sort(np.array(chosen, np.int64))


def _rows_by_branch(lacking: Ints, count: int) -> list[Ints]:
    """For each branch, the rows of ``lacking`` [n, 2] that name it (in the first column if only one is named)."""
    flat = lacking.ravel()
    order = np.argsort(flat, kind="stable")
    starts = np.searchsorted(flat[order], np.arange(count + 1))
    return [order[starts[b] : starts[b + 1]] // 2 for b in range(count)]


def _most_frequent(counts: Counter[_T], most: int) -> list[_T]:
    return sorted(counts, key=lambda item: (-counts[item], item))[:most]
