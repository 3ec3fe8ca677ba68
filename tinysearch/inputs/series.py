"""What motion sensors and other series have in common: windows of samples at a steady rate."""

from __future__ import annotations

from typing import Literal, get_args

from tinysearch.core.errors import UserError
from tinysearch.core.network import Shape
from tinysearch.core.task import Capture

SAMPLE_BYTES = 2
FULL_SCALE = 32768
"""Counts of a 16-bit sensor at the end of its range."""

MOST_AXES = 16
SHORTEST_WINDOW, LONGEST_WINDOW = 16, 8192
LARGEST_NUMBER = 1e9
"""Of a task's file: seconds, Hz, units of a range. Products and quotients of two stay numbers."""

Content = Literal["samples", "spectrum", "series"]
"""A square image of samples, one of spectra, or the samples themselves, which one-dimensional networks take."""
Scale = Literal["range", "window"]


def window_samples(window_s: object, rate_hz: object) -> int:
    """Samples of a window.

    Raises:
        UserError: one of the two is no positive number, or the window is too short or too long.
    """
    for name, value, usual in (("window_s", window_s, "2.0"), ("rate_hz", rate_hz, "50")):
        if not is_number(value) or value <= 0:  # type: ignore[operator]
            rule = f"{name} must be a positive number, at most {LARGEST_NUMBER:g}"
            raise UserError(rule, value=value, remedy=f"write {name}={usual}")
    samples = round(float(window_s) * float(rate_hz))  # type: ignore[arg-type]
    if not SHORTEST_WINDOW <= samples <= LONGEST_WINDOW:
        raise UserError(
            f"a window must have {SHORTEST_WINDOW} to {LONGEST_WINDOW} samples",
            value=f"{samples} in {window_s} s at {rate_hz} Hz",
            remedy="change window_s or rate_hz",
        )
    return samples


def check_preparation(content: object, scale: object, center: object) -> None:
    """Refuse what no front-end does.

    Raises:
        UserError: an unknown word.
    """
    for name, value, known in (
        ("content", content, get_args(Content)),
        ("scale", scale, get_args(Scale)),
    ):
        if value not in known:
            raise UserError(f"{name} must be {' or '.join(known)}", value=value, remedy=f"write {name}={known[0]}")
    if not isinstance(center, bool):
        raise UserError("center must be true or false", value=center, remedy="write center=true")


def is_number(value: object) -> bool:
    """Whether a value of a task's file is a number to compute with, and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST_NUMBER


def window_capture(buffer: str, *, samples: int, axes: int, rate_hz: float) -> Capture:
    """One window of 16-bit samples."""
    return Capture(buffer=buffer, size_bytes=samples * axes * SAMPLE_BYTES, seconds=samples / rate_hz)


def window_shape(*, input_size: int, channels: int, axes: int, content: Content) -> Shape:
    """A square image of a window, or a column of its samples, a channel an axis.

    Raises:
        UserError: channels are not the axes.
    """
    if channels != axes:
        raise UserError(
            "channels must be the axes of the sensor", value=f"channels={channels}", remedy=f"write channels={axes}"
        )
    return Shape(height=input_size, width=1 if content == "series" else input_size, channels=channels)
