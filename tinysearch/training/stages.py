"""Files of a training: a stage that several processes share, and checkpoints that survive an interruption."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import torch

POLL_S = 0.5


def save_atomically(content: dict[str, Any], path: Path) -> None:
    """Write tensors and plain values so that a reader sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            _save(content, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _save(content: dict[str, Any], file: BinaryIO) -> None:
    try:
        torch.save(content, file)
    except RuntimeError as error:
        # PyTorch's writer covers up what its file said, for example that the disk is full.
        if isinstance(error.__context__, OSError):
            raise error.__context__ from error
        raise


def load_if_whole(path: Path) -> dict[str, Any] | None:
    """The content of a file of :func:`save_atomically`; None where it is missing or unreadable."""
    if not path.exists():
        return None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # a broken file of any kind means: compute again
        return None
    return content if isinstance(content, dict) else None


@contextmanager
def exclusive(path: Path, *, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold a lock between processes; it is released when its holder dies.

    Args:
        path: the lock file; it stays, empty.
        waiting: called every half second while another process holds the lock; may raise.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                waiting()
                time.sleep(POLL_S)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)
