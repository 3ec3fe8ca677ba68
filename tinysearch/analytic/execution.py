"""A program as a candidate executes it: in bands where memory is short, with heavy steps shared by two cores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tinysearch.analytic.bands import banded, by_rows
from tinysearch.core.execution import Execution
from tinysearch.core.platform import Chip
from tinysearch.core.program import Program

LEAST_SHARED_MACS = 16 * 1024
"""Steps of fewer are over before another core has begun."""

_ARENAS = 2


def smallest_room_bytes(chips: Iterable[Chip]) -> int:
    """Internal memory that each of two arenas has on any of some chips."""
    return min(int(min(chip.heap_bytes.value, chip.largest_block_bytes.value)) for chip in chips) // _ARENAS


def executed(program: Program, execution: Execution, *, room_bytes: int) -> Program:
    """The program as it is executed, itself where one of the choices makes no difference.

    Args:
        room_bytes: an arena of this size needs no bands.
    """
    found = program
    if execution.bands:
        found = banded(program, room_bytes=room_bytes)
        if not found.bands:
            return program
    if execution.cores > 1:
        found = shared(found)
        if not found.shared:
            return program
    return found


def shared(program: Program) -> Program:
    """The program with every step shared by two cores that is worth it, itself where none is."""
    inside = {index for bands in program.bands for index in bands.steps}
    heavy = [index for index in range(len(program.steps)) if index not in inside and _is_heavy(program, index)]
    return replace(program, shared=tuple(heavy)) if heavy else program


def _is_heavy(program: Program, index: int) -> bool:
    step = program.steps[index]
    rows = program.tensors[step.output].shape.height
    return step.macs >= LEAST_SHARED_MACS and rows > 1 and by_rows(program, index)
