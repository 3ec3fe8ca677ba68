"""Blocks of the binary convolutions: lists of the planes that a channel's sum adds, thresholds or records."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinysearch.core.errors import UserError
from tinysearch.core.program import LANE, FrozenNetwork, Program, Step
from tinysearch.core.quantization import INT8_LOW, XNOR_FRACTION_BITS
from tinysearch.firmware.packing.block import LINE, Bytes, block_bytes, lay_out, up
from tinysearch.firmware.packing.pie.records import ABOVE, RECORD_BYTES, records
from tinysearch.operators.binary import BinaryGeometry, about_instructions, geometry

BLOCK = 8
"""Planes that are added together; lists are filled up with zero planes to a multiple."""

_GROUP_PLANES = 35
_ZERO_PLANES = (11, 23, 34)
_LARGEST_STEP = 15
_SUMS_BYTES, _TURNED_BYTES, _RESULT_BYTES = 1088, 512, 2048
_MOST_PLANES = 16
"""Bits of a sum that becomes int8."""

_MOST_SCRATCH_BYTES = 65536
"""Scratch above which a step stays with the portable kernel: internal memory has no room for it beside an arena."""

_SUM_LIMIT = 1 << 30

_LISTS, _ENTRY_BYTES = 3, 12
"""Of two channels: both, the first alone, the second alone; bytes of the entry of each."""

_LANES = 128
_WORD_INSTRUCTIONS, _PLANE_INSTRUCTIONS, _LIST_INSTRUCTIONS = 1600, 5.6, 180
_BITS_INSTRUCTIONS, _NUMBERS_INSTRUCTIONS = 200, 1100
"""A tile: to turn the words of one bit; to add a plane, and a list; to write a channel as bits, as int8."""


def supported(program: Program, step: Step) -> bool:
    """Whether a binary convolution or fully connected layer fits the kernel."""
    binary = geometry(program, step)
    fits = binary.threshold_planes <= _MOST_PLANES
    return fits and _layout(binary)["scratch_bytes"] <= _MOST_SCRATCH_BYTES


def scratch(program: Program, step: Step) -> int:
    """Bytes of scratch of a step that reads bit planes."""
    return _layout(geometry(program, step))["scratch_bytes"]


def most_bytes(program: Program, step: Step) -> int:
    """Most bytes of the block of a step: lists are as long as the weights make them.

    The lists of two channels share out a window; each may pass all zero planes, and is filled up.
    """
    binary = geometry(program, step)
    words = binary.kernel_height * binary.kernel_width * up(binary.input_channels, LANE) // LANE
    passed = words * len(_ZERO_PLANES) + BLOCK
    pairs = up(binary.output_channels, 2) // 2 * binary.weight_bits
    steps = binary.window_values + passed + pairs * (binary.window_values + _LISTS * passed)
    channels = binary.output_channels
    tables = (
        8 * binary.kernel_width,
        channels * (4 * ((1 << binary.output_bits) - 1) if binary.output_bits else RECORD_BYTES),
        _ENTRY_BYTES,
        pairs * _LISTS * _ENTRY_BYTES,
        steps,
    )
    return block_bytes(len(_layout(binary)), tables)


def wins(program: Program, step: Step) -> bool:
    """Whether the kernel executes fewer instructions than the portable one, which does not waste lanes of small maps.

    Both are estimates: of ours from counts in the model (benchmarks/simd.py), within a tenth.
    """
    binary = geometry(program, step)
    products = binary.activation_bits * binary.weight_bits
    pixels = binary.output_height * binary.output_width
    tiles = -(-pixels // _LANES)
    words = binary.kernel_height * binary.kernel_width * up(binary.input_channels, LANE) // LANE
    turned = tiles * words * binary.activation_bits * _WORD_INSTRUCTIONS
    a_channel = products * (binary.window_values / 2 * _PLANE_INSTRUCTIONS + _LIST_INSTRUCTIONS)
    output = _BITS_INSTRUCTIONS if binary.output_bits else _NUMBERS_INSTRUCTIONS
    ours = turned + tiles * binary.output_channels * (a_channel + output)
    return ours < about_instructions(program, step)


def convolution(frozen: FrozenNetwork, step: Step) -> npt.NDArray[np.int8]:
    """Block of a step that reads bit planes."""
    parameters = frozen.parameters[step.name]
    binary = geometry(frozen.program, step)
    tables = {"spans": _spans(binary)}
    if binary.output_bits:
        tables["thresholds"] = _thresholds(binary, np.asarray(parameters["thresholds"]))
    else:
        tables["records"] = _records(frozen, step, binary)
    tables["every"], tables["lists"], tables["steps"] = _lists(binary, np.asarray(parameters["weights"]))
    return lay_out(_layout(binary), tables)


def _lists(binary: BinaryGeometry, weights: npt.NDArray[np.generic]) -> tuple[Bytes, Bytes, Bytes]:
    """Entries of the list of all planes and of those of the channels, three words each, and the steps of all."""
    high = (1 << binary.weight_bits) - 1
    shape = (binary.output_channels, binary.kernel_height, binary.kernel_width, binary.input_channels)
    codes = (weights.astype(np.int64).reshape(shape) + high) // 2
    planes = np.stack([codes >> bit & 1 for bit in range(binary.weight_bits)], axis=1)
    rows = np.concatenate([np.ones_like(planes[:1, 0]), _of_pairs(planes).reshape(-1, *shape[1:])])
    lanes = np.pad(rows, ((0, 0),) * 3 + ((0, -binary.input_channels % LANE),)).reshape(len(rows), -1)
    entries, steps = np.zeros((len(rows), 3), "<i4"), []
    place = 0
    for entry, row in zip(entries, lanes, strict=True):
        start, found = _steps(np.flatnonzero(row))
        entry[:] = start, len(found) // BLOCK, place
        steps.append(found)
        place += len(found)
    return _bytes(entries[:1]), _bytes(entries[1:]), np.concatenate(steps)


def _of_pairs(planes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Channels [O, B, ..] as [pair, (both, rest of the first, rest of the second), B, ..]; a last one is alone."""
    even = np.pad(planes, ((0, len(planes) % 2), *((0, 0),) * (planes.ndim - 1)))
    first, second = even[::2], even[1::2]
    both = first & second
    return np.stack([both, first - both, second - both], axis=1)


def _steps(inputs: npt.NDArray[np.int64]) -> tuple[int, Bytes]:
    """Bytes to the first plane of a list and from each to the next, by way of zero planes where that is too far."""
    if not len(inputs):
        return 0, np.zeros(0, np.uint8)
    within = inputs % LANE
    passed = np.sum([within >= limit - index for index, limit in enumerate(_ZERO_PLANES[:-1])], axis=0)
    wanted = inputs // LANE * _GROUP_PLANES + within + passed
    planes = [int(wanted[0])]
    for plane in wanted[1:]:
        while plane - planes[-1] > _LARGEST_STEP:
            planes.append(_zeros_within_reach(planes[-1])[-1])
        planes.append(int(plane))
    if len(planes) % BLOCK:
        planes.append(_zeros_within_reach(planes[-1])[0])
    planes += [planes[-1]] * (-len(planes) % BLOCK)
    steps = np.diff(np.array([*planes, planes[-1]], np.int64)) * LINE
    return planes[0] * LINE, steps.astype(np.uint8)


def _zeros_within_reach(plane: int) -> list[int]:
    """Zero planes that a step reaches; the first is in the same group."""
    return [place for place in range(plane + 1, plane + _LARGEST_STEP + 1) if place % _GROUP_PLANES in _ZERO_PLANES]


def _spans(binary: BinaryGeometry) -> Bytes:
    """For each kernel column the first output that it lies inside the input for, and the end of these."""
    column = np.arange(binary.kernel_width)
    first = np.maximum(-((column - binary.padding) // binary.stride), 0)
    end = (binary.input_width - 1 + binary.padding - column) // binary.stride + 1
    return _bytes(np.stack([first, end], axis=1).astype("<i4"))


def _thresholds(binary: BinaryGeometry, thresholds: npt.NDArray[np.generic]) -> Bytes:
    count = (1 << binary.output_bits) - 1
    rows = thresholds.astype(np.int64).reshape(binary.output_channels, count)
    return _bytes((np.sort(np.clip(rows, -binary.limit, binary.limit + 1), axis=1) + binary.limit).astype("<i4"))


def _records(frozen: FrozenNetwork, step: Step, binary: BinaryGeometry) -> Bytes:
    parameters, zero = frozen.parameters[step.name], frozen.zero_points[step.output]
    bias = np.asarray(parameters["bias"]).astype(np.int64)
    lifted = binary.limit << XNOR_FRACTION_BITS
    if lifted + int(np.abs(bias).max(initial=0)) >= _SUM_LIMIT:
        raise UserError(
            f"256 times a binary accumulator plus its bias must stay below {_SUM_LIMIT} for the backend pie",
            value=step.name,
            remedy="write firmware.backend=portable",
        )
    multiplier, shift = (np.asarray(parameters[key]) for key in ("multiplier", "shift"))
    low = zero if step.relu else INT8_LOW
    table = records(bias, multiplier, shift, zero=zero, low=low).reshape(-1, RECORD_BYTES)
    table[:, :4] = (bias - lifted + ABOVE).astype("<i4").view(np.uint8).reshape(-1, 4)
    return table.reshape(-1)


def _bytes(table: npt.NDArray[np.generic]) -> Bytes:
    return np.ascontiguousarray(table).view(np.uint8).reshape(-1)


def _layout(binary: BinaryGeometry) -> dict[str, int]:
    """Words of the header in the order of the layout."""
    words = up(binary.input_channels, LANE) // LANE
    out_words = up(binary.output_channels, LANE) // LANE
    places = binary.kernel_height * binary.kernel_width
    plane_bytes = places * words * _GROUP_PLANES * LINE
    pixels = binary.output_height * binary.output_width
    pixel_bytes = 4 * words * binary.activation_bits
    carries = up(places * words * _GROUP_PLANES, BLOCK) // BLOCK + 4
    sums_at = _TURNED_BYTES + plane_bytes * binary.activation_bits
    carries_at = sums_at + _SUMS_BYTES
    results_at = carries_at + carries * LINE
    out_bits = binary.output_bits
    kept = binary.threshold_planes + 2
    return {
        "layer_bytes": 0,
        "left_bytes": binary.input_height * binary.input_width * pixel_bytes,
        "right_bytes": 0,
        "output_bytes": pixels * (4 * out_words * out_bits if out_bits else binary.output_channels),
        "scratch_bytes": results_at + _RESULT_BYTES,
        "channels": binary.output_channels,
        "kernel_height": binary.kernel_height,
        "kernel_width": binary.kernel_width,
        "stride": binary.stride,
        "padding": binary.padding,
        "input_height": binary.input_height,
        "row_bytes": binary.input_width * pixel_bytes,
        "pixel_bytes": pixel_bytes,
        "words": words,
        "activation_bits": binary.activation_bits,
        "out_width": binary.output_width,
        "pixels": pixels,
        "spans": 0,
        "plane_bytes": plane_bytes,
        "weight_bits": binary.weight_bits,
        "sum_planes": binary.threshold_planes,
        "total": binary.window_values * ((1 << binary.activation_bits) - 1),
        "every": 0,
        "lists": 0,
        "thresholds" if out_bits else "records": 0,
        "out_bits": out_bits,
        "out_pixel_bytes": 4 * out_words * out_bits if out_bits else binary.output_channels,
        "scratch_planes": _TURNED_BYTES,
        "scratch_sums": sums_at,
        "scratch_carries": carries_at,
        "scratch_results": results_at,
        "kept_planes": kept if out_bits else max(kept, _MOST_PLANES),
        "steps": 0,
    }
