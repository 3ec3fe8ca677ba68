"""Blocks of the int8 layers that multiply columns with weights: convolutions of any kind."""

from __future__ import annotations

import numpy as np

from tinysearch.core.program import FrozenNetwork, Step
from tinysearch.core.quantization import INT8_LOW, doubling_high_multiply, rounding_shift_right
from tinysearch.firmware.integer_network import ADD_LEFT_SHIFT
from tinysearch.firmware.packing.pie.block import LINE, Bytes, lay_out, up
from tinysearch.firmware.packing.pie.records import ABOVE, records, starts

TILE = 16
"""Columns that are computed together, at most."""

_COLUMNS_BYTES = 24576
"""What the columns of a tile may take where a tile has more than one."""

SECTION = 6
"""Vectors of weights that stay in registers."""

MOST_PLACES = 32
"""Products of bytes that an accumulator of 20 bits holds whatever they are: the largest depthwise kernel is 5x5."""

_DEPTHWISE_ROWS = 1920
"""Scratch of ``ts_pie_depthwise_s8`` before its rows."""

_TILE_MAXIMA = 768
"""Scratch of ``ts_pie_tile_s8`` before its maxima."""


def tile_scratch(channels: int, *, pooled: bool) -> int:
    """Bytes of scratch that ``ts_pie_tile_s8`` needs."""
    return _TILE_MAXIMA + (up(channels) if pooled else 0)


def convolution(frozen: FrozenNetwork, step: Step) -> np.ndarray:
    """Block of a convolution whose input is int8, weights of 1 or 2 bits included."""
    parameters = frozen.parameters[step.name]
    weights = np.asarray(parameters["weights"]).astype(np.int64)
    source, out = frozen.program.tensors[step.inputs[0]].shape, frozen.program.tensors[step.output].shape
    in_zero = frozen.zero_points.get(step.inputs[0], 0)
    geometry = convolution_geometry(
        (source.height, source.width, source.channels),
        (out.height, out.width, out.channels),
        kernel=step.kernel,
        stride=step.stride,
        padding=step.padding,
        pool=step.pool,
    )
    zero = frozen.zero_points[step.output]
    bias = np.asarray(parameters["bias"]).astype(np.int64) - in_zero * weights.reshape(len(weights), -1).sum(1)
    return lay_out(
        {**geometry, "in_zero": in_zero},
        {
            "weights": rows_of_lines(weights.reshape(len(weights), step.kernel, -1)),
            "records": records(
                bias,
                np.asarray(parameters["multiplier"]),
                np.asarray(parameters["shift"]),
                zero=zero,
                low=zero if step.relu else INT8_LOW,
            ),
        },
    )


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
    sums = up(outputs * 8)
    words = {
        "layer_bytes": 0,
        "left_bytes": inputs,
        "right_bytes": 0,
        "output_bytes": outputs,
        "scratch_bytes": sums + vectors * LINE,
        "channels": outputs,
        "weights": 0,
        "records": 0,
        "sections": sections,
        "last": last,
        "starts": 0,
        "inputs": inputs,
        "offset": 2 * zero + 1,
        "low": zero if step.relu else INT8_LOW,
        "scratch_input": sums,
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


def depthwise(frozen: FrozenNetwork, step: Step) -> np.ndarray:
    """Block of a depthwise convolution or a scale, whose sums fit 20 bits: see :data:`MOST_PLACES`."""
    parameters = frozen.parameters[step.name]
    weights = np.asarray(parameters["weights"]).astype(np.int64)
    source, out = frozen.program.tensors[step.inputs[0]].shape, frozen.program.tensors[step.output].shape
    channels, kernel = len(weights), step.kernel
    zero, in_zero = frozen.zero_points[step.output], frozen.zero_points.get(step.inputs[0], 0)
    pixel = up(channels)
    width = max((out.width - 1) * step.stride + kernel, step.padding + source.width)
    whole = channels % LINE == 0
    lanes = np.pad(weights.reshape(channels, -1), ((0, pixel - channels), (0, 0)))
    ordered = lanes.reshape(-1, LINE, kernel * kernel).transpose(0, 2, 1)
    words = {
        "layer_bytes": 0,
        "left_bytes": source.elements,
        "right_bytes": 0,
        "output_bytes": out.elements,
        "scratch_bytes": _DEPTHWISE_ROWS + kernel * width * pixel,
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
    values = np.arange(256).astype(np.uint8).view(np.int8).astype(np.int64)
    tables = []
    for side, name in enumerate(step.inputs):
        raised = (values - frozen.zero_points[name]) << ADD_LEFT_SHIFT
        tables.append(rounding_shift_right(doubling_high_multiply(raised, multiplier[side]), shift[side]))
    tables[0] = tables[0] + ABOVE
    count = frozen.program.tensors[step.output].shape.elements
    zero = frozen.zero_points[step.output]
    words = {
        "layer_bytes": 0,
        "left_bytes": count,
        "right_bytes": count,
        "output_bytes": count,
        "scratch_bytes": 80,
        "channels": 1,
        "weights": 0,
        "records": 0,
        "count": count,
        "tables": 0,
    }
    record = records(np.zeros(1, np.int64), multiplier[2:], shift[2:], zero=zero, low=zero if step.relu else INT8_LOW)
    table = np.concatenate(tables).astype("<i4").view(np.uint8)
    return lay_out(words, {"records": record, "tables": table})


def rows_of_lines(weights: np.ndarray) -> Bytes:
    """[channels, rows, values] to bytes whose rows are filled up to whole vectors with zeros."""
    padded = np.pad(weights, ((0, 0), (0, 0), (0, -weights.shape[2] % LINE)))
    return np.ascontiguousarray(padded.astype(np.int8)).reshape(-1).view(np.uint8)


def convolution_geometry(
    source: tuple[int, int, int], out: tuple[int, int, int], *, kernel: int, stride: int, padding: int, pool: int
) -> dict[str, int]:
    """Words of the header of a convolution in the order of the layout.

    Args:
        source, out: height, width, channels; out after the pool.
    """
    height, width, channels = source
    window = kernel * channels
    lines = up(window) // LINE
    column = kernel * lines * LINE
    vectors = kernel * lines
    last = (vectors - 1) % SECTION + 1
    row_bytes, step = width * channels, stride * channels
    data = up(padding * channels)
    first = data - padding * channels
    needed = first + (out[1] * pool - 1) * step + window
    stride_bytes = max(data + up(row_bytes), up(needed))
    rows = (pool - 1) * stride + kernel
    direct = kernel == stride == pool == 1 and padding == 0 and channels % LINE == 0
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
        "pixel_step": step,
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
    }
