"""Recordings whose samples are read in another way than they were written: swapped bytes, or no sign.

Neighboring samples of a sound are alike. Where they are not, but are so once the same bits are read another way, a
header says something else than its samples are: as of big-endian samples behind a little-endian header (or with one
byte lost), and of a converter's unsigned numbers that are taken for signed ones. Such a recording is loud noise.

*Roughness* is half the mean square of the steps from sample to sample over their variance: 0 for a slow wave, 1 for
white noise, 2 for the highest tone. Misread are samples that span half of what fits and more, of a roughness of up to
``ROUGHEST``, which is a third or less when read another way; noise is as rough either way. The swapped copy of a quiet
recording (up to 2 ** -6 of full scale) need not be rough: it is known by bytes that hold nothing but the sign, while
many values occur and swapping makes it no rougher.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]

ROUGHEST = 1.1
"""Bits that were scrambled are white noise; what is rougher is a tone or hiss near half of the rate."""

SMOOTHER = 3.0
_MOST_FRAMES = 2**18
_FEW_VALUES = 64
"""Of a square or a saw tooth that a program made."""

SWAPPED = "wrongly scaled: the bytes of each sample are in the other order than its header says"
UNSIGNED = "wrongly scaled: unsigned samples in a file of signed ones"
BOTH = "wrongly scaled: unsigned samples, their bytes in the other order than its header says"


def misreading(wave: npt.NDArray[np.float64], *, bits: int) -> str | None:
    """How samples are misread, or None where they are not.

    Args:
        wave: float64 [N, channels], whole numbers of ``bits`` bits divided by 2 ** (bits - 1).
        bits: 8, 16, 24 or 32.
    """
    middle = wave[max(0, (len(wave) - _MOST_FRAMES) // 2) :][:_MOST_FRAMES]
    samples = np.rint(middle * 2.0 ** (bits - 1)).astype(np.int64)
    if len(samples) < 2 or int(np.abs(samples).max()) < 2 ** (bits - 2):
        return None
    roughness = _roughness(samples)
    if roughness > ROUGHEST:
        return None
    if bits > 8 and _holds_only_signs(samples, bits, roughness):
        return SWAPPED
    readings = _READINGS if bits > 8 else {UNSIGNED: _without_sign}
    other = {reason: _roughness(read(samples, bits)) for reason, read in readings.items()}
    best = min(other, key=other.__getitem__)
    return best if SMOOTHER * other[best] <= roughness else None


def _roughness(samples: Int64) -> float:
    """Of samples [N, channels]; that of a constant is 1, as if nothing were known."""
    values = samples.astype(np.float64)
    power = float(((values - values.mean(axis=0)) ** 2).sum())
    return float((np.diff(values, axis=0) ** 2).sum()) / (2 * power) if power > 0 else 1.0


def _holds_only_signs(samples: Int64, bits: int, roughness: float) -> bool:
    """Whether swapped samples are of both signs, tiny, many and as smooth, which no sound is by accident."""
    swapped = _swapped(samples, bits)
    if int(np.abs(swapped).max()) >= 2 ** (bits - 7) or not 0.05 < float((swapped < 0).mean()) < 0.95:
        return False
    return len(np.unique(swapped)) > _FEW_VALUES and _roughness(swapped) <= 1.2 * roughness


def _swapped(samples: Int64, bits: int) -> Int64:
    width = bits // 8
    little_endian = np.ascontiguousarray(samples, "<i8").view(np.uint8).reshape(*samples.shape, 8)
    shifted = np.zeros((*samples.shape, 8), np.uint8)
    shifted[..., 8 - width :] = little_endian[..., :width][..., ::-1]
    return np.asarray(shifted.view("<i8")[..., 0] >> (64 - bits), np.int64)


def _without_sign(samples: Int64, bits: int) -> Int64:
    """Full scale less or more: what unsigned numbers mean."""
    return np.asarray(np.where(samples < 0, samples + 2 ** (bits - 1), samples - 2 ** (bits - 1)), np.int64)


def _both(samples: Int64, bits: int) -> Int64:
    return _without_sign(_swapped(samples, bits), bits)


_READINGS: dict[str, Callable[[Int64, int], Int64]] = {SWAPPED: _swapped, UNSIGNED: _without_sign, BOTH: _both}
