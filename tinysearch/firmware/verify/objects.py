"""Compiling host programs of projects, with objects that are shared: equal sources are compiled once.

The projects of a front differ in weights and constants, and have the kernels in common, which take longest.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

from tinysearch.firmware.verify.rung import Outcome, run_tool

COMPILER = "gcc"
TIMEOUT_S = 600.0

_INCLUDES_END = 1 << 16
"""Where to stop looking for includes: the rest of a long file is weights."""
_INCLUDE = re.compile(rb'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


class Objects:
    """Object files in one folder by a digest of all that the compiler reads.

    Safe from several threads; one that asks for what another compiles waits for it.

    Args:
        folder: where objects lie as long as they are of use.
        pool: compiles.
    """

    def __init__(self, folder: Path, pool: ThreadPoolExecutor) -> None:
        self._folder = folder
        self._pool = pool
        self._compiled: dict[str, Future[Outcome]] = {}
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
        waiting = [
            self._compile(key, (*command, "-c", source, "-o", self._object(key)), host)
            for key, source in zip(keys, sources, strict=True)
        ]
        for outcome in (future.result() for future in waiting):
            if not outcome.passed:
                return outcome
        objects = [self._object(key) for key in keys]
        return run_tool((COMPILER, *options, *objects, "-o", program, "-lm"), timeout_s=TIMEOUT_S, folder=host)

    def _compile(self, key: str, command: Sequence[str | Path], host: Path) -> Future[Outcome]:
        with self._lock:
            if key not in self._compiled:
                self._compiled[key] = self._pool.submit(run_tool, command, timeout_s=TIMEOUT_S, folder=host)
            return self._compiled[key]

    def _object(self, key: str) -> Path:
        return self._folder / f"{key}.o"

    def _key(self, flags: Sequence[str], source: Path, folders: Sequence[Path]) -> str:
        hashed = hashlib.sha256("\0".join(flags).encode())
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
def shared_objects(*, workers: int | None = None) -> Iterator[Objects]:
    """Objects in a temporary folder; ``workers`` compilers at once, None for one a processor."""
    with (
        TemporaryDirectory(prefix="tinysearch-objects-") as folder,
        ThreadPoolExecutor(max_workers=workers or len(os.sched_getaffinity(0))) as pool,
    ):
        yield Objects(Path(folder), pool)
