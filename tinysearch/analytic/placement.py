"""Where the buffers of an authentication lie: internal SRAM as long as it lasts, PSRAM for the rest.

Rule: buffers are placed in a fixed order (arenas before captures); one goes to SRAM if it fits into the largest
contiguous block and into what is left of the heap after the reserve for drivers and tasks, otherwise to PSRAM.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinysearch.core.quantization import Precision

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


def in_sram(buffers: npt.ArrayLike, *, heap_bytes: int, largest_block_bytes: int) -> Bools:
    """Which buffers lie in SRAM.

    Args:
        buffers: int [n, k], bytes of k buffers in order of placement for n designs; 0 takes nothing.
        heap_bytes: usable heap less the reserve.
        largest_block_bytes: largest contiguous block.

    Returns:
        bool [n, k].
    """
    sizes = np.atleast_2d(np.asarray(buffers, np.int64))
    left = np.full(len(sizes), heap_bytes, np.int64)
    placed = np.zeros(sizes.shape, bool)
    for column in range(sizes.shape[1]):
        size = sizes[:, column]
        placed[:, column] = (size <= largest_block_bytes) & (size <= left)
        left -= np.where(placed[:, column], size, 0)
    return placed


def psram_bytes(buffers: npt.ArrayLike, placed: Bools) -> Ints:
    """Bytes that must lie in PSRAM, int64 [..] of k buffers [.., k]."""
    kept_out: Ints = np.where(placed, 0, np.asarray(buffers, np.int64)).sum(axis=-1)
    return kept_out


def paper_psram_bytes(precision: Precision) -> int:
    """PSRAM that a branch needs by the paper's rule (``memory=paper``): 2 MiB in float, 1 MiB otherwise."""
    return 2 * 2**20 if precision.kind == "float32" else 2**20
