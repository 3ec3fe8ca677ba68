"""Engines: where trainings run, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import ErrorModel
from tinysearch.search.engines.base import Engine, TrainingReport, TrainingStopped, WorkerDiedError
from tinysearch.search.engines.inline import InlineEngine
from tinysearch.search.engines.processes import ProcessEngine
from tinysearch.search.engines.ray import RayEngine, RayOptions

__all__ = [
    "Engine",
    "InlineEngine",
    "ProcessEngine",
    "RayEngine",
    "RayOptions",
    "TrainingReport",
    "TrainingStopped",
    "WorkerDiedError",
    "check_engine",
    "make_engine",
]


ENGINES = ("inline", "local", "processes", "ray")


def check_engine(name: str) -> None:
    """Refuse an unknown engine before anything is built for it.

    Raises:
        UserError: unknown name.
    """
    if name not in ENGINES:
        raise UserError("an engine must be inline, local, processes or ray", value=name, remedy="write engine=local")


def make_engine(
    name: str,
    error_model: ErrorModel,
    *,
    n_workers: int,
    on_progress: Callable[[TrainingReport], None],
    options: Mapping[str, Any] | None = None,
) -> Engine:
    """The engine of a name: ``inline``, ``local`` (inline for one worker, else processes), ``processes`` or ``ray``.

    Args:
        options: keyword arguments of :class:`RayOptions`; the other engines have none.

    Raises:
        UserError: unknown name, fewer than one worker, or Ray is not there.
    """
    check_engine(name)
    if n_workers < 1:
        raise UserError("a search must have at least one worker", value=n_workers, remedy="write n_workers=1")
    if name == "inline" or (name == "local" and n_workers == 1):
        return InlineEngine(error_model, on_progress=on_progress)
    if name in ("local", "processes"):
        return ProcessEngine(error_model, n_workers=n_workers)
    return RayEngine(error_model, n_workers=n_workers, options=RayOptions(**(options or {})))
