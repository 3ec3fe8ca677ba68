"""A project's host program as a tool on files: embeddings of whole data sets and scores of pairs, computed by its C."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinysearch.firmware.golden import Embeddings
from tinysearch.firmware.verify import emulator
from tinysearch.firmware.verify.rung import run_tool

BUILD_TIMEOUT_S, RUN_TIMEOUT_S = 600.0, 900.0

Command = tuple[str | Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileProgram:
    """A compiled host program that reads and writes files.

    Attributes:
        folder: where it runs, and where its files lie.
        command: the words that start it with given arguments, none of which needs quoting.
    """

    folder: Path
    command: Callable[[Sequence[str]], Command]

    def embeddings(self, modality: str, inputs: npt.NDArray[np.int8], *, dtype: npt.DTypeLike) -> Embeddings:
        """Embeddings of int8 inputs [N, height, width, channels] by one branch: [N, E] of ``dtype``.

        Raises:
            RuntimeError: the program fails, for example because it has no such branch.
        """
        (self.folder / "inputs").write_bytes(np.ascontiguousarray(inputs, np.int8).tobytes())
        self._run("embed", modality, "inputs", "outputs")
        return np.frombuffer((self.folder / "outputs").read_bytes(), np.dtype(dtype)).reshape(len(inputs), -1)

    def scores(self, modality: str, embeddings: Embeddings, samples: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Cosines in fixed point, int32 [P], of pairs ``samples`` [P, 2] of rows of a branch's embeddings [N, E].

        Raises:
            RuntimeError: the program fails.
        """
        (self.folder / "embeddings").write_bytes(np.ascontiguousarray(embeddings).tobytes())
        (self.folder / "pairs").write_bytes(np.ascontiguousarray(samples, np.uint32).tobytes())
        self._run("score", modality, "embeddings", "pairs", "scores")
        return np.frombuffer((self.folder / "scores").read_bytes(), np.int32)

    def _run(self, *words: str) -> None:
        (self.folder / words[-1]).unlink(missing_ok=True)
        ran = run_tool(self.command(words), timeout_s=RUN_TIMEOUT_S, folder=self.folder)
        if not ran.passed or not (self.folder / words[-1]).is_file():
            raise RuntimeError(ran.reason(timeout_s=RUN_TIMEOUT_S))


@contextmanager
def host_program(project: Path) -> Iterator[FileProgram]:
    """The program on this machine, in a temporary folder. gcc and make must be there.

    Raises:
        RuntimeError: the project does not build.
    """
    with tempfile.TemporaryDirectory(prefix="tinysearch-files-") as name:
        folder = Path(name)
        make = ("make", "-s", "-C", project / "host", f"BUILD={folder}", "CC=gcc", "CFLAGS=-O2 -DWITH_FILES", "all")
        built = run_tool(make, timeout_s=BUILD_TIMEOUT_S, folder=folder)
        if not built.passed:
            raise RuntimeError(built.reason(timeout_s=BUILD_TIMEOUT_S))
        yield FileProgram(folder=folder, command=lambda words: (folder / "host", *words))


@contextmanager
def rv32_program(project: Path) -> Iterator[FileProgram]:
    """The program on emulated RV32IMC, in a temporary folder. The emulator's tools must be there.

    Raises:
        RuntimeError: the project does not build.
    """
    with tempfile.TemporaryDirectory(prefix="tinysearch-files-") as name:
        folder = Path(name)
        built, flash_bytes, _ = emulator.build(project, folder, with_files=True)
        if not flash_bytes:
            raise RuntimeError(built.reason(timeout_s=emulator.COMPILE_TIMEOUT_S))
        yield FileProgram(folder=folder, command=lambda words: emulator.command(folder / "host.elf", words))


def embeddings(project: Path, modality: str, inputs: npt.NDArray[np.int8], *, dtype: npt.DTypeLike) -> Embeddings:
    """Embeddings that the emitted C computes on this machine, for comparisons over whole data sets.

    Args:
        project: folder of an emitted project.
        modality: one of its branches.
        inputs: int8 [N, height, width, channels].
        dtype: of the embedding, ``int8`` or ``float32``.

    Returns:
        [N, E].

    Raises:
        RuntimeError: the project does not build, or the branch does not exist.
    """
    with host_program(project) as program:
        return program.embeddings(modality, inputs, dtype=dtype)
