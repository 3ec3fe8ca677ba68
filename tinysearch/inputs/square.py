"""The square image that a network of a camera or a microphone takes."""

from __future__ import annotations

from tinysearch.core.errors import UserError
from tinysearch.core.network import Shape

LARGEST_SIDE = 4096
CHANNELS = (1, 3)


def square(*, input_size: int, channels: int) -> Shape:
    """Its shape.

    Raises:
        UserError: a side or a number of channels that no picture or spectrogram is turned into.
    """
    if not 1 <= input_size <= LARGEST_SIDE:
        raise UserError(
            f"input_size must be 1 to {LARGEST_SIDE} pixels a side", value=input_size, remedy="write input_size=64"
        )
    if channels not in CHANNELS:
        raise UserError("channels must be 1 (gray) or 3 (color)", value=channels, remedy="write channels=1")
    return Shape(height=input_size, width=input_size, channels=channels)
