"""The audio front-end on a device: the integers of :class:`tinysearch.data.log_mel.LogMel`, step by step, in torch.

For preparing many recordings on a GPU, or inside a model. The data sets prepare their samples once, in NumPy. Both
give the bytes of the C front-end.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from tinysearch.core.errors import UserError
from tinysearch.data.fourier import LOG2_FRACTION_BITS, LOG2_INDEX_BITS, POWER_SHIFT, bit_reversed
from tinysearch.data.log_mel import LogMelSettings, LogMelTables, dense_weights


class TorchLogMel(nn.Module):
    """Log-mel (or log-spectrogram) images of clips; moves to a device with its tables.

    Args:
        settings: what a clip becomes.
        channels: of the image; all are equal.
    """

    samples: Tensor
    window: Tensor
    cosine: Tensor
    sine: Tensor
    order: Tensor
    log2: Tensor
    weights: Tensor

    def __init__(self, settings: LogMelSettings, *, channels: int = 1) -> None:
        super().__init__()
        if not 1 <= channels <= 8:
            raise UserError("an image must have 1 to 8 channels", value=channels, remedy="use channels=1")
        tables = LogMelTables.of(settings)
        length, rows = settings.fft_size, settings.rows
        place = np.arange(length)
        self.settings, self.channels, self.floor = settings, channels, tables.floor
        window = tables.window[np.minimum(place, length - place)]
        starts = np.arange(rows) * (settings.clip_samples - length) // (rows - 1)
        constants = {
            "samples": starts[:, None] + place,
            "window": window,
            "cosine": tables.cosine,
            "sine": tables.sine,
            "order": bit_reversed(length // 2),
            "log2": tables.log2,
        }
        for name, values in constants.items():
            self.register_buffer(name, torch.from_numpy(values.astype(np.int64)), persistent=False)
        self.register_buffer("weights", torch.from_numpy(dense_weights(tables)), persistent=False)

    @torch.no_grad()
    def forward(self, clips: Tensor) -> Tensor:
        """Images int8 [B, F, S, channels] of clips int16 [B, N], N = ``settings.clip_samples``.

        Raises:
            ValueError: another shape or type.
        """
        if clips.ndim != 2 or clips.shape[1] != self.settings.clip_samples or clips.dtype != torch.int16:
            raise ValueError(
                f"clips must be int16 [B, {self.settings.clip_samples}], got {clips.dtype} {tuple(clips.shape)}"
            )
        length = self.settings.fft_size
        shift = length.bit_length() - 2
        frames = clips.long()[:, self.samples].flatten(0, 1)
        power = self._power((frames * self.window + (1 << (shift - 1))) >> shift)
        low = (power & 0xFFFFFF).double() @ self.weights
        high = (power >> 24).double() @ self.weights
        levels = self._log2((high.long() << 24) + low.long() + self.floor)
        return self._finish(levels.view(len(clips), self.settings.rows, self.settings.size))

    def _power(self, windowed: Tensor) -> Tensor:
        """Powers [F, L/2] of windowed frames [F, L]; bin 0 is 0."""
        points = windowed.shape[1] // 2
        real, imaginary = self._packed_fft(windowed)
        bins = torch.arange(1, points, device=windowed.device)
        mirrored = points - bins
        even_re, odd_im = real[:, bins] + real[:, mirrored], real[:, bins] - real[:, mirrored]
        even_im, odd_re = imaginary[:, bins] - imaginary[:, mirrored], imaginary[:, bins] + imaginary[:, mirrored]
        cosine, sine = self.cosine[bins], self.sine[bins]
        re = ((even_re << 15) + odd_re * cosine - odd_im * sine + (1 << 15)) >> 16
        im = ((even_im << 15) - odd_im * cosine - odd_re * sine + (1 << 15)) >> 16
        return nn.functional.pad((re * re + im * im) >> POWER_SHIFT, (1, 0))

    def _packed_fft(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """Complex FFT [F, L/2] of even samples as real and odd samples as imaginary parts."""
        count, points = samples.shape[0], samples.shape[1] // 2
        real, imaginary = samples[:, 0::2][:, self.order], samples[:, 1::2][:, self.order]
        half = 1
        while half < points:
            step = points // half
            cosine, sine = self.cosine[: half * step : step], self.sine[: half * step : step]
            re, im = real.view(count, -1, 2, half), imaginary.view(count, -1, 2, half)
            low_re, low_im = re[:, :, 1], im[:, :, 1]
            if half > 1:
                low_re, low_im = (
                    (low_re * cosine + low_im * sine + (1 << 14)) >> 15,
                    (low_im * cosine - low_re * sine + (1 << 14)) >> 15,
                )
            real = torch.stack([re[:, :, 0] + low_re, re[:, :, 0] - low_re], dim=2).view(count, points)
            imaginary = torch.stack([im[:, :, 0] + low_im, im[:, :, 0] - low_im], dim=2).view(count, points)
            half *= 2
        return real, imaginary

    def _log2(self, value: Tensor) -> Tensor:
        """log2 in Q10 of values >= 256, by the 8 bits after the leading one."""
        high = value >> 32
        bits = torch.where(high > 0, 32 + _bit_length(high), _bit_length(value & 0xFFFFFFFF))
        index = (value >> (bits - 1 - LOG2_INDEX_BITS)) & ((1 << LOG2_INDEX_BITS) - 1)
        return ((bits - 1) << LOG2_FRACTION_BITS) + self.log2[index]

    def _finish(self, levels: Tensor) -> Tensor:
        axes = (1, 2) if self.settings.normalize == "clip" else (1,)
        count = math.prod(levels.shape[axis] for axis in axes)
        mean = (levels.sum(dim=axes, keepdim=True) + count // 2).div(count, rounding_mode="floor")
        half = 1 << (LOG2_FRACTION_BITS - 1)
        steps = ((levels - mean) * self.settings.steps_per_octave + half) >> LOG2_FRACTION_BITS
        return steps.clamp(-128, 127).to(torch.int8)[..., None].expand(*levels.shape, self.channels)


def _bit_length(value: Tensor) -> Tensor:
    return torch.frexp(value.double())[1].long()
