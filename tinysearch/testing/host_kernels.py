"""Steps of a backend compiled for this machine and called on arrays."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinysearch.core.program import LANE, Array, Element, Program
from tinysearch.firmware.model_source import layer_constants
from tinysearch.firmware.packing import PackedStep

_FLAGS = ("-std=gnu11", "-Wall", "-Werror", "-O2", "-ffp-contract=off", "-fPIC", "-shared")
_GUARD_BYTES, _FILL = 64, 0xA5
_ALIGNMENT = 16


class NoLibraryError(Exception):
    """The backend is compiled, but the library that it calls is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One step with a batch of inputs, [N, ..] each, and what it should give."""

    packed: PackedStep
    inputs: tuple[Array, ...]
    expected: Array


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
    folder.mkdir(parents=True)
    source, library = folder / "calls.c", folder / "calls.so"
    source.write_text(_text(name, calls), encoding="utf-8")
    command = ["gcc", *_FLAGS, f"-I{component / 'include'}", str(source), str(component / f"ts_{name}.c")]
    done = subprocess.run(
        [*command, *flags, "-o", str(library), "-lm"], capture_output=True, text=True, check=False, timeout=300
    )
    if done.returncode != 0:
        raise AssertionError(
            f"the sources of a backend must compile on a PC without warnings; found {done.stderr[-2000:]}"
        )
    loaded = ctypes.CDLL(str(library))
    return [_output(loaded, number, call) for number, call in enumerate(calls)]


def _text(name: str, calls: Sequence[Call]) -> str:
    lines = ["#include <stddef.h>", "#include <stdint.h>", f'#include "ts_{name}.h"', ""]
    for number, call in enumerate(calls):
        symbol = f"layer_{number}"
        lines += [
            f"extern const {call.packed.layer_type} {symbol};",
            layer_constants(call.packed, symbol),
            f"int32_t scratch_{number}(void)",
            "{",
            f"    static const {call.packed.layer_type} *const layers[] = {{&{symbol}}};",
            f"    return ts_{name}_scratch_bytes(layers, 1);",
            "}",
            f"void call_{number}(const void *first, const void *second, void *output, void *scratch)",
            "{",
            f"    {call.packed.function}(&{symbol}, first, second, output, scratch);",
            "}",
            "",
        ]
    return "\n".join(lines)


def _output(library: ctypes.CDLL, number: int, call: Call) -> Array:
    scratch_bytes = int(library[f"scratch_{number}"]())
    if scratch_bytes < 0:
        raise NoLibraryError
    outputs = []
    for sample in range(len(call.expected)):
        sources = [_aligned(np.ascontiguousarray(array[sample]).tobytes()) for array in call.inputs]
        size = call.expected[sample].nbytes
        written, scratch = _aligned(b"", size), _aligned(b"", scratch_bytes)
        second = None if len(sources) < 2 else ctypes.c_void_p(sources[1].ctypes.data)
        library[f"call_{number}"](
            *(ctypes.c_void_p(sources[0].ctypes.data), second),
            *(ctypes.c_void_p(written.ctypes.data), ctypes.c_void_p(scratch.ctypes.data)),
        )
        for what, buffer, length in (("output", written, size), ("scratch", scratch, scratch_bytes)):
            if np.any(buffer[length:] != _FILL):
                raise AssertionError(
                    f"a step must write nothing beyond its {what}; found {call.packed.function} doing so"
                )
        outputs.append(written[:size].copy())
    joined = np.stack(outputs).reshape(-1).view(call.expected.dtype)
    return joined.reshape(call.expected.shape)


def _aligned(content: bytes, size: int = 0) -> Array:
    """Bytes at an aligned address, followed by a guard: those given, or so many to be written."""
    length = max(len(content), size)
    block = np.full(length + _GUARD_BYTES + _ALIGNMENT, _FILL, np.uint8)
    start = -block.ctypes.data % _ALIGNMENT
    view = block[start : start + length + _GUARD_BYTES]
    view[: len(content)] = np.frombuffer(content, np.uint8)
    return view
