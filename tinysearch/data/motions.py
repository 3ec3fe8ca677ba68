"""Exercises of the shoulder, felt at the wrist: the real motions that ship with the package.

Ten people do seven exercises with either arm, a smartwatch on its wrist: 140 recordings, three accelerations and three
rates at 50 Hz, 81 minutes in all. Recorded by David M. Burns (arXiv 1802.01489) and published in seglearn 1.2.5 under
BSD-3-Clause; ``tools/convert_motions.py`` made the archive.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import SPLITS, Split
from tinysearch.core.task import Input
from tinysearch.data.recordings import Recording, WindowDataset, at_speed
from tinysearch.data.window import VERSION
from tinysearch.inputs.motion import AXES, Motion
from tinysearch.inputs.series import is_number

ARCHIVE = "motions.npz"
EXERCISES = ("PEN", "ABD", "FEL", "IR", "ER", "TRAP", "ROW")
"""Pendulum, abduction, forward elevation, internal and external rotation, trapezius extension, upright row."""

PEOPLE = tuple(range(1, 11))
RATE_HZ = 50
RANGE_G, RANGE_DPS = 8.0, 2000.0


class MotionsDataset(WindowDataset):
    """The embedded motions as a classification of exercises, or with some exercises as anomalies.

    Args:
        given: the task's input, of kind motion; its rate and ranges are those of the recordings.
        root: folder with ``motions.npz``; None takes the package's.
        hop_s: seconds between the starts of two windows.
        validation_people, test_people: numbers 1 .. 10; all others train. Without validation people the last fifth of
            each training recording validates.
        speeds: at which training sees each recording, 1 as it is; people are slower and faster than those who train.
        unseen: exercises that training does not see, which are then the anomalies; empty for a classification.
        audio, cache_dir: not used.

    Raises:
        UserError: the archive is not there, an unknown person or exercise, or an input that it was not recorded for.
    """

    def __init__(
        self,
        *,
        given: Input | None = None,
        root: Path | str | None = None,
        hop_s: float = 0.5,
        validation_people: Sequence[int] = (7,),
        test_people: Sequence[int] = (8, 9, 10),
        speeds: Sequence[float] = (1.0,),
        unseen: Sequence[str] = (),
        audio: object = None,
        cache_dir: Path | str | None = None,
    ) -> None:
        del audio, cache_dir
        given = given or Input(name="wrist", kind=Motion())
        kind = _checked_kind(given)
        split_of = _split_of(validation_people, test_people)
        seen, checked = _seen(unseen), _speeds(speeds)
        content = _content(root)
        names = seen + tuple(name for name in EXERCISES if name not in seen)
        recordings: dict[Split, list[Recording]] = {split: [] for split in SPLITS}
        for recording, person in _recordings(content, names, axes=len(kind.axes)):
            if split_of[person] != "train":
                recordings[split_of[person]].append(recording)
                continue
            early, late = (recording, None) if validation_people else _parted(recording)
            if recording.label < len(seen):
                # for speeds near 1 accelerations and rates stay as they are
                recordings["train"] += [at_speed(early, speed) for speed in checked]
            if late is not None:
                recordings["validation"].append(late)
        settings = f"{VERSION}|{given.name}|{kind}|{hop_s}|{sorted(split_of.items())}|{checked}|{names}|{len(seen)}"
        super().__init__(
            name="motions",
            digest=hashlib.sha256(settings.encode() + hashlib.sha256(content).digest()).hexdigest()[:24],
            modality=given.name,
            kind=kind,
            hop_s=hop_s,
            recordings=recordings,
            class_names=names,
            normal=len(seen) if unseen else None,
        )


def _checked_kind(given: Input) -> Motion:
    kind = given.kind
    if isinstance(kind, Motion) and kind.rate_hz == RATE_HZ and (kind.range_g, kind.range_dps) == (RANGE_G, RANGE_DPS):
        return kind
    raise UserError(
        f"data=motions must be read as a motion sensor at {RATE_HZ} Hz, {RANGE_G:g} g and {RANGE_DPS:g} dps",
        value=f"{given.name}: {kind}",
        remedy="leave rate_hz, range_g and range_dps out",
    )


def _split_of(validation: Sequence[int], test: Sequence[int]) -> dict[int, Split]:
    """Split of every person.

    Raises:
        UserError: an unknown person, one in two splits, or nobody left to train.
    """
    held = [*validation, *test]
    if len(set(held)) != len(held) or not set(held) < set(PEOPLE) or not test:
        raise UserError(
            "validation_people and test_people must be different people out of 1 .. 10, some to test and some left",
            value=f"{list(validation)} and {list(test)}",
            remedy="write data.validation_people=[7] data.test_people=[8,9,10]",
        )
    return {
        person: "validation" if person in validation else "test" if person in test else "train" for person in PEOPLE
    }


def _speeds(given: Sequence[float]) -> tuple[float, ...]:
    """Speeds of training.

    Raises:
        UserError: none, or one that nobody moves at.
    """
    speeds = tuple(given)
    if not speeds or not all(is_number(speed) and 0.5 <= speed <= 2 for speed in speeds):
        raise UserError(
            "speeds must be numbers from 0.5 to 2", value=list(given), remedy="write data.speeds=[0.85,1,1.2]"
        )
    return tuple(float(speed) for speed in speeds)


def _parted(recording: Recording) -> tuple[Recording, Recording]:
    """A recording without its last fifth, and that."""
    late = len(recording.counts) - len(recording.counts) // 5
    return replace(recording, counts=recording.counts[:late]), replace(recording, counts=recording.counts[late:])


def _seen(unseen: Sequence[str]) -> tuple[str, ...]:
    """Exercises of training.

    Raises:
        UserError: an unknown exercise, or fewer than two left.
    """
    seen = tuple(name for name in EXERCISES if name not in unseen)
    if set(unseen) - set(EXERCISES) or len(set(unseen)) != len(unseen) or len(seen) < 2:
        raise UserError(
            f"unseen must be exercises out of {', '.join(EXERCISES)}, with two or more left",
            value=list(unseen),
            remedy="write data.unseen=[TRAP,ROW]",
        )
    return seen


def _content(root: Path | str | None) -> bytes:
    folder = Path(str(resources.files("tinysearch.data") / "embedded")) if root is None else Path(root)
    try:
        return (folder / ARCHIVE).read_bytes()
    except OSError as error:
        raise UserError(
            f"data=motions must find {ARCHIVE}", value=folder, remedy="install the package again, or leave root out"
        ) from error


def _recordings(content: bytes, names: Sequence[str], *, axes: int) -> list[tuple[Recording, int]]:
    """Recordings with their people."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays: dict[str, npt.NDArray[np.generic]] = {name: archive[name] for name in archive.files}
        counts, lengths = arrays["counts"], arrays["lengths"]
        if counts.dtype != np.int16 or counts.shape != (lengths.sum(), len(AXES)):
            raise ValueError(f"counts are {counts.dtype} {counts.shape}")
        parts = np.split(counts, np.cumsum(lengths)[:-1])
        pairs = zip(parts, arrays["exercise"], arrays["person"], strict=True)
        return [
            (
                Recording(
                    name=f"person {int(person)} {EXERCISES[int(exercise)]}",
                    label=names.index(EXERCISES[int(exercise)]),
                    counts=np.ascontiguousarray(part[:, :axes]),
                ),
                int(person),
            )
            for part, exercise, person in pairs
        ]
    except (ValueError, KeyError, IndexError, OSError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{ARCHIVE} must be what tools/convert_motions.py writes", value=error, remedy="install the package again"
        ) from error
