"""Anyone's own pictures or sounds: a folder a class; of sounds also the layout of Speech Commands v2.

Speech Commands: a folder a word, ``_background_noise_`` with long recordings, and ``validation_list.txt`` and
``testing_list.txt`` with one ``word/file`` a line; files are called ``<speaker>_nohash_<number>.wav``.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import SPLITS, Split
from tinysearch.core.task import Input
from tinysearch.data.background import background_clips
from tinysearch.data.class_folders import ClassTree, find_classes
from tinysearch.data.keywords import SILENCE, UNKNOWN
from tinysearch.data.labelled import LabelledFile, LabelledFiles
from tinysearch.data.pairs import read_list
from tinysearch.data.people import told_unread
from tinysearch.data.preparation import AudioOptions, SampleFile
from tinysearch.data.splits import FEWEST, RULES, FoundFile, checked_shares, content_digest, parted
from tinysearch.inputs.microphone import Microphone
from tinysearch.reading import same_name

_LOG = logging.getLogger(__name__)

LISTS: Mapping[Split, str] = {"validation": "validation_list.txt", "test": "testing_list.txt"}
MOST_READ_FOR_DIGEST = 20_000
"""Files whose bytes are read at every start; of more, names and lengths tell whether they are the same."""

_SPEAKER_MARK = "_nohash_"

Files = Mapping[Split, list[LabelledFile]]


class ClassesDataset(LabelledFiles):
    """Files ``root/<class>/<file>``.

    Splits are those of the two lists where they are there; else files are drawn by ``split_seed`` within each class, or
    where names tell speakers, all files of a speaker into one split.

    Args:
        given: the task's camera or microphone.
        root: the folder.
        known: classes to tell apart; files of all others are of the class ``_unknown_``. Empty: all are told apart.
        most_unknown: files of ``_unknown_`` in a split, at most so many times the mean of the known classes.
        split_seed, validation_share, test_share: of the drawing.
        audio, cache_dir, broken_limit: see :class:`~tinysearch.data.samples.FileDataset`.

    Raises:
        UserError: no such folder, no class in it, a class with fewer than three files, or lists that do not fit.
    """

    def __init__(
        self,
        *,
        given: Input,
        root: Path | str,
        known: Sequence[str] = (),
        most_unknown: float = 2.0,
        split_seed: int = 0,
        validation_share: float = 0.1,
        test_share: float = 0.1,
        audio: AudioOptions | None = None,
        cache_dir: Path | str | None = None,
        broken_limit: float = 0.05,
    ) -> None:
        shares = checked_shares(validation_share, test_share)
        tree = find_classes(Path(root), suffixes=given.kind.suffixes)
        class_of = _class_of(tree, known)
        noise = tree.background if isinstance(given.kind, Microphone) else ()
        names = sorted({*class_of.values(), *([SILENCE] if noise else [])})
        splits = _listed(Path(root), tree) or _drawn(tree, class_of, shares=shares, seed=split_seed)
        files: dict[Split, list[LabelledFile]] = {split: [] for split in SPLITS}
        for folder, found in tree.found.items():
            for file in found:
                sample = SampleFile(name=file.name, identity=names.index(class_of[folder]), read=file.read)
                files[splits[file.name]].append(LabelledFile(sample=sample, group=_speaker(file.name)))
        if isinstance(given.kind, Microphone):
            for file in noise:
                clips = background_clips(file, label=names.index(SILENCE), clip_s=given.kind.clip_s, shares=shares)
                for split in SPLITS:
                    files[split] += clips[split]
        if UNKNOWN in names:
            files = _thinned(files, unknown=names.index(UNKNOWN), most=most_unknown, seed=split_seed)
        self.unread = tree.unread
        if tree.unread:
            _LOG.warning("%s%s; see data inspect", root, told_unread(tree.unread))
        super().__init__(
            name="classes",
            digest=_digest(tree, files, names),
            given=given,
            files=files,
            class_names=names,
            audio=audio,
            cache_dir=cache_dir,
            broken_limit=broken_limit,
            one_of_each=True,
        )


def _class_of(tree: ClassTree, known: Sequence[str]) -> dict[str, str]:
    """Class by folder.

    Raises:
        UserError: a known class without a folder.
    """
    missing = [name for name in known if name not in tree.found]
    if missing:
        raise UserError(
            "data.known must name folders of data.root",
            value=f"{missing[0]}, and there are {', '.join(tree.found)}",
            remedy="correct the name, or leave data.known out",
        )
    return {folder: folder if not known or folder in known else UNKNOWN for folder in tree.found}


def _listed(root: Path, tree: ClassTree) -> dict[str, Split] | None:
    """Split by file as the two lists say; None where neither is there.

    Raises:
        UserError: one list alone, or one that names what is not there.
    """
    there = [split for split, name in LISTS.items() if (root / name).exists()]
    if not there:
        return None
    if len(there) < len(LISTS):
        raise UserError(
            f"{' and '.join(LISTS.values())} must both be there or neither",
            value=f"{LISTS[there[0]]} alone in {root}",
            remedy="add the other, or remove it",
        )
    splits: dict[str, Split] = {file.name: "train" for found in tree.found.values() for file in found}
    for split in there:
        for number, line in enumerate(read_list(root / LISTS[split]).splitlines(), start=1):
            name = same_name(line.strip()).removeprefix("./")
            if not name:
                continue
            if name not in splits or splits[name] != "train":
                again = name in splits
                raise UserError(
                    f"a list must name {'each file once' if again else 'files that are there'}",
                    value=f"{name} in {LISTS[split]}, line {number}",
                    remedy="correct the line",
                )
            splits[name] = split
    return splits


def _drawn(tree: ClassTree, class_of: Mapping[str, str], *, shares: tuple[float, float], seed: int) -> dict[str, Split]:
    """Split by file: drawn within each class, or by speaker.

    Raises:
        UserError: a class with fewer than three files.
    """
    by_class: dict[str, list[str]] = {}
    for folder, found in tree.found.items():
        by_class.setdefault(class_of[folder], []).extend(file.name for file in found)
    for name, files in by_class.items():
        if len(files) < FEWEST:
            raise UserError(
                f"a class must have {FEWEST} files or more, one a split",
                value=f"{len(files)} of class {name}",
                remedy="add files, or remove its folder",
            )
    rng = np.random.default_rng(seed)
    speakers = sorted({_speaker(name) for files in by_class.values() for name in files if _SPEAKER_MARK in name})
    spoken = parted(speakers, shares=shares, rng=rng) if len(speakers) >= FEWEST else {}
    splits: dict[str, Split] = {}
    for name in sorted(by_class):
        alone = sorted(file for file in by_class[name] if _speaker(file) not in spoken)
        splits |= parted(alone, shares=shares, rng=rng)
        splits |= {file: spoken[_speaker(file)] for file in by_class[name] if _speaker(file) in spoken}
    return splits


def _speaker(name: str) -> str:
    """Who speaks in a file, as Speech Commands names them; of other files the file itself."""
    last = name.rpartition("/")[2]
    return last.partition(_SPEAKER_MARK)[0] if _SPEAKER_MARK in last else name


def _thinned(files: Files, *, unknown: int, most: float, seed: int) -> dict[Split, list[LabelledFile]]:
    """Files of the class ``_unknown_`` drawn down to ``most`` times the mean of the known classes of their split."""
    rng = np.random.default_rng(seed)
    out: dict[Split, list[LabelledFile]] = {}
    for split, given in files.items():
        labels = np.array([file.sample.identity for file in given])
        known = labels[labels != unknown]
        wanted = round(most * len(known) / max(1, len(np.unique(known))))
        places = np.flatnonzero(labels == unknown)
        kept = set(rng.permutation(places)[: max(1, wanted)].tolist())
        out[split] = [file for place, file in enumerate(given) if labels[place] != unknown or place in kept]
    return out


def _digest(tree: ClassTree, files: Files, names: Sequence[str]) -> str:
    """Hex digest of classes, files and splits."""
    found: list[FoundFile] = [file for group in tree.found.values() for file in group] + list(tree.background)
    whole = len(found) <= MOST_READ_FOR_DIGEST
    digest = hashlib.sha256(f"{RULES}|{'|'.join(names)}\n".encode())
    for file in found:
        content = content_digest(file) if whole else ""
        digest.update(f"{file.name}/{file.size_bytes}/{content}\n".encode())
    for split in SPLITS:
        digest.update(f"{split}:{'|'.join(file.sample.name for file in files[split])}\n".encode())
    return digest.hexdigest()[:16]
