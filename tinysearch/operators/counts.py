"""Counting of tiles and windows, as the loops of the kernels run."""

from __future__ import annotations

from functools import lru_cache


def padded(count: int, tile: int) -> int:
    """The next multiple of ``tile``."""
    return -(-count // tile) * tile


@lru_cache(maxsize=1 << 14)
def inside(side: int, outputs: int, kernel: int, *, stride: int, padding: int) -> int:
    """Rows (or columns) of the kernel that lie inside the input, over all outputs."""
    starts = [place * stride - padding for place in range(outputs)]
    return sum(max(min(start + kernel, side) - max(start, 0), 0) for start in starts)
