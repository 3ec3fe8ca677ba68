"""Real people, each with files of some modalities, shared out to train, validation and test."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import SPLITS, Split
from tinysearch.data.decode import AUDIO_SUFFIXES, IMAGE_SUFFIXES
from tinysearch.data.preparation import SampleFile
from tinysearch.reading import read_bytes, same_name

SUFFIXES: Mapping[str, tuple[str, ...]] = {"face": IMAGE_SUFFIXES, "voice": AUDIO_SUFFIXES}
SMALLEST_SPLIT = 2
FEWEST = len(SPLITS)
"""Files that every split gets one of."""

MOST_SAMPLE_BYTES = 2**29
"""Of one encoded picture or recording."""

RULES = "samples-3"
"""Version of the rules by which files are read, mended and skipped; part of the digest of people's own files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A file of one person and modality, not yet numbered: its name, its length in bytes, and how to read it."""

    name: str
    size_bytes: int
    read: Callable[[], bytes]


Found = Mapping[str, Mapping[str, Sequence[FoundFile]]]
"""Files by modality and person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What a :class:`~tinysearch.data.samples.FileDataset` is made of."""

    files: Mapping[str, Mapping[Split, tuple[SampleFile, ...]]]
    people: Mapping[Split, Mapping[str, npt.NDArray[np.int32]]]


def found_file(path: Path, *, root: Path) -> FoundFile:
    """One file on disk, under its name in composed letters (NFC)."""
    name = same_name(path.relative_to(root).as_posix())
    return FoundFile(name=name, size_bytes=path.stat().st_size, read=partial(read_bytes, path, most=MOST_SAMPLE_BYTES))


def share_out(found: Found, split_people: Mapping[Split, Sequence[str]]) -> Shared:
    """Number the identities of each modality within each split, in the order of the people's names.

    A person of a split is a number in each modality that has files of it, -1 in the others.

    Raises:
        UserError: a split has fewer than two people, or a person is in two splits.
    """
    _check_splits(split_people)
    files: dict[str, dict[Split, tuple[SampleFile, ...]]] = {modality: {} for modality in found}
    people: dict[Split, dict[str, npt.NDArray[np.int32]]] = {split: {} for split in SPLITS}
    for modality, by_person in found.items():
        for split in SPLITS:
            names = sorted(split_people[split])
            known = [name for name in names if by_person.get(name)]
            numbers = {name: number for number, name in enumerate(known)}
            people[split][modality] = np.array([numbers.get(name, -1) for name in names], np.int32)
            files[modality][split] = tuple(
                SampleFile(name=file.name, identity=numbers[name], read=file.read)
                for name in known
                for file in by_person[name]
            )
    return Shared(files=files, people=people)


def draw_splits(
    names: Iterable[str], *, seed: int, validation_share: float, test_share: float
) -> dict[Split, tuple[str, ...]]:
    """People drawn at random for each split, at least two for each.

    Raises:
        UserError: shares that leave nothing to train, or too few people.
    """
    ordered = sorted(names)
    shares = checked_shares(validation_share, test_share)
    if len(ordered) < 3 * SMALLEST_SPLIT:
        raise UserError("people must be 6 or more for three splits", value=len(ordered), remedy="add people")
    held = [max(SMALLEST_SPLIT, round(share * len(ordered))) for share in shares]
    while sum(held) > len(ordered) - SMALLEST_SPLIT:
        held[held.index(max(held))] -= 1
    chosen = draw_people(ordered, sum(held), seed=seed)
    validation, test = chosen[: held[0]], chosen[held[0] :]
    train = set(ordered) - set(chosen)
    return {"train": tuple(sorted(train)), "validation": tuple(sorted(validation)), "test": tuple(sorted(test))}


def checked_shares(validation: float, test: float) -> tuple[float, float]:
    """The two shares as they were given.

    Raises:
        UserError: one is not positive, or they leave nothing to train.
    """
    if min(validation, test) <= 0 or validation + test >= 1:
        raise UserError(
            "shares of validation and test must be positive and leave some for training",
            value=(validation, test),
            remedy="write data.validation_share=0.2 data.test_share=0.2",
        )
    return validation, test


def parted(names: Sequence[str], *, shares: tuple[float, float], rng: np.random.Generator) -> dict[str, Split]:
    """Split by name, drawn at random; of :data:`FEWEST` names or more every split gets one."""
    order = [names[place] for place in rng.permutation(len(names))]
    least = 1 if len(names) >= FEWEST else 0
    validation, test = (max(least, round(share * len(names))) for share in shares)
    parts: dict[Split, list[str]] = {
        "validation": order[:validation],
        "test": order[validation : validation + test],
        "train": order[validation + test :],
    }
    return {name: split for split, part in parts.items() for name in part}


def draw_people(names: Iterable[str], count: int, *, seed: int) -> list[str]:
    """``count`` different people, or all, in the order drawn."""
    ordered = sorted(names)
    return [ordered[place] for place in np.random.default_rng(seed).permutation(len(ordered))[:count]]


def digest_of(found: Found, split_people: Mapping[Split, Sequence[str]], *, contents: bool) -> str:
    """Hex digest of files and splits.

    Args:
        contents: of the files' bytes; else of names and lengths, for sets too large to read at every start.
    """
    digest = hashlib.sha256(f"{RULES}\n".encode())
    for split in SPLITS:
        digest.update(f"{split}:{'|'.join(sorted(split_people[split]))}\n".encode())
    for modality in sorted(found):
        for person in sorted(found[modality]):
            for file in found[modality][person]:
                content = content_digest(file) if contents else ""
                digest.update(f"{modality}/{person}/{file.name}/{file.size_bytes}/{content}\n".encode())
    return digest.hexdigest()[:16]


def content_digest(file: FoundFile) -> str:
    """Hex digest of a file's bytes; a word where it cannot be read, so that whoever decodes it can name and skip it."""
    try:
        return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return "unreadable"


def _check_splits(split_people: Mapping[Split, Sequence[str]]) -> None:
    for split in SPLITS:
        if len(split_people[split]) < SMALLEST_SPLIT:
            raise UserError(
                "every split must have at least two people",
                value=f"{len(split_people[split])} in {split}",
                remedy="add people or change the splits",
            )
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        common = set(split_people[one]) & set(split_people[other])  # type: ignore[index]
        if common:
            raise UserError(
                "a person must be in one split only",
                value=f"{min(common)} in {one} and {other}",
                remedy="drop it from one",
            )
