"""What engines report of trainings under way, and what follows from it for proposals that wait for them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import TinysearchError, UserError, WritingError
from tinysearch.core.protocols import TrainingRecord
from tinysearch.search.engines import TrainingReport
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.progress import Progress
from tinysearch.search.samplers import Proposal
from tinysearch.search.study import storage
from tinysearch.search.study.history import History
from tinysearch.search.study.recorder import Design

_LOGGER = logging.getLogger(__name__)

MOST_FAILURES = 3
"""So many trainings that fail one after the other, and none that succeeds, end the search with the last one's error."""


@dataclass(slots=True, kw_only=True, eq=False)
class InFlight:
    """A proposal that waits for trainings.

    Attributes:
        missing, claimed: branches that are not settled yet, and those trained by this process, settled or not.
        failed, given_up: keys of branches whose training died, or was ended early as of no use.
        records: trainings that ended for this proposal.
        early: what their early epochs told, to be recorded with the trial.
        error: why the proposal fails.
    """

    proposal: Proposal
    design: Design
    started: datetime
    missing: set[int]
    claimed: set[int] = field(default_factory=set)
    failed: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    records: list[TrainingRecord] = field(default_factory=list)
    early: dict[str, Any] = field(default_factory=dict)
    error: str | None = None


class Intake:
    """Takes reports of trainings into knowledge, history and progress, and settles the proposals that wait."""

    def __init__(self, knowledge: Knowledge, history: History, progress: Progress) -> None:
        self._knowledge = knowledge
        self._history = history
        self._progress = progress
        self._failures = 0
        self._succeeded = history.trainings > 0

    def tick(self, report: TrainingReport) -> None:
        """A progress report, from wherever the training runs."""
        if report.progress is not None:
            self._history.evidence.tick(report.progress)
            self._progress.ticked(report.branch, report.progress, self._history)

    def take(self, report: TrainingReport, in_flight: Sequence[InFlight]) -> None:
        """Any report; at the end of a training nothing of ``in_flight`` waits for it any more.

        Raises:
            UserError: the disk is full, or the trainer complains of every branch.
            TinysearchError: too many trainings failed, and none succeeded.
        """
        if not report.is_end:
            self.tick(report)
            return
        branch = self._knowledge.table.branch_index(report.branch)
        waiting = [item for item in in_flight if branch in item.missing]
        self._progress.ended(report.branch)
        record = None if report.record is None else self._counted(report.record)
        if isinstance(record, TrainingRecord):
            self._succeeded, self._failures = True, 0
            if waiting:
                waiting[0].records.append(record)
            self._keep_early(report.branch, waiting, final=self._final(branch))
            self._progress.emit("trained", self._history, branch=report.branch, fraction=1.0)
        elif report.given_up and report.progress is not None:
            self._knowledge.pending[branch] = False
            self._knowledge.failed[branch] = True
            self._keep_early(report.branch, waiting, final=None)
            for item in waiting:
                item.given_up.append(report.branch.key)
            at = f"{report.progress.eer_validation:.1%} at {report.progress.fraction:.0%} of it"
            message = f"{report.branch.short} given up: validation EER {at}"
            self._progress.emit("given_up", self._history, branch=report.branch, message=message)
        else:
            self._take_failure(branch, record or report.error, report.branch, waiting)
        for item in waiting:
            item.missing.discard(branch)

    def _final(self, branch: int) -> float | None:
        """The EER with which a training ended; None where the search does not ask for it."""
        eer_first = self._knowledge.objectives.metrics[:1] == ("eer",)
        return float(self._knowledge.branch_metrics[branch, 0]) if eer_first else None

    def _keep_early(self, branch: BranchSpec, waiting: list[InFlight], *, final: float | None) -> None:
        """Record what the early epochs of a training told with the first trial that waits for it."""
        told = self._history.evidence.ended(branch, final)
        if waiting:
            for name, entries in told.items():
                waiting[0].early.setdefault(name, {}).update(entries)

    def _counted(self, record: TrainingRecord) -> TrainingRecord | TinysearchError:
        """A training that ended well as it is to be recorded, or why its branch cannot be answered all the same."""
        try:
            return self._history.count(record)
        except UserError:
            raise
        except TinysearchError as error:
            return error

    def _take_failure(self, branch: int, error: Exception | None, spec: BranchSpec, waiting: list[InFlight]) -> None:
        if isinstance(error, WritingError):
            raise error
        if isinstance(error, OSError) and isinstance(storage.storage_error(error), UserError):
            raise storage.storage_error(error)
        self._failures += 1
        self._knowledge.pending[branch] = False
        self._knowledge.failed[branch] = True
        message = f"training {spec.short} failed: {type(error).__name__}: {error}"
        _LOGGER.warning(message)
        self._progress.emit("failed", self._history, branch=spec, message=message)
        for item in waiting:
            item.error = message
            item.failed.append(spec.key)
        if self._failures >= MOST_FAILURES and not self._succeeded:
            if isinstance(error, UserError):
                raise error
            raise TinysearchError(
                f"{self._failures} trainings failed and none succeeded; the last: {message}"
            ) from error
