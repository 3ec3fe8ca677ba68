"""Regular files of a bounded size; everything else that has a name in a file system is refused before it is read.

A named pipe waits for a writer for ever, a device never ends, a link may lead in a circle. All of them, and what is too
long, raise :class:`OSError` with the path and one line of reason, as a missing file does, so that whoever handles one
handles all.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

MOST_TABLE_BYTES = 64 * 2**20
"""Of tables, lists, logs and configuration: far above any that a person wrote, far below what fills a memory."""

_READING = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in ("O_BINARY", "O_CLOEXEC", "O_NONBLOCK"))
"""Bytes as they are, for this process alone, at once; no system has all three flags. Without O_NONBLOCK, opening a
named pipe waits until somebody writes into it; without O_BINARY, Windows ends a file at its first Ctrl-Z."""

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
}


def read_bytes(path: Path | str, *, most: int = MOST_TABLE_BYTES) -> bytes:
    """The whole content of a regular file.

    Args:
        most: bytes that it may have.

    Raises:
        OSError: it is missing, unreadable, no regular file, or longer.
    """
    handle = os.open(path, _READING)
    with os.fdopen(handle, "rb") as stream:
        mode = os.fstat(handle).st_mode
        if not stat.S_ISREG(mode):
            kind = _KINDS.get(stat.S_IFMT(mode), "no regular file")
            raise OSError(errno.EINVAL, f"must be a regular file and is {kind}", str(path))
        content = stream.read(most + 1)  # what the length says may be wrong, under /proc it is always 0
    if len(content) > most:
        raise OSError(errno.EFBIG, f"must have at most {most >> 20} MiB", str(path))
    return content


def is_regular(path: Path) -> bool:
    """Whether a path leads to a regular file; False for what is missing, circular or not allowed to be looked at."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False
