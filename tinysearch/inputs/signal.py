"""Any other time series: vibration, current, distance, gas, ECG, by I2C, SPI, an analog pin or a serial line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypeVar

from tinysearch.core.errors import UserError
from tinysearch.core.network import Shape
from tinysearch.core.task import Augmentation, Capture
from tinysearch.inputs.series import (
    FULL_SCALE,
    MOST_AXES,
    Content,
    Scale,
    check_preparation,
    is_number,
    window_capture,
    window_samples,
    window_shape,
)

T = TypeVar("T")

INTERFACES = ("i2c", "spi", "adc", "uart")
_OF_ACCELEROMETERS = {"g", "mg", "m/s2", "counts"}
"""Units in which the firmware's own drivers by I2C and SPI measure; counts are whatever a sensor gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Windows of a series as square images, see :mod:`tinysearch.data.window`.

    See :class:`~tinysearch.core.task.InputKind`.

    Attributes:
        window_s: seconds behind one decision.
        rate_hz: samples a second of each axis.
        axes: names of what is measured, in order.
        units: of each axis; one stands for all.
        full_scale: by axis, in its unit, what a sensor's 32768 counts stand for; one stands for all.
        span: by axis, in its unit, what fills the image; one stands for all; empty for the full scale.
        content, center, scale: of the front-end.
        interface: by which its sensor is attached; None for any that the firmware can read such units by.

    Raises:
        UserError: a setting out of range.
    """

    name: ClassVar[str] = "signal"
    sensor: ClassVar[str] = "signal"
    wanted: ClassVar[str] = "a sensor by I2C, SPI, an analog pin or a serial line"
    drivers: ClassVar[tuple[str, ...]] = ()
    suffixes: ClassVar[tuple[str, ...]] = (".csv",)
    folder: ClassVar[Path | None] = None
    sources: ClassVar[tuple[str, ...]] = ("main/input_signal.c", "main/window.c")
    chip_sources: ClassVar[tuple[str, ...]] = (
        *("main/motion_sensor.c", "main/motion_wires.c", "main/sampler.c", "main/signal.c"),
    )
    components: ClassVar[tuple[str, ...]] = ("esp_adc", "esp_driver_i2c", "esp_driver_spi", "esp_timer")
    front_ends: ClassVar[tuple[str, ...]] = ("ts_window.h",)
    kconfig: ClassVar[str] = "MOTION"
    footprint: ClassVar[str] = "signal"
    augmentation: ClassVar[Augmentation] = "series"

    window_s: float = 1.0
    rate_hz: float = 1600.0
    axes: tuple[str, ...] = ("value",)
    units: tuple[str, ...] = ("counts",)
    full_scale: tuple[float, ...] = (32768.0,)
    span: tuple[float, ...] = ()
    content: Content = "spectrum"
    center: bool = True
    scale: Scale = "range"
    interface: str | None = None

    def __post_init__(self) -> None:
        if self.interface not in (None, *INTERFACES):
            raise UserError(
                f"interface of a signal must be one of {', '.join(INTERFACES)}",
                value=self.interface,
                remedy="leave it out for any of them",
            )
        window_samples(self.window_s, self.rate_hz)
        check_preparation(self.content, self.scale, self.center)
        for what, given in (("axes", self.axes), ("units", self.units)):
            if not isinstance(given, tuple | list) or not all(isinstance(name, str) for name in given):
                raise UserError(f"{what} must be a list of names", value=given, remedy=f"write for example {what}=[x]")
        names = tuple(self.axes)
        if not 1 <= len(names) <= MOST_AXES or len(set(names)) != len(names):
            raise UserError(
                f"axes must be 1 to {MOST_AXES} different names", value=list(names), remedy="write axes=[x,y,z]"
            )
        object.__setattr__(self, "axes", names)
        object.__setattr__(self, "units", _each("units", self.units, count=len(names)))
        object.__setattr__(self, "full_scale", _each("full_scale", self.full_scale, count=len(names)))
        object.__setattr__(self, "span", _each("span", self.span or self.full_scale, count=len(names)))
        for full, span in zip(self.full_scale, self.span, strict=True):
            if not is_number(full) or not is_number(span) or not 0 < span <= full:
                raise UserError(
                    "span must be positive and within full_scale",
                    value=f"span={span} full_scale={full}",
                    remedy="write for example span=[2] full_scale=[16]",
                )

    @property
    def interfaces(self) -> tuple[str, ...]:
        """As the task says; else an accelerometer's for its units, and for others what needs no driver of its own."""
        if self.interface is not None:
            return (self.interface,)
        return INTERFACES if set(self.units) <= _OF_ACCELEROMETERS else ("adc", "uart")

    @property
    def samples(self) -> int:
        """Samples of a window."""
        return window_samples(self.window_s, self.rate_hz)

    @property
    def range_counts(self) -> tuple[int, ...]:
        """By axis, the counts that fill the image."""
        return tuple(
            max(1, round(FULL_SCALE * span / full)) for span, full in zip(self.span, self.full_scale, strict=True)
        )

    def shape(self, *, input_size: int, channels: int) -> Shape:
        """A square image of the window, or its samples, a channel an axis."""
        return window_shape(input_size=input_size, channels=channels, axes=len(self.axes), content=self.content)

    def capture(self, shape: Shape) -> Capture:  # noqa: ARG002 - a window is as long for every image
        """One window."""
        return window_capture("signal_window", samples=self.samples, axes=len(self.axes), rate_hz=self.rate_hz)


def _each(what: str, given: Sequence[T], *, count: int) -> tuple[T, ...]:
    """One value an axis; one stands for all."""
    values = tuple(given) * (count if len(given) == 1 else 1)
    if len(values) != count:
        raise UserError(
            f"{what} must have one value, or one for each of {count} axes",
            value=list(values),
            remedy=f"list {count}",
        )
    return values
