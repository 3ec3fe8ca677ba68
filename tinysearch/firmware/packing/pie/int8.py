"""Blocks of the int8 layers that multiply columns with weights: convolutions of any kind."""

from __future__ import annotations

import numpy as np

from tinysearch.core.program import FrozenNetwork, Program, Step
from tinysearch.core.quantization import INT8_LOW
from tinysearch.firmware.packing.addends import addends
from tinysearch.firmware.packing.block import LINE, Bytes, block_bytes, chained, lay_out, up
from tinysearch.firmware.packing.pie.records import ABOVE, RECORD_BYTES, records, starts

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
    parameters = frozen.parameters[step.name]
    weights = np.asarray(parameters["weights"]).astype(np.int64)
    in_zero = frozen.zero_points.get(step.inputs[0], 0)
    zero = frozen.zero_points[step.output]
    bias = np.asarray(parameters["bias"]).astype(np.int64) - in_zero * weights.reshape(len(weights), -1).sum(1)
    multiplier, shift = (np.asarray(parameters[name]) for name in ("multiplier", "shift"))
    low = zero if step.relu else INT8_LOW
    rows = weights.reshape(len(weights), step.kernel, -1)
    words = {**_convolution_words(frozen.program, step), "in_zero": in_zero}
    size = _part_channels(frozen.program, step)
    blocks = []
    for first in range(0, len(rows), size):
        part = slice(first, first + size)
        tables = {
            "weights": rows_of_lines(rows[part]),
            "records": records(bias[part], multiplier[part], shift[part], zero=zero, low=low),
        }
        blocks.append(lay_out({**words, "channels": len(rows[part])}, tables))
    return chained(blocks, at=list(words).index("next_part"))


def convolution_bytes(program: Program, step: Step) -> int:
    """Bytes of the block of a convolution."""
    words, channels = _convolution_words(program, step), program.weight_shape(step)[0]
    size = _part_channels(program, step)
    parts = [min(size, channels - first) for first in range(0, channels, size)]
    return sum(block_bytes(len(words), (part * words["column_bytes"], part * RECORD_BYTES)) for part in parts)


def _part_channels(program: Program, step: Step) -> int:
    """Output channels of a part: all, or so many that their weights stay in the data cache from tile to tile."""
    channels, out = program.weight_shape(step)[0], program.tensors[step.output].shape
    words = _convolution_words(program, step)
    of_one = words["column_bytes"] + RECORD_BYTES
    tiles = -(-out.height * out.width * words["pool_pixels"] // words["tile_columns"])
    fitting = _CACHED_BYTES // of_one // _PART_MULTIPLE * _PART_MULTIPLE
    return channels if tiles == 1 or channels * of_one <= _CACHED_BYTES or fitting == 0 else fitting


def convolution_overwrites(program: Program, step: Step) -> bool:
    """Whether a convolution is done with its input when it writes: parts after the first read it again."""
    return _part_channels(program, step) == program.weight_shape(step)[0]


def convolution_scratch(program: Program, step: Step) -> int:
    """Bytes of scratch of a convolution."""
    return _convolution_words(program, step)["scratch_bytes"]


def fully_connected_scratch(program: Program, step: Step) -> int:
    """Bytes of scratch of a fully connected layer: its sums, and a copy of an input at an odd address."""
    outputs, inputs = program.weight_shape(step)
    return up(outputs * 8) + up(inputs)


def fully_connected_bytes(program: Program, step: Step) -> int:
    """Bytes of the block of a fully connected layer."""
    outputs, inputs = program.weight_shape(step)
    return block_bytes(_FULLY_CONNECTED_WORDS, (outputs * up(inputs), outputs * 8, outputs * 8))


def fully_connected(frozen: FrozenNetwork, step: Step) -> np.ndarray:
    """Block of a fully connected layer whose input is int8."""
    parameters = frozen.parameters[step.name]
    weights = np.asarray(parameters["weights"]).astype(np.int64)
    outputs, inputs = weights.shape
    vectors = up(inputs) // LINE
    last = (vectors - 1) % SECTION + 1
    sections = (vectors - last) // SECTION
    zero = frozen.zero_points[step.output]
    bias = np.asarray(parameters["bias"]).astype(np.int64) - frozen.zero_points.get(step.inputs[0], 0) * weights.sum(1)
    lines = rows_of_lines(weights[:, None]).reshape(outputs, vectors, LINE)
    ordered = [lines[:, first : first + SECTION].reshape(-1) for first in range(0, vectors, SECTION)]
    words = {
        "layer_bytes": 0,
        "left_bytes": inputs,
        "right_bytes": 0,
        "output_bytes": outputs,
        "scratch_bytes": fully_connected_scratch(frozen.program, step),
        "channels": outputs,
        "weights": 0,
        "records": 0,
        "sections": sections,
        "last": last,
        "starts": 0,
        "inputs": inputs,
        "offset": 2 * zero + 1,
        "low": zero if step.relu else INT8_LOW,
        "scratch_input": up(outputs * 8),
    }
    scale = np.stack([np.asarray(parameters["multiplier"]), np.asarray(parameters["shift"]) - 1], axis=1)
    return lay_out(
        words,
        {
            "weights": np.concatenate(ordered),
            "records": np.ascontiguousarray(scale.astype("<i4")).view(np.uint8).reshape(-1),
            "starts": starts(bias).view(np.uint8),
        },
    )


def depthwise_supported(program: Program, step: Step) -> bool:
    """Whether the sums of a depthwise convolution fit 20 bits, and no pool is fused."""
    del program
    return step.pool == 1 and step.kernel**2 <= MOST_PLACES


def depthwise_overwrites(program: Program, step: Step) -> bool:
    """Whether all rows that are still to be copied lie behind the output so far."""
    source, out = program.tensors[step.inputs[0]].shape, program.tensors[step.output].shape
    if (step.kernel, step.stride) == _KEPT_ROWS:
        return True
    ends = [row * out.width * out.channels for row in range(out.height)]
    reads = [max(row * step.stride - step.padding, 0) * source.width * source.channels for row in range(out.height)]
    return all(end <= read for end, read in zip(ends, reads, strict=True))


def depthwise_scratch(program: Program, step: Step) -> int:
    """Bytes of scratch of a depthwise convolution or a scale."""
    source = program.tensors[step.inputs[0]].shape
    return _DEPTHWISE_ROWS + step.kernel * _padded_width(program, step) * up(source.channels)


def depthwise_bytes(program: Program, step: Step) -> int:
    """Bytes of the block of a depthwise convolution or a scale."""
    channels = program.tensors[step.output].shape.channels
    return block_bytes(_DEPTHWISE_WORDS, (up(channels) * step.kernel**2, channels * RECORD_BYTES))


def _padded_width(program: Program, step: Step) -> int:
    """Pixels of a row of a depthwise convolution in scratch."""
    source, out = program.tensors[step.inputs[0]].shape, program.tensors[step.output].shape
    return max((out.width - 1) * step.stride + step.kernel, step.padding + source.width)


def depthwise(frozen: FrozenNetwork, step: Step) -> np.ndarray:
    """Block of a depthwise convolution or a scale, whose sums fit 20 bits: see :data:`MOST_PLACES`."""
    parameters = frozen.parameters[step.name]
    weights = np.asarray(parameters["weights"]).astype(np.int64)
    source, out = frozen.program.tensors[step.inputs[0]].shape, frozen.program.tensors[step.output].shape
    channels, kernel = len(weights), step.kernel
    zero, in_zero = frozen.zero_points[step.output], frozen.zero_points.get(step.inputs[0], 0)
    pixel = up(channels)
    width = _padded_width(frozen.program, step)
    whole = channels % LINE == 0
    lanes = np.pad(weights.reshape(channels, -1), ((0, pixel - channels), (0, 0)))
    ordered = lanes.reshape(-1, LINE, kernel * kernel).transpose(0, 2, 1)
    words = {
        "layer_bytes": 0,
        "left_bytes": source.elements,
        "right_bytes": 0,
        "output_bytes": out.elements,
        "scratch_bytes": depthwise_scratch(frozen.program, step),
        "channels": channels,
        "weights": 0,
        "records": 0,
        "kernel": kernel,
        "pixel_bytes": pixel,
        "step_bytes": step.stride * pixel,
        "row_stride": width * pixel,
        "row_step": (width - 2) * pixel,
        "row_data": step.padding * pixel,
        "out_height": out.height,
        "out_width": out.width,
        "in_height": source.height,
        "in_row_bytes": source.width * channels,
        "pieces": 1 if whole else source.width,
        "piece_bytes": source.width * channels if whole else channels,
        "first_row": -step.padding,
        "stride": step.stride,
        "in_zero": in_zero,
        "group_weights": kernel * kernel * LINE,
    }
    table = records(
        np.asarray(parameters["bias"]).astype(np.int64) - in_zero * weights.reshape(channels, -1).sum(1),
        np.asarray(parameters["multiplier"]),
        np.asarray(parameters["shift"]),
        zero=zero,
        low=zero if step.relu else INT8_LOW,
    )
    return lay_out(
        words,
        {"weights": np.ascontiguousarray(ordered.astype(np.int8)).reshape(-1).view(np.uint8), "records": table},
    )


def addition(frozen: FrozenNetwork, step: Step) -> np.ndarray:
    """Block of an addition: what each value of an input becomes, by its byte, and one record."""
    multiplier, shift = (
        np.asarray(frozen.parameters[step.name][key]).astype(np.int64) for key in ("multiplier", "shift")
    )
    left, right = addends(frozen, step)
    count = frozen.program.tensors[step.output].shape.elements
    zero = frozen.zero_points[step.output]
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
    record = records(np.zeros(1, np.int64), multiplier[2:], shift[2:], zero=zero, low=zero if step.relu else INT8_LOW)
    table = np.concatenate([left + ABOVE, right]).astype("<i4").view(np.uint8)
    return lay_out(words, {"records": record, "tables": table})


def addition_bytes(program: Program, step: Step) -> int:
    """Bytes of the block of an addition."""
    del program, step
    return block_bytes(_ADDITION_WORDS, (RECORD_BYTES, _ADDITION_TABLE_BYTES))


def rows_of_lines(weights: np.ndarray) -> Bytes:
    """[channels, rows, values] to bytes whose rows are filled up to whole vectors with zeros."""
    padded = np.pad(weights, ((0, 0), (0, 0), (0, -weights.shape[2] % LINE)))
    return np.ascontiguousarray(padded.astype(np.int8)).reshape(-1).view(np.uint8)


def _convolution_words(program: Program, step: Step) -> dict[str, int]:
    """Words of the header of a convolution in the order of the layout."""
    source, result = program.tensors[step.inputs[0]].shape, program.tensors[step.output].shape
    out = result.height, result.width, result.channels
    kernel, stride, padding, pool = step.kernel, step.stride, step.padding, step.pool
    height, width, channels = source.height, source.width, source.channels
    window = kernel * channels
    lines = up(window) // LINE
    column = kernel * lines * LINE
    vectors = kernel * lines
    last = (vectors - 1) % SECTION + 1
    row_bytes, pixel_step = width * channels, stride * channels
    data = up(padding * channels)
    first = data - padding * channels
    needed = first + (out[1] * pool - 1) * pixel_step + window
    stride_bytes = max(data + up(row_bytes), up(needed))
    rows = (pool - 1) * stride + kernel
    pointwise = kernel == stride == pool == 1 and padding == 0
    direct = pointwise and channels % LINE == 0 and out[2] > channels  # of other pixels the output may be the input
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
        "kernel": kernel,
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
        "down_step": stride * stride_bytes,
        "first_row": -padding,
        "next_row": stride * pool,
        "in_zero": 0,
        "lines": lines,
        "direct": int(direct),
        "pixels": out[0] * out[1],
        "scratch_rows": rows_at,
        "scratch_columns": columns_at,
        "tile_columns": tile,
        "out_pixel_bytes": out[2],
        "next_part": 0,
    }
