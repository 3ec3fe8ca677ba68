"""Blocks of the layers that multiply windows with weights: convolutions of any kind, and fully connected layers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinysearch.core.network import Operator
from tinysearch.core.program import FrozenNetwork, Program, Step
from tinysearch.firmware.packing.block import LINE, block_bytes, chained, lay_out, up
from tinysearch.firmware.packing.window import Products, Window, point, products_of, window_of
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
    return convolution_block(_window(frozen.program, step), products_of(frozen, step))


def convolution_block(window: Window, products: Products) -> npt.NDArray[np.int8]:
    """Block of a convolution of any sides."""
    weights, in_zero = products.weights, products.in_zero
    words = {**_words(window), **clamps(zero=products.zero, low=products.low, high=products.high)}
    windows = weights.reshape(len(weights), words["kernel"], -1)
    filled = np.pad(windows, ((0, 0), (0, 0), (0, _places(words) - windows.shape[2])))
    rows = filled.reshape(len(weights), -1)
    padding = np.full(LINE, in_zero & 0xFF, np.uint8)
    inside = np.arange(LINE) < (words["in_row_bytes"] - 1) % LINE + 1
    tail = np.stack([np.where(inside, 0xFF, 0), np.where(inside, 0, padding)]).astype(np.uint8).reshape(-1)
    size, blocks = _part_channels(window), []
    for first in range(0, len(rows), size):
        part = slice(first, first + size)
        tables = {
            "weights": by_groups(rows[part]),
            "records": records(products.bias[part], products.multiplier[part], products.shift[part]),
            "tail": tail,
            "padding": padding,
        }
        blocks.append(lay_out({**words, "channels": len(rows[part])}, tables))
    return chained(blocks, at=list(words).index("next_part"))


def convolution_bytes(program: Program, step: Step) -> int:
    """Bytes of the block."""
    window = _window(program, step)
    words, channels, size = _words(window), window.out.channels, _part_channels(window)
    parts = [groups(min(size, channels - first)) for first in range(0, channels, size)]
    return sum(
        block_bytes(len(words), (part * words["group_bytes"], part * RECORD_BYTES, 2 * LINE, LINE)) for part in parts
    )


def convolution_scratch(program: Program, step: Step) -> int:
    """Bytes of scratch."""
    return window_scratch(_window(program, step))


def window_scratch(window: Window) -> int:
    """Bytes of scratch of a convolution with such windows."""
    return _words(window)["scratch_bytes"]


def _window(program: Program, step: Step) -> Window:
    if step.operator != Operator.FULLY_CONNECTED:
        return window_of(program, step)
    outputs, inputs = program.weight_shape(step)
    return point(inputs, outputs)


def _part_channels(window: Window) -> int:
    """Output channels of a part: all, or so many that their weights stay in the cache from pixel to pixel."""
    channels, words = window.out.channels, _words(window)
    of_group = words["group_bytes"] + RECORD_BYTES
    if words["pixels"] * words["pool"] ** 2 == 1 or groups(channels) * of_group <= CACHED_BYTES:
        return channels
    return max(CACHED_BYTES // of_group, 1) * GROUP


def _places(words: dict[str, int]) -> int:
    """Values of a row of a window, those that fill it up included."""
    return words["full"] * LINE + words["rest"] * _FOUR


def _words(window: Window) -> dict[str, int]:
    """Words of the header in the order of the layout, without what weights and zero points decide."""
    source, out, pool = window.source, window.out, window.pool
    channels, row_bytes = source.channels, source.width * source.channels
    kernel, stride = window.kernel[0], window.stride
    values = window.kernel[1] * channels
    fours = -(-values // _FOUR)
    data = up(window.before[1] * channels)
    first = data - window.before[1] * channels
    needed = first + window.columns * channels
    row_stride = max(data + up(row_bytes), up(needed))
    rows = (pool - 1) * stride[0] + kernel
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
        "window_bytes": stride[1] * channels,
        "pixel_bytes": stride[1] * channels * pool,
        "down_bytes": stride[0] * row_stride,
        "first_row": -window.before[0],
        "next_row": stride[0] * pool,
        "padding": 0,
        "direct": int(window.is_point and channels % LINE == 0),
        "pixels": out.height * out.width,
        "out_pixel_bytes": out.channels,
        "next_part": 0,
    }
