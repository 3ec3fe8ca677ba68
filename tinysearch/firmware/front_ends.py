"""Constants of the front-ends: what turns a branch's capture into its network's input, as a layer of C."""

from __future__ import annotations

from tinysearch.core.errors import UserError
from tinysearch.core.network import Shape
from tinysearch.core.task import InputKind
from tinysearch.data.log_mel import LogMelSettings, LogMelTables
from tinysearch.data.recordings import window_settings
from tinysearch.data.window import WindowTables
from tinysearch.firmware.packing import PackedStep
from tinysearch.inputs.microphone import SAMPLE_RATE_HZ, Microphone
from tinysearch.inputs.motion import Motion
from tinysearch.inputs.signal import Signal


def front_end(kind: InputKind, shape: Shape, *, sound: LogMelSettings | None) -> PackedStep | None:
    """The layer of a kind's front-end; None for kinds whose front-end needs no constants.

    Args:
        shape: of the network's input.
        sound: of a microphone; None takes the defaults for its size.

    Raises:
        UserError: a spectrogram of another size than its network's input.
    """
    if isinstance(kind, Microphone):
        tables = LogMelTables.of(
            _checked(sound or LogMelSettings(size=shape.width, frames=shape.height, clip_s=kind.seconds(shape)), shape)
        )
        return PackedStep(
            function="ts_log_mel",
            layer_type="ts_log_mel_layer",
            header="ts_log_mel.h",
            fields=tables.fields(channels=shape.channels),
            arrays=tables.arrays(),
        )
    if isinstance(kind, Motion | Signal):
        windows = WindowTables.of(window_settings(kind, input_size=shape.height))
        return PackedStep(
            function="ts_window",
            layer_type="ts_window_layer",
            header="ts_window.h",
            fields=windows.fields(),
            arrays=windows.arrays(),
        )
    return None


def _checked(settings: LogMelSettings, shape: Shape) -> LogMelSettings:
    if (settings.rows, settings.size) != (shape.height, shape.width):
        raise UserError(
            "the spectrogram must have the size of its network's input",
            value=f"{settings.rows}x{settings.size} for {shape.height}x{shape.width}",
            remedy="use the front-end that the network was trained with",
        )
    return settings


def hop_samples(kind: InputKind, hop_s: float) -> int:
    """Samples from one window of a stream to the next; 0 for kinds that take one capture after the other."""
    if isinstance(kind, Microphone):
        return round(hop_s * SAMPLE_RATE_HZ)
    return round(hop_s * kind.rate_hz) if isinstance(kind, Motion | Signal) else 0
