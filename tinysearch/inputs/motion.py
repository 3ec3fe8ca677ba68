"""A motion sensor: accelerations of three axes and, with a gyroscope, the rates of turning around them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tinysearch.core.errors import UserError
from tinysearch.core.network import Shape
from tinysearch.core.task import Augmentation, Capture
from tinysearch.inputs.series import (
    FULL_SCALE,
    Content,
    Scale,
    check_preparation,
    is_number,
    window_capture,
    window_samples,
    window_shape,
)

AXES = ("ax", "ay", "az", "wx", "wy", "wz")
"""Accelerations along, and rates around, the sensor's axes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """Windows of a motion sensor as square images, see :mod:`tinysearch.data.window`.

    See :class:`~tinysearch.core.task.InputKind`.

    Attributes:
        window_s: seconds of motion behind one decision.
        rate_hz: samples a second of each axis.
        gyroscope: six axes, or the three accelerations alone.
        range_g, range_dps: what the sensor is set to measure, to either side (g, degrees a second).
        span_g, span_dps: what fills the image; beyond it values are clamped.
        content, center, scale: of the front-end.

    Raises:
        UserError: a setting out of range.
    """

    name: ClassVar[str] = "motion"
    sensor: ClassVar[str] = "motion"
    interfaces: ClassVar[tuple[str, ...]] = ("i2c", "spi")
    wanted: ClassVar[str] = "a motion sensor by I2C or SPI"
    drivers: ClassVar[tuple[str, ...]] = ()
    suffixes: ClassVar[tuple[str, ...]] = (".csv",)
    folder: ClassVar[Path | None] = None
    sources: ClassVar[tuple[str, ...]] = ("main/input_motion.c", "main/window.c")
    chip_sources: ClassVar[tuple[str, ...]] = (
        *("main/motion.c", "main/motion_sensor.c", "main/motion_wires.c", "main/sampler.c"),
    )
    components: ClassVar[tuple[str, ...]] = ("esp_driver_i2c", "esp_driver_spi", "esp_timer")
    front_ends: ClassVar[tuple[str, ...]] = ("ts_window.h",)
    kconfig: ClassVar[str] = "MOTION"
    footprint: ClassVar[str] = "motion"
    augmentation: ClassVar[Augmentation] = "motion"

    window_s: float = 2.0
    rate_hz: float = 50.0
    gyroscope: bool = True
    range_g: float = 8.0
    range_dps: float = 2000.0
    span_g: float = 2.0
    span_dps: float = 500.0
    content: Content = "samples"
    center: bool = False
    scale: Scale = "range"

    def __post_init__(self) -> None:
        window_samples(self.window_s, self.rate_hz)
        check_preparation(self.content, self.scale, self.center)
        if not isinstance(self.gyroscope, bool):
            raise UserError("gyroscope must be true or false", value=self.gyroscope, remedy="write gyroscope=true")
        for what in ("g", "dps"):
            span, full = (self.span_g, self.range_g) if what == "g" else (self.span_dps, self.range_dps)
            if not is_number(span) or not is_number(full) or not 0 < span <= full:
                raise UserError(
                    f"span_{what} must be positive and within range_{what}",
                    value=f"span_{what}={span} range_{what}={full}",
                    remedy="write for example span_g=2 range_g=8 span_dps=500 range_dps=2000",
                )

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the axes in their order."""
        return AXES if self.gyroscope else AXES[:3]

    @property
    def samples(self) -> int:
        """Samples of a window."""
        return window_samples(self.window_s, self.rate_hz)

    @property
    def range_counts(self) -> tuple[int, ...]:
        """By axis, the counts that fill the image."""
        turning = (round(FULL_SCALE * self.span_dps / self.range_dps),) * 3 if self.gyroscope else ()
        return ((round(FULL_SCALE * self.span_g / self.range_g),) * 3) + turning

    @property
    def full_scale(self) -> tuple[float, ...]:
        """By axis, what a sensor's 32768 counts stand for: g, and degrees a second."""
        return (self.range_g,) * 3 + ((self.range_dps,) * 3 if self.gyroscope else ())

    def shape(self, *, input_size: int, channels: int) -> Shape:
        """A square image of the window, or its samples, a channel an axis."""
        return window_shape(input_size=input_size, channels=channels, axes=len(self.axes), content=self.content)

    def capture(self, shape: Shape) -> Capture:  # noqa: ARG002 - a window is as long for every image
        """One window."""
        return window_capture("motion_window", samples=self.samples, axes=len(self.axes), rate_hz=self.rate_hz)
