"""The table of everything that could be built: feasible designs after exact analytic evaluation, before training."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tinysearch.core.candidate import BranchSpec, Candidate, PlatformChoice
from tinysearch.core.errors import UserError
from tinysearch.search.known.growing import GrowingRows

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NO_BRANCH = -1
"""In the place of a branch of a design that has fewer."""


class Pricing(Protocol):
    """Gives the designs of models when these come to matter, so that no space has to hold all of them."""

    @property
    def combinations(self) -> Sequence[tuple[Ints, ...]]:
        """Branches by index, ascending, of each input of every combination of inputs that makes a model."""
        ...

    def designs(self, models: Ints) -> tuple[Ints, Floats, Ints]:
        """Every feasible and affordable design of some models.

        Args:
            models: int64 [m, K], branches of different inputs by index, by input in alphabetical order, then -1.

        Returns:
            Of each design, in any order: which of the models, int64 [n]; analytic objectives, float64 [n, k]; board,
            int64 [n].
        """
        ...


@dataclass(slots=True, kw_only=True, eq=False)
class DesignTable:
    """Feasible and affordable designs as arrays; candidates are made on demand. A million rows are fine.

    A *model* is one branch or several of different inputs, at most K; several rows (boards) may carry the same model.
    Rows of one model stand together, so the constructor may reorder what it is given. A table with ``pricing`` holds
    those models only that were asked for (:meth:`reveal`) and grows; what it has keeps its place.

    Attributes:
        branches: every branch of the space, feasible or not, without repetition.
        params, macs: float64 [B], of each branch.
        columns: names of the analytic objectives in ``analytic`` (``bom_cost_usd``, ``latency_s`` ...; base units).
        analytic: float64 [n, k], finite.
        needs: int64 [n, K], indices into ``branches``, by input in alphabetical order, then -1.
        platforms: distinct boards.
        platform: int64 [n], index into ``platforms``.
        pricing: gives the rows of further models; None where the table has all of them.
        models: int64 [m, K], the distinct rows of ``needs``, sorted as far as they came together.
        offsets: int64 [m + 1]; rows of model j are ``offsets[j] : offsets[j + 1]``.
        model: int64 [n], the model of each row.
        input: int64 [B], the input of each branch, by number in alphabetical order.
        starts: what several precisions of one network start from: their branch in float32.
        start: int64 [B], the start of each branch, index into ``starts``.
    """

    branches: tuple[BranchSpec, ...]
    params: Floats
    macs: Floats
    columns: tuple[str, ...]
    analytic: Floats
    needs: Ints
    platforms: tuple[PlatformChoice, ...]
    platform: Ints
    pricing: Pricing | None = None
    models: Ints = field(init=False)
    offsets: Ints = field(init=False)
    model: Ints = field(init=False)
    input: Ints = field(init=False)
    starts: tuple[BranchSpec, ...] = field(init=False)
    start: Ints = field(init=False)
    _useful: Bools = field(init=False, repr=False)
    _index: dict[BranchSpec, int] = field(init=False, repr=False)
    _asked: Ints = field(init=False, repr=False)
    _grown: GrowingRows = field(init=False, repr=False, default_factory=GrowingRows)
    _row_of: dict[tuple[int, int], int] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        if len(set(self.branches)) != len(self.branches):
            raise ValueError("branches of a design table must be distinct")
        self.params, self.macs = np.asarray(self.params, np.float64), np.asarray(self.macs, np.float64)
        self._index = {branch: i for i, branch in enumerate(self.branches)}
        inputs = sorted({branch.modality for branch in self.branches})
        self.input = np.array([inputs.index(branch.modality) for branch in self.branches], np.int64)
        siblings = [branch.start for branch in self.branches]
        self.starts = tuple(dict.fromkeys(siblings))
        number = {branch: place for place, branch in enumerate(self.starts)}
        self.start = np.array([number[branch] for branch in siblings], np.int64)
        needs = np.asarray(self.needs, np.int64)
        needs = needs if needs.ndim == 2 else needs.reshape(-1, 2)
        analytic = np.asarray(self.analytic, np.float64).reshape(len(needs), len(self.columns))
        platform = np.asarray(self.platform, np.int64)
        self.needs, self.models, self.offsets = needs[:0], needs[:0], np.zeros(1, np.int64)
        self.analytic, self.platform, self.model = analytic[:0], platform[:0], platform[:0]
        order = np.lexsort((platform, *needs.T[::-1]))
        self._append(needs[order], analytic[order], platform[order])
        self._asked = np.sort(self._key(self.models))
        used = np.zeros(len(self.branches) + 1, bool)
        used[self.needs.ravel()] = True
        used.flags.writeable = False
        self._useful = used[:-1]

    def _append(self, needs: Ints, analytic: Floats, platform: Ints) -> None:
        """Take in rows of models that the table does not have, by model and board."""
        if not np.isfinite(analytic).all():
            raise ValueError("analytic objectives must be finite; leave out what cannot be evaluated")
        first = np.ones(len(needs), bool)
        first[1:] = (needs[1:] != needs[:-1]).any(axis=1)
        starts, had, append = np.flatnonzero(first), len(self.needs), self._grown.append
        self.model = append("model", self.model, np.cumsum(first) - 1 + len(self.models))
        self.models = append("models", self.models, needs[first])
        # The first of these models begins where the table ended.
        self.offsets = append(
            "offsets", self.offsets, had + np.append(starts[1:], len(needs)) if len(needs) else starts
        )
        self.needs = append("needs", self.needs, needs)
        self.analytic = append("analytic", self.analytic, analytic)
        self.platform = append("platform", self.platform, platform)
        self._row_of.clear()

    def reveal(self, *blocks: Ints) -> None:
        """Have the designs of some models in the table, if it does not have them; all are priced together.

        Args:
            blocks: int64 [m, K], models, each once, see :class:`Pricing`; the table has them block by block.
        """
        if self.pricing is None or not sum(len(block) for block in blocks):
            return
        models = np.concatenate(blocks)
        keys, block = self._key(models), np.repeat(np.arange(len(blocks)), [len(each) for each in blocks])
        fresh = np.append(self._asked, -1)[np.searchsorted(self._asked, keys)] != keys
        if not fresh.any():
            return
        order = np.flatnonzero(fresh)
        order = order[np.lexsort((keys[order], block[order]))]
        models = models[order]
        of, analytic, platform = self.pricing.designs(models)
        by_model = np.lexsort((platform, of))
        self._append(models[of[by_model]], analytic[by_model], platform[by_model])
        self._asked = np.sort(np.concatenate([self._asked, np.sort(keys[order])]), kind="stable")

    def own(self) -> DesignTable:
        """The same, growing by itself."""
        other = copy(self)
        other._row_of, other._grown = {}, GrowingRows()
        return other

    def __len__(self) -> int:
        return len(self.needs)

    def _key(self, needs: Ints) -> Ints:
        """One number [n] for members [n, K]; 3 inputs of a million branches each still have one."""
        key = np.zeros(len(needs), np.int64)
        for members in needs.T:
            key = key * (len(self.branches) + 1) + members + 1
        return key

    def members_of(self, branches: Sequence[BranchSpec]) -> Ints:
        """int64 [K]: indices of branches in their order, then -1.

        Raises:
            KeyError: one is not of this space.
        """
        members = np.full(self.needs.shape[1], NO_BRANCH, np.int64)
        members[: len(branches)] = [self._index[branch] for branch in branches]
        return members

    def branch_index(self, branch: BranchSpec) -> int:
        """Position of a branch in ``branches``; KeyError if it is not of this space."""
        return self._index[branch]

    def candidate(self, row: int) -> Candidate:
        """The design point of one row."""
        branches = tuple(self.branches[i] for i in self.needs[row] if i != NO_BRANCH)
        return Candidate(branches=branches, platform=self.platforms[int(self.platform[row])])

    def row_of(self, candidate: Candidate) -> int | None:
        """The row of a candidate; None if it is infeasible, another board is better, or the table lacks it."""
        if candidate.platform not in self.platforms or any(b not in self._index for b in candidate.branches):
            return None
        if len(candidate.branches) > self.needs.shape[1]:
            return None
        if not self._row_of:
            rows = zip(self._key(self.needs).tolist(), self.platform.tolist(), strict=True)
            self._row_of |= {row: i for i, row in enumerate(rows)}
        model = int(self._key(self.members_of(candidate.branches)[None])[0])
        return self._row_of.get((model, self.platforms.index(candidate.platform)))

    def column(self, name: str) -> Floats:
        """One analytic objective, float64 [n].

        Raises:
            UserError: the table does not have it.
        """
        if name not in self.columns:
            raise UserError(
                f"the analytic models must give {', '.join(self.columns)}",
                value=name,
                remedy="leave this objective out, or configure a model that gives it",
            )
        return self.analytic[:, self.columns.index(name)]

    def useful(self) -> Bools:
        """Bool [B], not to be written to: branches that at least one design needs."""
        return self._useful

    def best_boards(self, columns: Sequence[str], *, since: int = 0) -> Ints:
        """Rows that no other row of the same model beats in the given analytic objectives, ascending.

        Rows of one model share their error rates, so only these can be on a front. Of equals the first stays.

        Args:
            since: the first row to look at, the first one of its model.
        """
        rows, model = len(self) - since, self.model[since:]
        values = np.column_stack([self.column(name)[since:] for name in columns] or [np.zeros(rows)])
        alive = np.ones(rows, bool)
        longest = int(np.bincount(model - model[:1]).max(initial=0)) if rows else 0
        for step in range(1, longest):
            left, right = values[:-step], values[step:]
            same = model[:-step] == model[step:]
            alive[step:] &= ~(same & (left <= right).all(axis=1))
            alive[:-step] &= ~(same & (right <= left).all(axis=1) & (right < left).any(axis=1))
        return np.flatnonzero(alive) + since
