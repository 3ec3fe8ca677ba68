"""Run commands of tinysearch in forked children: nothing is imported again, and no state is left behind.

``warm`` imports what commands import and remembers how the package's own YAML files read, which is most of the time of
a short command. What a case brings itself is read as always.
"""

from __future__ import annotations

import copy
import gc
import importlib
import logging
import os
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from fault_kinds import Answer

PATIENCE_S = 300.0
"""A command that takes longer is killed."""

MEMORY_BYTES = 6 << 30
"""What a child may use beyond what the parent has mapped."""

_SAID_BYTES = 20_000


def answer(
    words: Sequence[str],
    *,
    folder: Path,
    memory_bytes: int | None = MEMORY_BYTES,
    patience_s: float = PATIENCE_S,
) -> Answer:
    """The answer of ``tinysearch WORDS`` in a folder, killed where it takes longer than ``patience_s``."""
    with tempfile.TemporaryFile() as stderr:
        started = time.perf_counter()
        child = start(words, folder=folder, stderr=stderr.fileno(), memory_bytes=memory_bytes)
        status, used = wait(child, patience_s)
        wall_s = time.perf_counter() - started
        stderr.seek(max(0, stderr.seek(0, os.SEEK_END) - _SAID_BYTES))
        said = stderr.read().decode(errors="replace")
    return Answer(words=tuple(words), status=status, said=said, wall_s=wall_s, processor_s=used)


def typed(words: Sequence[str], *, folder: Path) -> Answer:
    """The same from a shell's point of view: an interpreter of its own."""
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "tinysearch", *(os.fsencode(word) for word in words)]
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    said = done.stderr[-_SAID_BYTES:].decode(errors="replace")
    wall_s = time.perf_counter() - started
    return Answer(words=tuple(words), status=done.returncode, said=said, wall_s=wall_s, processor_s=used)


def start(
    words: Sequence[str],
    *,
    folder: Path,
    stderr: int,
    memory_bytes: int | None = MEMORY_BYTES,
    first: Callable[[], object] = lambda: None,
) -> int:
    """The process id of a child that runs a command; ``first`` is called in it before."""
    sys.stderr.flush()
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.dup2(stderr, 2)  # first: whatever fails here is said where the answer is read
        os.setsid()
        os.chdir(folder)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        if memory_bytes is not None:
            limit = _mapped_bytes() + memory_bytes
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        first()
        status = _main(words)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def wait(child: int, patience_s: float) -> tuple[int, float]:
    """Exit status of a child (negative: the signal that ended it) and its processor seconds."""
    handle = os.pidfd_open(child)
    try:
        ready, _, _ = select.select([handle], [], [], patience_s)
        if not ready:
            os.killpg(child, signal.SIGKILL)
        _, status, usage = os.wait4(child, 0)
    finally:
        os.close(handle)
    return os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime


def warm(*commands: Sequence[str]) -> None:
    """Import what the verbs import and run commands in this process, so that children need not."""
    _remember_yaml()
    verbs = ("calibrate", "catalog", "data", "emit", "enumerate", "evaluate", "report", "search", "train", "verify")
    for verb in verbs:
        importlib.import_module(f"tinysearch.app.verbs.{verb}")
    with tempfile.TemporaryDirectory() as folder, _silent():
        here = Path.cwd()
        os.chdir(folder)
        try:
            for words in commands:
                _main(words)
        finally:
            os.chdir(here)
            logging.getLogger().handlers.clear()  # the next command sets its own
            _known.frozen = True
            gc.collect()
            gc.freeze()  # children would copy every page that a collection looks at


@contextmanager
def _silent() -> Iterator[None]:
    """Let nothing be seen of what is written. The streams stay, as handlers of libraries keep those that they found."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {number: os.dup(number) for number in (1, 2)}
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        for number in kept:
            os.dup2(nothing, number)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, before in kept.items():
            os.dup2(before, number)
            os.close(before)
        os.close(nothing)


def _main(words: Sequence[str]) -> int:
    from tinysearch.app.cli import main

    return main(list(words))


def _mapped_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


class _Known:
    """Documents by loader and text; a child adds none."""

    def __init__(self) -> None:
        self.documents: dict[tuple[type, str], Any] = {}
        self.frozen = False


_known = _Known()


def _remember_yaml() -> None:
    read = yaml.load

    def load(stream: Any, Loader: type) -> Any:  # noqa: N803 - as PyYAML calls it
        text = stream.read() if hasattr(stream, "read") else stream
        if not isinstance(text, str):
            return read(text, Loader)
        key = (Loader, text)
        if key in _known.documents:
            return copy.deepcopy(_known.documents[key])
        document = read(text, Loader)
        if not _known.frozen:
            _known.documents[key] = copy.deepcopy(document)
        return document

    yaml.load = load
