"""Peak RAM: where every buffer of a program lies in one static arena.

A tensor lives from the step that writes it to the last step that reads it; a kernel's scratch lives during its step.
An output may take the place of an input that dies in the same step where the kernel allows it (addition, scale).
In a band (:mod:`tinysearch.core.bands`) a buffer holds some rows: those that are kept from turn to turn live as long as
the band, all others from the step that writes them to the last that reads them, as without it. The two halves of a
shared step have scratch of their own, and neither may overwrite what the other reads.
Offsets are assigned by best fit over several orders of the blocks, then by hill climbing over orders if none of them
reaches the lower bound, which is the largest sum of bytes alive at any step. The plan is what the emitted C uses, so
its peak is what a board must have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from tinysearch.analytic.arena import Arena, Block, Lives, lives_of
from tinysearch.analytic.kernels import Call, step_calls
from tinysearch.analytic.streams import streams
from tinysearch.core.bands import Schedule, schedule
from tinysearch.core.network import INPUT
from tinysearch.core.program import Program, Step
from tinysearch.operators.record import KernelFootprint

ALIGNMENT = 16
"""Every buffer starts at a multiple of this, for word and SIMD access."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPlan:
    """Offsets of all buffers of a program.

    Attributes:
        blocks: what was placed.
        offsets: bytes from the start of the arena by tensor name, and by :func:`scratch_of` for scratch.
        peak_bytes: size of the arena.
        bound_bytes: largest sum alive at any step: no plan is smaller.
    """

    blocks: tuple[Block, ...]
    offsets: Mapping[str, int]
    peak_bytes: int
    bound_bytes: int


def blocks_of(
    program: Program, *, footprints: Mapping[str, KernelFootprint] | None = None, newest_first: bool = False
) -> tuple[Block, ...]:
    """Blocks of a program with their lifetimes; the input is alive from step 0.

    Args:
        footprints: of steps by name that have other kernels than the portable ones.
        newest_first: which of two inputs that die an addition overwrites: the one born last, or the kernel's choice.
    """
    banded = _banded(program)
    apart = {*banded, *program.shared}
    last_read = {name: index for index, step in enumerate(program.steps) for name in step.inputs}
    last_read[program.output.name] = len(program.steps) - 1
    sizes = {INPUT: program.tensors[INPUT].size_bytes}
    owners, members, born = {INPUT: INPUT}, {INPUT: [INPUT]}, {INPUT: 0}
    scratch: list[Block] = []
    for index, (step, call) in enumerate(zip(program.steps, step_calls(program), strict=True)):
        needs = call.footprint if footprints is None else footprints.get(step.name, call.footprint)
        owner = step.output
        sizes[owner] = call.output_bytes
        if needs.in_place is not None and index not in apart:
            dying = [name for name in _reusable(needs.in_place, step.inputs) if last_read[name] == index]
            if newest_first:
                dying.sort(key=lambda name: -born[owners[name]])
            fitting = (owners[name] for name in dying if sizes[owners[name]] >= call.output_bytes)
            owner = next(fitting, owner)
        owners[step.output] = owner
        members.setdefault(owner, []).append(step.output)
        born.setdefault(owner, index)
        needed = _scratch_bytes(call, index, banded, program.shared) if index in apart else (needs.scratch_bytes,)
        for half, size in enumerate(needed):
            if size:
                scratch.append(Block((scratch_of(step, half),), _aligned(size), index, index))
    over = {}
    for run in dict.fromkeys(banded.values()):
        if _lies_on_source(run, sizes, owners, members, last_read):
            over[run.result] = owners[run.source]
        last_read[run.source] = max(last_read[run.source], run.bands.last)
        born.update((name, run.bands.first) for name in (run.result, *run.kept) if name in born)
        last_read.update(dict.fromkeys(run.kept, run.bands.last))
        for name, rows in run.rows.items():
            sizes[name] = sizes[name] // program.tensors[name].shape.height * rows
    held = []
    for owner, names in members.items():
        last = max([last_read.get(name, born[owner]) for name in names])
        held.append(Block(tuple(names), _aligned(sizes[owner]), born[owner], last, over.get(owner, "")))
    return tuple(held + scratch)


def scratch_of(step: Step, half: int = 0) -> str:
    """Name of a step's scratch among buffers; the second half of a shared step has another."""
    return f"{step.name}.scratch{half + 1 if half else ''}"


def _banded(program: Program) -> dict[int, Schedule]:
    """The band of every step that is in one, by number."""
    found = [schedule(program, bands) for bands in program.bands]
    return {index: run for run in found for index in run.bands.steps}


def _scratch_bytes(call: Call, index: int, banded: Mapping[int, Schedule], shared: Sequence[int]) -> tuple[int, ...]:
    """Scratch of a step in a band, the most that any of its parts asks for; or of each half of a shared one."""
    if index in shared:
        upper, lower = call.halves
        return upper.footprint.scratch_bytes, lower.footprint.scratch_bytes
    run = banded[index]
    parts = (call.part(kind) for kind in run.walk.kinds if kind.step == index - run.bands.first)
    return (max(part.footprint.scratch_bytes for part in parts),)


def _lies_on_source(
    run: Schedule,
    sizes: Mapping[str, int],
    owners: Mapping[str, str],
    members: Mapping[str, list[str]],
    last_read: Mapping[str, int],
) -> bool:
    """Whether the result of a band lies on its source, which dies row by row before it is overwritten."""
    source = owners[run.source]
    dies = all(last_read.get(name, 0) <= run.bands.last for name in members[source])
    fits = sizes[run.result] <= sizes[source]
    return run.overlays and dies and fits and owners[run.result] == run.result


def _reusable(in_place: int, inputs: Sequence[str]) -> Sequence[str]:
    """Inputs that may be overwritten: the kernel's first choice, then the others of an addition."""
    return inputs if in_place == 0 else (inputs[in_place], *inputs[:in_place], *inputs[in_place + 1 :])


_ORDERS: tuple[Callable[[Block, Sequence[int]], tuple[int, ...]], ...] = (
    lambda block, _: (-block.size_bytes, block.first),
    lambda block, _: (-(block.last - block.first), -block.size_bytes),
    lambda block, alive: (-max(alive[block.first : block.last + 1]), -block.size_bytes),
    lambda block, _: (block.first, -block.size_bytes),
    lambda block, _: (-block.last, -block.size_bytes),
)
"""By what blocks are sorted to be placed, told how many bytes are alive at every step."""


@lru_cache(maxsize=4096)
def place_blocks(blocks: tuple[Block, ...]) -> tuple[tuple[int, ...], int, int]:
    """Bytes from the start of an arena, in the order of ``blocks``; its size, and the bound that no arena is below."""
    alive = alive_bytes(blocks)
    bound = max(alive)
    lives, sizes = lives_of(blocks), [block.size_bytes for block in blocks]
    arena = Arena(lives, sizes, ceiling=bound)
    pinned = _pinned(lives)
    tried = []
    for key in _ORDERS:
        keys = [key(block, alive) for block in blocks]
        order = sorted(range(len(blocks)), key=keys.__getitem__)
        if pinned:
            order.sort(key=lambda index: index not in pinned)
        offsets, peak = arena.best_fit(order)
        if peak == bound:
            return tuple(offsets), peak, bound
        tried.append((peak, order))
    perfect = None if pinned else streams(arena, lives, sizes, alive)
    if perfect is not None:
        return tuple(perfect), bound, bound
    offsets, peak = arena.climb(min(tried)[1], pinned=pinned)
    return tuple(offsets), peak, bound


def _pinned(lives: Lives) -> frozenset[int]:
    """Blocks that are placed before all others, so that they begin at 0: those that lie on another, and the others."""
    return frozenset(each for place, (_, _, below) in enumerate(lives) if below >= 0 for each in (place, below))


def plan(program: Program, footprints: Mapping[str, KernelFootprint] | None = None) -> MemoryPlan:
    """Arena of one program.

    Args:
        footprints: of steps by name that have other kernels than the portable ones.

    Raises:
        UnsupportedLayerError: a step without a kernel.
    """
    return _planned(program, blocks_of(program, footprints=footprints), footprints)


def _planned(
    program: Program, blocks: tuple[Block, ...], footprints: Mapping[str, KernelFootprint] | None = None
) -> MemoryPlan:
    """The plan of a program's blocks."""
    offsets, peak, bound = place_blocks(blocks)
    if not _on_each_other(blocks, offsets):
        blocks = tuple(block._replace(over="") for block in blocks)
        offsets, peak, bound = place_blocks(blocks)
    if peak > bound and not program.bands:
        other = blocks_of(program, footprints=footprints, newest_first=True)
        found = place_blocks(other)
        if found[1] < peak:
            blocks, (offsets, peak, bound) = other, found
    placed = {name: offset for block, offset in zip(blocks, offsets, strict=True) for name in block.names}
    return MemoryPlan(blocks=blocks, offsets=placed, peak_bytes=peak, bound_bytes=bound)


def arena_bytes(program: Program) -> tuple[int, int]:
    """Size of the arena of one program, and its lower bound: those of :func:`plan`, sooner.

    Where streams reach the lower bound, so does the plan, which tries them before it climbs.

    Raises:
        UnsupportedLayerError: a step without a kernel.
    """
    blocks = blocks_of(program)
    if not program.bands:
        alive = alive_bytes(blocks)
        lives, sizes = lives_of(blocks), [block.size_bytes for block in blocks]
        if streams(Arena(lives, sizes, ceiling=max(alive)), lives, sizes, alive) is not None:
            return max(alive), max(alive)
    made = _planned(program, blocks)
    return made.peak_bytes, made.bound_bytes


def _on_each_other(blocks: Sequence[Block], offsets: Sequence[int]) -> bool:
    """Whether blocks that may lie on others begin where these do."""
    if not any(block.over for block in blocks):
        return True
    starts = {block.names[0]: offset for block, offset in zip(blocks, offsets, strict=True)}
    return all(starts[block.names[0]] == starts[block.over] for block in blocks if block.over)


def bound_bytes(program: Program) -> int:
    """The largest sum of bytes alive at any step: no plan is smaller."""
    return max(alive_bytes(blocks_of(program)))


def alive_bytes(blocks: Sequence[Block]) -> list[int]:
    """Bytes alive at every step; what lies on another block that is alive takes none."""
    steps = 1 + max(block.last for block in blocks)
    lives = {block.names[0]: block for block in blocks}
    changes = [0] * (steps + 1)
    for block in blocks:
        changes[block.first] += block.size_bytes
        changes[block.last + 1] -= block.size_bytes
        below = lives.get(block.over)
        if below is not None and block.first <= below.last and below.first <= block.last:
            changes[max(block.first, below.first)] -= block.size_bytes
            changes[min(block.last, below.last) + 1] += block.size_bytes
    return list(accumulate(changes[:steps]))


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
