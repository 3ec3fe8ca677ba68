"""Peak RAM: where every buffer of a program lies in one static arena.

A tensor lives from the step that writes it to the last step that reads it; a kernel's scratch lives during its step.
An output may take the place of an input that dies in the same step where the kernel allows it (addition, scale).
Offsets are assigned by best fit over several orders of the blocks, and by a bounded exact search if none of them
reaches the lower bound, which is the largest sum of bytes alive at any step. The plan is what the emitted C uses, so
its peak is what a board must have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tinysearch.analytic.kernels import footprint
from tinysearch.core.network import INPUT
from tinysearch.core.program import Program

ALIGNMENT = 16
"""Every buffer starts at a multiple of this, for word and SIMD access."""

_EXACT_NODES = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Bytes in the arena from the start of step ``first`` to the end of step ``last``.

    Attributes:
        names: the tensors that share the block one after the other, or ``(<step>.scratch,)``.
    """

    names: tuple[str, ...]
    size_bytes: int
    first: int
    last: int

    def overlaps(self, other: Block) -> bool:
        """Whether both are alive at some step."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPlan:
    """Offsets of all buffers of a program.

    Attributes:
        blocks: what was placed.
        offsets: bytes from the start of the arena by tensor name, and by ``<step>.scratch`` for scratch.
        peak_bytes: size of the arena.
        bound_bytes: largest sum alive at any step: no plan is smaller.
    """

    blocks: tuple[Block, ...]
    offsets: Mapping[str, int]
    peak_bytes: int
    bound_bytes: int


def blocks_of(program: Program) -> tuple[Block, ...]:
    """Blocks of a program with their lifetimes; the input is alive from step 0."""
    last_read = {name: index for index, step in enumerate(program.steps) for name in step.inputs}
    last_read[program.output.name] = len(program.steps) - 1
    owners: dict[str, str] = {INPUT: INPUT}
    members: dict[str, list[str]] = {INPUT: [INPUT]}
    born = {INPUT: 0}
    scratch: list[Block] = []
    for index, step in enumerate(program.steps):
        needs = footprint(program, step)
        owner = step.output
        for position in _reusable(needs.in_place, step.inputs):
            source = step.inputs[position]
            fits = program.tensors[step.output].size_bytes <= program.tensors[owners[source]].size_bytes
            if needs.in_place is not None and last_read[source] == index and fits:
                owner = owners[source]
                break
        owners[step.output] = owner
        members.setdefault(owner, []).append(step.output)
        born.setdefault(owner, index)
        if needs.scratch_bytes:
            scratch.append(
                Block(
                    names=(f"{step.name}.scratch",), size_bytes=_aligned(needs.scratch_bytes), first=index, last=index
                )
            )
    tensors = [
        Block(
            names=tuple(names),
            size_bytes=_aligned(program.tensors[owner].size_bytes),
            first=born[owner],
            last=max(last_read.get(name, born[owner]) for name in names),
        )
        for owner, names in members.items()
    ]
    return tuple(tensors + scratch)


def _reusable(in_place: int | None, inputs: Sequence[str]) -> Iterable[int]:
    """Positions of inputs that may be overwritten: the kernel's first choice, then the others of an addition."""
    if in_place is None:
        return ()
    return (in_place, *(position for position in range(len(inputs)) if position != in_place))


@lru_cache(maxsize=4096)
def _plan_blocks(blocks: tuple[Block, ...]) -> tuple[tuple[int, ...], int, int]:
    """Offsets in the order of ``blocks``, peak and lower bound."""
    steps = 1 + max(block.last for block in blocks)
    alive = [sum(block.size_bytes for block in blocks if block.first <= step <= block.last) for step in range(steps)]
    bound = max(alive)
    orders: tuple[Callable[[Block], tuple[int, ...]], ...] = (
        lambda block: (-block.size_bytes, block.first),
        lambda block: (-(block.last - block.first), -block.size_bytes),
        lambda block: (-max(alive[block.first : block.last + 1]), -block.size_bytes),
        lambda block: (block.first, -block.size_bytes),
        lambda block: (-block.last, -block.size_bytes),
    )
    best: tuple[list[int], int] | None = None
    for order in orders:
        offsets, peak = _best_fit(blocks, sorted(range(len(blocks)), key=lambda index: order(blocks[index])))
        if best is None or peak < best[1]:
            best = offsets, peak
        if peak == bound:
            break
    assert best is not None  # noqa: S101 - orders is not empty
    if best[1] > bound:
        exact = _exact(blocks, bound)
        best = (exact, bound) if exact is not None else best
    return tuple(best[0]), best[1], bound


def _best_fit(blocks: Sequence[Block], order: Sequence[int]) -> tuple[list[int], int]:
    offsets = [-1] * len(blocks)
    for index in order:
        offsets[index] = _gap(blocks, offsets, index)
    return offsets, max(offset + block.size_bytes for offset, block in zip(offsets, blocks, strict=True))


def _gap(blocks: Sequence[Block], offsets: Sequence[int], index: int) -> int:
    """Start of the smallest hole that takes a block beside those placed already."""
    block = blocks[index]
    taken = sorted(
        (offsets[other], offsets[other] + blocks[other].size_bytes)
        for other in range(len(blocks))
        if offsets[other] >= 0 and blocks[other].overlaps(block)
    )
    best, best_size, cursor = -1, -1, 0
    for start, end in taken:
        hole = start - cursor
        if hole >= block.size_bytes and (best < 0 or hole < best_size):
            best, best_size = cursor, hole
        cursor = max(cursor, end)
    return best if best >= 0 else cursor


def _exact(blocks: Sequence[Block], bound: int) -> list[int] | None:
    """Offsets within ``bound`` by depth-first search over positions against neighbors; None past the node limit."""
    order = sorted(range(len(blocks)), key=lambda index: -blocks[index].size_bytes)
    offsets = [-1] * len(blocks)
    nodes = 0

    def place(depth: int) -> bool:
        nonlocal nodes
        nodes += 1
        if depth == len(order):
            return True
        if nodes > _EXACT_NODES:
            return False
        index = order[depth]
        block = blocks[index]
        taken = [
            (offsets[other], offsets[other] + blocks[other].size_bytes)
            for other in order[:depth]
            if blocks[other].overlaps(block)
        ]
        starts = {0, bound - block.size_bytes}
        starts |= {end for _, end in taken} | {start - block.size_bytes for start, _ in taken}
        for start in sorted(starts):
            end = start + block.size_bytes
            if start < 0 or end > bound or any(start < high and low < end for low, high in taken):
                continue
            offsets[index] = start
            if place(depth + 1):
                return True
        offsets[index] = -1
        return False

    return offsets if place(0) else None


def plan(program: Program) -> MemoryPlan:
    """Arena of one program.

    Raises:
        UnsupportedLayerError: a step without a kernel.
    """
    blocks = blocks_of(program)
    offsets, peak, bound = _plan_blocks(blocks)
    placed = {name: offset for block, offset in zip(blocks, offsets, strict=True) for name in block.names}
    return MemoryPlan(blocks=blocks, offsets=placed, peak_bytes=peak, bound_bytes=bound)


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
