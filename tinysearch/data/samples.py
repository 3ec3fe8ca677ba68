"""From encoded files to network inputs: what every data set does with the files that it has found."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import SPLITS, Samples, Split
from tinysearch.data.cache import PreparedCache
from tinysearch.data.decode import BrokenSampleError, decode_audio, decode_image
from tinysearch.data.image import VERSION as IMAGE_VERSION
from tinysearch.data.image import prepare_image
from tinysearch.data.log_mel import LogMel, LogMelSettings, fit_clip

_LOG = logging.getLogger(__name__)
_CLIPS_AT_ONCE = 64
FRONT_ENDS: Mapping[str, Literal["mel", "linear"]] = {"log_mel": "mel", "log_spectrogram": "linear"}
"""Audio front-ends by name, with their band spacing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleFile:
    """One encoded sample: where it is from (for messages and lists), whose it is, and how to get its bytes."""

    name: str
    identity: int
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioOptions:
    """How recordings become images; ``input_size`` completes it to :class:`~tinysearch.data.log_mel.LogMelSettings`.

    Attributes:
        frontend: ``log_mel``, or ``log_spectrogram`` as in the paper.
        clip_s, steps_per_octave, normalize: see LogMelSettings.
    """

    frontend: str = "log_mel"
    clip_s: float = 1.6
    steps_per_octave: int = 12
    normalize: Literal["clip", "band"] = "clip"

    def settings(self, input_size: int) -> LogMelSettings:
        """Complete settings for one input size.

        Raises:
            UserError: an unknown front-end, or settings out of range.
        """
        if self.frontend not in FRONT_ENDS:
            raise UserError(
                f"an audio front-end is {' or '.join(FRONT_ENDS)}", value=self.frontend, remedy="use frontend=log_mel"
            )
        return LogMelSettings(
            size=input_size,
            clip_s=self.clip_s,
            scale=FRONT_ENDS[self.frontend],
            steps_per_octave=self.steps_per_octave,
            normalize=self.normalize,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Files that no rule mends: ``reasons`` by file name, out of ``files`` in all."""

    files: int
    reasons: Mapping[str, str] = field(default_factory=dict)


class FileDataset:
    """A data set made of encoded files; the data sets of this package differ only in how they find them.

    Args:
        name: as configured.
        digest: hex, of the files and of what decides their splits; the front-end's settings are added here.
        files: samples by modality and split, in the order of the samples.
        people: identities of people by split and modality, see :class:`~tinysearch.core.protocols.Dataset`.
        audio: how recordings become images.
        cache_dir: folder for prepared arrays; None prepares anew in each process.
        broken_limit: share of a split's files that may be broken and are skipped with a warning; more is refused.
    """

    def __init__(
        self,
        *,
        name: str,
        digest: str,
        files: Mapping[str, Mapping[Split, Sequence[SampleFile]]],
        people: Mapping[Split, Mapping[str, npt.NDArray[np.int32]]],
        audio: AudioOptions | None = None,
        cache_dir: Path | str | None = None,
        broken_limit: float = 0.05,
    ) -> None:
        self.name = name
        self.audio = audio or AudioOptions()
        self.digest = f"{digest}{_settings_digest(self.audio)}"
        self.modalities = tuple(sorted(files))
        self._files, self._people = files, people
        self._cache = PreparedCache(folder=None if cache_dir is None else Path(cache_dir))
        self._broken_limit = broken_limit
        self._loaded: dict[str, tuple[Samples, Skipped, tuple[str, ...]]] = {}

    def load(self, modality: str, split: Split, *, input_size: int, channels: int) -> Samples:
        """See :class:`~tinysearch.core.protocols.Dataset`.

        Raises:
            UserError: a modality or split that is not there, no readable file, or more broken files than allowed.
        """
        return self._load(modality, split, input_size, channels)[0]

    def people(self, split: Split) -> Mapping[str, npt.NDArray[np.int32]]:
        """See :class:`~tinysearch.core.protocols.Dataset`."""
        return self._people[_known(split, SPLITS, "split")]

    def skipped(self, modality: str, split: Split, *, input_size: int, channels: int) -> Skipped:
        """What :meth:`load` with the same arguments left out, and why."""
        return self._load(modality, split, input_size, channels)[1]

    def sample_names(self, modality: str, split: Split, *, input_size: int, channels: int) -> tuple[str, ...]:
        """File names of the samples that :meth:`load` gives, in their order."""
        return self._load(modality, split, input_size, channels)[2]

    def _load(
        self, modality: str, split: Split, input_size: int, channels: int
    ) -> tuple[Samples, Skipped, tuple[str, ...]]:
        files = self._files[_known(modality, self.modalities, "modality")][_known(split, SPLITS, "split")]
        shape = f"{modality}/{split}/{input_size}x{channels}"
        if shape not in self._loaded:
            front_end = self.audio.settings(input_size).key if modality == "voice" else f"image-v{IMAGE_VERSION}"
            key = f"{self.digest}/{shape}/{front_end}"
            stored = self._cache.load(key)
            if stored is None:
                arrays, notes = self._prepare(modality, split, files, input_size, channels)
                self._cache.store(key, arrays, notes=notes)
                stored = self._cache.load(key) or (arrays, notes)
            arrays, notes = stored
            reasons = notes["broken"]
            names = tuple(file.name for file in files if file.name not in reasons)
            samples = Samples(inputs=arrays["inputs"], identities=np.asarray(arrays["identities"]))
            self._loaded[shape] = samples, Skipped(files=len(files), reasons=reasons), names
        return self._loaded[shape]

    def _prepare(
        self, modality: str, split: Split, files: Sequence[SampleFile], input_size: int, channels: int
    ) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        prepare = (
            _Voices(LogMel(self.audio.settings(input_size), channels=channels))
            if modality == "voice"
            else _Faces(input_size=input_size, channels=channels)
        )
        inputs = np.empty((len(files), input_size, input_size, channels), np.int8)
        identities, broken = [], {}
        for file in files:
            try:
                prepare.add(file.read(), inputs[len(identities) :])
            except BrokenSampleError as error:
                broken[file.name] = str(error)
            else:
                identities.append(file.identity)
        prepare.flush()
        self._judge(f"{self.name} {modality} {split}", len(files), broken)
        return {"inputs": inputs[: len(identities)], "identities": np.array(identities, np.int32)}, {"broken": broken}

    def _judge(self, what: str, total: int, broken: Mapping[str, str]) -> None:
        """Warn of few broken files, refuse many."""
        if not broken and total:
            return
        named = "; ".join(f"{name}: {reason}" for name, reason in list(broken.items())[:3])
        if len(broken) > self._broken_limit * total or len(broken) == total:
            raise UserError(
                f"at most {100 * self._broken_limit:g} % of a split's files are unreadable, and never all of them",
                value=f"{len(broken)} of {total} in {what} ({named or 'no file'})",
                remedy="mend or remove them, or raise data.broken_limit",
            )
        _LOG.warning("%s: skipped %d of %d files (%s%s)", what, len(broken), total, named, " ..." * (len(broken) > 3))


class _Faces:
    """Prepares pictures one by one."""

    def __init__(self, *, input_size: int, channels: int) -> None:
        self._input_size, self._channels = input_size, channels

    def add(self, content: bytes, out: npt.NDArray[np.int8]) -> None:
        picture = decode_image(content)
        out[0] = prepare_image(picture, input_size=self._input_size, channels=self._channels)

    def flush(self) -> None:
        """Nothing waits."""


class _Voices:
    """Prepares recordings in batches, which is faster."""

    def __init__(self, front_end: LogMel) -> None:
        self._front_end = front_end
        self._clips: list[npt.NDArray[np.int16]] = []
        self._outs: list[npt.NDArray[np.int8]] = []

    def add(self, content: bytes, out: npt.NDArray[np.int8]) -> None:
        self._clips.append(fit_clip(decode_audio(content), self._front_end.settings.clip_samples))
        self._outs.append(out)
        if len(self._clips) == _CLIPS_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        if self._clips:
            for out, image in zip(self._outs, self._front_end(np.stack(self._clips)), strict=True):
                out[0] = image
        self._clips, self._outs = [], []


def natural_people(
    identities: Mapping[str, Sequence[str]], *, names: Sequence[str]
) -> dict[str, npt.NDArray[np.int32]]:
    """For each modality the identity number of each named person, -1 where that modality has no such identity.

    Args:
        identities: names by modality, in the order of their numbers.
        names: of the people, in their order.
    """
    places = {modality: {name: i for i, name in enumerate(known)} for modality, known in identities.items()}
    return {m: np.array([place.get(name, -1) for name in names], np.int32) for m, place in places.items()}


def _settings_digest(audio: AudioOptions) -> str:
    text = f"{audio.frontend}|{audio.clip_s:g}|{audio.steps_per_octave}|{audio.normalize}"
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _known(value: Any, known: Sequence[str], what: str) -> Any:
    if value not in known:
        raise UserError(f"a {what} is {', '.join(known)}", value=value, remedy=f"use one of the {what} names")
    return value
