"""Plans without a gap at their peak: what lives long alternates between both ends of the arena.

Along a network one residual stream follows another, each alive until the next has begun. With one at the lower end, the
next at the upper one and so on, what lives shorter has one hole between them, and never two that are too small.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tinysearch.analytic.arena import Arena, Lives

_LONG = (3, 4)
"""Steps behind its first that a stream lives at least, where blocks are placed hottest first, or longest first."""


def streams(arena: Arena, lives: Lives, sizes: Sequence[int], alive: Sequence[int]) -> list[int] | None:
    """Offsets of blocks that end at the arena's ceiling at most; None where no way to place streams gives any.

    Args:
        sizes: bytes of every block.
        alive: bytes at every step.
    """
    for order, high in _ways(lives, sizes, alive):
        offsets = arena.from_both_ends(order, high)
        if offsets is not None:
            return offsets
    return None


def _ways(lives: Lives, sizes: Sequence[int], alive: Sequence[int]) -> Iterator[tuple[list[int], list[bool]]]:
    """Orders of blocks, those of a single step last, and which of them take the upper ends of their holes."""
    blocks = range(len(lives))
    spans = [last - first for first, last, _ in lives]
    by_birth = sorted(blocks, key=lambda index: (lives[index][0], -sizes[index]))
    hottest = [-max(alive[first : last + 1]) for first, last, _ in lives]
    by_heat = sorted(by_birth, key=lambda index: (not spans[index], hottest[index] if spans[index] else -sizes[index]))
    by_life = sorted(blocks, key=lambda index: (-spans[index], -sizes[index]))
    least, most = _LONG
    above = _alternating(by_birth, spans, least=most)
    yield by_heat, [above.get(index, spans[index] > 0 and lives[index][0] % 2 == 0) for index in blocks]
    above = _alternating(by_birth, spans, least=least)
    for others in (True, False):
        yield by_life, [above.get(index, others and spans[index] > 0) for index in blocks]


def _alternating(by_birth: Sequence[int], spans: Sequence[int], *, least: int) -> dict[int, bool]:
    """Streams, and whether each takes the upper end: every second one."""
    long = [index for index in by_birth if spans[index] >= least]
    return {index: place % 2 == 1 for place, index in enumerate(long)}
