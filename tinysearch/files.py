"""Files and folders that are whole or absent: the one atomic write that everybody uses.

Something new is written under a temporary name beside its place, synced, and renamed. While it is written its writer
holds a lock on it, which dies with the writer; what is left without a lock is a stray, and :func:`sweep` removes it.
Private files and folders, of biometric data for example, are for their owner alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tinysearch.core.errors import WritingError

TEMPORARY = ".new-"
"""How names of temporary files and folders begin."""

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
POLL_S = 0.5


@contextmanager
def replacing(path: Path, *, private: bool = False, mode: int | None = None) -> Iterator[BinaryIO]:
    """A stream whose content becomes the file in one step; after an error the file is what it was.

    Args:
        path: its folder is made if need be.
        private: readable for its owner alone.
        mode: permissions of the file; None for those of any new file.

    Raises:
        OSError: a full disk, or a folder that cannot be written.
    """
    make_folder(path.parent, private=private)
    descriptor, temporary = _temporary_file(path.parent, PRIVATE_FILE if private else 0o666)
    try:
        with os.fdopen(descriptor, "w+b") as stream:
            if mode is not None:
                os.fchmod(descriptor, mode)
            yield stream
            stream.flush()
            os.fsync(descriptor)
            temporary.replace(path)
        _sync_folder(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_atomically(path: Path, content: bytes, *, private: bool = False, mode: int | None = None) -> None:
    """Write a file so that it is either whole or as it was; arguments as those of :func:`replacing`."""
    with replacing(path, private=private, mode=mode) as stream:
        stream.write(content)


@contextmanager
def fresh_folder(beside: Path, *, private: bool = False) -> Iterator[Path]:
    """An empty folder in the folder of ``beside``, to be filled and handed to :func:`replace_folder`; then removed.

    Raises:
        OSError: it cannot be made.
    """
    make_folder(beside.parent, private=private)
    descriptor, folder = _temporary_folder(beside.parent, PRIVATE_FOLDER if private else 0o777)
    try:
        yield folder
    finally:
        os.close(descriptor)
        shutil.rmtree(folder, ignore_errors=True)


def replace_folder(fresh: Path, target: Path) -> None:
    """Put a folder where another one is, or was not; what was there goes last.

    Raises:
        OSError: it cannot be done; then the old one is back.
    """
    for path in fresh.rglob("*"):
        if path.is_file():
            _sync(path)
    if target.exists():
        with fresh_folder(target) as aside:
            old = aside / "old"
            target.rename(old)
            try:
                fresh.rename(target)
            except OSError:
                old.rename(target)
                raise
    else:
        fresh.rename(target)
    _sync_folder(target.parent)


def make_folder(folder: Path, *, private: bool = False) -> None:
    """Make a folder; a private one is closed to everybody else, also where it was open before.

    Raises:
        OSError: it cannot be made.
    """
    if not private:
        folder.mkdir(parents=True, exist_ok=True)
        return
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    found = folder.stat()
    if found.st_uid == os.getuid() and found.st_mode & 0o077:
        folder.chmod(PRIVATE_FOLDER)


def sweep(folder: Path, *, depth: int = 0) -> int:
    """Remove what killed writers have left in a folder, and so many folders deep below; returns how many.

    What a living process is writing stays.
    """
    swept = 0
    for path in _entries(folder):
        if path.name.startswith(TEMPORARY):
            swept += _remove_stray(path)
        elif depth and path.is_dir() and not path.is_symlink():
            swept += sweep(path, depth=depth - 1)
    return swept


@contextmanager
def exclusive(path: Path, *, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold a lock between processes; it is released when its holder dies.

    Args:
        path: the lock file; it stays, empty.
        waiting: called every half second while another process holds the lock; may raise.

    Raises:
        OSError: the lock file cannot be made.
    """
    make_folder(path.parent)
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


@contextmanager
def writing(target: Path, *, remedy: str = "free space or choose another folder") -> Iterator[None]:
    """Turn what goes wrong while writing into one line for the user.

    Raises:
        WritingError: the disk is full, or the place cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise WritingError(
            "results must be written to disk", value=f"{target}: {error.strerror or error}", remedy=remedy
        ) from error


def home_path(path: str | Path) -> Path:
    """A path as somebody wrote it, ``~`` being the home folder."""
    try:
        return Path(path).expanduser()
    except RuntimeError:  # nobody's home, or that of an unknown user: then it is a name like any other
        return Path(path)


def _temporary_name() -> str:
    return TEMPORARY + secrets.token_hex(8)


def _temporary_file(folder: Path, mode: int) -> tuple[int, Path]:
    """A new file, open and locked; made with ``open`` so that the user's umask holds without being asked for."""
    while True:
        path = folder / _temporary_name()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        if _hold(descriptor):
            return descriptor, path


def _temporary_folder(folder: Path, mode: int) -> tuple[int, Path]:
    while True:
        path = folder / _temporary_name()
        path.mkdir(mode=mode)
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            if _hold(descriptor):
                return descriptor, path


def _hold(descriptor: int) -> bool:
    """Lock what is new; False where somebody took it for a stray and removed it before it was locked."""
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    if os.fstat(descriptor).st_nlink:
        return True
    os.close(descriptor)
    return False


def _remove_stray(path: Path) -> bool:
    """Remove a temporary file or folder that nobody holds; whether that was so."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return not path.exists()


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where the file system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
