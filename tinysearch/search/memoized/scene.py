"""One decision of the memoized sampler: draws of everything unknown, and what each training would gain in them."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.special import ndtri

from tinysearch.search.known.design import NO_BRANCH, Bools, Floats, Ints
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.known.pareto import Extension, bars, below, dominated_by, is_nondominated, nondominated_in_each
from tinysearch.search.memoized.acquisition import Acquisition, Action, per_cost, unlocked_by
from tinysearch.search.memoized.candidates import candidates, distinct, lacking_of, model_metrics, often_seen
from tinysearch.search.memoized.evidence import Evidence, evidence_of
from tinysearch.search.memoized.giving_up import useless_from
from tinysearch.search.memoized.promising import Screen, are_many, promising
from tinysearch.search.memoized.surrogate import BranchSurrogate

LUCKY_QUANTILE = 0.1
"""Share of the draws in which a partner is better than it is taken to be when giving up a training is weighed."""


class Room:
    """Memory for the metrics of branches in every draw, which scenes use one after the other.

    In very large spaces few of its pages are written to; but the system clears two million bytes for each of these, so
    new room for every scene would cost as much as half of what a scene does.
    """

    def __init__(self) -> None:
        self._held: Floats = np.zeros((0, 0, 0))

    def of(self, branches: int, draws: int, metrics: int) -> Floats:
        """float64 [draws, branches, metrics], of any values; the draws of one branch stand together."""
        if self._held.shape != (branches, draws, metrics):
            self._held = np.zeros((branches, draws, metrics))
        return self._held.transpose(1, 0, 2)


class Scene:
    """Draws of every unknown model, laid out by board, and the gains of actions within each draw.

    An *action* is a branch, or several of one design, to train.

    Args:
        draws: how many.
        shortlist: at most so many single branches, and so many actions of each larger size, are weighed.
        room: for the draws, taken from the scene before.
        screen: of the knowledge, the same for all scenes.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        surrogate: BranchSurrogate,
        *,
        draws: int,
        shortlist: int,
        rng: np.random.Generator,
        room: Room,
        screen: Screen,
    ) -> None:
        self._knowledge = knowledge
        self._surrogate, self._evidence = surrogate, evidence_of(knowledge)
        self._shortlist = shortlist
        self.front = knowledge.front_points
        self._each: tuple[Floats, Floats] | None = None
        waiting = np.flatnonzero(knowledge.pending)
        trainable, boards = self._looked_at(screen, waiting)
        unknown = _places(len(knowledge.known), trainable, waiting)
        order = np.array(knowledge.order, np.int64)
        worst = knowledge.objectives.worst_metrics()
        posterior = surrogate.posterior(self._evidence, unknown)
        # Of what is neither known nor drawn nothing is read.
        self.branch_metrics = room.of(len(knowledge.known) + 1, draws, len(knowledge.objectives.metrics))
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
        self.boards = candidates(knowledge, self._free | self._open, boards)
        self.lacking = lacking_of(knowledge, self.boards, self._free)
        models, self._of = distinct(knowledge.board_model[self.boards])
        self._metrics = model_metrics(knowledge, models, self.branch_metrics, partial(knowledge.relation.draw, rng=rng))
        if len(waiting):
            self._grant_pending()
        self._extension = Extension(self.front, knowledge.corner)

    def _looked_at(self, screen: Screen, waiting: Ints) -> tuple[Ints, Ints | None]:
        """The branches that are weighed, and the boards of designs with them; None for all boards."""
        knowledge, trainable = self._knowledge, np.flatnonzero(self._knowledge.trainable())
        if are_many(knowledge, trainable):
            wanted = _places(len(knowledge.known), trainable, waiting)
            self._each = _beliefs(self._surrogate, self._evidence, wanted, count=len(knowledge.known))
            return promising(knowledge, screen, *self._each, trainable)
        within = knowledge.known | knowledge.pending
        within[trainable] = True
        knowledge.reveal(within, with_any=trainable)
        return trainable, None

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
        points = self._knowledge.points(self.boards, self._metrics.min(axis=0)[self._of])
        return np.flatnonzero(self._adds(points[None])[0])

    @property
    def empty(self) -> bool:
        """Whether no branch that may be trained now leads to a design, were it known."""
        return not (self.lacking[:, 0] != NO_BRANCH).any()

    def best_action(self, costs: Floats) -> tuple[Action, float, int]:
        """The branches to train next, the largest gain that any action promises, and the row to record."""
        possible = self._possible()
        drawn = self._points(possible)
        adds = self._adds(drawn)
        actions = self._shortlist_of(possible, drawn, adds)
        unlocked = unlocked_by(actions, self.lacking[possible])
        gains = Acquisition(self._extension, drawn, adds).raced(actions, unlocked, costs)
        best = max(gains, key=lambda action: (per_cost(gains, action, costs), [-i for i in action]))
        return best, max(gains.values()), self._row_to_record(best)

    def left(self) -> Floats:
        """What all branches together would add to the hypervolume of the front in each draw, float64 [S]."""
        drawn = self._points(self._possible())
        adds = self._adds(drawn)
        ends = np.append(0, np.cumsum(adds.sum(axis=1)))
        return np.asarray(self._extension.hypervolumes(drawn[adds], ends) - self._extension.base, np.float64)

    def _adds(self, drawn: Floats) -> Bools:
        """Bool [S, r]: points [S, r, K] of candidates in each draw that would add to the hypervolume of the front."""
        corner, errors = self._knowledge.corner, np.flatnonzero(self._knowledge.objectives.is_error)
        if len(errors) == 1:
            of = int(errors[0])
            return np.asarray(drawn[:, :, of] < bars(drawn[0], self.front, corner, of=of), np.bool_)
        points = drawn.reshape(-1, len(corner))
        return (~dominated_by(points, self.front) & below(points, corner)).reshape(drawn.shape[:2])

    def _shortlist_of(self, possible: Ints, drawn: Floats, adds: Bools) -> list[Action]:
        """Actions seen on the front that each draw would have in the end, the most often seen first.

        Args:
            possible, drawn, adds: candidates, where they lie in each draw, and whether they would add to the front.
        """
        draws, rows = np.nonzero(nondominated_in_each(drawn, adds))
        lacking = self.lacking[possible[rows]]
        inputs, counts = lacking.shape[1], (lacking != NO_BRANCH).sum(axis=1)
        singles = often_seen(np.tile(draws, inputs), lacking.T.reshape(-1, 1), self._shortlist)
        together_of = [
            often_seen(draws[counts == size], lacking[counts == size, :size][:, ::-1], self._shortlist)
            for size in range(2, inputs + 1)
        ]
        if not singles:
            lacked = np.unique(self.lacking[self.lacking != NO_BRANCH])
            singles = [(int(b),) for b in lacked[: self._shortlist]]
        return [*singles, *(action for found in together_of for action in found)]

    def useless_from(self, branch: int, *, gain: float) -> float | None:
        """The EER from which a branch would add less than ``gain``, see :func:`giving_up.useless_from`."""
        return useless_from(
            self._knowledge,
            branch,
            gain=gain,
            front=self.front,
            extension=self._extension,
            lucky=self._lucky_branches,
        )

    def _lucky_branches(self, branches: Ints) -> Floats:
        """Metrics [b, M] of branches that turn out well; in large spaces most of them are not among those drawn."""
        drawn = self._drawn[branches]
        out = np.empty((len(branches), self.branch_metrics.shape[2]))
        out[drawn] = np.quantile(self.branch_metrics[:, branches[drawn]], LUCKY_QUANTILE, axis=0)
        if not drawn.all():
            rest, count = branches[~drawn], len(self._open) - 1
            if self._each is None or np.isnan(self._each[0][rest]).any():
                self._each = _beliefs(self._surrogate, self._evidence, rest, count=count)
            mean, deviation = self._each
            out[~drawn] = np.exp(mean[rest] + float(ndtri(LUCKY_QUANTILE)) * deviation[rest])
        return np.asarray(np.minimum(out, self._knowledge.objectives.worst_metrics()), np.float64)

    def _row_to_record(self, action: Action) -> int:
        """Of the designs that need all of an action, the row that adds most where the draws expect it."""
        exact = np.full(self.lacking.shape[1], NO_BRANCH)
        exact[: len(action)] = sorted(action, reverse=True)
        rows = np.flatnonzero((self.lacking == exact).all(axis=1))
        if not len(rows):
            rows = np.flatnonzero((self.lacking == action[0]).any(axis=1))
        middle = np.median(self._points(rows), axis=0)
        inside = below(middle, self._knowledge.corner)
        volumes = np.full(len(rows), self._extension.base)
        volumes[inside] = self._extension.hypervolumes(middle[inside], range(int(inside.sum()) + 1))
        best = int(np.argmax(volumes))
        return int(self._knowledge.boards[self.boards[rows[best]]])


def _places(count: int, *indices: Ints) -> Ints:
    """All of some indices below ``count``, ascending and each once."""
    among = np.zeros(count, bool)
    for each in indices:
        among[each] = True
    return np.flatnonzero(among)


def _beliefs(surrogate: BranchSurrogate, evidence: Evidence, branches: Ints, *, count: int) -> tuple[Floats, Floats]:
    """Mean and standard deviation of the log metrics of some branches by themselves, NaN of others, [count, M]."""
    mean, deviation = surrogate.marginals(evidence, branches)
    out = np.full((2, count, mean.shape[1]), np.nan)
    out[:, branches] = mean, deviation
    return out[0], out[1]
