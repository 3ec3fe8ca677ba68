"""Blocks of depthwise convolutions, and of scales, which are depthwise convolutions of one place."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinysearch.core.program import FrozenNetwork, Program, Step
from tinysearch.firmware.packing.block import LINE, block_bytes, lay_out, up
from tinysearch.firmware.packing.xespv.records import RECORD_BYTES, by_groups, clamps, groups, records

_BEFORE_ROWS = 64
"""Scratch of ``ts_xespv_depthwise_s8`` before its rows."""


def depthwise(frozen: FrozenNetwork, step: Step) -> npt.NDArray[np.int8]:
    """Block of a depthwise convolution or a scale."""
    parameters = frozen.parameters[step.name]
    weights = np.asarray(parameters["weights"]).astype(np.int64)
    weights = weights.reshape(len(weights), -1)
    in_zero = frozen.zero_points.get(step.inputs[0], 0)
    bias = np.asarray(parameters["bias"]).astype(np.int64) - in_zero * weights.sum(1)
    table = records(bias, np.asarray(parameters["multiplier"]), np.asarray(parameters["shift"]))
    words = {**_words(frozen.program, step), **clamps(zero=frozen.zero_points[step.output], relu=step.relu)}
    padding = np.full(LINE, in_zero & 0xFF, np.uint8)
    return lay_out(words, {"weights": by_groups(weights), "records": table, "padding": padding})


def depthwise_bytes(program: Program, step: Step) -> int:
    """Bytes of the block."""
    words, count = _words(program, step), groups(program.tensors[step.output].shape.channels)
    return block_bytes(len(words), (count * words["group_bytes"], count * RECORD_BYTES, LINE))


def depthwise_scratch(program: Program, step: Step) -> int:
    """Bytes of scratch."""
    return _words(program, step)["scratch_bytes"]


def depthwise_supported(program: Program, step: Step) -> bool:
    """Whether no pool is fused."""
    del program
    return step.pool == 1


def _words(program: Program, step: Step) -> dict[str, int]:
    """Words of the header in the order of the layout, without what weights and zero points decide."""
    source, out = program.tensors[step.inputs[0]].shape, program.tensors[step.output].shape
    channels, pixel, row_bytes = source.channels, up(source.channels), source.width * source.channels
    whole = channels == pixel
    width = max((out.width - 1) * step.stride + step.kernel, step.padding + source.width)
    piece = row_bytes if whole else channels
    return {
        "layer_bytes": 0,
        "left_bytes": source.elements,
        "right_bytes": 0,
        "output_bytes": out.elements,
        "scratch_bytes": _BEFORE_ROWS + step.kernel * width * pixel,
        "channels": channels,
        "weights": 0,
        "records": 0,
        "group_bytes": step.kernel**2 * LINE,
        "low": 0,
        "high": 0,
        "offset": 0,
        "kernel": step.kernel,
        "pixel_bytes": pixel,
        "step_bytes": step.stride * pixel,
        "row_stride": width * pixel,
        "row_data": step.padding * pixel,
        "out_height": out.height,
        "out_width": out.width,
        "in_height": source.height,
        "in_row_bytes": row_bytes,
        "pieces": 1 if whole else source.width,
        "piece_bytes": piece,
        "piece_lines": up(piece) // LINE,
        "first_row": -step.padding,
        "stride": step.stride,
        "padding": 0,
    }
