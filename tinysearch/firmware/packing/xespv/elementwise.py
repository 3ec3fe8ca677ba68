"""Blocks of the steps that take value by value: additions, and packings from int8 to bit planes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinysearch.core.program import LANE, FrozenNetwork, Program, Step
from tinysearch.core.quantization import INT8_HIGH, INT8_LOW
from tinysearch.firmware.packing.addends import addends
from tinysearch.firmware.packing.block import LINE, block_bytes, lay_out, up
from tinysearch.firmware.packing.window import Int64
from tinysearch.firmware.packing.xespv.records import CHANNEL_BITS, GROUP, clamps

_ADDITION_WORDS, _PACKING_WORDS = 16, 18
_TABLES_BYTES = 2 * 256 * 4
_ENTRY_BYTES, _START = 48, 16

ADDITION_BYTES = block_bytes(_ADDITION_WORDS, (_TABLES_BYTES,))
"""Of the block of an addition."""


def addition(frozen: FrozenNetwork, step: Step) -> npt.NDArray[np.int8]:
    """Block of an addition."""
    parameters, zero = frozen.parameters[step.name], frozen.zero_points[step.output]
    multiplier, shift = (int(np.asarray(parameters[key])[2]) for key in ("multiplier", "shift"))
    count = frozen.program.tensors[step.output].shape.elements
    clamp = clamps(zero=zero, low=zero if step.relu else INT8_LOW)
    return addition_block(addends(frozen, step), (multiplier, shift), clamp, count=count)


def addition_block(
    tables: tuple[Int64, Int64], factor: tuple[int, int], clamp: dict[str, int], *, count: int
) -> npt.NDArray[np.int8]:
    """Block of an addition of ``count`` values.

    Args:
        tables: by unsigned byte, of the left and the right input.
        factor: multiplier and right shift of a sum, the shift at least 1.
        clamp: of :func:`~tinysearch.firmware.packing.xespv.records.clamps`.
    """
    multiplier, shift = factor
    words = {
        "layer_bytes": 0,
        "left_bytes": count,
        "right_bytes": count,
        "output_bytes": count,
        "scratch_bytes": 0,
        "channels": 1,
        "weights": 0,
        "records": 0,
        "group_bytes": 0,
        **clamp,
        "count": count,
        "factor": int(np.uint32(2 * multiplier).view(np.int32)),
        "shift": shift - 1,
        "tables": 0,
    }
    return lay_out(words, {"tables": np.concatenate(tables).astype("<i4").view(np.uint8)})


def packing(frozen: FrozenNetwork, step: Step) -> npt.NDArray[np.int8]:
    """Block of a step from int8 to bit planes.

    Bit b of a level is set where an odd number of every 2^b-th threshold is reached. Those that every value reaches
    decide what a plane starts with; those that none does are left out.
    """
    source, out = frozen.program.tensors[step.inputs[0]].shape, frozen.program.tensors[step.output]
    thresholds = np.sort(np.asarray(frozen.parameters[step.name]["thresholds"]).astype(np.int64).reshape(-1))
    entries = np.zeros((out.bits, _ENTRY_BYTES), np.uint8)
    for bit, entry in enumerate(entries):
        chosen = thresholds[(1 << bit) - 1 :: 1 << bit]
        listed = chosen[(chosen > INT8_LOW) & (chosen <= INT8_HIGH)] - 1
        entry[:4] = np.array([len(listed)], "<u4").view(np.uint8)
        entry[_START : _START + LINE] = 255 * (np.sum(chosen <= INT8_LOW) % 2)
        entry[_START + LINE : _START + LINE + len(listed)] = listed.astype(np.int8).view(np.uint8)
    plane_bytes = up(source.channels, LANE) // 8
    words = {
        "layer_bytes": 0,
        "left_bytes": source.elements,
        "right_bytes": 0,
        "output_bytes": out.size_bytes,
        "scratch_bytes": 0,
        "channels": source.channels,
        "weights": 0,
        "records": 0,
        "group_bytes": 0,
        "low": 0,
        "high": 0,
        "offset": 0,
        "pixels": source.height * source.width,
        "bits": out.bits,
        "plane_bytes": plane_bytes,
        "pixel_bytes": out.bits * plane_bytes,
        "channel_bits": 0,
        "planes": 0,
    }
    last = np.where(np.arange(GROUP) < (source.channels - 1) % GROUP + 1, CHANNEL_BITS, 0).astype(np.uint8)
    return lay_out(words, {"channel_bits": np.concatenate([CHANNEL_BITS, last]), "planes": entries.reshape(-1)})


def packing_bytes(program: Program, step: Step) -> int:
    """Bytes of the block of a packing."""
    return block_bytes(_PACKING_WORDS, (2 * LINE, program.tensors[step.output].bits * _ENTRY_BYTES))
