"""Whether a capture holds a signal at all: one rule for the firmware, which refuses what fails it, and for data sets.

A covered lens, a cable that came loose and a wrong GPIO number all give captures that a network turns into one and the
same embedding: whoever enrolls with them is then everybody. The rule is meant to find these and nothing else; it says
nothing of how good a picture or a recording is.

The C twin is ``firmware_templates/esp_idf/main/capture_signal.c``, with the constants of this module under the same
names and the same verdict for the same bytes. Definition, in integers:

Picture, the square that a network is fed with, by its brightness (77 R + 150 G + 29 B + 128) >> 8:

1. *flat*: the darkest and the brightest hundredth left out, brightness spans less than ``PICTURE_CONTRAST`` levels.
2. With sides of ``PICTURE_SIDE`` or more, on a grid of 8 x 8 blocks: *stuck* where ``PICTURE_STUCK_BLOCKS`` blocks or
   more have one brightness throughout, as of a frame that stopped on its way; *clipped* where more than nine tenths of
   the pixels are within ``PICTURE_RAIL`` levels of black or white.

Recording, in blocks of 10 ms, whose range is their largest less their smallest sample:

1. *silent*: fewer than one block in 20 has a range of ``CLIP_RANGE`` or more (a peak of -60 dB of full scale). A click
   is not enough, an offset counts nothing.
2. *stuck*: more than three blocks in four have a range of 1 or less.
3. *clipped*: more than one sample in four lies beyond ``CLIP_RAIL``; or on a plateau, as of a recording that was cut
   off and turned down afterwards: in a run of ``CLIP_RUN`` or more samples that are all near their block's largest, or
   all near its smallest, within a ``CLIP_NEAR``-th of its range, which is ``CLIP_RANGE`` or more. Of speech that was
   not cut off this is at most one sample in 900, of a sine one in 6.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from tinysearch.data.log_mel import SAMPLE_RATE_HZ

PICTURE_CONTRAST = 16
PICTURE_SIDE = 32
PICTURE_GRID = 8
PICTURE_STUCK_BLOCKS = 48
PICTURE_RAIL = 4
CLIP_BLOCK = 160
"""Samples of 10 ms at 16 kHz."""
CLIP_RANGE = 64
CLIP_RAIL = 32_512
CLIP_RUN = 3
CLIP_NEAR = 256
_CERTAIN_RANGE = 1024
"""Of a block whose samples have few values anyway below it."""

_LUMA = np.array([77, 150, 29], np.int32)


class Signal(IntEnum):
    """The verdict on a capture; only ``GOOD`` is to be used."""

    GOOD = 0
    FLAT = 1
    SILENT = 2
    STUCK = 3
    CLIPPED = 4

    @property
    def good(self) -> bool:
        return self is Signal.GOOD

    @property
    def reason(self) -> str:
        """Why it is not to be used, in words that continue "this capture"; empty for a good one."""
        return REASONS[self]


REASONS = (
    "",
    "has one brightness: is the lens covered, or the camera not connected?",
    "is silent: is the microphone connected, to these pins?",
    "stands still for most of it: does the sensor drop out?",
    "is nearly all at its limits: too bright, too loud (even if turned down later), or wrongly scaled",
)
"""By verdict."""


def judge_picture(picture: npt.NDArray[np.uint8]) -> Signal:
    """The verdict on a picture; on a network's input, add 128 to its bytes.

    Args:
        picture: uint8 [H, W] or [H, W, 1] gray, or [H, W, 3] RGB.

    Raises:
        ValueError: other shapes or types, or no pixel.
    """
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or picture.size == 0:
        raise ValueError(f"a picture must be uint8 [H, W] or [H, W, 1 or 3], got {picture.dtype} {picture.shape}")
    luma = _brightness(picture)
    counts = np.bincount(luma.reshape(-1), minlength=256)
    if _contrast(counts) < PICTURE_CONTRAST:
        return Signal.FLAT
    if min(luma.shape) < PICTURE_SIDE:
        return Signal.GOOD
    if _still_blocks(luma) >= PICTURE_STUCK_BLOCKS:
        return Signal.STUCK
    at_rails = counts[: PICTURE_RAIL + 1].sum() + counts[255 - PICTURE_RAIL :].sum()
    return Signal.CLIPPED if at_rails * 10 > luma.size * 9 else Signal.GOOD


def judge_clip(clip: npt.NDArray[np.int16] | npt.NDArray[np.floating], *, rate_hz: int = SAMPLE_RATE_HZ) -> Signal:
    """The verdict on a recording; the firmware judges the clip that its front-end is given.

    Args:
        clip: mono [N]: int16, or floating point of which 1.0 is full scale.
        rate_hz: of its samples, 100 or more.

    Raises:
        ValueError: another shape or type, or samples that are not numbers.
    """
    samples = _samples(clip)
    if samples.size == 0:
        return Signal.SILENT
    length = min(rate_hz // 100, samples.size)
    count = samples.size // length
    blocks = samples[: count * length].reshape(count, length)
    ranges = blocks.max(axis=1) - blocks.min(axis=1)
    if np.count_nonzero(ranges >= CLIP_RANGE) * 20 < count:
        return Signal.SILENT
    if np.count_nonzero(ranges <= 1) * 4 > count * 3:
        return Signal.STUCK
    at_rails = np.count_nonzero((samples >= CLIP_RAIL) | (samples <= -CLIP_RAIL))
    cut_off = max(int(at_rails), _on_plateaus(blocks[ranges >= CLIP_RANGE], near=CLIP_NEAR))
    return Signal.CLIPPED if cut_off * 4 > samples.size else Signal.GOOD


def share_on_plateaus(clip: npt.NDArray[np.int16] | npt.NDArray[np.floating], *, rate_hz: int) -> float:
    """Share of a recording's samples that certainly were cut off, at whatever level: of runs of exactly one value.

    It is less than what :func:`judge_clip` counts, and of a sine under 0.03, so that a warning may rest on it.
    """
    samples = _samples(clip)
    length = max(1, min(rate_hz // 100, samples.size))
    blocks = samples[: samples.size // length * length].reshape(-1, length)
    loud = blocks[np.ptp(blocks, axis=1) >= _CERTAIN_RANGE]
    return _on_plateaus(loud, near=None) / max(1, samples.size)


def _on_plateaus(blocks: npt.NDArray[np.int32], *, near: int | None) -> int:
    """Samples of blocks [N, length] in runs at their block's largest or smallest, within 1 / near of its range."""
    if blocks.shape[1] < CLIP_RUN or len(blocks) == 0:
        return 0
    largest, smallest = blocks.max(axis=1, keepdims=True), blocks.min(axis=1, keepdims=True)
    margin = 0 if near is None else (largest - smallest) // near
    return sum(_in_runs(at_limit) for at_limit in (blocks >= largest - margin, blocks <= smallest + margin))


def _in_runs(marked: npt.NDArray[np.bool_]) -> int:
    """Places of rows [N, length] in runs of CLIP_RUN or more marked ones."""
    starts = marked.shape[1] - CLIP_RUN + 1
    whole = marked[:, :starts].copy()  # whether a run begins here, [N, length - RUN + 1]
    for place in range(1, CLIP_RUN):
        whole &= marked[:, place : place + starts]
    covered = np.zeros_like(marked)
    for place in range(CLIP_RUN):
        covered[:, place : place + starts] |= whole
    return int(np.count_nonzero(covered))


def _brightness(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    if picture.ndim == 2:
        return picture.astype(np.int32)
    if picture.shape[2] == 1:
        return picture[..., 0].astype(np.int32)
    if picture.shape[2] != 3:
        raise ValueError(f"a picture must have 1 or 3 channels, got {picture.shape[2]}")
    return np.asarray((picture.astype(np.int32) @ _LUMA + 128) >> 8, np.int32)


def _contrast(counts: npt.NDArray[np.intp]) -> int:
    """Levels between the darkest and the brightest pixel, a hundredth left out at each end."""
    total = counts.sum()
    low = int(np.argmax(np.cumsum(counts) * 100 > total))
    high = 255 - int(np.argmax(np.cumsum(counts[::-1]) * 100 > total))
    return high - low


def _still_blocks(luma: npt.NDArray[np.int32]) -> int:
    """How many of 8 x 8 blocks have one level; block k of an axis covers what ``place * 8 // length`` sends to k."""
    rows, columns = (
        -(-np.arange(PICTURE_GRID) * length // PICTURE_GRID) for length in luma.shape
    )  # first place of each block: ceil(k * length / 8)
    largest = np.maximum.reduceat(np.maximum.reduceat(luma, rows, axis=0), columns, axis=1)
    smallest = np.minimum.reduceat(np.minimum.reduceat(luma, rows, axis=0), columns, axis=1)
    return int(np.count_nonzero(largest == smallest))


def _samples(clip: npt.NDArray[np.int16] | npt.NDArray[np.floating]) -> npt.NDArray[np.int32]:
    if clip.ndim != 1:
        raise ValueError(f"a recording must be mono [N], got {clip.shape}")
    if clip.dtype == np.int16:
        return clip.astype(np.int32)
    if not np.issubdtype(clip.dtype, np.floating) or not np.isfinite(clip).all():
        raise ValueError(f"a recording must be int16 or finite floating point, got {clip.dtype}")
    return np.clip(np.rint(clip.astype(np.float64) * 32768), -32768, 32767).astype(np.int32)
