"""Encoded pictures and recordings to arrays, with one rule for every way in which a file can be broken.

Mended: gray, palette, transparent and 16-bit pictures become 8-bit RGB, and a camera's orientation tag is obeyed;
stereo is mixed down, other sampling rates are resampled, other sample formats (8 bit, float) become 16 bit.
Refused, with :class:`BrokenSampleError`: what cannot be decoded to its end (truncated, empty, another format),
pictures with a side under 8 or over 4096 pixels, recordings under 0.1 s, below 8 kHz, or with a sample that is not
a number.
"""

from __future__ import annotations

import io
import warnings

import numpy as np
import numpy.typing as npt

from tinysearch.core.errors import TinysearchError
from tinysearch.data.image import LARGEST_SIDE
from tinysearch.data.log_mel import SAMPLE_RATE_HZ

SMALLEST_SIDE = 8
SHORTEST_S = 0.1
LOWEST_RATE_HZ = 8_000
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".pgm", ".webp", ".bmp")
AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".opus")


class BrokenSampleError(TinysearchError):
    """A sample that no rule mends; the message says why, without the file's name."""


def decode_image(content: bytes) -> npt.NDArray[np.uint8]:
    """8-bit RGB of an encoded picture, uint8 [H, W, 3].

    Raises:
        BrokenSampleError: see the module's rules.
    """
    from PIL import Image, ImageOps

    if not content:
        raise BrokenSampleError("empty file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content)) as image:
                _check_sides(*image.size)
                image.load()
                upright = ImageOps.exif_transpose(image)
                if upright.mode.startswith("I"):  # 16 bits a pixel
                    gray = np.clip(np.asarray(upright, np.int64) >> 8, 0, 255).astype(np.uint8)
                    return np.repeat(gray[..., None], 3, axis=2)
                return np.array(upright.convert("RGB"))
    except BrokenSampleError:
        raise
    except Exception as error:  # decoders raise anything: OSError, SyntaxError, ValueError, struct.error ...
        raise BrokenSampleError(f"not a readable picture ({type(error).__name__})") from error


def decode_audio(content: bytes) -> npt.NDArray[np.int16]:
    """16 kHz mono int16 of an encoded recording, [N].

    Raises:
        BrokenSampleError: see the module's rules.
    """
    import soundfile

    if not content:
        raise BrokenSampleError("empty file")
    try:
        wave, rate_hz = soundfile.read(io.BytesIO(content), dtype="float64", always_2d=True)
    except Exception as error:  # libsndfile's errors and soundfile's own differ by version
        raise BrokenSampleError(f"not a readable recording ({type(error).__name__})") from error
    return to_clip_format(wave, rate_hz=rate_hz)


def to_clip_format(wave: npt.NDArray[np.float64], *, rate_hz: int) -> npt.NDArray[np.int16]:
    """16 kHz mono int16 of samples float64 [N, channels] in [-1, 1].

    Raises:
        BrokenSampleError: see the module's rules.
    """
    if rate_hz < LOWEST_RATE_HZ:
        raise BrokenSampleError(f"sampled at {rate_hz} Hz, below 8 kHz")
    if wave.shape[0] < SHORTEST_S * rate_hz:
        raise BrokenSampleError(f"{wave.shape[0] / rate_hz:.3f} s long, under 0.1 s")
    if not np.isfinite(wave).all():
        raise BrokenSampleError("has samples that are not numbers")
    mono = wave.mean(axis=1)
    if rate_hz != SAMPLE_RATE_HZ:
        from scipy.signal import resample_poly

        mono = resample_poly(mono, SAMPLE_RATE_HZ, rate_hz)
    return np.asarray(np.clip(np.rint(mono * 32768), -32768, 32767), np.int16)


def _check_sides(width: int, height: int) -> None:
    if min(width, height) < SMALLEST_SIDE or max(width, height) > LARGEST_SIDE:
        raise BrokenSampleError(f"{width} x {height} pixels, sides are 8 to 4096")
