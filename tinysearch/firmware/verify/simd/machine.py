"""Kernels of the backend ``pie`` as Python calls: translated, compiled once, run on arrays."""

from __future__ import annotations

import ctypes
import itertools
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinysearch.firmware.verify.simd.instructions import InstructionSet
from tinysearch.firmware.verify.simd.translate import model_header, translate
from tinysearch.firmware.verify.simd.xtensa import XTENSA

_MESSAGE_BYTES = 200
_ALIGNMENT = 16


class ModelError(RuntimeError):
    """A kernel broke a rule of the machine: an address, an alignment, a loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one call wrote, and the instructions that it executed."""

    output: npt.NDArray[np.int8]
    instructions: int


class Machine:
    """The functions of some ``.S`` files."""

    def __init__(
        self,
        sources: Sequence[Path],
        *,
        folders: tuple[Path, ...] = (),
        core: InstructionSet = XTENSA,
        strict: bool = True,
    ) -> None:
        with tempfile.TemporaryDirectory(prefix="tinysearch-pie-") as name:
            folder = Path(name)
            host = (files("tinysearch.firmware.verify.simd") / "host.c").read_text()
            text = translate(sources, folders=folders, core=core, strict=strict)
            text = text.replace("static void model_", "void model_")
            (folder / "machine.c").write_text(model_header() + text + host)
            library = folder / "machine.so"
            command = [
                "gcc",
                "-O1",
                "-fno-inline-functions-called-once",
                "-w",
                "-fPIC",
                "-shared",
                str(folder / "machine.c"),
                "-o",
                str(library),
            ]
            command.append(f"-DPIE_UNALIGNED={int(not strict)}")
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise ModelError(done.stderr[-2000:])
            self._library = ctypes.CDLL(str(library))
        self._library.pie_run.restype = self._library.pie_run_words.restype = ctypes.c_int64
        self._library.pie_place.restype = ctypes.c_uint32

    def run(
        self,
        kernel: str,
        layer: npt.NDArray[np.int8],
        left: npt.NDArray[np.generic],
        right: npt.NDArray[np.generic] | None = None,
        *,
        offsets: tuple[int, int] = (0, 0),
        in_place: bool = False,
    ) -> Outcome:
        """Call ``kernel(layer, left, right, output, scratch)``; sizes of output and scratch are in the layer.

        Args:
            offsets: bytes that the left input and the output start behind a multiple of 16.
            in_place: let the output take the place of the left input.

        Raises:
            ModelError: the kernel broke a rule.
        """
        sizes = layer[:20].view(np.int32)
        scratch = aligned(int(sizes[4]))
        block, first = copied(layer), copied(left, offset=offsets[0])
        output = first if in_place else aligned(int(sizes[3]), offset=offsets[1])
        second = None if right is None else copied(right)
        if first.nbytes != sizes[1] or (0 if second is None else second.nbytes) != sizes[2]:
            raise ModelError(f"inputs must have {sizes[1]} and {sizes[2]} bytes; got {first.nbytes}")
        message = ctypes.create_string_buffer(_MESSAGE_BYTES)
        count = self._library.pie_run(
            ctypes.cast(getattr(self._library, f"model_{kernel}"), ctypes.c_void_p),
            *(None if a is None else ctypes.c_void_p(a.ctypes.data) for a in (block, first, second, output, scratch)),
            message,
        )
        if count < 0:
            raise ModelError(f"{kernel}: {message.value.decode()}")
        return Outcome(output=output[: sizes[3]].copy(), instructions=int(count))

    def run_words(self, kernel: str, arguments: Sequence[int | npt.NDArray[np.int8]]) -> int:
        """Call any function of the windowed calling convention; arrays are passed by address and may be written.

        Returns:
            Instructions executed.

        Raises:
            ModelError: the kernel broke a rule.
        """
        words = (ctypes.c_uint32 * len(arguments))()
        segments = itertools.count(1)  # the stack has the last of 16
        for index, value in enumerate(arguments):
            if isinstance(value, np.ndarray):
                place = ctypes.c_void_p(value.ctypes.data)
                words[index] = self._library.pie_place(next(segments), place, value.nbytes, 1)
            else:
                words[index] = value & 0xFFFFFFFF
        message = ctypes.create_string_buffer(_MESSAGE_BYTES)
        function = ctypes.cast(getattr(self._library, f"model_{kernel}"), ctypes.c_void_p)
        count = self._library.pie_run_words(function, words, len(arguments), message)
        if count < 0:
            raise ModelError(f"{kernel}: {message.value.decode()}")
        return int(count)


def aligned(size: int, *, offset: int = 0) -> npt.NDArray[np.int8]:
    """Bytes that start ``offset`` behind a multiple of 16, filled with a pattern."""
    whole = np.full(size + offset + _ALIGNMENT, 0x5A, np.int8)
    start = -whole.ctypes.data % _ALIGNMENT + offset
    return whole[start : start + size]


def copied(array: npt.NDArray[np.generic], *, offset: int = 0) -> npt.NDArray[np.int8]:
    """The bytes of an array, placed by :func:`aligned`."""
    values = np.ascontiguousarray(array).reshape(-1).view(np.int8)
    result = aligned(len(values), offset=offset)
    result[:] = values
    return result
