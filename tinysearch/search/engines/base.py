"""Where trainings run. The coordinator submits branches and waits for reports; nothing else crosses the border."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import TinysearchError
from tinysearch.core.protocols import ErrorModel, TrainingProgress, TrainingRecord
from tinysearch.search.known.fidelity import Limit


class TrainingStopped(KeyboardInterrupt):
    """Raised inside a training, by its progress callback, to end it early."""


class TrainingGivenUp(TrainingStopped):
    """Raised inside a training when its learning curve says that going on cannot help."""


class WorkerDiedError(TinysearchError):
    """A worker ended in the middle of a training: killed, out of memory, crashed, or its machine is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingReport:
    """News of one training: exactly one of ``progress``, ``record`` and ``error`` is given.

    Attributes:
        error: what ended it early; a worker that died is an error too.
        given_up: with ``progress``: that was its last tick, going on is hopeless.
    """

    branch: BranchSpec
    progress: TrainingProgress | None = None
    record: TrainingRecord | None = None
    error: Exception | None = None
    given_up: bool = False

    @property
    def is_end(self) -> bool:
        """Whether the training is over."""
        return self.progress is None or self.given_up


ShouldStop = Callable[[], bool]


class Engine(Protocol):
    """Runs trainings, up to ``n_workers`` at a time.

    Attributes:
        n_workers: how many run side by side.
    """

    n_workers: int

    def submit(self, branch: BranchSpec, limit: Limit | None = None) -> None:
        """Queue one training, to be given up where the limit says so; returns at once."""
        ...

    def wait(self, should_stop: ShouldStop) -> list[TrainingReport]:
        """Reports since the last call; waits, at most about a second, for the first of them."""
        ...

    def close(self) -> None:
        """Stop what is in flight and free everything; may be called twice."""
        ...


def train(
    error_model: ErrorModel,
    branch: BranchSpec,
    limit: Limit | None,
    tick: Callable[[TrainingProgress], None],
    *,
    asked: ShouldStop,
) -> TrainingReport:
    """One training with its limit, wherever it runs: how it ended.

    A trainer of somebody else's may think that it is a program and end itself: that fails its training and no more.

    Args:
        asked: whether somebody wants an end, so that a KeyboardInterrupt is not the trainer's own.

    Raises:
        BaseException: ``tick`` does, to end more than this training.
    """
    last: list[TrainingProgress] = []
    ticked: list[BaseException] = []

    def watch(progress: TrainingProgress) -> None:
        try:
            tick(progress)
        except BaseException as error:
            ticked.append(error)
            raise
        if limit is not None and limit.hopeless(progress):
            last.append(progress)
            raise TrainingGivenUp

    try:
        record = error_model.train(branch, progress=watch)
    except TrainingGivenUp:
        return TrainingReport(branch=branch, progress=last[0], given_up=True)
    except Exception as error:
        return TrainingReport(branch=branch, error=error)
    except BaseException as error:
        if error in ticked or (isinstance(error, KeyboardInterrupt) and asked()):
            raise
        failed = TinysearchError(f"the trainer ended its program ({type(error).__name__} {error})")
        return TrainingReport(branch=branch, error=failed)
    return TrainingReport(branch=branch, record=record)


def portable_error(error: Exception) -> Exception:
    """The error itself if it survives pickling, else its text."""
    try:
        restored = pickle.loads(pickle.dumps(error))  # noqa: S301  made one line above
    except Exception:
        return TinysearchError(f"{type(error).__name__}: {error}")
    return error if type(restored) is type(error) else TinysearchError(f"{type(error).__name__}: {error}")
