"""The spectrum of a frame and its logarithm in integers alone, which the front-ends of sounds and of windows share.

Steps 2 to 4 and the logarithm of step 6 of :mod:`tinysearch.data.log_mel`, which defines them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

LOG2_FRACTION_BITS = 10
LOG2_INDEX_BITS = 8
POWER_SHIFT = 12

Int16 = npt.NDArray[np.int16]
Int64 = npt.NDArray[np.int64]


class SpectrumTables(Protocol):
    """What has the tables of a spectrum, see :class:`FourierTables`."""

    @property
    def window(self) -> Int16: ...
    @property
    def cosine(self) -> Int16: ...
    @property
    def sine(self) -> Int16: ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FourierTables:
    """What the spectrum of a frame of L samples needs.

    Attributes:
        window: int16 [L / 2 + 1], first half of the Hann window in Q15.
        cosine, sine: int16 [L / 2], Q15, of 2 pi k / L.
        log2: uint16 [256], Q10, log2(1 + (i + 1/2) / 256).
    """

    window: Int16
    cosine: Int16
    sine: Int16
    log2: npt.NDArray[np.uint16]

    @classmethod
    def of(cls, length: int) -> FourierTables:
        angle = 2 * np.pi * np.arange(length // 2 + 1) / length
        fraction = (np.arange(1 << LOG2_INDEX_BITS) + 0.5) / (1 << LOG2_INDEX_BITS)
        return cls(
            window=_q15(0.5 - 0.5 * np.cos(angle)),
            cosine=_q15(np.cos(angle[:-1])),
            sine=_q15(np.sin(angle[:-1])),
            log2=np.rint(np.log2(1 + fraction) * (1 << LOG2_FRACTION_BITS)).astype(np.uint16),
        )

    def arrays(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """Arrays by their name in the structs of the runtime."""
        return {"window": self.window, "cosine": self.cosine, "sine": self.sine, "log2": self.log2}


def power_spectrum(frames: Int16, tables: SpectrumTables) -> Int64:
    """Powers int64 [B, L/2] of int16 frames [B, L], steps 2 to 4 of the definition; bin 0 is left 0."""
    points = len(tables.cosine)
    real, imaginary = _packed_fft(_windowed(frames, tables), tables)
    bins = np.arange(1, points)
    mirrored = points - bins
    even_re, odd_im = real[bins] + real[mirrored], real[bins] - real[mirrored]
    even_im, odd_re = imaginary[bins] - imaginary[mirrored], imaginary[bins] + imaginary[mirrored]
    cosine, sine = tables.cosine[bins].astype(np.int64)[:, None], tables.sine[bins].astype(np.int64)[:, None]
    re = ((even_re << 15) + odd_re * cosine - odd_im * sine + (1 << 15)) >> 16
    im = ((even_im << 15) - odd_im * cosine - odd_re * sine + (1 << 15)) >> 16
    power = np.zeros((frames.shape[0], points), np.int64)
    power[:, 1:] = ((re * re + im * im) >> POWER_SHIFT).T
    return power


def log2_fixed(value: Int64, table: npt.NDArray[np.uint16]) -> Int64:
    """log2 in Q10 of int64 values >= 256, by the 8 bits after the leading one."""
    high = value >> 32
    exponent = np.where(high > 0, 32 + _bit_length(high), _bit_length(value & 0xFFFFFFFF)) - 1
    index = (value >> (exponent - LOG2_INDEX_BITS)) & ((1 << LOG2_INDEX_BITS) - 1)
    levels: Int64 = (exponent << LOG2_FRACTION_BITS) + table[index]
    return levels


def _bit_length(value: Int64) -> Int64:
    return np.frexp(value.astype(np.float64))[1].astype(np.int64)


def _windowed(frames: Int16, tables: SpectrumTables) -> Int64:
    """Windowed samples int64 [L, B] with f fraction bits."""
    length = 2 * len(tables.cosine)
    place = np.arange(length)
    window = tables.window[np.minimum(place, length - place)].astype(np.int64)
    shift = length.bit_length() - 2  # 15 - f with f = 16 - log2 L
    return (frames.T.astype(np.int64) * window[:, None] + (1 << (shift - 1))) >> shift


def _packed_fft(samples: Int64, tables: SpectrumTables) -> tuple[Int64, Int64]:
    """Complex FFT [L/2, B] of even samples as real and odd samples as imaginary parts."""
    points, batch = samples.shape[0] // 2, samples.shape[1]
    order = bit_reversed(points)
    real, imaginary = samples[0::2][order], samples[1::2][order]
    half = 1
    while half < points:
        step = points // half  # twiddle of stage: exp(-2 pi i k / (2 half)), in a table of 2 * points entries
        cosine = tables.cosine[: half * step : step].astype(np.int64)[:, None]
        sine = tables.sine[: half * step : step].astype(np.int64)[:, None]
        pairs = step // 2  # told, not inferred: there may be no frames at all
        re, im = real.reshape(pairs, 2, half, batch), imaginary.reshape(pairs, 2, half, batch)
        low_re, low_im = re[:, 1], im[:, 1]
        if half == 1:
            turned_re, turned_im = low_re.copy(), low_im.copy()
        else:
            turned_re = (low_re * cosine + low_im * sine + (1 << 14)) >> 15
            turned_im = (low_im * cosine - low_re * sine + (1 << 14)) >> 15
        re[:, 1], im[:, 1] = re[:, 0] - turned_re, im[:, 0] - turned_im
        re[:, 0] += turned_re
        im[:, 0] += turned_im
        half *= 2
    return real, imaginary


def bit_reversed(points: int) -> npt.NDArray[np.intp]:
    """Order in which an FFT of so many points takes its input."""
    order = np.zeros(1, np.intp)
    while order.size < points:
        order = np.concatenate([2 * order, 2 * order + 1])
    return order


def _q15(value: npt.NDArray[np.float64]) -> Int16:
    return np.clip(np.rint(value * 32768), -32768, 32767).astype(np.int16)
