"""A microphone that records one clip: its length, and the bytes of 16-bit mono audio."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from tinysearch.core.errors import UserError
from tinysearch.core.network import Shape
from tinysearch.core.task import Augmentation, Capture
from tinysearch.inputs.square import square

SAMPLE_RATE_HZ = 16_000
SAMPLE_BYTES = 2

SHORTEST_CLIP_S, LONGEST_CLIP_S = 0.1, 10.0
FEWEST_FRAMES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Microphone:
    """Clips of speech or sound, turned into log spectrograms. See :class:`~tinysearch.core.task.InputKind`.

    Attributes:
        clip_s: seconds that are recorded for one decision, unless a branch has fewer frames than bands.

    Raises:
        UserError: a length that no spectrogram is made of.
    """

    name: ClassVar[str] = "microphone"
    sensor: ClassVar[str] = "microphone"
    interfaces: ClassVar[tuple[str, ...]] = ("i2s", "pdm")
    wanted: ClassVar[str] = "an I2S or PDM microphone"
    drivers: ClassVar[tuple[str, ...]] = ()
    suffixes: ClassVar[tuple[str, ...]] = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff")
    folder: ClassVar[Path | None] = None
    sources: ClassVar[tuple[str, ...]] = ("main/input_microphone.c", "main/capture_signal.c")
    chip_sources: ClassVar[tuple[str, ...]] = ("main/microphone.c",)
    components: ClassVar[tuple[str, ...]] = ("esp_driver_i2s",)
    front_ends: ClassVar[tuple[str, ...]] = ("ts_log_mel.h",)
    kconfig: ClassVar[str] = "MICROPHONE"
    footprint: ClassVar[str] = "voice"
    augmentation: ClassVar[Augmentation] = "spectrogram"

    clip_s: float = 1.6

    def __post_init__(self) -> None:
        check_clip_s(self.clip_s)

    def shape(self, *, input_size: int, channels: int) -> Shape:
        """A square spectrogram: frames by bands."""
        return square(input_size=input_size, channels=channels)

    def shorter(self, shape: Shape, *, frames: int) -> Shape:
        """That of a clip of so many frames, each of as many seconds.

        Raises:
            UserError: more frames than there are, or fewer than a spectrogram has.
        """
        if not FEWEST_FRAMES <= frames <= shape.height:
            raise UserError(
                f"frames must be {FEWEST_FRAMES} to input_size, {shape.height}, the whole clip",
                value=frames,
                remedy=f"write frames={max(FEWEST_FRAMES, shape.height // 2)}",
            )
        return replace(shape, height=frames)

    def seconds(self, shape: Shape) -> float:
        """How long the clip of a spectrogram is: the whole one of a square."""
        return self.clip_s if shape.height == shape.width else self.clip_s * shape.height / shape.width

    def capture(self, shape: Shape) -> Capture:
        """One clip."""
        seconds = self.seconds(shape)
        return Capture(buffer="audio_clip", size_bytes=clip_bytes(seconds), seconds=seconds)


def clip_bytes(clip_s: float) -> int:
    """Bytes of a clip of 16-bit mono audio at 16 kHz."""
    return round(clip_s * SAMPLE_RATE_HZ) * SAMPLE_BYTES


def check_clip_s(clip_s: object) -> None:
    """Refuse a clip of a length that no spectrogram is made of.

    Raises:
        UserError: that it is one.
    """
    number = isinstance(clip_s, int | float) and not isinstance(clip_s, bool)
    if not number or not SHORTEST_CLIP_S <= clip_s <= LONGEST_CLIP_S:  # type: ignore[operator]
        raise UserError(
            f"a clip must last {SHORTEST_CLIP_S} to {LONGEST_CLIP_S:g} s", value=clip_s, remedy="write clip_s=1.6"
        )
