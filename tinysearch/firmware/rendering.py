"""Templates of the emitted project: Jinja for wiring and data only, and nothing undefined passes."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from tinysearch.core.program import Array
from tinysearch.firmware.identifiers import c_string, markdown_text

_SMALL_COLUMNS, _WIDE_COLUMNS, _FLOAT_COLUMNS = 20, 9, 5
"""Values a line, so that lines stay short enough to read."""

C_TYPES = {
    "int8": "int8_t",
    "uint8": "uint8_t",
    "int16": "int16_t",
    "uint16": "uint16_t",
    "int32": "int32_t",
    "uint32": "uint32_t",
    "float32": "float",
}
"""Element types of constant arrays by NumPy name."""


class Templates:
    """The templates of one folder, rendered without autoescape: every text is escaped for its language by name.

    Args:
        folder: ``firmware_templates``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._environment = _environment(folder)

    def render(self, name: str, values: Mapping[str, Any]) -> str:
        """Text of ``<name>.jinja``.

        Raises:
            jinja2.UndefinedError: a value that the template needs is missing.
        """
        return self._environment.get_template(f"{name}.jinja").render(**values)


@cache
def _environment(folder: Path) -> jinja2.Environment:
    """One for all projects of a process, since compiling the templates takes longer than rendering them."""
    environment = jinja2.Environment(  # noqa: S701 - the output is C and CMake, not HTML
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "c_string": c_string,
        "markdown": markdown_text,
        "json_in_c": lambda text: c_string(json.dumps(text)[1:-1]),
        "hex32": lambda value: f"{value:#010x}",
    }
    return environment


def c_number(value: float) -> str:
    """A number as an exact literal of C: integers in decimal, floats in hexadecimal (C99)."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"a constant must be finite, got {value}")
        return f"{value.hex()}f"
    number = int(value)
    if number == -(2**31):
        return "INT32_MIN"
    return f"{number}u" if number > 2**31 - 1 else str(number)


def c_values(array: Array) -> str:
    """A comma list of all values of an array, broken into lines."""
    flat = array.reshape(-1)
    if flat.dtype.kind == "f":
        if not np.isfinite(flat).all():
            raise ValueError("a constant must be finite")
        texts, columns = [f"{value.hex()}f" for value in flat.tolist()], _FLOAT_COLUMNS
    elif flat.dtype.itemsize < 4:
        texts, columns = [str(value) for value in flat.tolist()], _SMALL_COLUMNS
    else:
        texts, columns = [c_number(value) for value in flat.tolist()], _WIDE_COLUMNS
    lines = (", ".join(texts[start : start + columns]) for start in range(0, len(texts), columns))
    return "\n".join(f"    {line}," for line in lines)


def c_array(name: str, array: Array, *, aligned: int = 0) -> str:
    """Definition of a static constant array, aligned to so many bytes if not 0.

    Raises:
        ValueError: not one-dimensional, or of a type that C constants do not have.
    """
    if array.ndim != 1 or array.dtype.name not in C_TYPES:
        raise ValueError(f"{name}: a constant array must be flat and of a plain type, got {array.dtype} {array.shape}")
    kind = C_TYPES[array.dtype.name]
    if array.size == 0:
        return f"static const {kind} {name}[1] = {{0}};"
    attribute = f"__attribute__((aligned({aligned}))) " if aligned else ""
    return f"{attribute}static const {kind} {name}[{array.size}] = {{\n{c_values(array)}\n}};"


def crc_of_constants(parts: Iterable[tuple[str, Array | float | tuple[int, ...]]]) -> int:
    """CRC-32 over named constants: identity of a network's weights and geometry."""
    crc = 0
    for name, value in parts:
        crc = zlib.crc32(name.encode(), crc)
        data = np.ascontiguousarray(value).tobytes() if isinstance(value, np.ndarray) else repr(value).encode()
        crc = zlib.crc32(data, crc)
    return crc
