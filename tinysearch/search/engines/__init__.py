"""Engines: where trainings run, by name."""

from __future__ import annotations

from collections.abc import Callable

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import ErrorModel
from tinysearch.search.engines.base import Engine, TrainingReport, TrainingStopped
from tinysearch.search.engines.inline import InlineEngine
from tinysearch.search.engines.processes import ProcessEngine, WorkerDiedError

__all__ = [
    "Engine",
    "InlineEngine",
    "ProcessEngine",
    "TrainingReport",
    "TrainingStopped",
    "WorkerDiedError",
    "make_engine",
]


def make_engine(
    name: str, error_model: ErrorModel, *, n_workers: int, on_progress: Callable[[TrainingReport], None]
) -> Engine:
    """The engine of a name: ``inline``, ``local`` (inline for one worker, else processes) or ``processes``.

    Raises:
        UserError: unknown name, or fewer than one worker.
    """
    if n_workers < 1:
        raise UserError("a search needs at least one worker", value=n_workers, remedy="write n_workers=1")
    if name == "inline" or (name == "local" and n_workers == 1):
        return InlineEngine(error_model, on_progress=on_progress)
    if name in ("local", "processes"):
        return ProcessEngine(error_model, n_workers=n_workers)
    raise UserError("an engine is inline, local or processes", value=name, remedy="write engine=local")
