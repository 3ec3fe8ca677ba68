"""Trainings in the coordinator itself, one after the other: deterministic, and no second process to start."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.protocols import ErrorModel, TrainingProgress
from tinysearch.search.engines.base import ShouldStop, TrainingReport, TrainingStopped


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
        self._queue: deque[BranchSpec] = deque()

    def submit(self, branch: BranchSpec) -> None:
        self._queue.append(branch)

    def wait(self, should_stop: ShouldStop) -> list[TrainingReport]:
        if not self._queue:
            return []
        branch = self._queue.popleft()

        def tick(progress: TrainingProgress) -> None:
            self._on_progress(TrainingReport(branch=branch, progress=progress))
            if should_stop():
                raise TrainingStopped

        try:
            record = self._error_model.train(branch, progress=tick)
        except Exception as error:
            return [TrainingReport(branch=branch, error=error)]
        return [TrainingReport(branch=branch, record=record)]

    def close(self) -> None:
        self._queue.clear()
