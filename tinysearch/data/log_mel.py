"""Audio front-end: a clip of 16 kHz speech as an int8 image, time down and frequency across, in integers alone.

The C twin is ``firmware_templates/runtime/frontend/ts_log_mel.c``; both compute the same bytes from the same tables.

Definition, for an image of F frames by S bands (as many of both, unless a clip is shorter than its task's) from N
samples:

1. F frames of L samples start at floor(i (N - L) / (F - 1)), so that they span the clip. L is 512 (32 ms), or the next
   power of two that leaves no gap between frames, at most 2048.
2. Periodic Hann window in Q15; the product is rounded to f = 16 - log2(L) fraction bits, so that no sum of a frame's
   samples leaves 31 bits.
3. Real FFT as a complex one of L / 2 points, radix 2, decimation in time, twiddles in Q15, each butterfly rounded to
   nearest (halves up), no scaling between stages; then one rounding in the split into L / 2 bins.
4. Power of bins 1 .. L/2 - 1: (re^2 + im^2) >> 12, in 64 bits.
5. S overlapping triangles with Q12 weights, peak one, centers equally spaced in mel (O'Shaughnessy:
   2595 log10(1 + f / 700)) or in Hz. A triangle is never narrower than one bin to either side: narrower ones
   interpolate between bins.
6. Plus the power that rounding to 16 bits puts into a triangle of peak one (2^(27 - log2 L)), so that digital silence
   is not minus infinity; log2 by an 8-bit table in Q10.
7. Minus the mean over the clip (or over each band), times ``steps_per_octave``, rounded, clamped to int8. So the
   image does not depend on the recording level.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tinysearch.core.errors import UserError
from tinysearch.data.fourier import LOG2_FRACTION_BITS, FourierTables, Int16, Int64, log2_fixed, power_spectrum

SAMPLE_RATE_HZ = 16_000
SHORTEST_CLIP_S, LONGEST_CLIP_S = 0.1, 10.0
VERSION = 1
"""Changes whenever the same clip gives another image; part of every cache key."""

WEIGHT_BITS = 12
_FRAMES_AT_ONCE = 256
_SMALLEST_FFT, _LARGEST_FFT = 512, 2048
_LARGEST_IMAGE = 256  # the sum of S x S logarithms of 16 bits each fits 32 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class LogMelSettings:
    """What a clip becomes.

    Attributes:
        size: bands, S; 8 .. 256.
        frames: F; 8 .. 256. None: as many as bands.
        clip_s: length of a clip (s). Longer recordings give their middle, shorter ones are repeated.
        scale: band centers equally spaced in mel, or in Hz (the paper's log spectrogram).
        low_hz, high_hz: lower edge of the first band and upper edge of the last.
        steps_per_octave: output steps for a doubling of power; 12 is 0.25 dB a step, +-32 dB in all.
        normalize: subtract the mean of the clip, or of each band (removes a microphone's color and
            some of the speaker's).
    """

    size: int
    frames: int | None = None
    clip_s: float = 1.6
    scale: Literal["mel", "linear"] = "mel"
    low_hz: float = 60.0
    high_hz: float = 7600.0
    steps_per_octave: int = 12
    normalize: Literal["clip", "band"] = "clip"

    def __post_init__(self) -> None:
        for sides, count, remedy in (("bands", self.size, "input_size"), ("frames", self.rows, "input_size or frames")):
            rule = f"a spectrogram must have 8 to {_LARGEST_IMAGE} {sides}"
            _require(8 <= count <= _LARGEST_IMAGE, rule, count, f"change {remedy}")
        check_clip_s(self.clip_s, remedy="change clip_s")
        _require(
            0.0 < self.low_hz < self.high_hz <= SAMPLE_RATE_HZ / 2,
            "bands must lie in 0 < low_hz < high_hz <= 8000",
            (self.low_hz, self.high_hz),
            "change low_hz or high_hz",
        )
        _require(
            1 <= self.steps_per_octave <= 64,
            "steps an octave must be 1 to 64",
            self.steps_per_octave,
            "use for example 12",
        )
        _require(self.scale in ("mel", "linear"), "a scale must be mel or linear", self.scale, "use scale=mel")
        _require(
            self.normalize in ("clip", "band"), "normalize must be clip or band", self.normalize, "use normalize=clip"
        )
        hop = (self.clip_samples - self.fft_size) / (self.rows - 1)
        _require(
            0 <= hop <= self.fft_size,
            "frames of at most 128 ms must span a clip without a gap",
            f"{self.rows} frames for {self.clip_s:g} s",
            "use a larger input_size or a shorter clip",
        )

    @property
    def rows(self) -> int:
        """Frames of the image, F."""
        return self.size if self.frames is None else self.frames

    @property
    def clip_samples(self) -> int:
        return round(self.clip_s * SAMPLE_RATE_HZ)

    @property
    def fft_size(self) -> int:
        """Samples of a frame, L."""
        length = _SMALLEST_FFT
        while length < _LARGEST_FFT and self.clip_samples - length > length * (self.rows - 1):
            length *= 2
        return length

    @property
    def key(self) -> str:
        """Every setting that changes a byte, as text."""
        side = f"{self.size}" if self.rows == self.size else f"{self.rows}x{self.size}"
        return (
            f"log_mel-v{VERSION}-s{side}-n{self.clip_samples}-{self.scale}-{self.low_hz:g}-{self.high_hz:g}"
            f"-o{self.steps_per_octave}-{self.normalize}"
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LogMelTables:
    """The constants that Python and C share; the emitter writes :meth:`arrays` into a header.

    Attributes:
        window, cosine, sine, log2: see :class:`FourierTables`.
        first_bin, bin_count: uint16 [S], the bins 1 .. L/2 - 1 under each triangle.
        weights: uint16 [sum of bin_count], Q12.
    """

    settings: LogMelSettings
    window: Int16
    cosine: Int16
    sine: Int16
    first_bin: npt.NDArray[np.uint16]
    bin_count: npt.NDArray[np.uint16]
    weights: npt.NDArray[np.uint16]
    log2: npt.NDArray[np.uint16]

    @classmethod
    def of(cls, settings: LogMelSettings) -> LogMelTables:
        fourier = FourierTables.of(settings.fft_size)
        edges = band_edges_hz(settings) * settings.fft_size / SAMPLE_RATE_HZ
        first, count, weights = triangles(edges, settings.fft_size // 2)
        return cls(
            settings=settings,
            window=fourier.window,
            cosine=fourier.cosine,
            sine=fourier.sine,
            first_bin=first,
            bin_count=count,
            weights=weights,
            log2=fourier.log2,
        )

    @property
    def floor(self) -> int:
        """Power added to every band."""
        return 1 << (27 - self.settings.fft_size.bit_length() + 1)

    def arrays(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """Arrays by their name in ``ts_log_mel_layer``, one-dimensional."""
        names = ("window", "cosine", "sine", "first_bin", "bin_count", "weights", "log2")
        return {name: getattr(self, name) for name in names}

    def fields(self, *, channels: int) -> Mapping[str, int]:
        """Numbers by their name in ``ts_log_mel_layer``."""
        return {
            "channels": channels,
            "size": self.settings.size,
            "frames": self.settings.rows,
            "clip_samples": self.settings.clip_samples,
            "log2_fft": self.settings.fft_size.bit_length() - 1,
            "steps_per_octave": self.settings.steps_per_octave,
            "normalize_bands": int(self.settings.normalize == "band"),
        }

    @property
    def scratch_bytes(self) -> int:
        """What ``ts_log_mel_scratch_bytes`` returns: one spectrum and the logarithms of all bands."""
        return self.settings.fft_size // 2 * 8 + self.settings.rows * self.settings.size * 2


class LogMel:
    """The front-end with its tables made.

    Args:
        settings: what a clip becomes.
        channels: of the image; all are equal.
    """

    def __init__(self, settings: LogMelSettings, *, channels: int = 1) -> None:
        _require(1 <= channels <= 8, "an image must have 1 to 8 channels", channels, "use channels=1")
        self.settings, self.channels = settings, channels
        self.tables = LogMelTables.of(settings)
        self._dense = dense_weights(self.tables)

    def __call__(self, clips: Int16) -> npt.NDArray[np.int8]:
        """Images of clips.

        Args:
            clips: int16 [B, N] with N = ``settings.clip_samples``; see :func:`fit_clip`.

        Returns:
            int8 [B, F, S, channels]: time, band, channel.

        Raises:
            ValueError: another shape or type.
        """
        if clips.ndim != 2 or clips.shape[1] != self.settings.clip_samples or clips.dtype != np.int16:
            raise ValueError(f"clips must be int16 [B, {self.settings.clip_samples}], got {clips.dtype} {clips.shape}")
        size = self.settings.size
        frames = self._frames(clips).reshape(-1, self.settings.fft_size)
        levels = np.empty((len(frames), size), np.int64)
        for start in range(0, len(frames), _FRAMES_AT_ONCE):
            part = slice(start, start + _FRAMES_AT_ONCE)
            levels[part] = self._levels(power_spectrum(frames[part], self.tables))
        return self._finish(levels.reshape(len(clips), self.settings.rows, size))

    def _frames(self, clips: Int16) -> Int16:
        """[B, F, L], a copy only where needed."""
        length, rows = self.settings.fft_size, self.settings.rows
        starts = np.arange(rows) * (clips.shape[1] - length) // (rows - 1)
        return np.lib.stride_tricks.sliding_window_view(clips, length, axis=1)[:, starts]

    def _levels(self, power: Int64) -> Int64:
        """Logarithms [frames, S] in Q10 of powers [frames, bins]."""
        low = (power & 0xFFFFFF).astype(np.float64) @ self._dense
        high = (power >> 24).astype(np.float64) @ self._dense
        return log2_fixed((high.astype(np.int64) << 24) + low.astype(np.int64) + self.tables.floor, self.tables.log2)

    def _finish(self, levels: Int64) -> npt.NDArray[np.int8]:
        axes = (1, 2) if self.settings.normalize == "clip" else (1,)
        count = math.prod(levels.shape[axis] for axis in axes)
        mean = (levels.sum(axis=axes, keepdims=True) + count // 2) // count
        half = 1 << (LOG2_FRACTION_BITS - 1)
        steps = ((levels - mean) * self.settings.steps_per_octave + half) >> LOG2_FRACTION_BITS
        image = np.clip(steps, -128, 127).astype(np.int8)
        return np.repeat(image[..., None], self.channels, axis=-1)


def fit_clip(wave: Int16, clip_samples: int) -> Int16:
    """Exactly ``clip_samples`` of a recording: its middle if longer, repeated from its start if shorter.

    Raises:
        ValueError: an empty recording.
    """
    if wave.ndim != 1 or not wave.size:
        raise ValueError(f"a recording must be a row of samples, got shape {wave.shape}")
    if wave.size >= clip_samples:
        start = (wave.size - clip_samples) // 2
        return wave[start : start + clip_samples]
    return np.resize(wave, clip_samples)


def triangles(
    edges: npt.NDArray[np.float64], points: int
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16], npt.NDArray[np.uint16]]:
    """First bin, number of bins and Q12 weights of each band.

    Args:
        edges: [S + 2], in bins; band i rises from edge i to i + 1 and falls to i + 2.
        points: bins of the spectrum.
    """
    centers = np.clip(edges[1:-1], 1.0, points - 1.0)
    rise = np.maximum(centers - edges[:-2], 1.0)
    fall = np.maximum(edges[2:] - centers, 1.0)
    firsts, counts, weights = [], [], []
    for center, below, above in zip(centers, rise, fall, strict=True):
        bins = np.arange(1, points)
        height = np.minimum(1 - (center - bins) / below, 1 - (bins - center) / above)
        fixed = np.rint(np.maximum(height, 0) * (1 << WEIGHT_BITS)).astype(np.uint16)
        under = np.flatnonzero(fixed)
        firsts.append(bins[under[0]])
        counts.append(under[-1] - under[0] + 1)
        weights.append(fixed[under[0] : under[-1] + 1])
    return np.array(firsts, np.uint16), np.array(counts, np.uint16), np.concatenate(weights)


def band_edges_hz(settings: LogMelSettings) -> npt.NDArray[np.float64]:
    """S + 2 edges (Hz): band i rises from edge i to i + 1 and falls to i + 2."""
    if settings.scale == "linear":
        return np.linspace(settings.low_hz, settings.high_hz, settings.size + 2)
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (settings.low_hz, settings.high_hz))
    return 700 * (10 ** (np.linspace(low, high, settings.size + 2) / 2595) - 1)


def dense_weights(tables: LogMelTables) -> npt.NDArray[np.float64]:
    """Weights as a matrix [L/2, S]; float64 holds its products with 24-bit numbers exactly."""
    dense = np.zeros((tables.settings.fft_size // 2, tables.settings.size))
    ends = np.cumsum(tables.bin_count.astype(np.int64))
    for band, (first, count, end) in enumerate(zip(tables.first_bin, tables.bin_count, ends, strict=True)):
        dense[int(first) : int(first) + int(count), band] = tables.weights[end - int(count) : end]
    return dense


def check_clip_s(clip_s: float, *, remedy: str) -> None:
    """Refuse a clip of a length that no spectrogram is made of.

    Raises:
        UserError: that it is one.
    """
    rule = f"a clip must last {SHORTEST_CLIP_S} to {LONGEST_CLIP_S:g} s"
    _require(SHORTEST_CLIP_S <= clip_s <= LONGEST_CLIP_S, rule, clip_s, remedy)


def _require(holds: bool, rule: str, value: object, remedy: str) -> None:  # noqa: FBT001
    if not holds:
        raise UserError(rule, value=value, remedy=remedy)
