"""Front-end of motion and signal: a window of int16 samples as a square int8 image or a series, in integers alone.

The C twin is ``firmware_templates/runtime/frontend/ts_window.c``; both compute the same bytes from the same tables.

Definition, for an image of S x S x A from a window of T samples of A axes (counts as the sensor gives them):

1. Each axis loses its mean over the window, floor((sum + floor(T / 2)) / T), where ``center`` is set.
2. ``content="samples"``: row r holds the S samples from floor(r (T - S) / (S - 1)) on, so that rows follow each other
   through the window and columns through a row: a 3 x 3 kernel then sees neighbors in time, near and a row away.
   A sample is multiplied with a gain in Q16, rounded (halves up), and clamped to int8. Of ``scale="range"`` the gain
   makes ``range_counts`` 128; of ``scale="window"`` it makes the largest deviation of that axis in this window 127, or
   1 / 64 of the range where the window is quieter than that. ``content="series"`` takes the same of S x 1 x A: row r is
   the mean of the T / S samples from r T / S on, floor((sum + floor(T / S / 2)) / (T / S)).
3. ``content="spectrum"``: row r is the spectrum of the L samples from floor(r (T - L) / (S - 1)) on, steps 2 to 6 of
   :mod:`tinysearch.data.log_mel`, with S triangles whose centers are equally spaced from bin 1 to L / 2 - 1. L is the
   smallest power of two from 16 that has S bins and leaves no gap between rows. Levels are log2 of power in Q10. From a
   level goes the middle between rounding noise and a sine of ``range_counts`` (``scale="range"``), or that axis's mean
   level in this window (``scale="window"``); times ``steps_per_octave``, rounded, clamped to int8.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

import numpy as np
import numpy.typing as npt

from tinysearch.core.errors import UserError
from tinysearch.data.fourier import LOG2_FRACTION_BITS, FourierTables, log2_fixed, power_spectrum
from tinysearch.data.log_mel import triangles
from tinysearch.inputs.series import Content, Scale

VERSION = 1
"""Changes whenever the same window gives another image; part of every cache key."""

GAIN_BITS = 16
QUIETEST = 64
"""A window's own gain is at most so many times that of its range."""

LARGEST_WINDOW = 8192
MOST_AXES = 16
_SMALLEST_FFT, _LARGEST_FFT = 16, 2048
_FULL_SCALE_LEVEL = 28  # log2 of the power that a sine of amplitude 1 puts into a triangle of peak one

Int16 = npt.NDArray[np.int16]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSettings:
    """What a window becomes.

    Attributes:
        size: rows and columns, S; 4 .. 128, of a series any number of rows that divides the samples.
        samples: of the window, T.
        range_counts: by axis, the deviation in counts that fills the image's range; 1 .. 32768.
        content: samples as an image, their spectrum, or as they are.
        center: take each axis's mean away (of accelerations mostly gravity).
        scale: by the fixed range, or by what is in the window.
        steps_per_octave: of a spectrum, output steps for a doubling of power.
    """

    size: int
    samples: int
    range_counts: tuple[int, ...]
    content: Content = "samples"
    center: bool = False
    scale: Scale = "range"
    steps_per_octave: int = 8

    def __post_init__(self) -> None:
        most = LARGEST_WINDOW if self.content == "series" else 128
        _require(4 <= self.size <= most, f"a window's image must have 4 to {most} rows", self.size, "change input_size")
        _require(
            self.size <= self.samples <= LARGEST_WINDOW,
            f"a window must have between input_size and {LARGEST_WINDOW} samples",
            f"{self.samples} for input_size={self.size}",
            "change window_s or input_size",
        )
        _require(
            1 <= self.axes <= MOST_AXES, f"a sensor must have 1 to {MOST_AXES} axes", self.axes, "leave columns out"
        )
        _require(
            all(1 <= counts <= 32768 for counts in self.range_counts),
            "the range of an axis must be 1 to 32768 counts",
            self.range_counts,
            "change range",
        )
        contents, scales = get_args(Content), get_args(Scale)
        _require(
            self.content in contents, f"content must be {' or '.join(contents)}", self.content, "use content=samples"
        )
        _require(self.scale in scales, "scale must be range or window", self.scale, "use scale=range")
        _require(1 <= self.steps_per_octave <= 64, "an octave must have 1 to 64 steps", self.steps_per_octave, "use 8")
        if self.content == "series":
            _require(
                self.samples % self.size == 0,
                "the samples of a window must be a multiple of the rows of a series",
                f"{self.samples} samples for input_size={self.size}",
                f"use input_size={self.samples}, or another window_s",
            )
            return
        least = self.size if self.content == "samples" else self.fft_size
        _require(
            least <= self.samples <= least * self.size,
            "the rows of an image must span their window without a gap",
            f"{self.size} rows of {least} samples for {self.samples} samples",
            f"use input_size={math.isqrt(self.samples - 1) + 1}, or another window_s",
        )

    @property
    def axes(self) -> int:
        return len(self.range_counts)

    @property
    def fft_size(self) -> int:
        """Samples of a row of a spectrum, L."""
        length = _SMALLEST_FFT
        while length < _LARGEST_FFT and (length < 2 * self.size or self.samples > length * self.size):
            length *= 2
        return length

    @property
    def row_samples(self) -> int:
        """Samples that a row is made of."""
        return self.size if self.content == "samples" else self.fft_size

    @property
    def key(self) -> str:
        """Every setting that changes a byte, as text."""
        ranges = ",".join(map(str, self.range_counts))
        return (
            f"window-v{VERSION}-s{self.size}-n{self.samples}-r{ranges}-{self.content}-c{int(self.center)}"
            f"-{self.scale}-o{self.steps_per_octave}"
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WindowTables:
    """The constants that Python and C share; the emitter writes :meth:`arrays` into a header.

    Attributes:
        gain: int32 [A], Q16, of a fixed range.
        reference: int32 [A], Q10, the level that becomes 0 in a spectrum with a fixed range.
        fourier: window, twiddles and logarithms of a spectrum; None for samples.
        first_bin, bin_count, weights: triangles of a spectrum, as in LogMelTables; None for samples.
    """

    settings: WindowSettings
    gain: npt.NDArray[np.int32]
    reference: npt.NDArray[np.int32]
    fourier: FourierTables | None = None
    first_bin: npt.NDArray[np.uint16] | None = None
    bin_count: npt.NDArray[np.uint16] | None = None
    weights: npt.NDArray[np.uint16] | None = None

    @classmethod
    def of(cls, settings: WindowSettings) -> WindowTables:
        counts = np.array(settings.range_counts, np.float64)
        gain = np.rint((128 << GAIN_BITS) / counts).astype(np.int32)
        length = settings.fft_size
        middle = (27 - (length.bit_length() - 1) + _FULL_SCALE_LEVEL + 2 * np.log2(counts)) / 2
        reference = np.rint(middle * (1 << LOG2_FRACTION_BITS)).astype(np.int32)
        if settings.content != "spectrum":
            return cls(settings=settings, gain=gain, reference=reference)
        points = length // 2
        centers = np.linspace(1, points - 1, settings.size)
        step = (points - 2) / (settings.size - 1)
        first, count, weights = triangles(np.concatenate([centers[:1] - step, centers, centers[-1:] + step]), points)
        return cls(
            settings=settings,
            gain=gain,
            reference=reference,
            fourier=FourierTables.of(length),
            first_bin=first,
            bin_count=count,
            weights=weights,
        )

    @property
    def floor(self) -> int:
        """Power added to every band of a spectrum."""
        return 1 << (27 - self.settings.fft_size.bit_length() + 1)

    def arrays(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """Arrays by their name in ``ts_window_layer``, one-dimensional."""
        counts = np.array(self.settings.range_counts, np.int32)
        found: dict[str, npt.NDArray[np.generic]] = {"gain": self.gain, "range": counts, "reference": self.reference}
        if self.fourier is not None:
            assert self.first_bin is not None and self.bin_count is not None  # noqa: S101 - made together
            assert self.weights is not None  # noqa: S101
            found |= self.fourier.arrays()
            found |= {"first_bin": self.first_bin, "bin_count": self.bin_count, "weights": self.weights}
        return found

    def fields(self) -> Mapping[str, int]:
        """Numbers by their name in ``ts_window_layer``."""
        settings = self.settings
        spectrum = settings.content == "spectrum"
        return {
            "samples": settings.samples,
            "size": settings.size,
            "axes": settings.axes,
            "centered": int(settings.center),
            "own_scale": int(settings.scale == "window"),
            **({"averaged": settings.samples // settings.size} if settings.content == "series" else {}),
            "log2_fft": settings.fft_size.bit_length() - 1 if spectrum else 0,
            "steps_per_octave": settings.steps_per_octave if spectrum else 0,
        }

    @property
    def scratch_bytes(self) -> int:
        """What ``ts_window_scratch_bytes`` returns: of a spectrum its bins, the levels of an axis, and a frame."""
        if self.fourier is None:
            return 0
        length = self.settings.fft_size
        return length // 2 * 8 + self.settings.size**2 * 2 + length * 2


class Window:
    """The front-end with its tables made.

    Args:
        settings: what a window becomes.
    """

    def __init__(self, settings: WindowSettings) -> None:
        self.settings = settings
        self.tables = WindowTables.of(settings)

    def __call__(self, windows: Int16) -> npt.NDArray[np.int8]:
        """Images of windows.

        Args:
            windows: int16 [B, T, A].

        Returns:
            int8 [B, S, S, A]: row, place in the row or band, axis; of a series [B, S, 1, A].

        Raises:
            ValueError: another shape or type.
        """
        settings = self.settings
        if windows.ndim != 3 or windows.shape[1:] != (settings.samples, settings.axes) or windows.dtype != np.int16:
            expected = f"int16 [B, {settings.samples}, {settings.axes}]"
            raise ValueError(f"windows must be {expected}, got {windows.dtype} {windows.shape}")
        wide = windows.astype(np.int64)
        if settings.center:
            wide -= (wide.sum(axis=1, keepdims=True) + settings.samples // 2) // settings.samples
        return self._of_spectra(wide) if settings.content == "spectrum" else self._of_samples(wide)

    def _rows(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """[B, S, A, row samples] of [B, T, A]."""
        length, size = self.settings.row_samples, self.settings.size
        starts = np.arange(size) * (self.settings.samples - length) // (size - 1)
        return np.lib.stride_tricks.sliding_window_view(values, length, axis=1)[:, starts]

    def _of_samples(self, wide: Int64) -> npt.NDArray[np.int8]:
        gain = self.tables.gain.astype(np.int64)
        if self.settings.scale == "window":
            quietest = np.maximum(np.array(self.settings.range_counts, np.int64) // QUIETEST, 1)
            gain = (127 << GAIN_BITS) // np.maximum(np.abs(wide).max(axis=1, keepdims=True), quietest)
        if self.settings.content == "series":
            count = self.settings.samples // self.settings.size
            wide = (wide.reshape(len(wide), self.settings.size, count, -1).sum(axis=2) + count // 2) // count
        scaled: npt.NDArray[np.int8] = np.clip((wide * gain + (1 << (GAIN_BITS - 1))) >> GAIN_BITS, -128, 127).astype(
            np.int8
        )
        if self.settings.content == "series":
            series: npt.NDArray[np.int8] = scaled[:, :, None]
            return series
        rows = self._rows(scaled)
        return np.ascontiguousarray(np.moveaxis(rows, 3, 2)).astype(np.int8, copy=False)

    def _of_spectra(self, wide: Int64) -> npt.NDArray[np.int8]:
        settings, tables = self.settings, self.tables
        assert tables.fourier is not None  # noqa: S101 - a spectrum has them
        frames = self._rows(np.clip(wide, -32768, 32767).astype(np.int16))
        power = power_spectrum(frames.reshape(-1, settings.fft_size).astype(np.int16, copy=False), tables.fourier)
        levels = log2_fixed(self._bands(power) + tables.floor, tables.fourier.log2)
        levels = levels.reshape(len(wide), settings.size, settings.axes, settings.size)
        middle = tables.reference.astype(np.int64)[:, None]
        if settings.scale == "window":
            count = settings.size**2
            middle = (levels.sum(axis=(1, 3), keepdims=True) + count // 2) // count
        half = 1 << (LOG2_FRACTION_BITS - 1)
        steps = ((levels - middle) * settings.steps_per_octave + half) >> LOG2_FRACTION_BITS
        return np.ascontiguousarray(np.moveaxis(np.clip(steps, -128, 127).astype(np.int8), 3, 2))

    def _bands(self, power: Int64) -> Int64:
        """Powers [frames, S] under the triangles of powers [frames, bins]."""
        tables = self.tables
        assert tables.first_bin is not None and tables.bin_count is not None  # noqa: S101 - a spectrum has them
        assert tables.weights is not None  # noqa: S101
        sums = np.empty((len(power), self.settings.size), np.int64)
        ends = np.cumsum(tables.bin_count.astype(np.int64))
        for band, (first, count, end) in enumerate(zip(tables.first_bin, tables.bin_count, ends, strict=True)):
            weights = tables.weights[end - int(count) : end].astype(np.int64)
            sums[:, band] = power[:, int(first) : int(first) + int(count)] @ weights
        return sums


def window_starts(total: int, *, samples: int, hop: int) -> npt.NDArray[np.int64]:
    """Where the windows of a recording begin: from 0 on, ``hop`` samples apart, whole windows only."""
    return np.arange(0, total - samples + 1, hop, dtype=np.int64)


def _require(holds: bool, rule: str, value: object, remedy: str) -> None:  # noqa: FBT001
    if not holds:
        raise UserError(rule, value=value, remedy=remedy)
