"""Compiling host programs of projects, with objects that are shared: equal sources are compiled once.

The projects of a front differ in weights and constants, and have the kernels in common, which take longest. Objects
may be kept from run to run: a name holds the digest of all that the compiler read and that of what it wrote, so an
object that was damaged is compiled again.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

from tinysearch.files import fresh_folder, make_folder, sweep
from tinysearch.firmware.verify.rung import Outcome, run_tool

COMPILER = "gcc"
TIMEOUT_S = 600.0
KEPT_BYTES = 256 * 2**20
"""Of objects that are kept from run to run; those that were not used for longest go first."""

_INCLUDES_END = 1 << 16
"""Where to stop looking for includes: the rest of a long file is weights."""
_INCLUDE = re.compile(rb'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


class Objects:
    """Object files in one folder by a digest of all that the compiler reads.

    Safe from several threads and processes; a thread that asks for what another compiles waits for it.

    Args:
        folder: where objects lie as long as they are of use.
        pool: compiles.
    """

    def __init__(self, folder: Path, pool: ThreadPoolExecutor) -> None:
        self._folder = folder
        self._pool = pool
        self._compiled: dict[str, Future[Path | Outcome]] = {}
        self._lock = Lock()

    def link(self, host: Path, program: Path, *, goal: str, options: Sequence[str] = ()) -> Outcome:
        """Build a program of a project.

        Args:
            host: folder ``host`` of the project.
            program: file to write.
            goal: of its Makefile, one that prints flags, include options and sources in its last three lines.
            options: of the compiler, after those of the Makefile.

        Returns:
            The first command that failed, else the last one.
        """
        listed = list_build(host, goal=goal, timeout_s=TIMEOUT_S)
        if isinstance(listed, Outcome):
            return listed
        flags, includes, sources = listed
        command = (COMPILER, *flags, *options, *includes)
        folders = [host / word.removeprefix("-I") for word in includes if word.startswith("-I")]
        keys = [self._key((*flags, *options), host / source, folders) for source in sources]
        waiting = [self._object(key, (*command, "-c", source), host) for key, source in zip(keys, sources, strict=True)]
        objects = []
        for made in (future.result() for future in waiting):
            if isinstance(made, Outcome):
                return made
            objects.append(made)
        return run_tool((COMPILER, *options, *objects, "-o", program, "-lm"), timeout_s=TIMEOUT_S, folder=host)

    def _object(self, key: str, command: Sequence[str | Path], host: Path) -> Future[Path | Outcome]:
        with self._lock:
            if key not in self._compiled:
                self._compiled[key] = self._pool.submit(self._kept_or_compiled, key, command, host)
            return self._compiled[key]

    def _kept_or_compiled(self, key: str, command: Sequence[str | Path], host: Path) -> Path | Outcome:
        """The object of a key, or what the compiler said instead."""
        for kept in self._folder.glob(f"{key}-*.o"):
            if kept.name == _name(key, kept.read_bytes()):
                os.utime(kept)
                return kept
            kept.unlink(missing_ok=True)
        with fresh_folder(self._folder / key) as folder:
            made = folder / "made.o"
            outcome = run_tool((*command, "-o", made), timeout_s=TIMEOUT_S, folder=host)
            if not outcome.passed:
                return outcome
            return made.replace(self._folder / _name(key, made.read_bytes()))

    def _key(self, flags: Sequence[str], source: Path, folders: Sequence[Path]) -> str:
        hashed = hashlib.sha256("\0".join((_compiler(), *flags)).encode())
        waiting, seen = [source.resolve()], set[Path]()
        while waiting:
            path = waiting.pop()
            if path in seen or not path.is_file():
                continue
            seen.add(path)
            content = path.read_bytes()
            hashed.update(path.name.encode() + b"\0" + len(content).to_bytes(8, "little") + content)
            for name in _INCLUDE.findall(content[:_INCLUDES_END]):
                found = (folder / os.fsdecode(name) for folder in (path.parent, *folders))
                waiting += [next((file.resolve() for file in found if file.is_file()), path)]
        return hashed.hexdigest()[:32]


def _name(key: str, content: bytes) -> str:
    """The file name of an object: digests of what the compiler read, and of what it wrote."""
    return f"{key}-{hashlib.sha256(content).hexdigest()[:32]}.o"


def list_build(host: Path, *, goal: str = "list", timeout_s: float) -> Outcome | tuple[list[str], list[str], list[str]]:
    """Flags, include options and sources of a project's program on the host, or why its Makefile does not tell.

    Args:
        host: folder ``host`` of the project.
        goal: of its Makefile, one that prints them in its last three lines.
    """
    listed = run_tool(("make", "-s", "-C", host, "CC=gcc", goal), timeout_s=timeout_s, folder=host)
    lines = listed.text.splitlines()
    if not listed.passed:
        return listed
    if len(lines) < 3:
        return Outcome(status=1, text=f"ERR make {goal} lists no sources")
    flags, includes, sources = (line.split() for line in lines[-3:])
    return flags, includes, sources


@contextmanager
def at_hand(objects: Objects | None) -> Iterator[Objects]:
    """These objects, or for as long as they are of use some of one's own."""
    if objects is not None:
        yield objects
        return
    with shared_objects() as own:
        yield own


@contextmanager
def shared_objects(*, workers: int | None = None, kept: Path | None = None) -> Iterator[Objects]:
    """Objects for several projects.

    Args:
        workers: compilers at once; None for one a processor.
        kept: folder in which they stay for the next run, up to :data:`KEPT_BYTES`; None for a temporary one.

    Raises:
        OSError: the folder cannot be made.
    """
    processors = workers or os.cpu_count() or 1
    if kept is None:  # the folder goes when nobody compiles any more
        with TemporaryDirectory(prefix="tinysearch-objects-") as folder, ThreadPoolExecutor(processors) as pool:
            yield Objects(Path(folder), pool)
        return
    make_folder(kept, private=True)
    sweep(kept)
    with ThreadPoolExecutor(processors) as pool:
        yield Objects(kept, pool)
    _forget_old(kept)


def _forget_old(folder: Path) -> None:
    """Remove the objects that were not used for longest, until the others take no more than they may."""
    found = []
    for path in folder.glob("*.o"):
        with suppress(FileNotFoundError):  # another process forgets too
            facts = path.stat()
            found.append((facts.st_mtime, facts.st_size, path))
    total = 0
    for _, size, path in sorted(found, reverse=True):
        total += size
        if total > KEPT_BYTES:
            path.unlink(missing_ok=True)


@cache
def _compiler() -> str:
    """Which compiler this is: another version may not take this one's objects."""
    told = run_tool((COMPILER, "--version"), timeout_s=TIMEOUT_S, folder=Path.cwd())
    return told.text
