"""Files and folders that are whole or absent: the one atomic write that everybody uses.

Something new is written under a temporary name beside its place, synced, and renamed. While it is written its
writer holds a lock beside it, which dies with the writer; what is left without one is a stray, and :func:`sweep`
removes it.
Private files and folders, of biometric data for example, are for their owner alone, where a system has permissions by
owner; elsewhere they are as private as the folder of the user that they lie in.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tinysearch.core.errors import WritingError
from tinysearch.core.zeros import check_zeros
from tinysearch.locks import hold, release

TEMPORARY = ".new-"
"""How names of temporary files and folders begin."""

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
_LOCK = ".lock"
_POSIX = sys.platform != "win32"


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
    permissions = PRIVATE_FILE if private else 0o666
    with _temporary(path.parent) as temporary:
        try:
            # Made with its permissions, so that the user's umask holds without being asked for.
            with open(temporary, "x+b", opener=lambda name, flags: os.open(name, flags, permissions)) as stream:
                if mode is not None:
                    temporary.chmod(mode)
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    _sync_folder(path.parent)


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
    with _temporary(beside.parent) as folder:
        folder.mkdir(mode=PRIVATE_FOLDER if private else 0o777)
        try:
            yield folder
        finally:
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
    if _POSIX and found.st_uid == os.getuid() and found.st_mode & 0o077:
        folder.chmod(PRIVATE_FOLDER)


def sweep(folder: Path, *, depth: int = 0) -> int:
    """Remove what killed writers have left in a folder, and so many folders deep below; returns how many.

    What a living process is writing stays.
    """
    entries = _entries(folder)
    strays = {path.with_name(path.name.removesuffix(_LOCK)) for path in entries if path.name.startswith(TEMPORARY)}
    swept = sum(_remove_stray(path) for path in sorted(strays))
    for path in entries:
        if depth and not path.name.startswith(TEMPORARY) and path.is_dir() and not path.is_symlink():
            swept += sweep(path, depth=depth - 1)
    return swept


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


def real_path(path: str | Path) -> Path:
    """Where a path leads once its links are followed; a link that leads to itself leads to itself."""
    return Path(os.path.realpath(path))  # Path.resolve raises RuntimeError at such a link before Python 3.13


def home_path(path: str | Path) -> Path:
    """A path as somebody wrote it, ``~`` being the home folder.

    Raises:
        UserError: it holds a character of value 0.
    """
    check_zeros(str(path), where="a path")
    try:
        return Path(path).expanduser()
    except RuntimeError:  # nobody's home, or that of an unknown user: then it is a name like any other
        return Path(path)


@contextmanager
def _temporary(folder: Path) -> Iterator[Path]:
    """A name for something new, which nobody takes for a stray while the lock beside it is held."""
    descriptor = None
    while descriptor is None:
        path = folder / (TEMPORARY + secrets.token_hex(8))
        descriptor = hold(_lock_beside(path))  # None: somebody took the lock for a stray and removed it
    try:
        yield path
    finally:
        _give_back(descriptor, _lock_beside(path))


def _remove_stray(path: Path) -> bool:
    """Remove a temporary file or folder that nobody holds, and its lock; whether that was so."""
    try:
        descriptor = hold(_lock_beside(path))
        if descriptor is None:
            return False
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        finally:
            _give_back(descriptor, _lock_beside(path))
    except OSError:
        return False
    return not path.exists()


def _lock_beside(path: Path) -> Path:
    return path.with_name(path.name + _LOCK)


def _give_back(descriptor: int, lock: Path) -> None:
    """Release a lock and then remove its file; in this order, for some systems remove no open file."""
    release(descriptor)
    with contextlib.suppress(OSError):
        lock.unlink()


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _sync(path: Path) -> None:
    with path.open("rb" if _POSIX else "r+b") as file:  # Windows syncs only what is open for writing
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where the system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
