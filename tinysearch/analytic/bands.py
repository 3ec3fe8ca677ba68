"""Which steps of a program to compute a few rows at a time, so that its arena is as small as it gets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tinysearch.analytic.memory import alive_bytes, blocks_of, bound_bytes, plan
from tinysearch.core.bands import source_of
from tinysearch.core.program import Bands, Element, Program
from tinysearch.operators import record_of

LEAST_ARENA_BYTES = 16 * 1024
"""Arenas up to this size are left alone: every chip has room for them."""

_ROWS = (4, 2, 1)
_MOST_BANDS = 3
_REACH = 3  # steps from where most is alive to where a band may begin; twice as many to where it may end


def banded(program: Program, *, room_bytes: int = LEAST_ARENA_BYTES) -> Program:
    """The program with the bands that make its arena smallest, itself where none does.

    Bands are added as long as the plan gets smaller and is larger than the room; of equal ones that with the fewest
    calls.
    """
    least = plan(program).peak_bytes
    for _ in range(_MOST_BANDS):
        if least <= room_bytes:
            break
        found = _smallest(program)
        peak = least if found is None else plan(found).peak_bytes
        if found is None or peak >= least:
            break
        program, least = found, peak
    return program


def _smallest(program: Program) -> Program | None:
    """The program with that band more, around the step where most is alive, that leaves the least alive."""
    least: tuple[int, int] | None = None
    best: Program | None = None
    for floor, found in _places(program):
        if least is not None and floor > least[0]:
            break  # as it does for all that begin later
        place = bound_bytes(found), found.bands[-1].last
        if least is None or place < least:
            least, best = place, found
    if best is None:
        return None
    *others, last = best.bands
    sizes = [replace(program, bands=(*others, replace(last, rows=rows))) for rows in _ROWS]
    return min(sizes, key=bound_bytes)


def _places(program: Program) -> Iterator[tuple[int, Program]]:
    """Programs with one band more, a row at a time, each after the bytes that are alive ahead of it all the same."""
    start = program.bands[-1].last + 1 if program.bands else 0
    alive = alive_bytes(blocks_of(program))
    peak = alive.index(max(alive))
    for first in sorted({start, *range(max(start, peak - _REACH), peak + 1)}):
        for last in range(first + 1, min(peak + 2 * _REACH, len(program.steps) - 1)):
            if not all(by_rows(program, index) for index in range(first, last + 1)):
                break
            if last >= peak and source_of(program, first, last) is not None:
                band = Bands(first=first, last=last, rows=1)
                yield max(alive[:first], default=0), replace(program, bands=(*program.bands, band))


def by_rows(program: Program, index: int) -> bool:
    """Whether the kernel of a step computes any rows of its output from a part of its input."""
    step = program.steps[index]
    names = (*step.inputs, step.output)
    of_bytes = all(program.tensors[name].element is Element.INT8 for name in names)
    return of_bytes and step.weight_bits in (0, 8) and record_of(step).by_rows
