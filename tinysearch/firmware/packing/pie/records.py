"""Records of requantization: what ``ts_pie_requantize.h`` multiplies sums with, 32 bytes a channel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinysearch.firmware.packing.block import Bytes

RECORD_BYTES = 32

ABOVE = 1 << 30
"""Sums start this much above the bias, which keeps them positive."""

_EMULATED = 1 << 33
"""And this much more, which 32 bits do not see: Espressif's emulator loads an accumulator without its sign."""

_TOP = 32768

_NOT_NEGATIVE, _NEVER = 16383, 32767
"""One is added where the upper half of 2^30 and a sum is above this: where the sum is not negative, or never."""


def starts(bias: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """What sums of 64 bits start at, of which the lower 32 bits are the bias."""
    return (bias + _EMULATED).astype("<i8")


def records(
    bias: npt.NDArray[np.int64],
    multiplier: npt.NDArray[np.int64],
    shift: npt.NDArray[np.int64],
    *,
    zero: int,
    low: int,
) -> Bytes:
    """Records of channels, uint8 [channels * 32].

    Args:
        bias: what a sum starts at; with the largest sum of products below 2^30 in magnitude.
        multiplier, shift: as in :func:`tinysearch.core.quantization.quantize_multiplier`, shifts 1 .. 31;
            or a shift of 0, which rounds once.
        zero: zero point of the output.
        low: lower clamp.
    """
    m, s = multiplier.astype(np.int64), shift.astype(np.int64)
    count = len(m)
    doubled = 2 * m
    rest = np.where(s == 0, 0, (np.int64(1) << np.maximum(s - 1, 0)) - 1) - m // 2
    k = np.clip(-(rest // _TOP), -_TOP, _TOP - 1)
    factors = np.stack(
        [
            np.ones(count, np.int64),
            doubled & 0xFFFF,
            doubled >> 16,
            np.where(m % 2 == 0, _TOP, 0),
            np.where(s == 0, _NEVER, _NOT_NEGATIVE),
            k,
            np.full(count, -_TOP),
            rest + k * _TOP,
            np.int64(zero) << np.minimum(s, 8),
        ],
        axis=1,
    )
    table = np.zeros((count, RECORD_BYTES), np.uint8)
    table[:, 0:8] = starts(bias.astype(np.int64) + ABOVE).view(np.uint8).reshape(count, 8)
    table[:, 8:26] = (factors & 0xFFFF).astype("<u2").view(np.uint8).reshape(count, 18)
    table[:, 26] = low & 0xFF
    table[:, 27] = np.maximum(s - 8, 0)
    table[:, 28] = np.maximum(8 - s, 0)
    return table.reshape(-1)
