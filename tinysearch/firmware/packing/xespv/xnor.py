"""Blocks of the layers that read bit planes: convolutions; of a fully connected layer the kernel is the whole map."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinysearch.core.network import Operator
from tinysearch.core.program import LANE, FrozenNetwork, Program, Step
from tinysearch.core.quantization import INT8_LOW, XNOR_FRACTION_BITS
from tinysearch.firmware.packing.block import LINE, Bytes, block_bytes, chained, lay_out, up
from tinysearch.firmware.packing.xespv.records import (
    CACHED_BYTES,
    CHANNEL_BITS,
    GROUP,
    RECORD_BYTES,
    by_groups,
    clamps,
    groups,
    records,
)
from tinysearch.operators.binary import BinaryGeometry, geometry

_RAISED = 1 << XNOR_FRACTION_BITS // 2
"""What a level and a weight of 1 are as bytes: their product is 1 in the fixed point of the bias."""

_BEFORE_ROWS = 176
"""Scratch of ``ts_xespv_xnor_conv`` before its rows: sums, and thresholds that are reached."""

_MOST_SCRATCH_BYTES = 65536
_INT32_HIGH = (1 << 31) - 1

_ORDER = np.concatenate([first + 8 * (np.arange(LINE) % 4) + np.arange(LINE) // 4 for first in (0, 4)])
"""The channel of a word that lies in each of two vectors: a mask finds the same bit of four bytes."""


def supported(program: Program, step: Step) -> bool:
    """Whether sums and rows of a step fit the kernel."""
    binary = geometry(program, step)
    fits = binary.limit << XNOR_FRACTION_BITS <= _INT32_HIGH
    return fits and _words(binary)["scratch_bytes"] <= _MOST_SCRATCH_BYTES


def scratch(program: Program, step: Step) -> int:
    """Bytes of scratch."""
    return _words(geometry(program, step))["scratch_bytes"]


def wins(step: Step) -> bool:
    """Whether the kernel is worth it: its weights have 8 bits where the portable one's have 1 or 2.

    A fully connected layer reads each weight once, from flash: 8 times the bytes take longer than instructions save. Of
    convolutions the portable kernels execute more instructions at every shape.
    """
    return step.operator != Operator.FULLY_CONNECTED


def convolution(frozen: FrozenNetwork, step: Step) -> npt.NDArray[np.int8]:
    """Block of a step that reads bit planes."""
    program, parameters = frozen.program, frozen.parameters[step.name]
    binary = geometry(program, step)
    words = _words(binary)
    if not binary.output_bits:
        zero = frozen.zero_points[step.output]
        words |= clamps(zero=zero, low=zero if step.relu else INT8_LOW)
    rows = _in_lanes(binary, np.asarray(parameters["weights"]).astype(np.int64))
    blocks = []
    for part in _parts(program, step):
        if binary.output_bits:
            table = _thresholds(binary, np.asarray(parameters["thresholds"]).astype(np.int64)[part])
        else:
            bias, multiplier, shift = (np.asarray(parameters[name])[part] for name in ("bias", "multiplier", "shift"))
            table = records(bias, multiplier, shift)
        tables = {
            "weights": by_groups(_RAISED * rows[part]),
            "records": table,
            "masks": _masks(binary.activation_bits),
            "channel_bits": CHANNEL_BITS,
        }
        blocks.append(
            lay_out({**words, "channels": part.stop - part.start, "part_bytes": _part_bytes(binary, part)}, tables)
        )
    return chained(blocks, at=list(words).index("next_part"))


def convolution_bytes(program: Program, step: Step) -> int:
    """Bytes of the block."""
    binary = geometry(program, step)
    words = _words(binary)
    counts = [groups(part.stop - part.start) for part in _parts(program, step)]
    masks = LINE * (2 + binary.activation_bits)
    return sum(
        block_bytes(len(words), (count * words["group_bytes"], count * words["record_bytes"], masks, LINE))
        for count in counts
    )


def _parts(program: Program, step: Step) -> list[slice]:
    """Output channels of each part: all, or as many whole words of them as have weights that the cache keeps."""
    binary = geometry(program, step)
    channels, words = binary.output_channels, _words(binary)
    of_group = words["group_bytes"] + words["record_bytes"]
    size = channels
    if binary.output_height * binary.output_width > 1 and groups(channels) * of_group > CACHED_BYTES:
        size = max(CACHED_BYTES // of_group // (LANE // GROUP), 1) * LANE
    return [slice(first, min(first + size, channels)) for first in range(0, channels, size)]


def _part_bytes(binary: BinaryGeometry, part: slice) -> int:
    """From the outputs of a part to those of the next in a pixel."""
    return int(part.stop - part.start) if not binary.output_bits else up(part.stop - part.start, LANE) // 8


def _in_lanes(binary: BinaryGeometry, weights: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """[channels, places], the values of each pixel filled up to words and in the order of lanes."""
    shape = (binary.output_channels, binary.kernel_height, binary.kernel_width, binary.input_channels)
    filled = np.pad(weights.reshape(shape), ((0, 0),) * 3 + ((0, -binary.input_channels % LANE),))
    lanes = filled.reshape(*shape[:3], -1, LANE)[..., _ORDER]
    return lanes.reshape(len(weights), -1)


def _thresholds(binary: BinaryGeometry, thresholds: npt.NDArray[np.int64]) -> Bytes:
    """[group][threshold][16]: a sum reaches a threshold if it is above the number; where no channel is, none is."""
    rows = np.sort(thresholds.reshape(len(thresholds), -1), axis=1)
    above = (np.clip(rows, -binary.limit, binary.limit + 1) << XNOR_FRACTION_BITS) - 1
    above = np.where(rows > binary.limit, _INT32_HIGH, above)
    filled = np.pad(above, ((0, -len(above) % GROUP), (0, 0)), constant_values=_INT32_HIGH)
    table = filled.reshape(-1, GROUP, rows.shape[1]).transpose(0, 2, 1)
    return np.ascontiguousarray(table.astype("<i4")).view(np.uint8).reshape(-1)


def _masks(bits: int) -> Bytes:
    """Two vectors that pick a bit of each byte of a word, and one for what each bit of a level is worth."""
    masks = [1 << _ORDER[half * LINE : (half + 1) * LINE] % 8 for half in range(2)]
    worth = [np.full(LINE, _RAISED << bit) for bit in range(bits)]
    return np.concatenate([*masks, *worth]).astype(np.uint8)


def _words(binary: BinaryGeometry) -> dict[str, int]:
    """Words of the header in the order of the layout, without what weights and zero points decide."""
    in_words, out_words = (up(count, LANE) // LANE for count in (binary.input_channels, binary.output_channels))
    pixel, kernel = in_words * LANE, binary.kernel_height
    width = max((binary.output_width - 1) * binary.stride + binary.kernel_width, binary.padding + binary.input_width)
    row_stride = width * pixel
    new = min(binary.stride, kernel)
    planes, thresholds = 4 * in_words, (1 << binary.output_bits) - 1
    pixel_bytes = planes * binary.activation_bits
    pixels = binary.output_height * binary.output_width
    out_pixel = 4 * out_words * binary.output_bits if binary.output_bits else binary.output_channels
    return {
        "layer_bytes": 0,
        "left_bytes": binary.input_height * binary.input_width * pixel_bytes,
        "right_bytes": 0,
        "output_bytes": pixels * out_pixel,
        "scratch_bytes": _BEFORE_ROWS + kernel * row_stride,
        "channels": binary.output_channels,
        "weights": 0,
        "records": 0,
        "group_bytes": kernel * binary.kernel_width * pixel * GROUP,
        "low": 0,
        "high": 0,
        "offset": 0,
        "kernel": kernel,
        "row_lines": binary.kernel_width * in_words,
        "row_stride": row_stride,
        "row_data": binary.padding * pixel,
        "step_bytes": binary.stride * pixel,
        "out_height": binary.output_height,
        "out_width": binary.output_width,
        "in_height": binary.input_height,
        "in_width": binary.input_width,
        "in_words": in_words,
        "in_bits": binary.activation_bits,
        "in_plane_bytes": planes,
        "in_pixel_bytes": pixel_bytes,
        "in_row_bytes": binary.input_width * pixel_bytes,
        "first_row": -binary.padding,
        "new_rows": new,
        "skipped_rows": max(binary.stride - kernel, 0),
        "kept_lines": (kernel - new) * row_stride // LINE,
        "move_bytes": new * row_stride,
        "masks": 0,
        "bits": binary.output_bits,
        "thresholds": thresholds,
        "record_bytes": 4 * GROUP * thresholds if binary.output_bits else RECORD_BYTES,
        "channel_bits": 0,
        "plane_bytes": 4 * out_words,
        "out_pixel_bytes": out_pixel,
        "part_bytes": 0,
        "next_part": 0,
    }
