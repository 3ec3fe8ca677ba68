"""Block of a packing: the thresholds that make each bit plane."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinysearch.core.program import LANE, FrozenNetwork, Program, Step
from tinysearch.core.quantization import INT8_HIGH, INT8_LOW
from tinysearch.firmware.packing.block import block_bytes, lay_out

_WORD_BYTES = 4
_ENTRY_BYTES, _THRESHOLDS = 32, 16
_WORDS = 12


def packing_bytes(program: Program, step: Step) -> int:
    """Bytes of the block of a packing."""
    return block_bytes(_WORDS, (2 * LANE, program.tensors[step.output].bits * _ENTRY_BYTES))


def packing(frozen: FrozenNetwork, step: Step) -> npt.NDArray[np.int8]:
    """Block of a step from int8 to bit planes.

    Bit b of a level is set where an odd number of every 2^b-th threshold is reached. Each plane has an odd number of
    these, so the kernel takes whether an even number is missed: of thresholds that some value reaches and another does
    not it finds out, and those that every value misses decide which way it starts.
    """
    source, out = frozen.program.tensors[step.inputs[0]].shape, frozen.program.tensors[step.output]
    thresholds = np.sort(np.asarray(frozen.parameters[step.name]["thresholds"]).astype(np.int64).reshape(-1))
    last = (source.channels - 1) % LANE + 1
    entries = np.zeros((out.bits, _ENTRY_BYTES), np.uint8)
    for bit, entry in enumerate(entries):
        chosen = thresholds[(1 << bit) - 1 :: 1 << bit]
        missed = chosen > INT8_HIGH
        listed = chosen[(chosen > INT8_LOW) & ~missed].astype(np.int8)
        flips = [] if missed.sum() % 2 else [(1 << LANE) - 1, (1 << last) - 1]
        entry[: _WORD_BYTES * (1 + len(flips))] = np.array([len(listed), *flips], "<u4").view(np.uint8)
        entry[_THRESHOLDS : _THRESHOLDS + len(listed)] = listed.view(np.uint8)
    plane_bytes = -(-source.channels // LANE) * _WORD_BYTES
    header = {
        "layer_bytes": 0,
        "left_bytes": source.elements,
        "right_bytes": 0,
        "output_bytes": out.size_bytes,
        "scratch_bytes": 0,
        "channels": source.channels,
        "weights": 0,
        "pixels": source.height * source.width,
        "bits": out.bits,
        "plane_bytes": plane_bytes,
        "skip": (out.bits - 1) * plane_bytes,
        "planes": 0,
    }
    channel = np.tile(1 << np.arange(8), LANE // 8)
    words = np.stack([channel, np.where(np.arange(LANE) < last, channel, 0)]).astype(np.uint8)
    return lay_out(header, {"weights": words.reshape(-1), "planes": entries.reshape(-1)})
