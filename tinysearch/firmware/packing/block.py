"""The block of constants of one layer: a header of words, then tables, each at a multiple of 16.

Layouts are those of ``components/backend_pie/include/ts_pie_layout.h``, whose order of words the headers here repeat.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

LINE = 16
"""Bytes of a vector."""

COMMON = ("layer_bytes", "left_bytes", "right_bytes", "output_bytes", "scratch_bytes")
"""First words of every header."""

Bytes = npt.NDArray[np.uint8]


def up(count: int, multiple: int = LINE) -> int:
    """The next multiple."""
    return -(-count // multiple) * multiple


def block_bytes(words: int, tables: Iterable[int]) -> int:
    """Bytes of a block with so many words of header, and tables of so many bytes."""
    return up(4 * words) + sum(up(size) for size in tables) + LINE


def chained(blocks: list[npt.NDArray[np.int8]], *, at: int) -> npt.NDArray[np.int8]:
    """Blocks one after the other as one, each with the bytes to the next in its word ``at``."""
    for block in blocks[:-1]:
        block[4 * at : 4 * at + 4].view(np.int32)[0] = up(len(block))
    whole = np.concatenate([np.pad(block, (0, -len(block) % LINE)) for block in blocks])
    whole[:4].view(np.int32)[0] = len(whole)
    return whole


def lay_out(words: dict[str, int], tables: dict[str, Bytes]) -> npt.NDArray[np.int8]:
    """Header and tables, one after the other.

    Args:
        words: values of the header in their order; those named like a table, and ``layer_bytes``, are filled in.
        tables: bytes; 16 readable ones follow the last.
    """
    cursor = up(4 * len(words))
    parts = []
    for name, table in tables.items():
        words[name] = cursor
        parts.append((cursor, table))
        cursor += up(len(table))
    words["layer_bytes"] = block_bytes(len(words), [len(table) for table in tables.values()])
    block = np.zeros(words["layer_bytes"], np.uint8)
    header = np.array(list(words.values()), np.int32).view(np.uint8)
    block[: len(header)] = header
    for offset, table in parts:
        block[offset : offset + len(table)] = table
    return block.view(np.int8)
