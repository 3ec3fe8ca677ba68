"""Blocks of max pools and of the mean over a map, int8."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinysearch.core.network import Shape
from tinysearch.core.program import FrozenNetwork, Program, Step
from tinysearch.core.quantization import INT8_LOW
from tinysearch.firmware.packing.block import block_bytes, lay_out
from tinysearch.firmware.packing.xespv.records import clamps

AVERAGE_SCRATCH_BYTES = 64
MOST_PIXELS = 1 << 24
"""Of a mean: their sum fits 32 bits."""

MAX_POOL_BYTES, AVERAGE_BYTES = block_bytes(18, ()), block_bytes(15, ())
"""Blocks: their headers."""


def max_pool(frozen: FrozenNetwork, step: Step) -> npt.NDArray[np.int8]:
    """Block of a max pool."""
    source, out = frozen.program.tensors[step.inputs[0]].shape, frozen.program.tensors[step.output].shape
    return max_pool_block(source, out, pool=step.pool, low=_low(frozen, step))


def max_pool_block(source: Shape, out: Shape, *, pool: int, low: int) -> npt.NDArray[np.int8]:
    """Block of a max pool by its side, which is its stride."""
    row, window = source.width * source.channels, pool * source.channels
    return lay_out(
        {
            **_common(source, out, low=low, scratch_bytes=0),
            "pool": pool,
            "out_height": out.height,
            "out_width": out.width,
            "next_line": row - window,
            "window_bytes": window,
            "next_row": pool * row - out.width * window,
        },
        {},
    )


def average(frozen: FrozenNetwork, step: Step) -> npt.NDArray[np.int8]:
    """Block of a mean over height and width."""
    return average_block(frozen.program.tensors[step.inputs[0]].shape, low=_low(frozen, step))


def average_block(source: Shape, *, low: int) -> npt.NDArray[np.int8]:
    """The same by the input."""
    pixels, out = source.height * source.width, Shape(height=1, width=1, channels=source.channels)
    common = _common(source, out, low=low, scratch_bytes=AVERAGE_SCRATCH_BYTES)
    return lay_out({**common, "pixels": pixels, "half": pixels // 2, "one": 1}, {})


def averages(program: Program, step: Step) -> bool:
    """Whether the kernel takes the mean of so many pixels."""
    source = program.tensors[step.inputs[0]].shape
    return source.height * source.width < MOST_PIXELS


def _low(frozen: FrozenNetwork, step: Step) -> int:
    return frozen.zero_points[step.output] if step.relu else INT8_LOW


def _common(source: Shape, out: Shape, *, low: int, scratch_bytes: int) -> dict[str, int]:
    """First words of the header; no zero point counts, as nothing is scaled."""
    return {
        "layer_bytes": 0,
        "left_bytes": source.elements,
        "right_bytes": 0,
        "output_bytes": out.elements,
        "scratch_bytes": scratch_bytes,
        "channels": source.channels,
        "weights": 0,
        "records": 0,
        "group_bytes": 0,
        **clamps(zero=0, low=low),
    }
