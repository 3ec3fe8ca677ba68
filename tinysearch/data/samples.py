"""What every data set does with the files that it has found: what can be used of them, kept, and refused."""

from __future__ import annotations

import logging
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.core.candidate import SampleShape
from tinysearch.core.errors import UserError
from tinysearch.core.pairs import Pairs
from tinysearch.core.protocols import SPLITS, Dataset, Samples, Split
from tinysearch.data.cache import PreparedCache
from tinysearch.data.copies import Print, find_copies
from tinysearch.data.pairs import read_pairs
from tinysearch.data.preparation import AudioOptions, FileNotes, Preparation, SampleFile, with_front_ends

_LOG = logging.getLogger(__name__)
_Prepared = tuple[dict[str, npt.NDArray[Any]], dict[str, dict[str, str]]]
"""Arrays ``inputs``, ``identities`` and ``prints`` of the readable files, and names with reasons: broken, mended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Files that no rule mends: ``reasons`` by file name, out of ``files`` in all; ``mended`` are guesses."""

    files: int
    reasons: Mapping[str, str] = field(default_factory=dict)
    mended: Mapping[str, str] = field(default_factory=dict)


class FileDataset(Dataset):
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
        one_of_each: whether samples that are the same when decoded are skipped: under two people (or under one in two
            splits, under another name) all of them, under one person all but the first.
        recorded: modalities whose files are recordings; those of all others are pictures.
        owner: what an identity is, for messages.

    Attributes:
        unread: files that are no samples, by the reason why.
    """

    unread: Mapping[str, tuple[str, ...]] = MappingProxyType({})

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
        one_of_each: bool = False,
        recorded: Container[str] = ("voice",),
        owner: str = "person",
    ) -> None:
        self.name = name
        self.audio = audio or AudioOptions()
        self.digest = with_front_ends(digest, self.audio)
        self.modalities = tuple(sorted(files))
        self._files, self._people, self._lists = files, people, lists or {}
        self._lists_name_modalities = lists_name_modalities
        self._cache = None if cache_dir is None else PreparedCache(folder=Path(cache_dir))
        self._broken_limit = broken_limit
        self._one_of_each = one_of_each
        self._recorded, self._owner = recorded, owner
        self._examined: dict[str, _Prepared] = {}
        self._loaded: dict[str, tuple[Samples, Skipped]] = {}

    def load(self, modality: str, split: Split, *, input_size: int, channels: int) -> Samples:
        """See :class:`~tinysearch.core.protocols.Dataset`. Arrays that come from the cache are read-only.

        Raises:
            UserError: a modality or split that is not there, no readable file, or more broken files than allowed.
        """
        return self._checked(modality, split, (input_size, channels))

    def load_clip(self, modality: str, split: Split, *, input_size: int, channels: int, frames: int) -> Samples:
        """See :class:`~tinysearch.core.protocols.Dataset`; the rest as :meth:`load`.

        Raises:
            UserError: also of pictures.
        """
        if modality not in self._recorded:
            return super().load_clip(modality, split, input_size=input_size, channels=channels, frames=frames)
        return self._checked(modality, split, (input_size, channels, frames))

    def _checked(self, modality: str, split: Split, shape: SampleShape) -> Samples:
        samples, skipped = self._load(modality, split, shape)
        self._refuse(f"{modality}/{split}/{_spelled(shape)}", skipped)
        return samples

    def people(self, split: Split) -> Mapping[str, npt.NDArray[np.int32]]:
        """See :class:`~tinysearch.core.protocols.Dataset`."""
        return self._people[_known(split, SPLITS, "split")]

    def skipped(self, modality: str, split: Split, *, input_size: int, channels: int) -> Skipped:
        """What :meth:`load` with the same arguments left out, and why."""
        return self._load(modality, split, (input_size, channels))[1]

    def last_skipped(self, modality: str, split: Split) -> Skipped:
        """What was left out when a split was last loaded, in whatever shape.

        Raises:
            ValueError: it was not loaded yet.
        """
        found = [skipped for shape, (_, skipped) in self._loaded.items() if shape.startswith(f"{modality}/{split}/")]
        if not found:
            raise ValueError(f"{modality}/{split} must be loaded first")
        return found[-1]

    def listed_pairs(self, split: Split, shapes: Mapping[str, SampleShape]) -> Pairs | None:
        """Pairs of the published list of a split, or None where there is none (for these modalities).

        Args:
            shapes: by modality, as what the samples are loaded.

        Raises:
            UserError: see :func:`tinysearch.data.pairs.read_pairs`.
        """
        if split not in self._lists:
            return None
        names, identities, broken = {}, {}, set()
        for modality, shape in shapes.items():
            samples, skipped = self._load(modality, split, shape)
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

    def _load(self, modality: str, split: Split, shape: SampleShape) -> tuple[Samples, Skipped]:
        files = self._files[_known(modality, self.modalities, "modality")][_known(split, SPLITS, "split")]
        name = f"{modality}/{split}/{_spelled(shape)}"
        if name not in self._loaded:
            arrays, notes = self._prepared(modality, split, shape)
            inputs, identities = arrays["inputs"], np.array(arrays["identities"])
            broken = dict(notes["broken"])
            if self._one_of_each:
                copies = self._copies(modality, split, shape)
                readable = [file.name for file in files if file.name not in broken]
                kept = [place for place in range(len(readable)) if place not in copies]
                broken |= {readable[place]: reason for place, reason in copies.items()}
                if copies:
                    inputs, identities = inputs[kept], identities[kept]
            samples = Samples(inputs=inputs, identities=identities)
            skipped = Skipped(files=len(files), reasons=broken, mended=notes["mended"])
            self._loaded[name] = samples, skipped
        return self._loaded[name]

    def _copies(self, modality: str, split: Split, shape: SampleShape) -> dict[int, str]:
        """Reason by place of a split's readable samples that are copies of others of any split."""
        prints: list[tuple[Print, str]] = []
        for other in SPLITS:
            arrays, notes = self._prepared(modality, other, shape)
            names = [file.name for file in self._files[modality][other] if file.name not in notes["broken"]]
            rows = zip(arrays["prints"].tolist(), arrays["identities"].tolist(), names, strict=True)
            prints += [((value, other, identity), name) for value, identity, name in rows]
        first = next((place for place, (found, _) in enumerate(prints) if found[1] == split), 0)
        reasons = find_copies(prints, owner=self._owner).items()
        return {place - first: reason for place, reason in reasons if prints[place][0][1] == split}

    def _prepared(self, modality: str, split: Split, shape: SampleShape) -> _Prepared:
        name = f"{modality}/{split}/{_spelled(shape)}"
        if name not in self._examined:
            preparation = Preparation.of(self.audio if modality in self._recorded else None, shape)
            key = f"prepared-v4/{self.digest}/{name}/{preparation.key}"
            remembered = None if self._cache is None else self._cache.load(key)
            self._examined[name] = remembered or self._prepare(key, self._files[modality][split], preparation)
            if remembered is None:
                self._warn(name, self._examined[name][1])
        return self._examined[name]

    def _prepare(self, key: str, files: Sequence[SampleFile], preparation: Preparation) -> _Prepared:
        noted = FileNotes()
        blocks = noted.blocks(files, preparation)
        notes = {"broken": noted.broken, "mended": noted.mended}
        if self._cache is None:
            inputs = np.concatenate([np.zeros((0, *preparation.row), np.int8), *blocks])
            return {"inputs": inputs} | noted.arrays(), notes
        rows = self._cache.store_rows(key, "inputs", blocks, row=preparation.row)
        if not rows:  # which cannot be mapped
            return {"inputs": np.zeros((0, *preparation.row), np.int8)} | noted.arrays(), notes
        self._cache.store(key, noted.arrays(), rows={"inputs": [rows, *preparation.row]}, notes=notes)
        stored = self._cache.load(key)
        if stored is None:
            raise OSError(f"the prepared samples cannot be read back from {self._cache.folder}")
        return stored

    def _warn(self, what: str, notes: Mapping[str, Mapping[str, str]]) -> None:
        for told in ("broken", "mended"):
            if notes[told]:
                more = " ..." if len(notes[told]) > 3 else ""
                verb = "skipped" if told == "broken" else "took with a remark"
                files = "1 file" if len(notes[told]) == 1 else f"{len(notes[told])} files"
                _LOG.warning("%s/%s: %s %s (%s%s)", self.name, what, verb, files, _named(notes[told]), more)

    def _refuse(self, what: str, skipped: Skipped) -> None:
        count, total = len(skipped.reasons), skipped.files
        if count == total:
            raise UserError(
                "a split must have a file that can be used",
                value=f"none of {total} in {self.name}/{what} ({_named(skipped.reasons) or 'no file'})",
                remedy="mend or replace them; data inspect names all",
            )
        if count > broken_allowed(total, limit=self._broken_limit):
            raise UserError(
                f"at most {100 * self._broken_limit:g} % of a split's files must be unusable, or one of a small split",
                value=f"{count} of {total} in {self.name}/{what} ({_named(skipped.reasons)})",
                remedy="mend or remove them, or raise data.broken_limit; data inspect names all",
            )


def _spelled(shape: SampleShape) -> str:
    """``64x1``, of a shorter clip ``32x64x1``."""
    input_size, channels, *shorter = shape
    return "x".join(map(str, (*shorter, input_size, channels)))


def broken_allowed(total: int, *, limit: float) -> float:
    """How many of so many files may be broken: the limit's share, and one unless the limit is 0."""
    return max(1.0, limit * total) if limit > 0 else 0.0


def _named(broken: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {reason}" for name, reason in list(broken.items())[:3])


def _known(value: Any, known: Sequence[str], what: str) -> Any:
    if value not in known:
        raise UserError(f"a {what} must be {', '.join(known)}", value=value, remedy=f"use one of the {what} names")
    return value
