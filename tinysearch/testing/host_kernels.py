"""Steps of a backend, or of the portable kernels, compiled for this machine and called on arrays."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinysearch.core.program import LANE, Array, Element, Program
from tinysearch.firmware.constants import layer_constants
from tinysearch.firmware.packing import PackedStep
from tinysearch.firmware.runtime import runtime_files

_FLAGS = ("-std=gnu11", "-Wall", "-Werror", "-O2", "-ffp-contract=off", "-fPIC", "-shared")
_GUARD_BYTES, _FILL = 64, 0xA5
_ALIGNMENT = 16


class NoLibraryError(Exception):
    """The backend is compiled, but the library that it calls is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One step with a batch of inputs, [N, ..] each, and what it should give.

    Attributes:
        in_place: index of the input that the output overwrites, None for an output apart.
    """

    packed: PackedStep
    inputs: tuple[Array, ...]
    expected: Array
    in_place: int | None = None


def in_memory(program: Program, tensor: str, values: Array) -> Array:
    """A batch of the oracle's values as kernels have it in memory: levels become bit planes."""
    if program.tensors[tensor].element is not Element.BITS:
        return values
    lanes = np.pad(values.astype(np.uint8), ((0, 0),) * 3 + ((0, -values.shape[-1] % LANE),))
    planes = np.stack([lanes >> bit & 1 for bit in range(program.tensors[tensor].bits)], axis=3)
    return np.packbits(planes, axis=-1, bitorder="little").view(np.uint32)


def host_outputs(
    name: str, calls: Sequence[Call], component: Path, folder: Path, *, flags: Sequence[str]
) -> list[Array]:
    """Outputs of calls of the backend ``name``, with the shapes and types of what is expected.

    Args:
        component: folder of the backend's sources.
        folder: made for what is built.
        flags: more of them for gcc, after the sources.

    Raises:
        NoLibraryError: the backend says so.
        AssertionError: it does not compile, or writes beyond its output or scratch.
    """
    files = [component / f"ts_{name}.c"]
    text = _text(calls, (f"ts_{name}.h",), backend=name)
    loaded = _library(text, folder, (f"-I{component / 'include'}", *map(str, files), *flags))
    return [_output(loaded, number, call)[0] for number, call in enumerate(calls)]


def kernel_outputs(calls: Sequence[Call], runtime: Path, folder: Path) -> list[tuple[Array, int]]:
    """Outputs of calls of portable kernels, and the scratch bytes that each asks for.

    Args:
        runtime: folder of the C runtime.
        folder: made for what is built.

    Raises:
        AssertionError: a kernel does not compile, or writes beyond its output or scratch.
    """
    headers = tuple(sorted({call.packed.header for call in calls}))
    sources = [str(path) for path in runtime_files(runtime, headers) if path.suffix == ".c"]
    loaded = _library(_text(calls, headers), folder, (f"-I{runtime}", *sources))
    return [_output(loaded, number, call) for number, call in enumerate(calls)]


def _library(text: str, folder: Path, words: Sequence[str]) -> ctypes.CDLL:
    folder.mkdir(parents=True)
    source, library = folder / "calls.c", folder / "calls.so"
    source.write_text(text, encoding="utf-8")
    command = ["gcc", *_FLAGS, str(source), *words, "-o", str(library), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode != 0:
        raise AssertionError(f"C sources must compile on a PC without warnings; found {done.stderr[-2000:]}")
    return ctypes.CDLL(str(library))


def _text(calls: Sequence[Call], headers: Sequence[str], *, backend: str = "") -> str:
    lines = ["#include <stddef.h>", "#include <stdint.h>", *(f'#include "{header}"' for header in headers), ""]
    for number, call in enumerate(calls):
        symbol, function = f"layer_{number}", call.packed.function
        inputs = ", ".join(("first", "second")[: 2 if backend else len(call.inputs)])
        scratch = f"{function}_scratch_bytes(&{symbol})"
        if backend:
            scratch = f"ts_{backend}_scratch_bytes((const {call.packed.layer_type} *const[]){{&{symbol}}}, 1)"
        lines += [
            f"extern const {call.packed.layer_type} {symbol};",
            layer_constants(call.packed, symbol),
            f"int32_t scratch_{number}(void)",
            "{",
            f"    return (int32_t){scratch};",
            "}",
            f"void call_{number}(const void *first, const void *second, void *output, void *scratch)",
            "{",
            "    (void)second;",
            f"    {function}(&{symbol}, {inputs}, output, scratch);",
            "}",
            "",
        ]
    return "\n".join(lines)


def _output(library: ctypes.CDLL, number: int, call: Call) -> tuple[Array, int]:
    scratch_bytes = int(library[f"scratch_{number}"]())
    if scratch_bytes < 0:
        raise NoLibraryError
    outputs = []
    for sample in range(len(call.expected)):
        sources = [_aligned(np.ascontiguousarray(array[sample]).tobytes()) for array in call.inputs]
        size = call.expected[sample].nbytes
        scratch = _aligned(b"", scratch_bytes)
        written = _aligned(b"", size) if call.in_place is None else sources[call.in_place]
        second = None if len(sources) < 2 else ctypes.c_void_p(sources[1].ctypes.data)
        library[f"call_{number}"](
            *(ctypes.c_void_p(sources[0].ctypes.data), second),
            *(ctypes.c_void_p(written.ctypes.data), ctypes.c_void_p(scratch.ctypes.data)),
        )
        most = size if call.in_place is None else max(size, call.inputs[call.in_place][sample].nbytes)
        for what, buffer, length in (("output", written, most), ("scratch", scratch, scratch_bytes)):
            if np.any(buffer[length:] != _FILL):
                raise AssertionError(
                    f"a step must write nothing beyond its {what}; found {call.packed.function} doing so"
                )
        outputs.append(written[:size].copy())
    joined = np.stack(outputs).reshape(-1).view(call.expected.dtype)
    return joined.reshape(call.expected.shape), scratch_bytes


def _aligned(content: bytes, size: int = 0) -> Array:
    """Bytes at an aligned address, followed by a guard: those given, or so many to be written."""
    length = max(len(content), size)
    block = np.full(length + _GUARD_BYTES + _ALIGNMENT, _FILL, np.uint8)
    start = -block.ctypes.data % _ALIGNMENT
    view = block[start : start + length + _GUARD_BYTES]
    view[: len(content)] = np.frombuffer(content, np.uint8)
    return view
