"""Trainings in worker processes of this machine, one thread each; a worker that dies is replaced."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from typing import Any

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import UserError
from tinysearch.core.protocols import ErrorModel, TrainingProgress
from tinysearch.search.engines.base import (
    ShouldStop,
    TrainingReport,
    TrainingStopped,
    WorkerDiedError,
    portable_error,
    train,
)
from tinysearch.search.known.fidelity import Limit

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_PATIENCE_S = 1.0
_TICK_S = 0.1

_starting = threading.Lock()
"""A start changes what the new process inherits, for a moment; two of them at once would leave it changed."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Worker:
    process: Any
    pipe: Connection
    branch: BranchSpec | None = field(default=None)


class ProcessEngine:
    """A pool of spawned processes, each with a pipe of its own, so that the death of one harms no other.

    Args:
        error_model: what trains; sent to every worker, so it must be picklable.
        n_workers: how many processes; they start when first needed.

    Raises:
        UserError: the error model cannot be sent to another process.
    """

    def __init__(self, error_model: ErrorModel, *, n_workers: int) -> None:
        try:
            self._payload = pickle.dumps(error_model)
        except Exception as error:
            raise UserError(
                "a trainer must be picklable to train in worker processes",
                value=f"{type(error_model).__name__} ({error})",
                remedy="define it in a module, or set n_workers=1",
            ) from error
        self.n_workers = n_workers
        self._queue: deque[tuple[BranchSpec, Limit | None]] = deque()
        self._workers: list[_Worker] = []
        self._closed = False

    def submit(self, branch: BranchSpec, limit: Limit | None = None) -> None:
        self._queue.append((branch, limit))

    def wait(self, should_stop: ShouldStop) -> list[TrainingReport]:
        self._hand_out()
        reports: list[TrainingReport] = []
        until = time.monotonic() + _PATIENCE_S
        while not reports and not should_stop() and time.monotonic() < until:
            busy = {worker.pipe: worker for worker in self._workers if worker.branch is not None}
            if not busy:
                break
            for pipe in wait(list(busy), timeout=_TICK_S):
                reports += self._read(busy[pipe])  # type: ignore[index]
        self._hand_out()
        return reports

    def close(self) -> None:
        self._closed = True
        self._queue.clear()
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join(timeout=2.0)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.pipe.close()
        self._workers.clear()

    def _hand_out(self) -> None:
        while self._queue and not self._closed:
            idle = next((worker for worker in self._workers if worker.branch is None), None)
            if idle is None and len(self._workers) >= self.n_workers:
                return
            worker = idle or self._start()
            task = self._queue.popleft()
            try:
                worker.pipe.send(task)
            except OSError:
                # An idle worker died: forget it and give the branch to another.
                self._bury(worker)
                self._queue.appendleft(task)
                continue
            worker.branch = task[0]

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, self._payload), daemon=True)
        # Only a trainer that lives in the user's script makes it necessary to import that script again.
        hidden = contextlib.nullcontext() if b"__main__" in self._payload else _hidden_main()
        with _starting, _single_threaded(), hidden:
            process.start()
        theirs.close()
        worker = _Worker(process=process, pipe=ours)
        self._workers.append(worker)
        return worker

    def _read(self, worker: _Worker) -> list[TrainingReport]:
        branch = worker.branch
        if branch is None:
            return []
        try:
            report: TrainingReport = worker.pipe.recv()
        except (EOFError, OSError, pickle.UnpicklingError):
            code = self._bury(worker)
            error = WorkerDiedError(f"the worker training {branch.short} died (exit code {code})")
            return [TrainingReport(branch=branch, error=error)]
        if report.is_end:
            worker.branch = None
        return [report]

    def _bury(self, worker: _Worker) -> int | None:
        worker.process.join(timeout=1.0)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        worker.pipe.close()
        self._workers.remove(worker)
        code: int | None = worker.process.exitcode
        return code


@contextlib.contextmanager
def _single_threaded() -> Iterator[None]:
    """Processes started within compute with one thread each."""
    kept = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _hidden_main() -> Iterator[None]:
    """Processes spawned within do not run the user's script a second time.

    A spawned process imports the parent's main module by its file or specification; a script that calls the search
    without ``if __name__ == "__main__"`` would search again in every worker.
    """
    names = vars(sys.modules["__main__"])
    kept: dict[str, object] = {name: names[name] for name in ("__file__", "__spec__") if name in names}
    names.pop("__file__", None)
    names["__spec__"] = None
    try:
        yield
    finally:
        names.pop("__spec__", None)
        names.update(kept)


def _work(pipe: Connection, payload: bytes) -> None:
    """A worker's life: receive a branch, train it, report; ends when the coordinator does."""
    # Ctrl-C reaches the whole process group, but it is the coordinator that decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    error_model: ErrorModel = pickle.loads(payload)  # noqa: S301  it comes from our own parent process

    def tick(progress: TrainingProgress) -> None:
        try:
            pipe.send(TrainingReport(branch=progress.branch, progress=progress))
        except OSError as error:
            raise TrainingStopped from error

    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError, TrainingStopped):
        while True:
            task: tuple[BranchSpec, Limit | None] = pipe.recv()
            report = train(error_model, *task, tick, asked=lambda: False)
            if report.error is not None:
                report = replace(report, error=portable_error(report.error))
            pipe.send(report)
