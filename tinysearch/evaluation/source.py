"""Where error rates come from: what an error model answers beyond what a search asks of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.protocols import ErrorModel
from tinysearch.evaluation.memo import BranchMemo


class ErrorSource(ErrorModel, Protocol):
    """An error model of this package; each one inherits the answers that are right for it.

    Attributes:
        memos: where it remembers trained branches; empty where it trains none.
        caveat: what has to stand wherever its rates are shown, for example that the people are synthetic.
    """

    @property
    def memos(self) -> tuple[BranchMemo, ...]:
        return ()

    @property
    def caveat(self) -> str:
        return ""

    def has(self, branches: Sequence[BranchSpec]) -> bool:
        """Whether there are rates of these branches at all; a table may lack some."""
        del branches
        return True

    def repeated_errors(self, branch: BranchSpec) -> tuple[float, ...]:
        """Validation errors of the trainings that a branch was chosen from; empty where there was one."""
        del branch
        return ()
