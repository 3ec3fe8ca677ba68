"""From encoded files to network inputs: what every data set does with the files that it has found."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from tinysearch.data.log_mel import VERSION as LOG_MEL_VERSION
from tinysearch.data.log_mel import LogMel, LogMelSettings, fit_clip
from tinysearch.data.pairs import read_pairs
from tinysearch.metrics.pairs import Pairs

_LOG = logging.getLogger(__name__)
_FILES_AT_ONCE = 64
_Prepared = tuple[dict[str, npt.NDArray[Any]], dict[str, str]]
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
        lists: published lists of pairs by split, in VoxCeleb's format.
        lists_name_modalities: a list's paths are files of one modality, so that its lines say nothing of others; else
            a path names a sample of every modality.
        audio: how recordings become images.
        cache_dir: folder for prepared arrays; None prepares anew in each process.
        broken_limit: share of a split's files that may be broken and are skipped with a warning; more is refused. One
            file may be broken however small the split, unless this is 0.
    """

    def __init__(
        self,
        *,
        name: str,
        digest: str,
        files: Mapping[str, Mapping[Split, Sequence[SampleFile]]],
        people: Mapping[Split, Mapping[str, npt.NDArray[np.int32]]],
        lists: Mapping[Split, Path] | None = None,
        lists_name_modalities: bool = False,
        audio: AudioOptions | None = None,
        cache_dir: Path | str | None = None,
        broken_limit: float = 0.05,
    ) -> None:
        self.name = name
        self.audio = audio or AudioOptions()
        self.digest = _with_front_ends(digest, self.audio)
        self.modalities = tuple(sorted(files))
        self._files, self._people, self._lists = files, people, lists or {}
        self._lists_name_modalities = lists_name_modalities
        self._cache = None if cache_dir is None else PreparedCache(folder=Path(cache_dir))
        self._broken_limit = broken_limit
        self._loaded: dict[str, tuple[Samples, Skipped]] = {}

    def load(self, modality: str, split: Split, *, input_size: int, channels: int) -> Samples:
        """See :class:`~tinysearch.core.protocols.Dataset`. Arrays that come from the cache are read-only.

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

    def listed_pairs(self, split: Split, shapes: Mapping[str, tuple[int, int]]) -> Pairs | None:
        """Pairs of the published list of a split, or None where there is none (for these modalities).

        Args:
            shapes: input size and channels by modality, as the samples are loaded.

        Raises:
            UserError: see :func:`tinysearch.data.pairs.read_pairs`.
        """
        if split not in self._lists:
            return None
        names, identities, broken = {}, {}, set()
        for modality, (input_size, channels) in shapes.items():
            samples, skipped = self._load(modality, split, input_size, channels)
            files = self._files[modality][split]
            names[modality] = [file.name for file in files if file.name not in skipped.reasons]
            identities[modality] = samples.identities
            broken |= set(skipped.reasons)
        others = [m for m in self.modalities if self._lists_name_modalities and (m not in shapes or len(shapes) > 1)]
        return read_pairs(
            self._lists[split],
            names=names,
            identities=identities,
            people=self.people(split),
            broken=broken,
            elsewhere=[file.name for modality in others for file in self._files[modality][split]],
        )

    def _load(self, modality: str, split: Split, input_size: int, channels: int) -> tuple[Samples, Skipped]:
        files = self._files[_known(modality, self.modalities, "modality")][_known(split, SPLITS, "split")]
        shape = f"{modality}/{split}/{input_size}x{channels}"
        if shape not in self._loaded:
            preparation = _Preparation.of(modality, self.audio, input_size=input_size, channels=channels)
            key = f"prepared-v2/{self.digest}/{shape}/{preparation.key}"
            remembered = self._remembered(key)
            if remembered is not None:  # perhaps under another limit
                self._refuse(shape, len(files), remembered[1])
            arrays, broken = remembered or self._prepare(key, shape, files, preparation)
            samples = Samples(inputs=arrays["inputs"], identities=np.array(arrays["identities"]))
            self._loaded[shape] = samples, Skipped(files=len(files), reasons=broken)
        return self._loaded[shape]

    def _remembered(self, key: str) -> _Prepared | None:
        return None if self._cache is None else self._cache.load(key)

    def _prepare(self, key: str, what: str, files: Sequence[SampleFile], preparation: _Preparation) -> _Prepared:
        identities: list[int] = []
        broken: dict[str, str] = {}
        blocks = _blocks(files, preparation, identities, broken)
        if self._cache is None:
            inputs = np.concatenate([np.zeros((0, *preparation.row), np.int8), *blocks])
            self._judge(what, len(files), broken)
            return {"inputs": inputs, "identities": np.array(identities, np.int32)}, broken
        rows = self._cache.store_rows(key, "inputs", blocks, row=preparation.row)
        self._judge(what, len(files), broken)
        others = {"identities": np.array(identities, np.int32)}
        self._cache.store(key, others, rows={"inputs": [rows, *preparation.row]}, notes=broken)
        stored = self._cache.load(key)
        if stored is None:
            raise OSError(f"the prepared samples cannot be read back from {self._cache.folder}")
        return stored

    def _judge(self, what: str, total: int, broken: Mapping[str, str]) -> None:
        """Warn of few broken files, refuse many."""
        self._refuse(what, total, broken)
        if broken:
            more = " ..." if len(broken) > 3 else ""
            _LOG.warning(
                "%s/%s: skipped %d of %d files (%s%s)", self.name, what, len(broken), total, _named(broken), more
            )

    def _refuse(self, what: str, total: int, broken: Mapping[str, str]) -> None:
        if len(broken) > broken_allowed(total, limit=self._broken_limit) or len(broken) == total:
            raise UserError(
                f"at most {100 * self._broken_limit:g} % of a split's files are unreadable, or one of a small split",
                value=f"{len(broken)} of {total} in {self.name}/{what} ({_named(broken) or 'no file'})",
                remedy="mend or remove them, or raise data.broken_limit",
            )


def broken_allowed(total: int, *, limit: float) -> float:
    """How many of so many files may be broken: the limit's share, and one unless the limit is 0."""
    return max(1.0, limit * total) if limit > 0 else 0.0


def _named(broken: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {reason}" for name, reason in list(broken.items())[:3])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Preparation:
    """One modality's front-end: decode a file, then images of a batch; ``key`` and ``row`` describe what comes out."""

    key: str
    row: tuple[int, int, int]
    decode: Callable[[bytes], npt.NDArray[Any]]
    finish: Callable[[Sequence[npt.NDArray[Any]]], npt.NDArray[np.int8]]

    @classmethod
    def of(cls, modality: str, audio: AudioOptions, *, input_size: int, channels: int) -> _Preparation:
        row = (input_size, input_size, channels)
        if modality == "voice":
            front_end = LogMel(audio.settings(input_size), channels=channels)
            samples = front_end.settings.clip_samples
            return cls(
                key=front_end.settings.key,
                row=row,
                decode=lambda content: fit_clip(decode_audio(content), samples),
                finish=lambda clips: front_end(np.stack(clips)),
            )
        if channels not in (1, 3) or input_size < 1:
            raise UserError(
                "a picture has 1 or 3 channels",
                value=f"{input_size} x {channels}",
                remedy="use channels=3 or channels=1",
            )
        return cls(
            key=f"image-v{IMAGE_VERSION}",
            row=row,
            decode=lambda content: prepare_image(decode_image(content), input_size=input_size, channels=channels),
            finish=np.stack,
        )


def _blocks(
    files: Sequence[SampleFile], preparation: _Preparation, identities: list[int], broken: dict[str, str]
) -> Iterator[npt.NDArray[np.int8]]:
    """Network inputs of the readable files, batch by batch; fills ``identities`` and ``broken`` on the way."""
    waiting: list[npt.NDArray[Any]] = []
    for file in files:
        try:
            waiting.append(preparation.decode(file.read()))
        except (BrokenSampleError, OSError) as error:
            broken[file.name] = str(error)
            continue
        identities.append(file.identity)
        if len(waiting) == _FILES_AT_ONCE:
            yield preparation.finish(waiting)
            waiting = []
    if waiting:
        yield preparation.finish(waiting)


def _with_front_ends(digest: str, audio: AudioOptions) -> str:
    """Digest of the files and of what the front-ends make of them."""
    settings = f"{audio.frontend}|{audio.clip_s:g}|{audio.steps_per_octave}|{audio.normalize}"
    text = f"{digest}|{settings}|{IMAGE_VERSION}|{LOG_MEL_VERSION}"
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _known(value: Any, known: Sequence[str], what: str) -> Any:
    if value not in known:
        raise UserError(f"a {what} is {', '.join(known)}", value=value, remedy=f"use one of the {what} names")
    return value
