"""What a search knows: branches trained so far, error rates of every model they unlock, and the front of all that."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.error_rates import ErrorRates
from tinysearch.search.known.design import NO_BRANCH, Bools, DesignTable, Floats, Ints
from tinysearch.search.known.fidelity import Hint, ToldErrors, WarmStart
from tinysearch.search.known.fusion import FusionRelation, Relation
from tinysearch.search.known.growing import GrowingRows
from tinysearch.search.known.objective_values import ObjectiveVector, attempt_s
from tinysearch.search.known.pareto import dominated_by, hypervolume, is_nondominated

RatesOf = Callable[[Sequence[BranchSpec]], ErrorRates]
"""Error rates of known branches (one, or two for their fusion)."""

ALL_PAIRS = 200
"""Up to so many unlocked fusions are computed without asking whether they could matter."""

SPREADS = 4.0
"""A fusion is left uncomputed only if even an error this many standard deviations below its prediction is dominated."""

MODELS_AT_A_TIME = 1 << 18
"""So many models of a growing table are asked for at once."""


MOST_PARTS = 64
"""More parts than so many, in which the models of a growing table came, are made one."""


class Knowledge:
    """Error metrics by branch and model, and the exact front of every design whose branches are known.

    Attributes:
        table, objectives: what is searched.
        boards: int64 [r], rows of the table that can be on a front (see :meth:`DesignTable.best_boards`).
        board_model: int64 [r], their models.
        known, failed, pending: bool [B], branches that can be answered, that cannot be trained, and in training.
        branch_metrics: float64 [B, M], NaN where unknown.
        model_metrics: float64 [m, M], NaN where unknown or not computed.
        unlocked, model_done: bool [m], models of which every branch is known, and those of them that are computed.
        relation: the fusion of two branches predicted from them, learned from the fusions seen.
        order: known branches in the order in which they became known.
        seconds: training seconds by branch index, of those trained.
        hints: cheap evidence by branch index; of no account once a branch is known.
        sources: what tables and runs of elsewhere tell of branches of this space.
    """

    def __init__(
        self,
        table: DesignTable,
        objectives: ObjectiveVector,
        rates_of: RatesOf,
        *,
        relation: Relation | None = None,
    ) -> None:
        # A table that grows is this knowledge's own: numbers of models and boards mean nothing to others.
        self.table = table.own()
        self.objectives = objectives
        self._rates_of = rates_of
        self._rates: dict[tuple[int, ...], ErrorRates] = {}
        count, metrics = len(table.branches), len(objectives.metrics)
        self.known = np.zeros(count, bool)
        self.failed = np.zeros(count, bool)
        self.pending = np.zeros(count, bool)
        self.branch_metrics = np.full((count, metrics), np.nan)
        self.model_metrics = np.zeros((0, metrics))
        self.unlocked, self.model_done = np.zeros((2, 0), bool)
        self.order: list[int] = []
        self.seconds: dict[int, float] = {}
        self.hints: dict[int, Hint] = {}
        self.sources: tuple[ToldErrors, ...] = ()
        self.relation: Relation = relation or FusionRelation(objectives.chance_metrics())
        self.boards: Ints = np.zeros(0, np.int64)
        self.board_model: Ints = np.zeros(0, np.int64)
        self.scale = objectives.scale(table)
        self.corner = self.scale.corner
        self._bounds = self.scale.transform(objectives.bounds[None])[0]
        self._board_attempt_s: Floats = np.zeros(0)
        self._board_points: Floats = np.zeros((0, len(objectives.names)))
        self._board_offsets: Ints = np.zeros(1, np.int64)
        self._by_branch = _ModelsByBranch()
        self._grown = GrowingRows()
        self._revealed = np.zeros(count, bool), np.zeros(count, bool)
        self._take_in_models()
        self.branch_costs = self._branch_costs()
        self._front: Ints = np.zeros(0, np.int64)
        self._front_points: Floats = np.zeros((0, len(objectives.names)))
        self._useful_now = self.failed.tobytes(), table.useful()
        if not objectives.metrics:
            self.learn(range(count))

    def _take_in_models(self) -> None:
        """Make room for the models that the table has and this knowledge has not."""
        table, had = self.table, len(self.unlocked)
        fresh = len(table.models) - had
        if had and not fresh:
            return
        append, nothing = self._grown.append, np.full((fresh, len(self.objectives.metrics)), np.nan)
        self.model_metrics = append("model_metrics", self.model_metrics, nothing)
        unlocked = np.append(self.known, True)[table.models[had:]].all(axis=1)
        self.unlocked = append("unlocked", self.unlocked, np.asarray(unlocked, bool))
        self.model_done = append("model_done", self.model_done, np.zeros(fresh, bool))
        boards = table.best_boards(self.objectives.analytic, since=int(table.offsets[had]))
        # What needs no error metric never changes, and is asked for at every draw of every decision.
        points = np.full((len(boards), len(self.objectives.names)), np.nan)
        for k in np.flatnonzero(~self.objectives.is_error):
            column = table.column(self.objectives.names[k])[boards]
            points[:, k] = self.scale.transform_objective(int(k), column)
        self._board_points = append("board_points", self._board_points, points)
        if self.objectives.retried:
            self._board_attempt_s = append("board_attempt_s", self._board_attempt_s, attempt_s(table)[boards])
        self.boards = append("boards", self.boards, boards)
        self.board_model = append("board_model", self.board_model, table.model[boards])
        ends = self._board_offsets[-1] + np.cumsum(np.bincount(table.model[boards] - had, minlength=fresh))
        self._board_offsets = append("board_offsets", self._board_offsets, ends)
        self._by_branch.add(table.models[had:])

    def reveal(self, reach: Bools, *, with_any: Ints) -> None:
        """Have all models in the table whose branches are among some, as far as the space has them.

        Args:
            reach: bool [B].
            with_any: at least one of the branches is among these.
        """
        if self.table.pricing is None:
            return
        for inputs in self.table.pricing.combinations:
            for models in self._models_within(reach, inputs, with_any=with_any):
                self.table.reveal(models)
        self._take_in_models()

    def reveal_anew(self, reach: Bools, *, with_any: Ints) -> None:
        """The same for one who asks again and again of almost the same branches: only of what is new among them."""
        if self.table.pricing is None:
            return
        wanted = np.zeros(len(reach) + 1, bool)
        wanted[with_any] = True
        before, wanted_before = self._revealed
        fresh = np.flatnonzero((reach & ~before) | (wanted[:-1] & ~wanted_before))
        blocks = []
        for inputs in self.table.pricing.combinations:
            models = np.concatenate([self.table.models[:0], *self._models_within(reach, inputs, with_any=fresh)])
            among = wanted[models]
            # In the order in which they are asked for by what is wanted, of which draws are made.
            first = np.where(among.any(axis=1), among.argmax(axis=1), NO_BRANCH)
            blocks += [models[first == place] for place in range(len(inputs))]
        self.table.reveal(*blocks)
        self._revealed = reach, wanted[:-1]
        self._take_in_models()

    def _models_within(self, reach: Bools, inputs: Sequence[Ints], *, with_any: Ints) -> Iterator[Ints]:
        """Models of some inputs whose branches are among some, and one of them ``with_any``."""
        return products([own[reach[own]] for own in inputs], inputs=self.table.needs.shape[1], with_any=with_any)

    def _branch_costs(self) -> Floats:
        """float64 [B, k]: the least that a design with each branch has of each analytic objective; of few of them."""
        names = self.objectives.analytic
        values = np.column_stack([self.table.column(name) for name in names] or [np.zeros(len(self.table))])
        costs = np.full((len(self.table.branches) + 1, values.shape[1]), np.inf)
        for members in self.table.needs.T:
            np.minimum.at(costs, members, values)
        return costs[:-1]

    def warm(self, given: WarmStart) -> None:
        """Take in evidence from elsewhere, before anything is trained; it is of EERs, and idle where none is sought."""
        if self.objectives.metrics != ("eer",):
            return
        index = {branch.key: i for i, branch in enumerate(self.table.branches)}
        told = (source.told(index) for source in given.sources)
        self.sources = tuple(source for source in told if len(source.branches))
        fusions = [fusion for source in given.sources for fusion in source.fusions]
        self.relation.told(np.array(fusions, np.float64).reshape(-1, 3, 1))

    def models_of(self, branch: int) -> Ints:
        """Models that contain a branch."""
        return self._by_branch[branch]

    def boards_of(self, models: Ints) -> Ints:
        """Positions in ``boards`` of the rows of some models."""
        starts, stops = self._board_offsets[models], self._board_offsets[models + 1]
        lengths = stops - starts
        if not lengths.sum():
            return np.zeros(0, np.int64)
        shift = np.repeat(starts - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
        return np.asarray(np.arange(lengths.sum()) + shift, np.int64)

    def points(self, boards: Ints, metrics: Floats) -> Floats:
        """Hypervolume coordinates [b, K] of rows ``boards`` (positions) with the metrics [b, M]."""
        out: Floats = self._board_points[boards]
        attempt = self._board_attempt_s[boards] if self.objectives.retried else None
        for k in np.flatnonzero(self.objectives.is_error).tolist():
            column = self.objectives.error_objective(k, attempt, metrics)
            out[:, k] = self.scale.transform_objective(k, column)
        return out

    def rates(self, branches: Sequence[int]) -> ErrorRates:
        """Memoised error rates of one branch or of a fusion, all known."""
        key = tuple(int(b) for b in branches if b != NO_BRANCH)
        if key not in self._rates:
            self._rates[key] = self._rates_of([self.table.branches[b] for b in key])
        return self._rates[key]

    def learn(self, branches: Iterable[int]) -> None:
        """Take in branches that have become known, and everything they unlock."""
        fresh = [int(b) for b in branches if not self.known[b]]
        if self.objectives.metrics:  # first what may fail, so that a branch is taken in as a whole or not at all
            for branch in fresh:
                self.branch_metrics[branch] = self.objectives.metrics_of(self.rates([branch]))
        self.order += fresh
        self.pending[fresh] = False
        self.known[np.asarray(fresh, np.int64)] = True
        if fresh:
            self.reveal(self.known, with_any=np.array(fresh, np.int64))
        touched = np.concatenate([self.models_of(b) for b in fresh]) if fresh else np.zeros(0, np.int64)
        self.unlocked[touched] = np.append(self.known, True)[self.table.models[touched]].all(axis=1)
        self.complete()

    def complete(self) -> None:
        """Compute unlocked models, those of one branch first: all if they are few, or those that could reach the front.

        What could be follows from the fusions seen, so the last ones seen may bring up some that were left out.
        """
        waiting = np.flatnonzero(self.unlocked & ~self.model_done)
        single = self.table.models[waiting, 1] == NO_BRANCH
        self._compute(waiting[single])
        pairs = waiting[~single]
        if len(waiting) > ALL_PAIRS and self.objectives.metrics:
            hopeful = self._hopeful(pairs)
            while len(hopeful):
                # In slices, since every fusion computed may rule out others.
                self._compute(hopeful[:64])
                hopeful = self._hopeful(hopeful[64:])
        else:
            self._compute(pairs)

    def _hopeful(self, pairs: Ints) -> Ints:
        """Those sets of known branches that a lucky fusion could put on the front."""
        if not len(pairs):
            return pairs
        lucky = self.relation.lucky(self.table.models[pairs], self.branch_metrics[None], spreads=SPREADS)[0]
        boards = self.boards_of(pairs)
        of = np.searchsorted(pairs, self.board_model[boards])
        points = self.points(boards, lucky[of])
        keep = np.zeros(len(pairs), bool)
        keep[of[~dominated_by(points, self._front_points) & (points <= self._bounds).all(axis=1)]] = True
        return pairs[keep]

    def _compute(self, models: Ints) -> None:
        if not len(models):
            return
        if self.objectives.metrics:
            branches = self.table.models[models]
            for j, pair in zip(models, branches, strict=True):
                self.model_metrics[j] = self.objectives.metrics_of(self.rates(pair))
            members = (branches != NO_BRANCH).sum(axis=1)
            pairs, larger = members == 2, members > 2
            sides = [self.branch_metrics[branches[pairs, side]] for side in (0, 1)]
            fused = self.model_metrics[models[pairs]]
            self.relation.observe(branches[pairs, :2], np.stack([*sides, fused], axis=1))
            if larger.any():
                self.relation.observe_larger(branches[larger], self.branch_metrics, self.model_metrics[models[larger]])
        self.model_done[models] = True
        boards = self.boards_of(models)
        fresh = self.points(boards, self.model_metrics[self.board_model[boards]])
        within = (fresh <= self._bounds).all(axis=1)
        boards, points = boards[within], np.vstack([self._front_points, fresh[within]])
        keep = is_nondominated(points)
        self._front = np.concatenate([self._front, boards])[keep]
        self._front_points = points[keep]

    @property
    def front(self) -> Ints:
        """Rows of the table on the front of all known designs, ascending."""
        return np.sort(self.boards[self._front])

    @property
    def front_points(self) -> Floats:
        """That front in hypervolume coordinates, float64 [f, K], in no particular order."""
        return self._front_points

    def hypervolume(self) -> float:
        """Of the front, in the coordinates of ``scale``."""
        return hypervolume(self._front_points, self.corner)

    def values(self, row: int, *, shown: bool = False) -> Floats:
        """Objective values [K] of one row whose branches are known; ``shown``: with the errors of test people."""
        rates = self.rates([int(b) for b in self.table.needs[row]]) if self.objectives.metrics else None
        metrics = np.zeros(0) if rates is None else self.objectives.metrics_of(rates, shown=shown)
        values: Floats = self.objectives.combine(self.table.columns, self.table.analytic[row][None], metrics[None])[0]
        return values

    def trainable(self) -> Bools:
        """Bool [B]: branches that some design needs and that are neither known, failed nor in training.

        While the first precision of a layout trains, its siblings stay out: they start from the float stage that it
        is making, so a second worker would only wait for it.
        """
        groups = len(self.table.starts)
        known = np.bincount(self.table.start[self.known], minlength=groups) > 0
        making = np.bincount(self.table.start[self.pending], minlength=groups) > 0
        waits = (making & ~known)[self.table.start]
        return self._useful() & ~self.known & ~self.failed & ~self.pending & ~waits

    def why_nothing_is_left(self) -> str:
        """Why nothing is to be trained any more, for people."""
        if not self.objectives.metrics:
            return "nothing has to be trained for these objectives"
        if self.failed.any():
            return f"nothing is left to train; failed or given up: {int(self.failed.sum())}"
        return "every branch that a feasible design needs is known"

    def _useful(self) -> Bools:
        """Bool [B]: branches that some design needs of which no other branch has failed."""
        failed = self.failed.tobytes()
        if self._useful_now[0] != failed:
            models = self.table.models[~np.append(self.failed, False)[self.table.models].any(axis=1)]
            useful = np.zeros(len(self.failed) + 1, bool)
            useful[models] = True
            self._useful_now = failed, useful[:-1]
        return self._useful_now[1]


def products(members: Sequence[Ints], *, inputs: int, with_any: Ints | None = None) -> Iterator[Ints]:
    """All models of one branch of each input, int64 [m, inputs] with -1 behind, in parts of bounded size.

    Args:
        members: branches of each input by index, ascending.
        inputs: columns of a model.
        with_any: at least one branch of each is among these; None for no such condition.
    """
    if with_any is None:
        wanted = [list(members)]
    else:
        # Each model once: its first branch that is among them stands at one place.
        chosen = [np.isin(own, with_any) for own in members]
        wanted = [
            [
                own[~among] if other < place else own[among] if other == place else own
                for other, (own, among) in enumerate(zip(members, chosen, strict=True))
            ]
            for place in range(len(members))
        ]
    for lists in wanted:
        others = math.prod(len(own) for own in lists[1:])
        step = max(1, MODELS_AT_A_TIME // max(1, others))
        for first in range(0, len(lists[0]) if others else 0, step):
            grids = np.meshgrid(lists[0][first : first + step], *lists[1:], indexing="ij")
            models = np.full((grids[0].size, inputs), NO_BRANCH, np.int64)
            for place, grid in enumerate(grids):
                models[:, place] = grid.ravel()
            yield models


class _ModelsByBranch:
    """The models that contain each branch, of models that come in parts."""

    def __init__(self) -> None:
        self._count = 0
        self._parts: list[tuple[Ints, Ints]] = []

    def add(self, models: Ints) -> None:
        """Take in further models [m, K]."""
        branch, model = models.ravel(), np.repeat(np.arange(len(models)) + self._count, models.shape[1])
        self._count += len(models)
        order = np.argsort(branch, kind="stable")
        self._parts.append((branch[order], model[order]))
        if len(self._parts) > MOST_PARTS:
            branch, model = (np.concatenate(arrays) for arrays in zip(*self._parts, strict=True))
            order = np.argsort(branch, kind="stable")
            self._parts = [(branch[order], model[order])]

    def __getitem__(self, branch: int) -> Ints:
        """Their numbers, ascending."""
        found = []
        for branches, models in self._parts:
            first, last = np.searchsorted(branches, [branch, branch + 1])
            found.append(models[first:last])
        return np.concatenate(found)
