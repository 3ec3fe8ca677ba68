"""Blocks of the int8 layers that multiply columns with weights: convolutions of any kind."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinysearch.core.program import FrozenNetwork, Program, Step
from tinysearch.core.quantization import INT8_LOW
from tinysearch.firmware.packing.addends import addends
from tinysearch.firmware.packing.block import LINE, Bytes, block_bytes, chained, lay_out, up
from tinysearch.firmware.packing.pie.records import ABOVE, RECORD_BYTES, records, starts
from tinysearch.firmware.packing.window import Products, Window, products_of, window_of

TILE = 16
"""Columns that are computed together, at most."""

_COLUMNS_BYTES = 24576
"""What the columns of a tile may take where a tile has more than one."""

SECTION = 6
"""Vectors of weights that stay in registers."""

MOST_PLACES = 32
"""Products of bytes that an accumulator of 20 bits holds whatever they are: the largest depthwise kernel is 5x5."""

_KEPT_ROWS = (3, 1)
"""Kernel and stride of depthwise convolutions that copy a row of the input once; others copy all rows of a window."""

_DEPTHWISE_ROWS = 1920
"""Scratch of ``ts_pie_depthwise_s8`` before its rows."""

_TILE_MAXIMA = 768
"""Scratch of ``ts_pie_tile_s8`` before its maxima."""


_CACHED_BYTES = 24576
"""Of weights that the data cache of 32 KB keeps beside the columns of a tile."""

_PART_MULTIPLE = 8

ADDITION_SCRATCH_BYTES = 80
_FULLY_CONNECTED_WORDS, _DEPTHWISE_WORDS, _ADDITION_WORDS = 15, 24, 10
"""Of the headers."""

_ADDITION_TABLE_BYTES = 2 * 256 * 4


def tile_scratch(channels: int, *, pooled: bool) -> int:
    """Bytes of scratch that ``ts_pie_tile_s8`` needs."""
    return _TILE_MAXIMA + (up(channels) if pooled else 0)


def convolution(frozen: FrozenNetwork, step: Step) -> np.ndarray:
    """Block of a convolution whose input is int8, weights of 1 or 2 bits included."""
    return convolution_block(window_of(frozen.program, step), products_of(frozen, step))


def convolution_block(window: Window, products: Products) -> np.ndarray:
    """Block of a convolution of any sides; its outputs are clamped from below alone."""
    weights, zero = products.weights, products.zero
    rows = weights.reshape(len(weights), window.kernel[0], -1)
    words = {**_convolution_words(window), "in_zero": products.in_zero}
    size = part_channels(window)
    blocks = []
    for first in range(0, len(rows), size):
        part = slice(first, first + size)
        scale = products.multiplier[part], products.shift[part]
        tables = {
            "weights": rows_of_lines(rows[part]),
            "records": records(products.bias[part], *scale, zero=zero, low=products.low),
        }
        blocks.append(lay_out({**words, "channels": len(rows[part])}, tables))
    return chained(blocks, at=list(words).index("next_part"))


def convolution_bytes(program: Program, step: Step) -> int:
    """Bytes of the block of a convolution."""
    window = window_of(program, step)
    words, channels, size = _convolution_words(window), window.out.channels, part_channels(window)
    parts = [min(size, channels - first) for first in range(0, channels, size)]
    return sum(block_bytes(len(words), (part * words["column_bytes"], part * RECORD_BYTES)) for part in parts)


def part_channels(window: Window) -> int:
    """Output channels of a part: all, or so many that their weights stay in the data cache from tile to tile."""
    channels, words = window.out.channels, _convolution_words(window)
    of_one = words["column_bytes"] + RECORD_BYTES
    tiles = -(-window.out.height * window.out.width * words["pool_pixels"] // words["tile_columns"])
    fitting = _CACHED_BYTES // of_one // _PART_MULTIPLE * _PART_MULTIPLE
    return channels if tiles == 1 or channels * of_one <= _CACHED_BYTES or fitting == 0 else fitting


def convolution_overwrites(program: Program, step: Step) -> bool:
    """Whether a convolution is done with its input when it writes: parts after the first read it again."""
    window = window_of(program, step)
    return part_channels(window) == window.out.channels


def convolution_scratch(program: Program, step: Step) -> int:
    """Bytes of scratch of a convolution."""
    return window_scratch(window_of(program, step))


def window_scratch(window: Window) -> int:
    """Bytes of scratch of a convolution with such windows."""
    return _convolution_words(window)["scratch_bytes"]


def reads_directly(window: Window) -> bool:
    """Whether the kernel reads pixels where they lie, a tile at a time, and not rows that it copies."""
    wider = window.out.channels > window.source.channels  # of other pixels the output may be the input
    return window.is_point and window.source.channels % LINE == 0 and wider


def fully_connected_scratch(program: Program, step: Step) -> int:
    """Bytes of scratch of a fully connected layer: its sums, and a copy of an input at an odd address."""
    outputs, inputs = program.weight_shape(step)
    return connected_scratch(outputs, inputs)


def connected_scratch(outputs: int, inputs: int) -> int:
    """The same by its sides."""
    return up(outputs * 8) + up(inputs)


def fully_connected_bytes(program: Program, step: Step) -> int:
    """Bytes of the block of a fully connected layer."""
    outputs, inputs = program.weight_shape(step)
    return block_bytes(_FULLY_CONNECTED_WORDS, (outputs * up(inputs), outputs * 8, outputs * 8))


def fully_connected(frozen: FrozenNetwork, step: Step) -> np.ndarray:
    """Block of a fully connected layer whose input is int8."""
    return fully_connected_block(products_of(frozen, step))


def fully_connected_block(products: Products) -> np.ndarray:
    """Block of a fully connected layer; shifts 1 .. 31, its outputs are clamped from below alone."""
    weights = products.weights
    outputs, inputs = weights.shape
    vectors = up(inputs) // LINE
    last = (vectors - 1) % SECTION + 1
    sections = (vectors - last) // SECTION
    lines = rows_of_lines(weights[:, None]).reshape(outputs, vectors, LINE)
    ordered = [lines[:, first : first + SECTION].reshape(-1) for first in range(0, vectors, SECTION)]
    words = {
        "layer_bytes": 0,
        "left_bytes": inputs,
        "right_bytes": 0,
        "output_bytes": outputs,
        "scratch_bytes": connected_scratch(outputs, inputs),
        "channels": outputs,
        "weights": 0,
        "records": 0,
        "sections": sections,
        "last": last,
        "starts": 0,
        "inputs": inputs,
        "offset": 2 * products.zero + 1,
        "low": products.low,
        "scratch_input": up(outputs * 8),
    }
    scale = np.stack([products.multiplier, products.shift - 1], axis=1)
    return lay_out(
        words,
        {
            "weights": np.concatenate(ordered),
            "records": np.ascontiguousarray(scale.astype("<i4")).view(np.uint8).reshape(-1),
            "starts": starts(products.bias).view(np.uint8),
        },
    )


def depthwise_supported(program: Program, step: Step) -> bool:
    """Whether the sums of a depthwise convolution fit 20 bits, and no pool is fused."""
    del program
    return step.pool == 1 and step.kernel**2 <= MOST_PLACES


def depthwise_overwrites(program: Program, step: Step) -> bool:
    """Whether all rows that are still to be copied lie behind the output so far."""
    return rows_stay_ahead(window_of(program, step))


def rows_stay_ahead(window: Window) -> bool:
    """See :func:`depthwise_overwrites`."""
    source, out = window.source, window.out
    kept = (window.kernel[0], window.stride[0]) == _KEPT_ROWS
    steps = range(window.out.height)
    copied = [row + window.kernel[0] if kept else (row + 1) * window.stride[0] for row in steps]
    ends = [(row + 1) * out.width * out.channels for row in steps[:-1]]
    reads = [max(rows - window.before[0], 0) * source.width * source.channels for rows in copied[:-1]]
    return all(end <= read for end, read in zip(ends, reads, strict=True))


def depthwise_scratch(program: Program, step: Step) -> int:
    """Bytes of scratch of a depthwise convolution or a scale."""
    return rows_scratch(window_of(program, step))


def rows_scratch(window: Window) -> int:
    """Bytes of scratch of a depthwise convolution with such windows."""
    return _DEPTHWISE_ROWS + window.kernel[0] * _padded_width(window) * up(window.source.channels)


def depthwise_bytes(program: Program, step: Step) -> int:
    """Bytes of the block of a depthwise convolution or a scale."""
    channels = program.tensors[step.output].shape.channels
    return block_bytes(_DEPTHWISE_WORDS, (up(channels) * step.kernel**2, channels * RECORD_BYTES))


def _padded_width(window: Window) -> int:
    """Pixels of a row of a depthwise convolution in scratch."""
    return max(window.columns, window.before[1] + window.source.width)


def depthwise(frozen: FrozenNetwork, step: Step) -> np.ndarray:
    """Block of a depthwise convolution or a scale, whose sums fit 20 bits: see :data:`MOST_PLACES`."""
    return depthwise_block(window_of(frozen.program, step), products_of(frozen, step))


def depthwise_block(window: Window, products: Products) -> np.ndarray:
    """Block of a depthwise convolution with a square kernel; its outputs are clamped from below alone."""
    source, out = window.source, window.out
    channels, kernel = out.channels, window.kernel[0]
    pixel, width = up(channels), _padded_width(window)
    whole = channels % LINE == 0
    lanes = np.pad(products.weights.reshape(channels, -1), ((0, pixel - channels), (0, 0)))
    ordered = lanes.reshape(-1, LINE, kernel * kernel).transpose(0, 2, 1)
    words = {
        "layer_bytes": 0,
        "left_bytes": source.elements,
        "right_bytes": 0,
        "output_bytes": out.elements,
        "scratch_bytes": rows_scratch(window),
        "channels": channels,
        "weights": 0,
        "records": 0,
        "kernel": kernel,
        "pixel_bytes": pixel,
        "step_bytes": window.stride[1] * pixel,
        "row_stride": width * pixel,
        "row_step": (width - 2) * pixel,
        "row_data": window.before[1] * pixel,
        "out_height": out.height,
        "out_width": out.width,
        "in_height": source.height,
        "in_row_bytes": source.width * channels,
        "pieces": 1 if whole else source.width,
        "piece_bytes": source.width * channels if whole else channels,
        "first_row": -window.before[0],
        "stride": window.stride[0],
        "in_zero": products.in_zero,
        "group_weights": kernel * kernel * LINE,
    }
    table = records(products.bias, products.multiplier, products.shift, zero=products.zero, low=products.low)
    return lay_out(
        words,
        {"weights": np.ascontiguousarray(ordered.astype(np.int8)).reshape(-1).view(np.uint8), "records": table},
    )


def addition(frozen: FrozenNetwork, step: Step) -> np.ndarray:
    """Block of an addition: what each value of an input becomes, by its byte, and one record."""
    multiplier, shift = (
        np.asarray(frozen.parameters[step.name][key]).astype(np.int64) for key in ("multiplier", "shift")
    )
    zero = frozen.zero_points[step.output]
    return addition_block(
        addends(frozen, step),
        (int(multiplier[2]), int(shift[2])),
        count=frozen.program.tensors[step.output].shape.elements,
        zero=zero,
        low=zero if step.relu else INT8_LOW,
    )


def addition_block(
    tables: Sequence[np.ndarray], factor: tuple[int, int], *, count: int, zero: int, low: int
) -> np.ndarray:
    """Block of an addition of ``count`` values.

    Args:
        tables: int64 [256] by unsigned byte, of the left and the right input.
        factor: multiplier and right shift of a sum.
    """
    words = {
        "layer_bytes": 0,
        "left_bytes": count,
        "right_bytes": count,
        "output_bytes": count,
        "scratch_bytes": ADDITION_SCRATCH_BYTES,
        "channels": 1,
        "weights": 0,
        "records": 0,
        "count": count,
        "tables": 0,
    }
    multiplier, shift = (np.array([value]) for value in factor)
    record = records(np.zeros(1, np.int64), multiplier, shift, zero=zero, low=low)
    raised = np.concatenate([tables[0] + ABOVE, tables[1]]).astype("<i4").view(np.uint8)
    return lay_out(words, {"records": record, "tables": raised})


def addition_bytes(program: Program, step: Step) -> int:
    """Bytes of the block of an addition."""
    del program, step
    return block_bytes(_ADDITION_WORDS, (RECORD_BYTES, _ADDITION_TABLE_BYTES))


def rows_of_lines(weights: np.ndarray) -> Bytes:
    """[channels, rows, values] to bytes whose rows are filled up to whole vectors with zeros."""
    padded = np.pad(weights, ((0, 0), (0, 0), (0, -weights.shape[2] % LINE)))
    return np.ascontiguousarray(padded.astype(np.int8)).reshape(-1).view(np.uint8)


def _convolution_words(window: Window) -> dict[str, int]:
    """Words of the header of a convolution in the order of the layout."""
    source, result, pool = window.source, window.out, window.pool
    out = result.height, result.width, result.channels
    height, width, channels = source.height, source.width, source.channels
    values = window.kernel[1] * channels
    lines = up(values) // LINE
    vectors = window.kernel[0] * lines
    column = vectors * LINE
    last = (vectors - 1) % SECTION + 1
    row_bytes, pixel_step = width * channels, window.stride[1] * channels
    data = up(window.before[1] * channels)
    first = data - window.before[1] * channels
    needed = first + window.columns * channels
    stride_bytes = max(data + up(row_bytes), up(needed))
    rows = (pool - 1) * window.stride[0] + window.kernel[0]
    tile = min(max(_COLUMNS_BYTES // column - 1, 1), TILE)
    rows_at = tile_scratch(out[2], pooled=pool > 1)
    columns_at = rows_at + rows * stride_bytes
    return {
        "layer_bytes": 0,
        "left_bytes": height * row_bytes,
        "right_bytes": 0,
        "output_bytes": out[0] * out[1] * out[2],
        "scratch_bytes": columns_at + (tile + 1) * column,
        "channels": out[2],
        "weights": 0,
        "records": 0,
        "sections": (vectors - last) // SECTION,
        "last": last,
        "step_six": column - LINE * (SECTION - 1),
        "step_last": column - LINE * (last - 1),
        "pool_pixels": pool * pool,
        "column_bytes": column,
        "kernel": window.kernel[0],
        "pool": pool,
        "run": out[1] if pool == 1 else pool,
        "runs": 1 if pool == 1 else out[1],
        "out_height": out[0],
        "in_height": height,
        "in_row_bytes": row_bytes,
        "rows": rows,
        "row_stride": stride_bytes,
        "row_data": data,
        "row_first": first,
        "row_fix": min(max(needed - data - row_bytes, 0), up(row_bytes) - row_bytes),
        "pixel_step": pixel_step,
        "down_step": window.stride[0] * stride_bytes,
        "first_row": -window.before[0],
        "next_row": window.stride[0] * pool,
        "in_zero": 0,
        "lines": lines,
        "direct": int(reads_directly(window)),
        "pixels": out[0] * out[1],
        "scratch_rows": rows_at,
        "scratch_columns": columns_at,
        "tile_columns": tile,
        "out_pixel_bytes": out[2],
        "next_part": 0,
    }
