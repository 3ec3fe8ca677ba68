"""The table of everything that could be built: feasible designs after exact analytic evaluation, before training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tinysearch.core.candidate import BranchSpec, Candidate, PlatformChoice
from tinysearch.core.errors import UserError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NO_BRANCH = -1
"""In the place of a branch of a design that has fewer."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DesignTable:
    """Feasible and affordable designs as arrays; candidates are made on demand. A million rows are fine.

    A *model* is one branch or several of different inputs, at most K; several rows (boards) may
    carry the same model. Rows are kept sorted by model, so the constructor may reorder what it is given.

    Attributes:
        branches: every branch of the space, feasible or not, without repetition.
        params, macs: float64 [B], of each branch.
        columns: names of the analytic objectives in ``analytic`` (``bom_cost_usd``, ``latency_s`` ...; base units).
        analytic: float64 [n, k], finite.
        needs: int64 [n, K], indices into ``branches``, by input in alphabetical order, then -1.
        platforms: distinct boards.
        platform: int64 [n], index into ``platforms``.
        models: int64 [m, K], the distinct rows of ``needs``, sorted.
        offsets: int64 [m + 1]; rows of model j are ``offsets[j] : offsets[j + 1]``.
        model: int64 [n], the model of each row.
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
    models: Ints = field(init=False)
    offsets: Ints = field(init=False)
    model: Ints = field(init=False)
    starts: tuple[BranchSpec, ...] = field(init=False)
    start: Ints = field(init=False)
    _useful: Bools = field(init=False, repr=False)
    _index: dict[BranchSpec, int] = field(init=False, repr=False)
    _row_keys: Ints = field(init=False, repr=False)
    _row_order: Ints = field(init=False, repr=False)

    def __post_init__(self) -> None:
        needs = np.asarray(self.needs, np.int64)
        needs = needs if needs.ndim == 2 else needs.reshape(-1, 2)
        analytic = np.asarray(self.analytic, np.float64).reshape(len(needs), len(self.columns))
        platform = np.asarray(self.platform, np.int64)
        if not np.isfinite(analytic).all():
            raise ValueError("analytic objectives must be finite; leave out what cannot be evaluated")
        if len(set(self.branches)) != len(self.branches):
            raise ValueError("branches of a design table must be distinct")
        order = np.lexsort((platform, *needs.T[::-1]))
        needs, analytic, platform = needs[order], analytic[order], platform[order]
        starts = np.ones(len(needs), bool)
        starts[1:] = (needs[1:] != needs[:-1]).any(axis=1)
        first = np.flatnonzero(starts)
        values: dict[str, object] = {
            "params": np.asarray(self.params, np.float64),
            "macs": np.asarray(self.macs, np.float64),
            "needs": needs,
            "analytic": analytic,
            "platform": platform,
            "models": needs[first],
            "offsets": np.append(first, len(needs)).astype(np.int64),
            "model": np.cumsum(starts) - 1,
            "_index": {branch: i for i, branch in enumerate(self.branches)},
        }
        siblings = [branch.start for branch in self.branches]
        values["starts"] = tuple(dict.fromkeys(siblings))
        number = {branch: place for place, branch in enumerate(dict.fromkeys(siblings))}
        values["start"] = np.array([number[branch] for branch in siblings], np.int64)
        used = np.zeros(len(self.branches) + 1, bool)
        used[needs.ravel()] = True
        used.flags.writeable = False
        values["_useful"] = used[:-1]
        keys = self._key(needs, platform)
        values["_row_order"] = np.argsort(keys, kind="stable")
        values["_row_keys"] = np.sort(keys, kind="stable")
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.needs)

    def _key(self, needs: Ints, platform: Ints) -> Ints:
        """One number [n] for members [n, K] and board; 3 inputs of a million branches each still have one."""
        key = np.zeros(len(needs), np.int64)
        for members in needs.T:
            key = key * (len(self.branches) + 1) + members + 1
        return key * max(1, len(self.platforms)) + platform

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
        """The row of a candidate; None if it is infeasible, dominated by another board, or not of this space."""
        if candidate.platform not in self.platforms or any(b not in self._index for b in candidate.branches):
            return None
        if len(candidate.branches) > self.needs.shape[1]:
            return None
        platform = np.array([self.platforms.index(candidate.platform)], np.int64)
        wanted = int(self._key(self.members_of(candidate.branches)[None], platform)[0])
        at = int(np.searchsorted(self._row_keys, wanted))
        return int(self._row_order[at]) if at < len(self._row_keys) and self._row_keys[at] == wanted else None

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

    def best_boards(self, columns: Sequence[str]) -> Ints:
        """Rows that no other row of the same model beats in the given analytic objectives, ascending.

        Rows of one model share their error rates, so only these can be on a front. Of equals the first stays.
        """
        values = np.column_stack([self.column(name) for name in columns] or [np.zeros(len(self))])
        alive = np.ones(len(self), bool)
        longest = int(np.diff(self.offsets).max(initial=0))
        for step in range(1, longest):
            left, right = values[:-step], values[step:]
            same = self.model[:-step] == self.model[step:]
            alive[step:] &= ~(same & (left <= right).all(axis=1))
            alive[:-step] &= ~(same & (right <= left).all(axis=1) & (right < left).any(axis=1))
        return np.flatnonzero(alive)
