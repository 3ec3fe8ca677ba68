"""Offsets of blocks in one arena: best fit in a given order, and hill climbing over orders."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from operator import add
from typing import NamedTuple

import numpy as np

_CLIMBS, _TURNS = 1000, 0.5
_NOWHERE = -1

Lives = tuple[tuple[int, int, int], ...]
"""Of every block its first and last step, and the block that it may lie on, -1 for none."""


class Block(NamedTuple):
    """Bytes in the arena from the start of step ``first`` to the end of step ``last``.

    Attributes:
        names: the tensors that share the block one after the other, or ``(<step>.scratch,)``.
        over: first name of the block at whose beginning it lies while both are alive; empty for none.
    """

    names: tuple[str, ...]
    size_bytes: int
    first: int
    last: int
    over: str = ""

    def overlaps(self, other: Block) -> bool:
        """Whether both are alive at some step and neither may lie on the other."""
        on_each_other = self.over == other.names[0] or other.over == self.names[0]
        return self.first <= other.last and other.first <= self.last and not on_each_other


def lives_of(blocks: Sequence[Block]) -> Lives:
    """The lives of some blocks."""
    places = {block.names[0]: place for place, block in enumerate(blocks)} if any(b.over for b in blocks) else {}
    return tuple((block.first, block.last, places.get(block.over, _NOWHERE)) for block in blocks)


class Neighborhood:
    """Which blocks are alive at the same time; the same for all networks of a layout, whatever their widths.

    Sets of blocks are bits of an integer, block i being 1 << i.

    Attributes:
        beside: of every block the set of its neighbors and itself.
        neighbors: the same as lists, in order.
    """

    def __init__(self, lives: Lives) -> None:
        self.beside = _alive_together(lives)
        self.neighbors = [_members(own & ~(1 << place)) for place, own in enumerate(self.beside)]
        self._near: dict[int, list[int]] = {}

    def near(self, block: int) -> list[int]:
        """A block, its neighbors and theirs, in order."""
        if block not in self._near:
            near = self.beside[block]
            for other in self.neighbors[block]:
                near |= self.beside[other]
            self._near[block] = _members(near)
        return self._near[block]


neighborhood = lru_cache(maxsize=4096)(Neighborhood)
"""That of some lives, found once."""


class Arena:
    """Blocks to be placed below a ceiling if that can be done.

    Args:
        sizes: bytes of every block.
    """

    def __init__(self, lives: Lives, sizes: Sequence[int], *, ceiling: int) -> None:
        self._ceiling, self._sizes = ceiling, sizes
        self._around = neighborhood(lives)

    def best_fit(self, order: Sequence[int]) -> tuple[list[int], int]:
        """Offsets when every block, in this order, takes the smallest hole that is large enough; and the peak."""
        offsets = [_NOWHERE] * len(order)
        for index in order:
            offsets[index] = self._hole(index, offsets, high=False)
        return offsets, max(map(add, offsets, self._sizes))

    def from_both_ends(self, order: Sequence[int], high: Sequence[bool]) -> list[int] | None:
        """The same with some blocks at the upper ends of their holes; None as soon as one ends above the ceiling."""
        sizes, ceiling = self._sizes, self._ceiling
        offsets = [_NOWHERE] * len(order)
        for index in order:
            offsets[index] = self._hole(index, offsets, high=high[index])
            if offsets[index] + sizes[index] > ceiling:
                return None
        return offsets

    def climb(self, order: list[int], *, pinned: frozenset[int]) -> tuple[list[int], int]:
        """Hill climbing: near a block that ends at the peak, swap two places in the order or turn one block around."""
        random = np.random.default_rng(0)
        high = [False] * len(order)
        offsets, peak = best = self.best_fit(order)
        tops = self._tops(offsets, peak)
        for _ in range(_CLIMBS):
            top = tops[int(random.integers(len(tops)))]
            near = self._around.near(top)
            other = near[int(random.integers(len(near)))]
            if top in pinned or other in pinned:
                continue
            changed, turned = order, high
            left, right = sorted((order.index(top), order.index(other)))
            if random.random() < _TURNS:
                turned = high.copy()
                turned[other] = not turned[other]
                left = right = order.index(other)
            else:
                changed = order.copy()
                changed[left], changed[right] = changed[right], changed[left]
            moved = self._moved(offsets, changed, turned, swapped=(left, right), limit=peak)
            if moved is not None:
                order, high, offsets = changed, turned, moved
                peak = max(map(add, offsets, self._sizes))
                tops = self._tops(offsets, peak)
                best = min(best, (offsets, peak), key=lambda found: found[1])
            if peak <= self._ceiling:
                break
        return best

    def _moved(
        self,
        offsets: Sequence[int],
        order: Sequence[int],
        high: Sequence[bool],
        *,
        swapped: tuple[int, int],
        limit: int,
    ) -> list[int] | None:
        """Offsets by best fit when two places of the order have been swapped, or one block has been turned around.

        What comes before in the order stays where it is, and so does each block all of whose neighbors stay.

        Args:
            offsets: as they are.
            high: whether a block takes the upper end of its hole.
            swapped: places in the order; twice the same for a block that has been turned.

        Returns:
            None if a block ends beyond the limit.
        """
        sizes, beside = self._sizes, self._around.beside
        left, right = swapped
        both = 1 << order[left] | 1 << order[right]
        differ, placed = 0, [_NOWHERE] * len(order)
        for index in order[:left]:
            placed[index] = offsets[index]
        for place in range(left, len(order)):
            index = order[place]
            # Between the two places one of the swapped blocks is new, and the other is not there yet.
            if not beside[index] & (differ | both if place <= right else differ):
                placed[index] = offsets[index]
                continue
            found = placed[index] = self._hole(index, placed, high=high[index])
            if found + sizes[index] > limit:
                return None
            if found != offsets[index]:
                differ |= 1 << index
        return placed

    def _hole(self, index: int, offsets: Sequence[int], *, high: bool) -> int:
        """Offset of a block in the smallest hole that is large enough.

        Args:
            offsets: by block, :data:`_NOWHERE` for those without a place.
            high: whether the block takes the upper end of the hole.
        """
        sizes = self._sizes
        size = sizes[index]
        taken = [(offsets[n], offsets[n] + sizes[n]) for n in self._around.neighbors[index] if offsets[n] >= 0]
        taken.sort()
        cursor, place, room = 0, -1, 0
        for start, end in taken:
            hole = start - cursor
            if hole >= size and (place < 0 or hole < room):
                place, room = cursor, hole
            if end > cursor:  # noqa: PLR1730 - the innermost loop, where a call of max takes twice as long
                cursor = end
        hole = self._ceiling - cursor
        if hole >= size and (place < 0 or hole < room):
            place, room = cursor, hole
        if place < 0:
            place, room = cursor, size
        return place + room - size if high else place

    def _tops(self, offsets: Sequence[int], peak: int) -> list[int]:
        """Blocks that end at the peak."""
        return [index for index, end in enumerate(map(add, offsets, self._sizes)) if end == peak]


def _alive_together(lives: Lives) -> list[int]:
    """Of each block the set of those that are alive at some step of its life, but for those that it may lie on."""
    alive = [0] * (1 + max(last for _, last, _ in lives))
    for index, (first, last, _) in enumerate(lives):
        for step in range(first, last + 1):
            alive[step] |= 1 << index
    found = []
    for first, last, _ in lives:
        others = 0
        for step in range(first, last + 1):
            others |= alive[step]
        found.append(others)
    for index, (_, _, below) in enumerate(lives):
        if below != _NOWHERE:
            found[index] &= ~(1 << below)
            found[below] &= ~(1 << index)
    return found


def _members(blocks: int) -> list[int]:
    """Blocks of a set, in order."""
    return [index for index in range(blocks.bit_length()) if blocks >> index & 1]
