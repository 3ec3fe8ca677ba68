"""A camera that takes one picture: what its driver delivers, and how large a frame is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tinysearch.core.errors import UserError
from tinysearch.core.network import Shape
from tinysearch.core.task import Augmentation, Capture
from tinysearch.inputs.square import square

RGB565_BYTES = 2

CIF_PIXELS = 400 * 296
"""Largest frame that the esp32-camera driver takes without PSRAM (its README: "CIF or lower resolution with JPEG")."""


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
        "the camera must deliver at least the network's input",
        value=f"input_size={input_size}",
        remedy="use 480 or less",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """Pictures, cut to a square and scaled. See :class:`~tinysearch.core.task.InputKind`."""

    name: ClassVar[str] = "camera"
    sensor: ClassVar[str] = "camera"
    interfaces: ClassVar[tuple[str, ...]] = ("dvp", "mipi-csi")
    wanted: ClassVar[str] = "a parallel or MIPI camera"
    drivers: ClassVar[tuple[str, ...]] = ("espressif/esp32-camera",)
    suffixes: ClassVar[tuple[str, ...]] = (
        ".png",
        ".jpg",
        ".jpeg",
        ".jfif",
        ".pgm",
        ".ppm",
        ".webp",
        ".bmp",
        ".gif",
        ".tif",
        ".tiff",
    )
    folder: ClassVar[Path | None] = None
    sources: ClassVar[tuple[str, ...]] = ("main/input_camera.c", "main/capture_signal.c")
    chip_sources: ClassVar[tuple[str, ...]] = ("main/camera.c",)
    components: ClassVar[tuple[str, ...]] = ("esp_driver_gpio",)
    front_ends: ClassVar[tuple[str, ...]] = ("ts_image.h",)
    kconfig: ClassVar[str] = "CAMERA"
    footprint: ClassVar[str] = "face"
    augmentation: ClassVar[Augmentation] = "image"

    def shape(self, *, input_size: int, channels: int) -> Shape:
        """A square picture."""
        return square(input_size=input_size, channels=channels)

    def capture(self, shape: Shape) -> Capture:
        """One RGB565 frame."""
        frame = camera_frame(shape.height)
        pixels = frame.width * frame.height
        return Capture(buffer="camera_frame", size_bytes=frame.size_bytes, pixels=pixels, frame=frame.name)
