"""Blocks of max pools and of the mean over a map, int8."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinysearch.core.program import FrozenNetwork, Program, Step
from tinysearch.firmware.packing.block import block_bytes, lay_out
from tinysearch.firmware.packing.xespv.records import clamps

AVERAGE_SCRATCH_BYTES = 64
_MOST_PIXELS = 1 << 24
"""Of a mean: their sum fits 32 bits."""

MAX_POOL_BYTES, AVERAGE_BYTES = block_bytes(18, ()), block_bytes(15, ())
"""Blocks: their headers."""


def max_pool(frozen: FrozenNetwork, step: Step) -> npt.NDArray[np.int8]:
    """Block of a max pool."""
    source, out = frozen.program.tensors[step.inputs[0]].shape, frozen.program.tensors[step.output].shape
    row, window = source.width * source.channels, step.pool * source.channels
    return lay_out(
        {
            **_common(frozen, step, scratch_bytes=0),
            "pool": step.pool,
            "out_height": out.height,
            "out_width": out.width,
            "next_line": row - window,
            "window_bytes": window,
            "next_row": step.pool * row - out.width * window,
        },
        {},
    )


def average(frozen: FrozenNetwork, step: Step) -> npt.NDArray[np.int8]:
    """Block of a mean over height and width."""
    source = frozen.program.tensors[step.inputs[0]].shape
    pixels = source.height * source.width
    common = _common(frozen, step, scratch_bytes=AVERAGE_SCRATCH_BYTES)
    return lay_out({**common, "pixels": pixels, "half": pixels // 2, "one": 1}, {})


def averages(program: Program, step: Step) -> bool:
    """Whether the kernel takes the mean of so many pixels."""
    source = program.tensors[step.inputs[0]].shape
    return source.height * source.width < _MOST_PIXELS


def _common(frozen: FrozenNetwork, step: Step, *, scratch_bytes: int) -> dict[str, int]:
    """First words of the header."""
    source, out = frozen.program.tensors[step.inputs[0]].shape, frozen.program.tensors[step.output].shape
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
        **clamps(zero=frozen.zero_points[step.output], relu=step.relu),
    }
