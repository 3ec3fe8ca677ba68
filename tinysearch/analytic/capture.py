"""What sensing costs in RAM: the camera frame and the audio clip that the firmware holds while it authenticates."""

from __future__ import annotations

from dataclasses import dataclass

from tinysearch.core.errors import UserError

RGB565_BYTES = 2
SAMPLE_RATE_HZ = 16_000
SAMPLE_BYTES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraFrame:
    """A frame size of the esp32-camera driver; ``name`` is its constant without ``FRAMESIZE_``."""

    name: str
    width: int
    height: int

    @property
    def size_bytes(self) -> int:
        """Bytes of one RGB565 frame."""
        return self.width * self.height * RGB565_BYTES


FRAMES = (
    CameraFrame(name="96X96", width=96, height=96),
    CameraFrame(name="QQVGA", width=160, height=120),
    CameraFrame(name="240X240", width=240, height=240),
    CameraFrame(name="QVGA", width=320, height=240),
    CameraFrame(name="VGA", width=640, height=480),
)
"""Frame sizes of esp32-camera that an OV2640 delivers, by increasing bytes."""


def camera_frame(input_size: int) -> CameraFrame:
    """The smallest frame whose center square covers the network's input.

    Raises:
        UserError: larger than any frame.
    """
    for frame in FRAMES:
        if min(frame.width, frame.height) >= input_size:
            return frame
    raise UserError(
        "the camera delivers at least the network's input", value=f"input_size={input_size}", remedy="use 480 or less"
    )


def clip_bytes(clip_s: float) -> int:
    """Bytes of a clip of 16-bit mono audio at 16 kHz."""
    return round(clip_s * SAMPLE_RATE_HZ) * SAMPLE_BYTES
