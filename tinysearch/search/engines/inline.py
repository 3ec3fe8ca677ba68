"""Trainings in the coordinator itself, one after the other: deterministic, and no second process to start."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.protocols import ErrorModel, TrainingProgress
from tinysearch.search.engines.base import ShouldStop, TrainingReport, TrainingStopped, train
from tinysearch.search.known.fidelity import Limit


class InlineEngine:
    """One training at a time, inside :meth:`wait`.

    Args:
        error_model: what trains.
        on_progress: called for every tick, since ``wait`` only returns at the end of a training.
    """

    n_workers = 1

    def __init__(self, error_model: ErrorModel, *, on_progress: Callable[[TrainingReport], None]) -> None:
        self._error_model = error_model
        self._on_progress = on_progress
        self._queue: deque[tuple[BranchSpec, Limit | None]] = deque()

    def submit(self, branch: BranchSpec, limit: Limit | None = None) -> None:
        self._queue.append((branch, limit))

    def wait(self, should_stop: ShouldStop) -> list[TrainingReport]:
        if not self._queue:
            return []
        branch, limit = self._queue.popleft()

        def tick(progress: TrainingProgress) -> None:
            self._on_progress(TrainingReport(branch=branch, progress=progress))
            if should_stop():
                raise TrainingStopped

        return [train(self._error_model, branch, limit, tick, asked=should_stop)]

    def close(self) -> None:
        self._queue.clear()
