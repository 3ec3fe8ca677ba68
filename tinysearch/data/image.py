"""Image front-end: a camera frame as a square int8 image, in integers alone.

The C twin is ``firmware_templates/runtime/frontend/ts_image.c``. Definition:

1. Every pixel becomes 8-bit RGB (:func:`frame_to_rgb`).
2. The centered square of side s = min(width, height), starting at floor of half the rest.
3. Area average to S x S: source pixel j covers [j S, (j + 1) S), output i covers [i s, (i + 1) s), the overlap is
   the weight; both directions at once, one rounding: floor((sum + s^2 / 2) / s^2). Exact in 32 bits for s <= 4096.
   Where S > s this enlarges by blocks with averaged seams.
4. For one channel: (77 R + 150 G + 29 B + 128) >> 8, which leaves gray as it is.
5. Minus 128.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

VERSION = 1
"""Changes whenever the same picture gives another input; part of every cache key."""

LARGEST_SIDE = 4096
UInt8 = npt.NDArray[np.uint8]
PixelFormat = Literal["rgb888", "rgb565", "gray", "yuv422"]


def prepare_image(picture: UInt8, *, input_size: int, channels: int) -> npt.NDArray[np.int8]:
    """One network input from one picture.

    Args:
        picture: uint8 [H, W, 3] RGB or [H, W] gray, sides 1 .. 4096.
        input_size: S, 1 .. 4096.
        channels: 3 (RGB; gray is repeated) or 1 (gray).

    Returns:
        int8 [S, S, channels].

    Raises:
        ValueError: other shapes or types.
    """
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or (picture.ndim == 3 and picture.shape[2] != 3):
        raise ValueError(f"a picture must be uint8 [H, W, 3] or [H, W], got {picture.dtype} {picture.shape}")
    if channels not in (1, 3) or not 1 <= input_size <= LARGEST_SIDE:
        raise ValueError(
            f"an input must have 1 or 3 channels and 1 to 4096 pixels a side, got {channels} and {input_size}"
        )
    square = crop_square(picture)
    planes = square[..., None] if square.ndim == 2 else square
    small = _area_average(planes, input_size)
    if channels == 1 and small.shape[-1] == 3:
        small = (small @ np.array([[77], [150], [29]]) + 128) >> 8
    elif channels == 3 and small.shape[-1] == 1:
        small = np.repeat(small, 3, axis=-1)
    return (small - 128).astype(np.int8)


def crop_square(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The centered square of a picture [H, W, ...], a view.

    Raises:
        ValueError: an empty picture, or a square of more than 4096 pixels a side.
    """
    height, width = picture.shape[:2]
    side = min(height, width)
    if not 1 <= side <= LARGEST_SIDE:
        raise ValueError(f"the shorter side of a picture must have 1 to 4096 pixels, got {width} x {height}")
    top, left = (height - side) // 2, (width - side) // 2
    return picture[top : top + side, left : left + side]


def scratch_bytes(input_size: int) -> int:
    """What ``ts_image_scratch_bytes`` returns: 32-bit sums of one output row."""
    return 12 * input_size


def frame_to_rgb(frame: bytes | UInt8, *, pixel_format: PixelFormat, width: int, height: int) -> UInt8:
    """8-bit RGB of a camera frame.

    Args:
        frame: rows of ``rgb888`` (bytes R, G, B), ``rgb565`` (16 bits, high byte first, as esp32-camera delivers
            them), ``gray``, or ``yuv422`` (Y0 U Y1 V; even width; full-range BT.601).

    Returns:
        uint8 [height, width, 3].

    Raises:
        ValueError: an unknown format, an odd width with ``yuv422``, or another number of bytes.
    """
    size = {"rgb888": 3, "rgb565": 2, "gray": 1, "yuv422": 2}.get(pixel_format)
    data = np.frombuffer(frame, np.uint8) if isinstance(frame, bytes) else frame.reshape(-1)
    if size is None or data.size != size * width * height or (pixel_format == "yuv422" and width % 2):
        raise ValueError(f"a {pixel_format} frame of {width} x {height} does not have {data.size} bytes")
    match pixel_format:
        case "rgb888":
            return data.reshape(height, width, 3)
        case "gray":
            return np.repeat(data.reshape(height, width, 1), 3, axis=2)
        case "rgb565":
            pair = data.reshape(height, width, 2).astype(np.uint16)
            word = (pair[..., 0] << 8) | pair[..., 1]
            red, green, blue = word >> 11, (word >> 5) & 63, word & 31
            planes = ((red << 3) | (red >> 2), (green << 2) | (green >> 4), (blue << 3) | (blue >> 2))
            return np.asarray(np.stack(planes, axis=-1), np.uint8)
        case _:
            return _yuv422(data.reshape(height, width // 2, 4).astype(np.int32))


def _yuv422(data: npt.NDArray[np.int32]) -> UInt8:
    luma = data[..., 0::2].reshape(data.shape[0], -1)
    u, v = (np.repeat(data[..., place] - 128, 2, axis=1) for place in (1, 3))
    red = luma + ((359 * v + 128) >> 8)
    green = luma - ((88 * u + 183 * v + 128) >> 8)
    blue = luma + ((454 * u + 128) >> 8)
    return np.asarray(np.clip(np.stack((red, green, blue), axis=-1), 0, 255), np.uint8)


def _area_average(square: UInt8, size: int) -> npt.NDArray[np.int64]:
    """int64 [S, S, C] of uint8 [s, s, C]; float64 holds every sum exactly (below 2^32)."""
    side = square.shape[0]
    if side == size:
        return square.astype(np.int64)
    weights = _overlaps(side, size)
    planes = np.moveaxis(square, -1, 0).astype(np.float64)
    sums = np.moveaxis(weights @ planes @ weights.T, 0, -1).astype(np.int64)
    return np.asarray((sums + side * side // 2) // (side * side), np.int64)


@lru_cache(maxsize=32)
def _overlaps(side: int, size: int) -> npt.NDArray[np.float64]:
    """Weights [S, s], whole numbers, each row adds up to s."""
    output, source = np.arange(size)[:, None], np.arange(side)[None, :]
    high = np.minimum((source + 1) * size, (output + 1) * side)
    low = np.maximum(source * size, output * side)
    weights: npt.NDArray[np.float64] = np.maximum(high - low, 0).astype(np.float64)
    weights.flags.writeable = False
    return weights
