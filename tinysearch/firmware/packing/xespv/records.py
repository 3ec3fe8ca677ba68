"""Records of requantization: what ``ts_xespv_requantize.h`` takes for 16 channels, 192 bytes a group."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinysearch.core.quantization import INT8_HIGH
from tinysearch.firmware.packing.block import LINE, Bytes, up

GROUP = LINE
"""Channels side by side."""

RECORD_BYTES = 3 * 4 * GROUP

CACHED_BYTES = 65536
"""Of weights and records of a part: half of the smallest cache behind which the ESP32-P4 keeps its flash."""

CHANNEL_BITS = np.tile(1 << np.arange(8), GROUP // 8).astype(np.uint8)
"""The bit of each channel of a group in its byte."""


def groups(channels: int) -> int:
    """Groups of so many channels, the last one filled up."""
    return up(channels, GROUP) // GROUP


def records(bias: npt.NDArray[np.int64], multiplier: npt.NDArray[np.int64], shift: npt.NDArray[np.int64]) -> Bytes:
    """Records of channels, uint8 [groups * 192]; a lane without a channel gives the zero point.

    Args:
        bias: what a sum starts at.
        multiplier, shift: as in :func:`tinysearch.core.quantization.quantize_multiplier`, shifts 1 .. 31.
    """
    columns = [bias.astype(np.int64), 2 * multiplier.astype(np.int64), shift.astype(np.int64) - 1]
    table = np.stack([np.pad(column, (0, -len(column) % GROUP)).reshape(-1, GROUP) for column in columns], axis=1)
    return np.ascontiguousarray((table & 0xFFFFFFFF).astype("<u4")).view(np.uint8).reshape(-1)


def clamps(*, zero: int, low: int, high: int = INT8_HIGH) -> dict[str, int]:
    """Words of the header that say what an output may be."""
    return {"low": low, "high": high, "offset": 2 * zero + 1}


def by_groups(weights: npt.NDArray[np.int64]) -> Bytes:
    """[channels, places] to the bytes [group][place][16]."""
    padded = np.pad(weights, ((0, -len(weights) % GROUP), (0, 0)))
    lanes = padded.reshape(-1, GROUP, weights.shape[1]).transpose(0, 2, 1)
    return np.ascontiguousarray(lanes.astype(np.int8)).reshape(-1).view(np.uint8)
