"""Where trainings run. The coordinator submits branches and waits for reports; nothing else crosses the border."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import TinysearchError
from tinysearch.core.protocols import TrainingProgress, TrainingRecord


class TrainingStopped(KeyboardInterrupt):
    """Raised inside a training, by its progress callback, to end it early."""


class WorkerDiedError(TinysearchError):
    """A worker ended in the middle of a training: killed, out of memory, crashed, or its machine is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingReport:
    """News of one training: exactly one of ``progress``, ``record`` and ``error`` is given.

    Attributes:
        error: what ended it early; a worker that died is an error too.
    """

    branch: BranchSpec
    progress: TrainingProgress | None = None
    record: TrainingRecord | None = None
    error: Exception | None = None


ShouldStop = Callable[[], bool]


class Engine(Protocol):
    """Runs trainings, up to ``n_workers`` at a time.

    Attributes:
        n_workers: how many run side by side.
    """

    n_workers: int

    def submit(self, branch: BranchSpec) -> None:
        """Queue one training; returns at once."""
        ...

    def wait(self, should_stop: ShouldStop) -> list[TrainingReport]:
        """Reports since the last call; waits, at most about a second, for the first of them."""
        ...

    def close(self) -> None:
        """Stop what is in flight and free everything; may be called twice."""
        ...


def portable_error(error: Exception) -> Exception:
    """The error itself if it survives pickling, else its text."""
    try:
        restored = pickle.loads(pickle.dumps(error))  # noqa: S301  made one line above
    except Exception:
        return TinysearchError(f"{type(error).__name__}: {error}")
    return error if type(restored) is type(error) else TinysearchError(f"{type(error).__name__}: {error}")
