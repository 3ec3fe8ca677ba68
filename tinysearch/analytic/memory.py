"""Peak RAM: where every buffer of a program lies in one static arena.

A tensor lives from the step that writes it to the last step that reads it; a kernel's scratch lives during its step.
An output may take the place of an input that dies in the same step where the kernel allows it (addition, scale).
Offsets are assigned by best fit over several orders of the blocks, then by hill climbing over orders if none of them
reaches the lower bound, which is the largest sum of bytes alive at any step. The plan is what the emitted C uses, so
its peak is what a board must have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tinysearch.analytic.kernels import footprint
from tinysearch.core.network import INPUT
from tinysearch.core.program import Program
from tinysearch.operators.record import KernelFootprint

ALIGNMENT = 16
"""Every buffer starts at a multiple of this, for word and SIMD access."""

_CLIMBS, _TURNS = 1000, 0.5


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


def blocks_of(
    program: Program, *, footprints: Mapping[str, KernelFootprint] | None = None, newest_first: bool = False
) -> tuple[Block, ...]:
    """Blocks of a program with their lifetimes; the input is alive from step 0.

    Args:
        footprints: of steps by name that have other kernels than the portable ones.
        newest_first: which of two inputs that die an addition overwrites: the one born last, or the kernel's choice.
    """
    last_read = {name: index for index, step in enumerate(program.steps) for name in step.inputs}
    last_read[program.output.name] = len(program.steps) - 1
    owners: dict[str, str] = {INPUT: INPUT}
    members: dict[str, list[str]] = {INPUT: [INPUT]}
    born = {INPUT: 0}
    scratch: list[Block] = []
    for index, step in enumerate(program.steps):
        needs = (footprints or {}).get(step.name) or footprint(program, step)
        owner = step.output
        candidates = list(_reusable(needs.in_place, step.inputs))
        if newest_first:
            candidates.sort(key=lambda position: -born[owners[step.inputs[position]]])
        for position in candidates:
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
    arena = _Arena(blocks, ceiling=bound)
    low = [False] * len(blocks)
    tried = []
    for key in orders:
        order = sorted(range(len(blocks)), key=lambda index: key(blocks[index]))
        offsets, peak = arena.best_fit(order, low)
        if peak == bound:
            return tuple(offsets), peak, bound
        tried.append((peak, order))
    offsets, peak = arena.climb(min(tried)[1])
    return tuple(offsets), peak, bound


class _Arena:
    """Blocks with their neighbors (alive at the same time), to be placed below a ceiling if that can be done."""

    def __init__(self, blocks: Sequence[Block], *, ceiling: int) -> None:
        self._ceiling = ceiling
        self._sizes = [block.size_bytes for block in blocks]
        self._neighbors = [
            [other for other, rival in enumerate(blocks) if other != index and rival.overlaps(block)]
            for index, block in enumerate(blocks)
        ]

    def best_fit(self, order: Sequence[int], high: Sequence[bool]) -> tuple[list[int], int]:
        """Offsets when every block, in this order, takes the smallest hole that is large enough; and the peak.

        Args:
            high: whether a block takes the upper end of its hole.
        """
        offsets = [-1] * len(order)
        for index in order:
            offsets[index] = self._place(offsets, index, high=high[index])
        return offsets, max(offset + size for offset, size in zip(offsets, self._sizes, strict=True))

    def _place(self, offsets: Sequence[int], index: int, *, high: bool) -> int:
        sizes, size = self._sizes, self._sizes[index]
        taken = sorted((offsets[n], offsets[n] + sizes[n]) for n in self._neighbors[index] if offsets[n] >= 0)
        best: tuple[int, int] | None = None
        cursor = 0
        for start, end in [*taken, (self._ceiling, self._ceiling)]:
            if start - cursor >= size and (best is None or start - cursor < best[1] - best[0]):
                best = cursor, start
            cursor = max(cursor, end)
        if best is None:
            return max((end for _, end in taken), default=0)
        return best[1] - size if high else best[0]

    def climb(self, order: list[int]) -> tuple[list[int], int]:
        """Hill climbing: near a block that ends at the peak, swap two places in the order or turn one block around."""
        random = np.random.default_rng(0)
        high = [False] * len(order)
        offsets, peak = best = self.best_fit(order, high)
        for _ in range(_CLIMBS):
            tops = [i for i, offset in enumerate(offsets) if offset + self._sizes[i] == peak]
            top = int(random.choice(tops))
            near = {top, *self._neighbors[top], *(n for other in self._neighbors[top] for n in self._neighbors[other])}
            other = int(random.choice(sorted(near)))
            changed, turned = order.copy(), high.copy()
            if random.random() < _TURNS:
                turned[other] = not turned[other]
            else:
                left, right = changed.index(top), changed.index(other)
                changed[left], changed[right] = changed[right], changed[left]
            moved, height = self.best_fit(changed, turned)
            if height <= peak:
                order, high, offsets, peak = changed, turned, moved, height
                best = min(best, (offsets, peak), key=lambda found: found[1])
            if peak <= self._ceiling:
                break
        return best


def plan(program: Program, footprints: Mapping[str, KernelFootprint] | None = None) -> MemoryPlan:
    """Arena of one program.

    Args:
        footprints: of steps by name that have other kernels than the portable ones.

    Raises:
        UnsupportedLayerError: a step without a kernel.
    """
    blocks = blocks_of(program, footprints=footprints)
    offsets, peak, bound = _plan_blocks(blocks)
    if peak > bound:
        other = blocks_of(program, footprints=footprints, newest_first=True)
        found = _plan_blocks(other)
        if found[1] < peak:
            blocks, (offsets, peak, bound) = other, found
    placed = {name: offset for block, offset in zip(blocks, offsets, strict=True) for name in block.names}
    return MemoryPlan(blocks=blocks, offsets=placed, peak_bytes=peak, bound_bytes=bound)


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
