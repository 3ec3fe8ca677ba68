"""Hooks that watch a search, ``events=module:function``, and two of ours: ``events=tensorboard``, ``events=mlflow``.

A hook is called with each :class:`~tinysearch.search.events.SearchEvent` and the run directory, from the thread of the
search, so it should return fast. A hook that raises is told of in one line and not called again; the search goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tinysearch.app.config.plugins import plugin
from tinysearch.search.events import EventCallback, SearchEvent

Hook = Callable[[SearchEvent, Path], None]

logger = logging.getLogger(__name__)


def watched(on_event: EventCallback, name: str | None, folder: Path) -> EventCallback:
    """A callback that tells ``on_event`` and then the hook of a name; None stands for no hook.

    Raises:
        UserError: the hook cannot be imported, or nobody typed it.
    """
    if name is None:
        return on_event
    hooks: list[Hook] = [plugin("events", name)]

    def tell(event: SearchEvent) -> None:
        on_event(event)
        for hook in tuple(hooks):
            try:
                hook(event, folder)
            except Exception as error:
                hooks.remove(hook)
                logger.warning("events=%s is not called again: %s: %s", name, type(error).__name__, error)

    return tell


def scalars(event: SearchEvent) -> dict[str, float]:
    """What a search has to plot after a trial: its front, its trainings, and the lowest value of each objective."""
    figures = {"front": event.front_size, "trainings": event.trainings, "hypervolume": event.hypervolume}
    return {name: float(value) for name, value in figures.items()} | _numbered("best", event.best)


def _numbered(name: str, values: Sequence[float]) -> dict[str, float]:
    return {f"{name}_{place}": value for place, value in enumerate(values)}


def tensorboard(event: SearchEvent, folder: Path) -> None:
    """Write scalars of each trial into ``folder / "tensorboard"``; needs the extra ``tensorboard``."""
    if event.kind == "trial":
        for name, value in scalars(event).items():
            _summary_writer(folder / "tensorboard").add_scalar(f"search/{name}", value, event.trials)
    elif event.kind == "stopped":
        _summary_writer(folder / "tensorboard").close()


@cache
def _summary_writer(folder: Path) -> Any:
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder))


def mlflow(event: SearchEvent, folder: Path) -> None:
    """Log scalars of each trial into MLflow, one MLflow run a search; needs the extra ``mlflow``.

    Where to, MLflow reads from ``MLFLOW_TRACKING_URI``.
    """
    import mlflow as client

    if client.active_run() is None:
        client.start_run(run_name=folder.name)
    if event.kind == "trial":
        client.log_metrics(scalars(event), step=event.trials)
    elif event.kind == "stopped":
        client.end_run()
