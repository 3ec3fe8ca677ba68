"""VoxCeleb: VoxCeleb2's dev people to train, VoxCeleb1's verification list to test, as in the paper.

Layout under ``root``, each folder as published, each place an option:

- ``vox2/dev/wav/<id>/<video>/<clip>.wav`` (VoxCeleb2 comes as .m4a: convert it, also to .flac or .ogg),
- ``vox2/dev/face/<id>/<video>/<clip>.jpg`` or ``.../<clip>/<frame>.jpg`` (frames of the published videos),
- ``vox1/wav/<id>/<video>/<clip>.wav``,
- ``vox1/face/<id>/<video>/...``, or the published ``unzippedFaces/<Name>/1.6/<video>/<frame>.jpg`` with its
  ``vox1_meta.csv``,
- ``veri_test2.txt`` (or veri_test.txt, list_test_hard2.txt ..): lines ``label path path``.

A sample is a clip: its recording, and one frame of it. Pictures that are filed by video only are dealt to the video's
listed clips in turn. The paper draws a frame and a clip anew for every pair; here they are fixed.
"""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import Split
from tinysearch.data.pairs import listed_names, read_list
from tinysearch.data.preparation import AudioOptions
from tinysearch.data.samples import FileDataset
from tinysearch.data.splits import SUFFIXES, Found, FoundFile, digest_of, draw_people, found_file, share_out

_LOG = logging.getLogger(__name__)


class VoxCelebDataset(FileDataset):
    """VoxCeleb2 dev and VoxCeleb1, audio, pictures or both.

    Args:
        root: folder that all other places are in.
        train_voice, train_face, test_voice, test_face: folders; a modality needs both of its folders.
        pairs: the verification list, whose people and clips are the test set.
        meta: VoxCeleb1's table of ids and names, needed where pictures are filed by name.
        validation_people: how many of VoxCeleb2's people are kept from training, drawn by ``split_seed``.
        samples_per_person: at most so many training and validation clips of a person, spread over its videos; None
            takes all (a million clips: prepared at 224 x 224 they fill 50 GB a modality and channel).
        audio: by default 3 s clips.
        cache_dir, broken_limit: see :class:`~tinysearch.data.samples.FileDataset`.

    The digest is of names and lengths of files, for reading them all at every start would take an hour.

    Raises:
        UserError: nothing is there, the list is none, or listed people also train.
    """

    def __init__(
        self,
        *,
        root: Path | str,
        train_voice: str = "vox2/dev/wav",
        train_face: str = "vox2/dev/face",
        test_voice: str = "vox1/wav",
        test_face: str = "vox1/face",
        pairs: str = "veri_test2.txt",
        meta: str = "vox1_meta.csv",
        validation_people: int = 100,
        samples_per_person: int | None = 50,
        split_seed: int = 0,
        audio: AudioOptions | None = None,
        cache_dir: Path | str | None = None,
        broken_limit: float = 0.05,
    ) -> None:
        base = Path(root)
        clips = _listed_clips(base / pairs)
        names = _ids_by_name(base / meta)
        found: dict[str, dict[str, list[FoundFile]]] = {}
        for modality, train, test in (("voice", train_voice, test_voice), ("face", train_face, test_face)):
            if (base / train).is_dir() and (base / test).is_dir():
                learned = _people(base / train, modality=modality, names={})
                tried = _people(base / test, modality=modality, names=names)
                _check_apart(learned, clips)
                thinned = {person: _spread(files, samples_per_person) for person, files in learned.items()}
                found[modality] = {**thinned, **_only_listed(tried, clips, modality=modality)}
        if not found:
            raise UserError(
                "data.root must hold a folder to train and one to test of at least one modality",
                value=f"{base} without ({train_voice} and {test_voice}) and without ({train_face} and {test_face})",
                remedy="see data.train_voice, data.test_voice, data.train_face, data.test_face",
            )
        splits = _splits(found, clips, validation_people=validation_people, split_seed=split_seed)
        shared = share_out(found, splits)
        super().__init__(
            name="voxceleb",
            digest=digest_of(found, splits, contents=False),
            files=shared.files,
            people=shared.people,
            lists={"test": base / pairs},
            audio=audio or AudioOptions(clip_s=3.0),
            cache_dir=cache_dir,
            broken_limit=broken_limit,
        )


def _listed_clips(path: Path) -> dict[str, list[str]]:
    """Listed clips ``<id>/<video>/<clip>`` without suffix by id, sorted.

    Raises:
        UserError: no such file, or one of another form.
    """
    listed = listed_names(path) if path.is_file() else None
    if listed is None or any(name.count("/") != 2 for name in listed):
        raise UserError(
            "data.pairs must be VoxCeleb1's verification list with lines `label id/video/clip id/video/clip`",
            value=path,
            remedy="put the published veri_test2.txt there",
        )
    clips: dict[str, list[str]] = {}
    for name in sorted({name.rpartition(".")[0] or name for name in listed}):
        clips.setdefault(name.split("/")[0], []).append(name)
    return clips


def _ids_by_name(path: Path) -> dict[str, str]:
    """VoxCeleb1's id of each name, from its tab-separated table; empty without the file."""
    if not path.is_file():
        return {}
    try:
        rows = [row for row in csv.reader(io.StringIO(read_list(path)), delimiter="\t") if len(row) >= 2]
    except csv.Error as error:
        raise UserError(
            "data.meta must be a table of ids and names", value=f"{path}: {error}", remedy="mend it"
        ) from error
    return {row[1].strip(): row[0].strip() for row in rows if row[0].startswith("id1")}


def _people(folder: Path, *, modality: str, names: dict[str, str]) -> dict[str, list[FoundFile]]:
    """Files by id, renamed to ``<id>/<video>/<clip or frame>.<suffix>``; of a folder of frames the middle one."""
    people: dict[str, list[FoundFile]] = {}
    other = 0
    for person in sorted(path for path in folder.iterdir() if path.is_dir()):
        own = people.setdefault(names.get(person.name, person.name), [])
        for video in _videos(person):
            prefix = f"{names.get(person.name, person.name)}/{video.name}"
            for entry in sorted(video.iterdir()):
                inside = sorted(entry.iterdir()) if entry.is_dir() else [entry]
                usable = [path for path in inside if path.suffix.lower() in SUFFIXES[modality]]
                other += len(inside) - len(usable)
                if usable:
                    path = usable[len(usable) // 2]
                    clip = entry.name if entry.is_dir() else entry.stem
                    own.append(replace(found_file(path, root=folder), name=f"{prefix}/{clip}{path.suffix.lower()}"))
    if other:
        _LOG.warning("%s: %d files are no %s (convert .m4a with ffmpeg to .wav)", folder, other, SUFFIXES[modality])
    return {person: files for person, files in people.items() if files}


def _videos(person: Path) -> list[Path]:
    """Folders of videos; VoxCeleb1's pictures have a folder ``1.6`` above them."""
    inner = person / "1.6"
    return sorted(path for path in (inner if inner.is_dir() else person).iterdir() if path.is_dir())


def _only_listed(
    people: dict[str, list[FoundFile]], clips: dict[str, list[str]], *, modality: str
) -> dict[str, list[FoundFile]]:
    """The listed clips' files, in the list's order; what is missing is left to :func:`read_pairs` to name.

    A picture that is not filed under a listed clip stands for one of its video's clips: clip i of n takes
    picture floor(i m / n) of m.
    """
    chosen: dict[str, list[FoundFile]] = {}
    for person, listed in clips.items():
        exact: dict[str, FoundFile] = {file.name.rpartition(".")[0]: file for file in people.get(person, ())}
        by_video: dict[str, list[FoundFile]] = {}
        for name, file in exact.items():
            by_video.setdefault(name.rpartition("/")[0], []).append(file)
        for video in sorted({clip.rpartition("/")[0] for clip in listed}):
            own = [clip for clip in listed if clip.rpartition("/")[0] == video]
            pictures = by_video.get(video, [])
            for place, clip in enumerate(own):
                taken = exact.get(clip)
                if taken is None and modality == "face" and pictures:
                    taken = pictures[place * len(pictures) // len(own)]
                if taken is not None:
                    suffix = taken.name.rpartition(".")[2]
                    chosen.setdefault(person, []).append(replace(taken, name=f"{clip}.{suffix}"))
    return chosen


def _spread(files: Sequence[FoundFile], most: int | None) -> list[FoundFile]:
    """At most so many files, equally spaced in their order, which goes video by video."""
    if most is None or len(files) <= most:
        return list(files)
    return [files[place * len(files) // most] for place in range(most)]


def _check_apart(learned: Iterable[str], clips: dict[str, list[str]]) -> None:
    common = set(learned) & set(clips)
    if common:
        raise UserError(
            "people in the test set must not be in the training set",
            value=f"{min(common)} in both",
            remedy="train on VoxCeleb2's dev people only",
        )


def _splits(
    found: Found, clips: dict[str, list[str]], *, validation_people: int, split_seed: int
) -> dict[Split, tuple[str, ...]]:
    everyone = {person for by_person in found.values() for person in by_person}
    learned = sorted(everyone - set(clips))
    validation = draw_people(learned, validation_people, seed=split_seed)
    return {
        "train": tuple(person for person in learned if person not in set(validation)),
        "validation": tuple(sorted(validation)),
        "test": tuple(sorted(everyone & set(clips))),
    }
