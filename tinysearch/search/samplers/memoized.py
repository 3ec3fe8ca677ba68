"""The sampler that knows what training costs and what is free.

Hardware follows from a model analytically and a fusion follows from its branches, so the only expensive decision is
which branch to train next. A surrogate predicts the error of every untrained branch, the fusion relation that of every
pair; the branch, or pair of branches, with the largest expected gain in hypervolume per cost of training is next,
counted over all designs that it unlocks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tinysearch.search.design import NO_BRANCH, Bools, Floats, Ints
from tinysearch.search.knowledge import Knowledge, dominated_by
from tinysearch.search.pareto import hypervolume, is_nondominated
from tinysearch.search.samplers.base import Outcome, Proposal, Stop, Wait
from tinysearch.search.samplers.costs import training_costs
from tinysearch.search.samplers.surrogate import BranchSurrogate

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

_T = TypeVar("_T", int, tuple[int, ...])

LEAST_TRAINED = 4
"""The expected gain is not believed, and the search not ended by it, before so many branches are known."""


class MemoizedSampler:
    """Expected hypervolume improvement per cost of training, over everything a training unlocks.

    Args:
        stop_share: the search ends when the best expected gain is below this share of the present hypervolume.
        draws: how many joint draws of the surrogate stand for its uncertainty.
        cost_exponent: trainings are weighed by their expected seconds to this power: 0 counts trainings, 1 seconds.
        shortlist: at most so many single branches, and so many pairs, are weighed at a time.
    """

    name = "memoized"

    def __init__(
        self, *, stop_share: float = 1e-4, draws: int = 16, cost_exponent: float = 0.5, shortlist: int = 64
    ) -> None:
        self.stop_share = stop_share
        self._draws = draws
        self._cost_exponent = cost_exponent
        self._shortlist = shortlist
        self._surrogate: BranchSurrogate | None = None

    def resume(self, trials: Sequence[FrozenTrial]) -> None:
        """Nothing: everything follows from the knowledge."""

    def told(self, proposal: Proposal, outcome: Outcome) -> dict[str, Any]:  # noqa: ARG002
        """Nothing to remember."""
        return {}

    def propose(self, knowledge: Knowledge, rng: np.random.Generator) -> Proposal | Stop | Wait:
        trainable = np.flatnonzero(knowledge.trainable())
        if not len(trainable):
            if knowledge.pending.any():
                return Wait()
            return Stop(reason="every branch that a feasible design needs is trained")
        if self._surrogate is None:
            self._surrogate = BranchSurrogate(knowledge.table)
        scene = _Scene(knowledge, self._surrogate, trainable, self._draws, rng, self._shortlist)
        action, gain, row = scene.best_action(training_costs(knowledge) ** self._cost_exponent)
        hypervolume_now = knowledge.hypervolume()
        share = gain / hypervolume_now if hypervolume_now > 0 else float("inf")
        if share < self.stop_share and knowledge.known.sum() >= LEAST_TRAINED:
            if knowledge.pending.any():
                return Wait()
            return Stop(
                reason=f"the best training left is expected to add {share:.2%} to the front's hypervolume, "
                f"less than {self.stop_share:.2%}"
            )
        note = None if not np.isfinite(share) else round(share, 6)
        return Proposal(row=row, attributes={"expected_gain_share": note, "action": [int(b) for b in action]})


class _Scene:
    """One decision: draws of every unknown model, laid out by board, and the gains of actions within each draw."""

    def __init__(
        self,
        knowledge: Knowledge,
        surrogate: BranchSurrogate,
        trainable: Ints,
        draws: int,
        rng: np.random.Generator,
        shortlist: int,
    ) -> None:
        self._knowledge = knowledge
        self._shortlist = shortlist
        unknown = np.flatnonzero(knowledge.trainable() | knowledge.pending)
        known = np.flatnonzero(knowledge.known)
        order = np.array(knowledge.order, np.int64)
        posterior = surrogate.posterior(order, knowledge.branch_metrics[order], unknown)
        self.branch_logs = np.full((draws, len(knowledge.known) + 1, len(knowledge.objectives.metrics)), np.nan)
        self.branch_logs[:, known] = np.log(np.maximum(knowledge.branch_metrics[known], 1e-4))
        self.branch_logs[:, unknown] = posterior.draw(draws, rng)
        # Trainings in flight are taken to end as expected, so that workers choose different branches.
        waiting = np.flatnonzero(knowledge.pending)
        self.branch_logs[:, waiting] = posterior.mean[np.searchsorted(unknown, waiting)][None]
        self._free = np.append(knowledge.known | knowledge.pending, True)
        self._open = np.append(knowledge.trainable(), False)
        self.boards, self.lacking = self._candidates()
        self._rows_lacking = _rows_by_branch(self.lacking, len(self._open))
        self.points = self._draw_points(draws, rng)
        self.front = knowledge.front_points
        if waiting.size:
            self._grant_pending()

    def _candidates(self) -> tuple[Ints, Ints]:
        """Boards of models that lack something, and the branches [n, 2] they lack (-1 none)."""
        table = self._knowledge.table
        needs = table.models[self._knowledge.board_model]
        reachable = (self._free | self._open)[needs].all(axis=1) & ~self._knowledge.model_done[
            self._knowledge.board_model
        ]
        boards = np.flatnonzero(reachable)
        lacking = np.where(self._free[needs[boards]], NO_BRANCH, needs[boards])
        return boards, np.sort(lacking, axis=1)[:, ::-1]

    def _draw_points(self, draws: int, rng: np.random.Generator) -> Floats:
        """float64 [S, n, K]: where every candidate would lie in each draw."""
        knowledge, models = self._knowledge, self._knowledge.board_model[self.boards]
        distinct, of = np.unique(models, return_inverse=True)
        first, second = knowledge.table.models[distinct].T
        pair = second != NO_BRANCH
        out = []
        for s in range(draws):
            logs = self.branch_logs[s, first].copy()
            if pair.any():
                mean, spread = knowledge.relation.predict(np.exp(logs[pair]), np.exp(self.branch_logs[s, second[pair]]))
                logs[pair] = mean + knowledge.relation.noise * rng.standard_normal((int(pair.sum()), 1))
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
        """The branches to train next, the expected gain of doing so, and the row to record for it."""
        hopeful = np.array([~dominated_by(points, self.front) for points in self.points])
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
        return best, gains[best], self._row_to_record(best)

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


def _rows_by_branch(lacking: Ints, count: int) -> list[Ints]:
    """For each branch, the rows of ``lacking`` [n, 2] that name it (in the first column if only one is named)."""
    flat = lacking.ravel()
    order = np.argsort(flat, kind="stable")
    starts = np.searchsorted(flat[order], np.arange(count + 1))
    return [order[starts[b] : starts[b + 1]] // 2 for b in range(count)]


def _most_frequent(counts: Counter[_T], most: int) -> list[_T]:
    return sorted(counts, key=lambda item: (-counts[item], item))[:most]
