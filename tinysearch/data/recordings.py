"""Recordings of a series, cut into windows: what every data set of motions and signals does with what it has found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import SPLITS, Dataset, Samples, Split
from tinysearch.data.window import Window, WindowSettings, window_starts
from tinysearch.inputs.motion import Motion
from tinysearch.inputs.series import FULL_SCALE
from tinysearch.inputs.signal import Signal

SeriesKind = Motion | Signal

Int16 = npt.NDArray[np.int16]
Int32 = npt.NDArray[np.int32]


def as_counts(values: npt.NDArray[np.float64]) -> Int16:
    """Values in counts as a 16-bit sensor gives them: rounded, and clamped to its range."""
    return np.clip(np.rint(values), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recording:
    """Samples without a gap.

    Attributes:
        name: where it is from, for messages.
        label: its class, from 0.
        counts: int16 [n, axes], at the rate of the input, as the sensor gives them.
    """

    name: str
    label: int
    counts: Int16


class WindowDataset(Dataset):
    """Implements :class:`~tinysearch.core.protocols.Dataset` over recordings: a sample is a window, its class a label.

    Args:
        name: as configured.
        digest: hex, of the recordings and of what decides their splits, window and hop.
        modality: name of the input.
        kind: settings of the sensor and its front-end.
        hop_s: seconds between the starts of two windows; windows overlap where this is less than a window.
        recordings: by split.
        class_names: in the order of labels.
        normal: of an anomaly task, how many of the classes are normal (the first ones); None for a classification.

    Attributes:
        classes: how many classes there are, the same in every split; None where some are anomalies.
        normal: see above.
        ordered: that augmentation must not mirror or roll windows.
        augmentation: how windows are varied in training.

    Raises:
        UserError: a class without a window in some split, or a hop that is none.
    """

    ordered = True

    def __init__(
        self,
        *,
        name: str,
        digest: str,
        modality: str,
        kind: SeriesKind,
        hop_s: float,
        recordings: Mapping[Split, Sequence[Recording]],
        class_names: Sequence[str],
        normal: int | None = None,
    ) -> None:
        self.name, self.digest, self.modalities = name, digest, (modality,)
        self.class_names = tuple(class_names)
        self.normal = normal
        self.augmentation = kind.augmentation
        self.classes = len(self.class_names) if normal is None else None
        self._kind, self._recordings = kind, recordings
        self._hop = hop_samples(hop_s, rate_hz=kind.rate_hz)
        self._loaded: dict[tuple[Split, int], Samples] = {}
        for split in SPLITS:
            self._check(split)

    def _check(self, split: Split) -> None:
        labels = self.labels(split)
        needed = len(self.class_names) if self.normal is None or split != "train" else self.normal
        for label, name in enumerate(self.class_names[:needed]):
            if not (labels == label).any():
                raise UserError(
                    "a class must have a window in every split",
                    value=f"class {name} has none of {self._kind.window_s:g} s in {split} of {self.name}",
                    remedy="record more of it, shorten task window_s, or leave the class out",
                )

    def labels(self, split: Split) -> Int32:
        """Class of every window of a split, int32 [N], in the order of :meth:`load`."""
        counts = [len(self._starts(recording)) for recording in self._recordings[split]]
        return np.repeat(np.array([r.label for r in self._recordings[split]], np.int32), counts)

    def groups(self, modality: str, split: Split) -> Int32:
        """Recording that every window of a split is from, int32 [N]: windows of one are no independent samples."""
        del modality
        counts = [len(self._starts(recording)) for recording in self._recordings[split]]
        return np.repeat(np.arange(len(counts), dtype=np.int32), counts)

    def load(self, modality: str, split: Split, *, input_size: int, channels: int) -> Samples:
        """See :class:`~tinysearch.core.protocols.Dataset`.

        Raises:
            UserError: a modality or split that is not there, channels other than the axes, or an impossible size.
        """
        if modality not in self.modalities or split not in SPLITS or channels != len(self._kind.axes):
            raise UserError(
                f"{self.name} must be asked for {self.modalities[0]} in {', '.join(SPLITS)}, a channel an axis",
                value=f"{modality}/{split} with {channels} channels",
                remedy=f"write {self.modalities[0]}.channels={len(self._kind.axes)}",
            )
        key = (split, input_size)
        if key not in self._loaded:
            front_end = Window(window_settings(self._kind, input_size=input_size))
            images = [front_end(self._windows(recording)) for recording in self._recordings[split]]
            samples = Samples(inputs=np.concatenate(images), identities=self.labels(split))
            for array in (samples.inputs, samples.identities):
                array.flags.writeable = False  # the next who asks gets the same arrays
            self._loaded[key] = samples
        return self._loaded[key]

    def people(self, split: Split) -> Mapping[str, Int32]:
        """Person k of every split is class k; in training of an anomaly task only normal ones."""
        count = len(self.class_names) if self.normal is None or split != "train" else self.normal
        return {self.modalities[0]: np.arange(count, dtype=np.int32)}

    def _starts(self, recording: Recording) -> npt.NDArray[np.int64]:
        return window_starts(len(recording.counts), samples=self._kind.samples, hop=self._hop)

    def _windows(self, recording: Recording) -> Int16:
        """Windows int16 [N, T, A] of one recording."""
        length = self._kind.samples
        if len(recording.counts) < length:
            return np.zeros((0, length, recording.counts.shape[1]), np.int16)
        windows = np.lib.stride_tricks.sliding_window_view(recording.counts, length, axis=0)
        return np.ascontiguousarray(np.moveaxis(windows[self._starts(recording)], 2, 1))


def at_speed(recording: Recording, speed: float) -> Recording:
    """A recording played faster (above 1) or slower; its values stay."""
    length = len(recording.counts)
    times = np.linspace(0, length - 1, round(length / speed))
    axes = [np.interp(times, np.arange(length), axis) for axis in recording.counts.T]
    return replace(recording, counts=np.rint(np.stack(axes, axis=1)).astype(np.int16))


def transformed(recordings: Sequence[Recording], *, first_label: int) -> list[Recording]:
    """Recordings faster, slower, and sharper than they are, labeled from ``first_label`` on.

    Where only one class is normal there is nothing to tell apart, so a network learns to tell normal recordings from
    these (:class:`~tinysearch.core.protocols.Dataset`). They are made of normal ones, and are no anomalies.
    """
    ways: tuple[Callable[[Recording], Recording], ...] = (
        partial(at_speed, speed=1.5),
        partial(at_speed, speed=1 / 1.5),
        _sharper,
    )
    return [
        replace(way(recording), label=first_label + place) for place, way in enumerate(ways) for recording in recordings
    ]


def _sharper(recording: Recording) -> Recording:
    """Differences of neighbors, as strong as the recording was around its means."""
    values = recording.counts.astype(np.float64)
    means = values.mean(axis=0)
    steps = np.diff(values, axis=0, append=values[-1:])
    gain = values.std(axis=0) / np.maximum(steps.std(axis=0), 1e-9)
    return replace(recording, counts=as_counts(means + steps * gain))


def window_settings(kind: SeriesKind, *, input_size: int) -> WindowSettings:
    """The front-end of an input for one size."""
    return WindowSettings(
        size=input_size,
        samples=kind.samples,
        range_counts=kind.range_counts,
        content=kind.content,
        center=kind.center,
        scale=kind.scale,
    )


def hop_samples(hop_s: object, *, rate_hz: float) -> int:
    """Samples between two windows.

    Raises:
        UserError: no positive number, or less than a sample.
    """
    number = isinstance(hop_s, int | float) and not isinstance(hop_s, bool) and 0 < hop_s < float("inf")
    if not number or round(float(hop_s) * rate_hz) < 1:  # type: ignore[arg-type]
        raise UserError(
            "hop_s must be a sample or more", value=hop_s, remedy=f"write data.hop_s={1 / rate_hz:g} or more"
        )
    return round(float(hop_s) * rate_hz)  # type: ignore[arg-type]
