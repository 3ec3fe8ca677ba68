"""Encoded pictures and recordings to arrays, with one rule for every way in which a file can be broken.

Mended: gray, palette, transparent and deep (:mod:`tinysearch.data.deep_picture`) pictures become 8-bit RGB, and a
camera's orientation tag is obeyed; of animations and pages the first is taken; stereo is mixed down, other sampling
rates are resampled, other sample formats (8 bit, float) become 16 bit; of a long recording only the middle is decoded.
Refused, with :class:`BrokenSampleError`: what cannot be decoded to its end (truncated, empty, another format),
pictures with a side under 8 pixels or of over 50 megapixels, recordings under 0.1 s, sampled below 8 or above 192 kHz,
with a sample that is not a number, with channels that cancel each other, with more than a quarter of their samples cut
off, or with numbers of another scale or byte order than the file's (:mod:`tinysearch.data.misread`). Whether what is
left of them holds a signal is asked elsewhere, :mod:`tinysearch.data.capture_signal`.
"""

from __future__ import annotations

import io
import warnings
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tinysearch.data.broken import BrokenSampleError
from tinysearch.data.capture_signal import Signal, judge_clip, share_on_plateaus
from tinysearch.data.deep_picture import DeepPicture, deep_picture
from tinysearch.data.image import LARGEST_SIDE
from tinysearch.data.log_mel import SAMPLE_RATE_HZ
from tinysearch.data.misread import misreading
from tinysearch.data.wholeness import shortfall
from tinysearch.inputs.camera import Camera
from tinysearch.inputs.microphone import Microphone

if TYPE_CHECKING:
    from PIL.Image import Image

SMALLEST_SIDE = 8
MOST_PIXELS = 50_000_000
SHORTEST_S = 0.1
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8_000, 192_000
_MOST_PHASES = 2_000
MOST_VALUES = 2**24
"""Of a recording, all channels: 17 minutes at 16 kHz, 3 of stereo at 48 kHz; no more of its middle is decoded."""

QUIETEST_WIDE_PEAK = 2.0**-8
"""Of integers wider than 16 bits: below, 24-bit or shorter numbers were put into a wider file without being scaled."""

LOUDEST_FLOAT_PEAK = 8.0
"""Of floating point samples, whose full scale is 1: above, they are integers."""

MOST_CUT_OFF = 0.04
"""Of a recording's samples, without a remark."""

LEAST_MONO_POWER = 0.02
"""Of the mean power of the channels: less is left of their mix where they are of opposite phase."""

_BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
"""A sample of integers, by libsndfile's names."""

IMAGE_SUFFIXES = Camera.suffixes
AUDIO_SUFFIXES = Microphone.suffixes


def decode_image(content: bytes, *, remarks: list[str] | None = None) -> npt.NDArray[np.uint8]:
    """8-bit RGB of an encoded picture, uint8 [H, W, 3].

    Args:
        remarks: what was mended by a guess is added here.

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
                _check_size(*image.size)
                deep = deep_picture(image, content)
                if deep is not None:
                    return _of_deep(deep, remarks)
                image.load()
                return _small_enough(ImageOps.exif_transpose(image).convert("RGB"))
    except BrokenSampleError:
        raise
    except Image.DecompressionBombError as error:
        raise BrokenSampleError("over 50 megapixels") from error
    except Exception as error:  # decoders raise anything: OSError, SyntaxError, ValueError, struct.error ...
        raise BrokenSampleError(f"not a readable picture ({type(error).__name__})") from error


def decode_audio(content: bytes, *, remarks: list[str] | None = None) -> npt.NDArray[np.int16]:
    """16 kHz mono int16 of an encoded recording, [N].

    Args:
        remarks: what was mended by a guess is added here.

    Raises:
        BrokenSampleError: see the module's rules.
    """
    import soundfile

    if not content:
        raise BrokenSampleError("empty file")
    missing = shortfall(content)
    if missing:
        raise BrokenSampleError(f"truncated: {missing} of its bytes are missing")
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            rate_hz, frames, subtype, form = file.samplerate, file.frames, file.subtype, file.format
            _check_rate(rate_hz)
            wanted = min(frames, max(1, MOST_VALUES // file.channels))
            if wanted < frames:
                file.seek((frames - wanted) // 2)
                _remark(remarks, f"only the middle {wanted / rate_hz:.0f} s of it are used")
            wave = file.read(wanted, dtype="float64", always_2d=True)
    except BrokenSampleError:
        raise
    except Exception as error:  # libsndfile's errors and soundfile's own differ by version
        raise BrokenSampleError(f"not a readable recording ({type(error).__name__})") from error
    if len(wave) < wanted and form != "MP3":  # whose length is estimated
        raise BrokenSampleError(f"truncated: {len(wave)} of {wanted} samples can be decoded")
    _check_scale(wave, subtype)
    _check_clipping(wave, rate_hz, remarks)
    return to_clip_format(wave, rate_hz=rate_hz)


def to_clip_format(wave: npt.NDArray[np.float64], *, rate_hz: int) -> npt.NDArray[np.int16]:
    """16 kHz mono int16 of samples float64 [N, channels] in [-1, 1].

    Raises:
        BrokenSampleError: see the module's rules.
    """
    _check_rate(rate_hz)
    if wave.shape[0] < SHORTEST_S * rate_hz:
        raise BrokenSampleError(f"{wave.shape[0] / rate_hz:.3f} s long, under 0.1 s")
    if not np.isfinite(wave).all():
        raise BrokenSampleError("has samples that are not numbers")
    mono = wave.mean(axis=1)
    if wave.shape[1] > 1 and mono.var() < LEAST_MONO_POWER * wave.var(axis=0).mean():
        raise BrokenSampleError("its channels are of opposite phase and cancel each other")
    if rate_hz != SAMPLE_RATE_HZ:
        from scipy.signal import resample_poly

        ratio = resampling_ratio(rate_hz)
        mono = resample_poly(mono, ratio.numerator, ratio.denominator)
    return np.asarray(np.clip(np.rint(mono * 32768), -32768, 32767), np.int16)


def resampling_ratio(rate_hz: int) -> Fraction:
    """16 kHz over a rate: exact for the usual ones, within 2e-4 for odd ones, whose filters had millions of taps."""
    return Fraction(SAMPLE_RATE_HZ, rate_hz).limit_denominator(_MOST_PHASES)


def _check_rate(rate_hz: int) -> None:
    if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        raise BrokenSampleError(f"sampled at {rate_hz} Hz, must be 8 to 192 kHz")


def _check_scale(wave: npt.NDArray[np.float64], subtype: str) -> None:
    reason = misreading(wave, bits=_BITS[subtype]) if subtype in _BITS else None
    if reason is not None:
        raise BrokenSampleError(reason)
    peak = float(np.abs(wave).max(initial=0.0))
    if subtype in ("FLOAT", "DOUBLE") and LOUDEST_FLOAT_PEAK < peak < np.inf:
        raise BrokenSampleError(f"wrongly scaled: numbers up to {peak:.5g} where 1 is full scale; divide by 32768")
    if subtype in ("PCM_24", "PCM_32") and 0 < peak <= QUIETEST_WIDE_PEAK:
        width = int(subtype[-2:])
        used = int(np.ceil(np.log2(peak * 2.0 ** (width - 1) + 1))) + 1
        raise BrokenSampleError(f"wrongly scaled: {used}-bit numbers in a {width}-bit file; save it as 16-bit")


def _check_clipping(wave: npt.NDArray[np.float64], rate_hz: int, remarks: list[str] | None) -> None:
    """Before channels are mixed and resampled, which blurs the plateaus of samples that were cut off."""
    if not np.isfinite(wave).all():
        return  # which is refused by name
    channels = [np.clip(channel, -1.0, 1.0) for channel in wave.T]
    if any(judge_clip(channel, rate_hz=rate_hz) is Signal.CLIPPED for channel in channels):
        raise BrokenSampleError(f"no signal: it {Signal.CLIPPED.reason}")
    if any(share_on_plateaus(channel, rate_hz=rate_hz) > MOST_CUT_OFF for channel in channels):
        _remark(remarks, f"clipped in more than {100 * MOST_CUT_OFF:g} % of its samples: recorded too loud")


def _check_size(width: int, height: int) -> None:
    if min(width, height) < SMALLEST_SIDE:
        raise BrokenSampleError(f"{width} x {height} pixels, sides must be 8 or more")
    if width * height > MOST_PIXELS:
        raise BrokenSampleError(f"{width} x {height} pixels, over 50 megapixels")


def _of_deep(picture: DeepPicture, remarks: list[str] | None) -> npt.NDArray[np.uint8]:
    """8-bit RGB of a picture that has more bits."""
    from PIL import Image

    levels, guessed = picture.to_8_bits()
    if guessed is not None:
        _remark(remarks, f"taken as {guessed} bits a pixel in a wider file")
    return _small_enough(Image.fromarray(levels).convert("RGB"))


def _small_enough(picture: Image) -> npt.NDArray[np.uint8]:
    """Pixels; where the centered square is larger than the front-end takes, it alone, reduced by a whole number."""
    side = min(picture.size)
    factor = -(-side // LARGEST_SIDE)
    if factor > 1:
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        picture = picture.reduce(factor, box=(left, top, left + side, top + side))
    return np.array(picture)


def _remark(remarks: list[str] | None, text: str) -> None:
    if remarks is not None:
        remarks.append(text)
