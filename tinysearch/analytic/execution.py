"""What decides how a candidate executes a program: the memory of chips, and which steps two cores share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tinysearch.analytic.bands import by_rows
from tinysearch.core.platform import Chip
from tinysearch.core.program import Program

LEAST_SHARED_MACS = 16 * 1024
"""Steps of fewer are over before another core has begun."""

_ARENAS = 2


def smallest_room_bytes(chips: Iterable[Chip]) -> int:
    """Internal memory that each of two arenas has on any of some chips."""
    return min(int(min(chip.heap_bytes.value, chip.largest_block_bytes.value)) for chip in chips) // _ARENAS


def shared(program: Program) -> Program:
    """The program with every step shared by two cores that is worth it, itself where none is."""
    inside = {index for bands in program.bands for index in bands.steps}
    heavy = [index for index in range(len(program.steps)) if index not in inside and _is_heavy(program, index)]
    return replace(program, shared=tuple(heavy)) if heavy else program


def _is_heavy(program: Program, index: int) -> bool:
    step = program.steps[index]
    rows = program.tensors[step.output].shape.height
    return step.macs >= LEAST_SHARED_MACS and rows > 1 and by_rows(program, index)
