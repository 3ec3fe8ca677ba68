"""Pictures of more than 8 bits a channel, as cameras of 10, 12 and 14 bits write them, as pictures of 8 bits.

Pillow has no 16-bit color: it keeps the high byte of each channel, which leaves a 10-bit camera's picture four levels
in a 16-bit file, a 12-bit one sixteen. The low byte is had by decoding once more with the bytes of pixels in the other
order. The depth is what the file says (PGM and PPM by their largest value, 12-bit TIFF). Where it says 16, the smallest
depth of a camera that holds the brightest pixel is taken. Floating point up to 1 is taken for shares of white.
"""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tinysearch.data.broken import BrokenSampleError

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

_DEPTHS = (8, 10, 12, 14, 16, 24, 32)
_BYTE, _FULL = 255, 65_535
_NATIVE_TURNED = ";16B" if sys.byteorder == "little" else ";16L"
_TURNED = {";16B": ";16L", ";16L": ";16B", ";16N": _NATIVE_TURNED}
"""Order in which a file stores the bytes of its pixels, and the other one."""

_BITS, _PHOTOMETRIC, _PLANES, _APART = 258, 262, 284, 2
"""Tags of TIFF, and a value."""

_GRAY_OF_COLOR = {b"P6": b"P5", b"P3": b"P2"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DeepPicture:
    """Pixels as a file has them.

    Attributes:
        pixels: [H, W] gray or [H, W, 3] RGB, integers or floating point.
        depth: bits a channel, where the file says it; None where it is to be guessed.
        white_is_zero: as some TIFF files have it.
    """

    pixels: npt.NDArray[Any]
    depth: int | None
    white_is_zero: bool = False

    def to_8_bits(self) -> tuple[npt.NDArray[np.uint8], int | None]:
        """Levels [H, W] or [H, W, 3], and the depth where it was guessed and is not the whole file's.

        Raises:
            BrokenSampleError: pixels that are not numbers, or below 0.
        """
        if not np.isfinite(self.pixels).all():
            raise BrokenSampleError("has pixels that are not numbers")
        if self.pixels.min() < 0:
            raise BrokenSampleError("has pixels below 0")
        brightest = float(self.pixels.max())
        if self.pixels.dtype.kind == "f" and brightest <= 1.0:
            return np.asarray(self.pixels * 255.0, np.uint8), None
        depth = self.depth or next((bits for bits in _DEPTHS if brightest < 2.0**bits), _DEPTHS[-1])
        levels = np.clip(np.floor(self.pixels / np.float32(2.0 ** (depth - 8))), 0, 255).astype(np.uint8)
        return 255 - levels if self.white_is_zero else levels, None if depth == 16 or self.depth else depth


def deep_picture(image: ImageFile, content: bytes) -> DeepPicture | None:
    """A picture that has more than 8 bits a channel, upright; None for all others.

    Args:
        image: opened and not yet loaded.
        content: the file.

    Raises:
        BrokenSampleError: color planes one after the other, which Pillow mixes up.
    """
    from PIL import Image as Pillow
    from PIL.TiffImagePlugin import TiffImageFile

    codec, words = _layout(image)
    largest = next((word for word in words if isinstance(word, int)), 0) if codec.startswith("ppm") else 0
    tags = image.tag_v2 if isinstance(image, TiffImageFile) else {}
    if tags.get(_PLANES) == _APART and max(tags.get(_BITS, (8,))) > 8:
        raise BrokenSampleError("16-bit color in planes of their own; save it as PNG")
    if image.mode[0] in "IF":
        depth = 12 if "I;12" in words else _depth_by(largest)
        return DeepPicture(pixels=_upright(image), depth=depth, white_is_zero=tags.get(_PHOTOMETRIC) == 0)
    if largest > _BYTE:  # color of PPM: as gray of three times the width, which Pillow scales to 16 bits
        size = (3 * image.width, image.height, largest)
        header = b"%s\n%d %d\n%d\n" % (_GRAY_OF_COLOR[content[:2]], *size)
        with Pillow.open(io.BytesIO(header + content[image.tile[0].offset :])) as wide:
            pixels = _upright(wide).reshape(image.height, image.width, 3)
        return DeepPicture(pixels=pixels, depth=_depth_by(largest))
    order = next((order for order in _TURNED if f"RGB{order}" in words or f"RGBA{order}" in words), None)
    if order is not None:
        with Pillow.open(io.BytesIO(content)) as other:
            _decode_as(other, order, _TURNED[order])
            low = _upright(other)
        return DeepPicture(pixels=_joined(_upright(image), low), depth=None)
    if "LA;16B" in words:  # of PNG: gray and transparency, two bytes each, as the four bytes of a picture of 8 bits
        _decode_as(image, "LA;16B", "RGBA")
        four = _upright(image)
        return DeepPicture(pixels=_joined(four[..., 0], four[..., 1]), depth=None)
    return None


def _layout(image: ImageFile) -> tuple[str, tuple[object, ...]]:
    """Pillow's decoder of a picture, and what it is told about the pixels."""
    if not image.tile:
        return "", ()
    arguments = image.tile[0].args
    return image.tile[0].codec_name, arguments if isinstance(arguments, tuple) else (arguments,)


def _depth_by(largest: int) -> int | None:
    """Of PGM and PPM, whose pixels Pillow scales to 16 bits by their largest value; 0 of other files."""
    return 16 if 0 < largest < _FULL else None


def _decode_as(image: ImageFile, old: str, new: str) -> None:
    """Have the pixels of an opened picture read in another layout."""
    image.tile = [tile._replace(args=_replaced(tile.args, old, new)) for tile in image.tile]


def _replaced(arguments: Any, old: str, new: str) -> Any:
    if isinstance(arguments, tuple):
        return tuple(_replaced(argument, old, new) for argument in arguments)
    return arguments.replace(old, new) if isinstance(arguments, str) else arguments


def _upright(image: ImageFile) -> npt.NDArray[Any]:
    from PIL import ImageOps

    image.load()
    return np.asarray(ImageOps.exif_transpose(image))


def _joined(high: npt.NDArray[np.uint8], low: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint16]:
    """Numbers of two bytes, without transparency."""
    planes = slice(None, 3) if high.ndim > 2 else slice(None)
    return np.asarray(high[..., planes].astype(np.uint16) << 8 | low[..., planes], np.uint16)
