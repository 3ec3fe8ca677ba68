"""Trainings as Ray tasks, on this machine or on a cluster; Ray decides where, the coordinator what."""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import math
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import UserError
from tinysearch.core.protocols import ErrorModel, TrainingProgress
from tinysearch.distribution import install_line
from tinysearch.search.engines.base import ShouldStop, TrainingReport, WorkerDiedError, portable_error, train
from tinysearch.search.known.fidelity import Limit

_LOGGER = logging.getLogger(__name__)

_PATIENCE_S = 1.0
_TICK_S = 0.2
_LEAST_BETWEEN_TICKS_S = 0.5
_KNOCK_S = 5.0
_STARTS = 3
_STORE_BYTES = 256 << 20
"""Object store of a cluster started here; what crosses it is an error model and some reports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RayOptions:
    """Where trainings run and what each may use.

    Attributes:
        address: of a running cluster (``auto``, ``HOST:6379``, ``ray://HOST:10001``); None starts one on this machine.
        num_cpus, num_gpus: that one training occupies; Ray runs no more of them than fit.
    """

    address: str | None = None
    num_cpus: float = 1.0
    num_gpus: float = 0.0

    def __post_init__(self) -> None:
        for name, value in (("num_cpus", self.num_cpus), ("num_gpus", self.num_gpus)):
            if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < math.inf:
                raise UserError(f"ray.{name} must be a number from 0", value=value, remedy=f"write ray.{name}=1")


class RayEngine:
    """One Ray task a training; a task whose process or machine dies is reported as an error, and the others go on.

    A Ray that is already initialized in this process is used and left running; otherwise a cluster is joined, or
    started on this machine, and left when the engine is closed. Every machine needs tinysearch and the same
    ``cache.dir``.

    Args:
        error_model: what trains; sent once to the cluster.
        n_workers: how many trainings are submitted at a time.

    Raises:
        UserError: Ray is not installed, the cluster does not answer, or nothing in it can hold one training.
    """

    def __init__(self, error_model: ErrorModel, *, n_workers: int, options: RayOptions) -> None:
        self.n_workers = n_workers
        self._ray = _import_ray()
        self._ours = not self._ray.is_initialized()
        if self._ours:
            _connect(self._ray, options, n_workers)
        try:
            self._check_room(options)
            payload = _pickled(error_model)
            digest = hashlib.sha256(payload).hexdigest()
            self._payload = digest, self._ray.put(payload)
            resources = {"num_cpus": options.num_cpus, "num_gpus": options.num_gpus}
            self._train = self._ray.remote(max_retries=0, **resources)(_train)
            self._board = self._ray.remote(num_cpus=0)(_Board).remote()
        except BaseException:
            self.close()
            raise
        self._running: dict[Any, BranchSpec] = {}

    def submit(self, branch: BranchSpec, limit: Limit | None = None) -> None:
        digest, payload = self._payload
        self._running[self._train.remote(digest, payload, branch, limit, self._board)] = branch

    def wait(self, should_stop: ShouldStop) -> list[TrainingReport]:
        reports: list[TrainingReport] = []
        until = time.monotonic() + _PATIENCE_S
        while self._running and not reports and not should_stop() and time.monotonic() < until:
            tasks = list(self._running)
            if self._ray.wait(tasks, num_returns=1, timeout=_TICK_S)[0]:
                done = self._ray.wait(tasks, num_returns=len(tasks), timeout=0)[0]
                reports += self._ticks()
                reports += [self._end(task) for task in done]
            else:
                reports += self._ticks()
        return reports

    def close(self) -> None:
        if self._ray is None:
            return
        for task in getattr(self, "_running", {}):
            with contextlib.suppress(Exception):
                self._ray.cancel(task, force=True)
        if self._ours:
            self._ray.shutdown()
        elif hasattr(self, "_board"):
            self._ray.kill(self._board)
        self._running = {}
        self._ray = None

    def _check_room(self, options: RayOptions) -> None:
        """Refuse what would wait forever: a training that no machine of the cluster can hold."""
        machines = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        if not any(
            machine.get("CPU", 0) >= options.num_cpus and machine.get("GPU", 0) >= options.num_gpus
            for machine in machines
        ):
            room = ", ".join(f"{machine.get('CPU', 0):g} CPU {machine.get('GPU', 0):g} GPU" for machine in machines)
            raise UserError(
                "some machine of the Ray cluster must hold one training",
                value=f"{options.num_cpus:g} CPU {options.num_gpus:g} GPU; machines have {room or 'nothing'}",
                remedy="lower ray.num_cpus or ray.num_gpus, or add a machine",
            )

    def _end(self, task: Any) -> TrainingReport:
        branch = self._running.pop(task)
        try:
            report: TrainingReport = self._ray.get(task)
        except self._ray.exceptions.RayError as error:
            reason = str(error).strip().splitlines()[:1]
            died = WorkerDiedError(f"the Ray task training {branch.short} died: {type(error).__name__} {reason}")
            return TrainingReport(branch=branch, error=died)
        return report

    def _ticks(self) -> list[TrainingReport]:
        """Progress since the last call; its loss would harm nobody."""
        try:
            ticks: list[TrainingProgress] = self._ray.get(self._board.take.remote(), timeout=_PATIENCE_S)
        except self._ray.exceptions.RayError:
            return []
        running = set(self._running.values())
        return [TrainingReport(branch=tick.branch, progress=tick) for tick in ticks if tick.branch in running]


def _import_ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise UserError(
            "the package ray must be installed for engine=ray", value="not installed", remedy=install_line("ray")
        ) from error
    return ray


def _connect(ray: Any, options: RayOptions, n_workers: int) -> None:
    """Join or start a cluster without a word on the terminal, and keep this process's signal handlers."""
    quiet: dict[str, Any] = {"log_to_driver": False, "configure_logging": False, "logging_level": logging.ERROR}
    if options.address is None:
        cpus = max(1, math.ceil(n_workers * options.num_cpus))
        where: dict[str, Any] = {"num_cpus": cpus, "include_dashboard": False, "object_store_memory": _STORE_BYTES}
    else:
        where = {}
    said, logger = io.StringIO(), logging.getLogger("ray")
    level = logger.level
    logger.setLevel(logging.ERROR)

    def start() -> None:
        _knock(options.address)
        with _own_signals(), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            ray.init(address=options.address or "local", **where, **quiet)

    try:
        _patiently(start, ray.shutdown, starts=1 if options.address else _STARTS)
    except Exception as error:  # Ray gives up its own start with a bare Exception
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        if options.address is None:
            raise UserError(
                f"engine=ray must be able to start Ray on this machine, which was tried {_STARTS} times",
                value=reason,
                remedy="write engine=local, which needs no Ray, or try again on an idle machine",
            ) from error
        raise UserError(
            "a Ray cluster must answer at ray.address",
            value=f"{options.address} ({reason})",
            remedy="start one with: ray start --head, leave ray.address out, or write engine=local",
        ) from error
    finally:
        logger.setLevel(level)
        _LOGGER.debug("Ray: %s", said.getvalue().strip())


def _patiently(start: Callable[[], None], clear: Callable[[], None], *, starts: int) -> None:
    """Start Ray; where a busy machine misses Ray's own fixed deadline of 30 s, clear up and start again."""
    for left in reversed(range(starts)):
        try:
            start()
            return
        except Exception as error:
            clear()
            if not left:
                raise
            _LOGGER.warning("Ray did not start (%s); trying again", str(error).strip() or type(error).__name__)


def _knock(address: str | None) -> None:
    """Raise OSError if nobody listens at ``HOST:PORT``; Ray itself would try for minutes and fill the terminal."""
    host, colon, port = (address or "").removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host, int(port)), timeout=_KNOCK_S).close()


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """Ray takes SIGTERM for itself; the search has its own way to end in good order."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def _pickled(error_model: ErrorModel) -> bytes:
    from ray import cloudpickle

    try:
        payload: bytes = cloudpickle.dumps(error_model)  # type: ignore[no-untyped-call]
    except Exception as error:
        raise UserError(
            "a trainer must be picklable to train on other machines",
            value=f"{type(error_model).__name__} ({error})",
            remedy="define it in a module, or leave engine=ray out",
        ) from error
    return payload


class _Board:
    """An actor on which trainings leave their latest progress and the coordinator collects it."""

    def __init__(self) -> None:
        self._latest: dict[BranchSpec, TrainingProgress] = {}
        self._rated: list[TrainingProgress] = []

    def put(self, tick: TrainingProgress) -> None:
        if tick.eer_validation is None:
            self._latest[tick.branch] = tick
        else:
            self._rated.append(tick)  # a point of a learning curve, none of which may get lost

    def take(self) -> list[TrainingProgress]:
        ticks = [*self._rated, *self._latest.values()]
        self._latest.clear()
        self._rated.clear()
        return ticks


_models: dict[str, ErrorModel] = {}
"""In a Ray worker: the error model last used, so that its data set is read once a process and not once a task."""


def _train(digest: str, payload: bytes, branch: BranchSpec, limit: Limit | None, board: Any) -> TrainingReport:
    """The task: train one branch in a Ray worker."""
    from ray import cloudpickle

    told = 0.0

    def tick(progress: TrainingProgress) -> None:
        nonlocal told
        rare = progress.eer_validation is not None or progress.fraction >= 1.0
        if rare or time.monotonic() - told >= _LEAST_BETWEEN_TICKS_S:
            told = time.monotonic()
            board.put.remote(progress)

    try:
        if digest not in _models:
            _models.clear()
            _models[digest] = cloudpickle.loads(payload)
        report = train(_models[digest], branch, limit, tick, asked=lambda: False)
    except Exception as error:
        report = TrainingReport(branch=branch, error=error)
    return report if report.error is None else replace(report, error=portable_error(report.error))
