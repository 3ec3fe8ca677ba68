"""Locks between processes, on every system: a lock is held by the system for its process, and is gone with it.

A lock is a file that stays. Its first byte is what is locked; after it stands who holds it, so that whoever waits can
say for whom. A holder is seen by the time of the file, which it renews: one that was stopped holds its lock for as long
as it likes, but need not be waited for.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

_LOGGER = logging.getLogger(__name__)

POLL_S, BEAT_S = 0.5, 5.0
PATIENCE_S = 60.0
"""Whoever was not seen for so long need not be waited for where doing the same twice harms nobody."""

_NOTE_BYTES = 512


def hold(path: Path) -> int | None:
    """Take a lock without waiting: an open descriptor for :func:`release`, or None.

    None means that somebody else holds it, or has just removed its file.

    Raises:
        OSError: the file cannot be made, or its file system knows no locks.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if _locked(descriptor) and os.fstat(descriptor).st_nlink:
            return descriptor
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def release(descriptor: int) -> None:
    """Give a lock back and close it; said to the system, for a forked process may have the same descriptor open."""
    from filelock import unlock_descriptor

    try:
        unlock_descriptor(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def exclusive(path: Path, *, waiting: Callable[[str], None], patience_s: float | None = None) -> Iterator[None]:
    """Hold a lock between processes, and between threads; it is released when its holder dies.

    Args:
        path: the lock file; it stays, and its folder is made if need be.
        waiting: called every half second while another holds the lock, with who that is in words; may raise.
        patience_s: a holder that was not seen for so long is waited for no longer; then this goes on without the lock.

    Raises:
        OSError: the lock file cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        acquired = _acquired(descriptor, waiting, patience_s)
    except BaseException:
        os.close(descriptor)
        raise
    if not acquired:
        os.close(descriptor)
        yield
        return
    try:
        _write_note(descriptor)
        with _seen(path):
            yield
    finally:
        release(descriptor)


def _locked(descriptor: int) -> bool:
    from filelock import lock_descriptor  # late: it takes as long to import as all of NumPy

    return lock_descriptor(descriptor, blocking=False)


def _acquired(descriptor: int, waiting: Callable[[str], None], patience_s: float | None) -> bool:
    """Wait for a lock; False where its holder was not seen for too long."""
    last, since = None, time.monotonic()
    while not _locked(descriptor):
        # The clocks of two machines may differ: what counts is that the time changes, and how long ago by ours.
        seen = os.fstat(descriptor).st_mtime_ns
        if seen != last:
            last, since = seen, time.monotonic()
        if patience_s is not None and time.monotonic() - since > patience_s:
            _LOGGER.warning(
                "%s was not seen for %.0f s and is waited for no longer", _read_note(descriptor), patience_s
            )
            return False
        waiting(_read_note(descriptor))
        time.sleep(POLL_S)
    return True


def _write_note(descriptor: int) -> None:
    """Say who holds a lock, behind the byte that is locked and that some systems let nobody else read."""
    now = datetime.now().astimezone()
    note = f"process {os.getpid()} on {socket.gethostname()} in {Path.cwd()} since {now:%d %B %H:%M}"
    os.lseek(descriptor, 1, os.SEEK_SET)
    os.write(descriptor, note.encode(errors="replace")[:_NOTE_BYTES].ljust(_NOTE_BYTES))


def _read_note(descriptor: int) -> str:
    os.lseek(descriptor, 1, os.SEEK_SET)
    return os.read(descriptor, _NOTE_BYTES).decode(errors="replace").strip() or "another process"


@contextmanager
def _seen(path: Path) -> Iterator[None]:
    """Renew the time of a lock file within, so that whoever waits sees that its holder goes on."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(BEAT_S):
            with contextlib.suppress(OSError):
                os.utime(path)

    thread = threading.Thread(target=beat, name=f"holds {path.name}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
