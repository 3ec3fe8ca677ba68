"""Blocks of depthwise convolutions, and of scales, which are depthwise convolutions of one place."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinysearch.core.program import FrozenNetwork, Program, Step
from tinysearch.firmware.packing.block import LINE, block_bytes, lay_out, up
from tinysearch.firmware.packing.window import Products, Window, products_of, window_of
from tinysearch.firmware.packing.xespv.records import RECORD_BYTES, by_groups, clamps, groups, records

_BEFORE_ROWS = 64
"""Scratch of ``ts_xespv_depthwise_s8`` before its rows."""


def depthwise(frozen: FrozenNetwork, step: Step) -> npt.NDArray[np.int8]:
    """Block of a depthwise convolution or a scale."""
    return depthwise_block(window_of(frozen.program, step), products_of(frozen, step))


def depthwise_block(window: Window, products: Products) -> npt.NDArray[np.int8]:
    """Block of a depthwise convolution with a square kernel."""
    weights = products.weights.reshape(len(products.weights), -1)
    table = records(products.bias, products.multiplier, products.shift)
    words = {**_words(window), **clamps(zero=products.zero, low=products.low, high=products.high)}
    padding = np.full(LINE, products.in_zero & 0xFF, np.uint8)
    return lay_out(words, {"weights": by_groups(weights), "records": table, "padding": padding})


def depthwise_bytes(program: Program, step: Step) -> int:
    """Bytes of the block."""
    window = window_of(program, step)
    words, count = _words(window), groups(window.out.channels)
    return block_bytes(len(words), (count * words["group_bytes"], count * RECORD_BYTES, LINE))


def depthwise_scratch(program: Program, step: Step) -> int:
    """Bytes of scratch."""
    return rows_scratch(window_of(program, step))


def rows_scratch(window: Window) -> int:
    """Bytes of scratch of a depthwise convolution with such windows."""
    return _words(window)["scratch_bytes"]


def depthwise_supported(program: Program, step: Step) -> bool:
    """Whether no pool is fused."""
    del program
    return step.pool == 1


def _words(window: Window) -> dict[str, int]:
    """Words of the header in the order of the layout, without what weights and zero points decide."""
    source, out, kernel = window.source, window.out, window.kernel[0]
    channels, pixel, row_bytes = source.channels, up(source.channels), source.width * source.channels
    whole = channels == pixel
    width = max(window.columns, window.before[1] + source.width)
    piece = row_bytes if whole else channels
    return {
        "layer_bytes": 0,
        "left_bytes": source.elements,
        "right_bytes": 0,
        "output_bytes": out.elements,
        "scratch_bytes": _BEFORE_ROWS + kernel * width * pixel,
        "channels": channels,
        "weights": 0,
        "records": 0,
        "group_bytes": kernel**2 * LINE,
        "low": 0,
        "high": 0,
        "offset": 0,
        "kernel": kernel,
        "pixel_bytes": pixel,
        "step_bytes": window.stride[1] * pixel,
        "row_stride": width * pixel,
        "row_data": window.before[1] * pixel,
        "out_height": out.height,
        "out_width": out.width,
        "in_height": source.height,
        "in_row_bytes": row_bytes,
        "pieces": 1 if whole else source.width,
        "piece_bytes": piece,
        "piece_lines": up(piece) // LINE,
        "first_row": -window.before[0],
        "stride": window.stride[0],
        "padding": 0,
    }
