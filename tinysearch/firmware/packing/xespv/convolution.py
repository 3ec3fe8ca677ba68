"""Blocks of the layers that multiply windows with weights: convolutions of any kind, and fully connected layers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinysearch.core.network import Operator, Shape
from tinysearch.core.program import FrozenNetwork, Program, Step
from tinysearch.firmware.packing.block import LINE, block_bytes, chained, lay_out, up
from tinysearch.firmware.packing.xespv.records import (
    CACHED_BYTES,
    GROUP,
    RECORD_BYTES,
    by_groups,
    clamps,
    groups,
    records,
)

_FOUR = 4
"""Values of a row of a window that are multiplied together, at least."""

_BEFORE_ROWS, _BEHIND_ROWS = 128, 64
"""Scratch of ``ts_xespv_conv_s8`` beside its rows: sums; what windows at the end of the last row read beyond it."""


def convolution(frozen: FrozenNetwork, step: Step) -> npt.NDArray[np.int8]:
    """Block of a convolution or fully connected layer whose input is int8, weights of 1 or 2 bits included."""
    program, parameters = frozen.program, frozen.parameters[step.name]
    weights = np.asarray(parameters["weights"]).astype(np.int64)
    in_zero = frozen.zero_points.get(step.inputs[0], 0)
    bias = np.asarray(parameters["bias"]).astype(np.int64) - in_zero * weights.reshape(len(weights), -1).sum(1)
    multiplier, shift = (np.asarray(parameters[name]) for name in ("multiplier", "shift"))
    words = {**_words(program, step), **clamps(zero=frozen.zero_points[step.output], relu=step.relu)}
    windows = weights.reshape(len(weights), words["kernel"], -1)
    filled = np.pad(windows, ((0, 0), (0, 0), (0, _places(words) - windows.shape[2])))
    rows = filled.reshape(len(weights), -1)
    padding = np.full(LINE, in_zero & 0xFF, np.uint8)
    inside = np.arange(LINE) < (words["in_row_bytes"] - 1) % LINE + 1
    tail = np.stack([np.where(inside, 0xFF, 0), np.where(inside, 0, padding)]).astype(np.uint8).reshape(-1)
    size, blocks = _part_channels(program, step), []
    for first in range(0, len(rows), size):
        part = slice(first, first + size)
        tables = {
            "weights": by_groups(rows[part]),
            "records": records(bias[part], multiplier[part], shift[part]),
            "tail": tail,
            "padding": padding,
        }
        blocks.append(lay_out({**words, "channels": len(rows[part])}, tables))
    return chained(blocks, at=list(words).index("next_part"))


def convolution_bytes(program: Program, step: Step) -> int:
    """Bytes of the block."""
    words, channels, size = _words(program, step), program.weight_shape(step)[0], _part_channels(program, step)
    parts = [groups(min(size, channels - first)) for first in range(0, channels, size)]
    return sum(
        block_bytes(len(words), (part * words["group_bytes"], part * RECORD_BYTES, 2 * LINE, LINE)) for part in parts
    )


def convolution_scratch(program: Program, step: Step) -> int:
    """Bytes of scratch."""
    return _words(program, step)["scratch_bytes"]


def _part_channels(program: Program, step: Step) -> int:
    """Output channels of a part: all, or so many that their weights stay in the cache from pixel to pixel."""
    channels, words = program.weight_shape(step)[0], _words(program, step)
    of_group = words["group_bytes"] + RECORD_BYTES
    if words["pixels"] * words["pool"] ** 2 == 1 or groups(channels) * of_group <= CACHED_BYTES:
        return channels
    return max(CACHED_BYTES // of_group, 1) * GROUP


def _places(words: dict[str, int]) -> int:
    """Values of a row of a window, those that fill it up included."""
    return words["full"] * LINE + words["rest"] * _FOUR


def _words(program: Program, step: Step) -> dict[str, int]:
    """Words of the header in the order of the layout, without what weights and zero points decide."""
    source, out = program.tensors[step.inputs[0]].shape, program.tensors[step.output].shape
    kernel, stride, padding, pool = step.kernel, step.stride, step.padding, step.pool
    if step.operator == Operator.FULLY_CONNECTED:
        source, out = (
            Shape(height=1, width=1, channels=source.elements),
            Shape(height=1, width=1, channels=out.elements),
        )
        kernel, stride, padding, pool = 1, 1, 0, 1
    channels, row_bytes = source.channels, source.width * source.channels
    window = kernel * channels
    fours = -(-window // _FOUR)
    data = up(padding * channels)
    first = data - padding * channels
    needed = first + (out.width * pool - 1) * stride * channels + window
    row_stride = max(data + up(row_bytes), up(needed))
    rows = (pool - 1) * stride + kernel
    pointwise = kernel == stride == pool == 1 and padding == 0
    return {
        "layer_bytes": 0,
        "left_bytes": source.elements,
        "right_bytes": 0,
        "output_bytes": out.elements,
        "scratch_bytes": _BEFORE_ROWS + rows * row_stride + _BEHIND_ROWS,
        "channels": out.channels,
        "weights": 0,
        "records": 0,
        "group_bytes": kernel * fours * _FOUR * GROUP,
        "low": 0,
        "high": 0,
        "offset": 0,
        "kernel": kernel,
        "pool": pool,
        "full": fours // (LINE // _FOUR),
        "rest": fours % (LINE // _FOUR),
        "out_height": out.height,
        "out_width": out.width,
        "in_height": source.height,
        "in_row_bytes": row_bytes,
        "rows": rows,
        "row_stride": row_stride,
        "row_data": data,
        "row_first": first,
        "row_lines": up(row_bytes) // LINE,
        "tail": 0,
        "window_bytes": stride * channels,
        "pixel_bytes": stride * channels * pool,
        "down_bytes": stride * row_stride,
        "first_row": -padding,
        "next_row": stride * pool,
        "padding": 0,
        "direct": int(pointwise and channels % LINE == 0),
        "pixels": out.height * out.width,
        "out_pixel_bytes": out.channels,
        "next_part": 0,
    }
