"""Which exercise does a wrist do: the real motions that ship with the package, by exercise."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import SPLITS, Split
from tinysearch.core.task import Input
from tinysearch.data.recordings import Recording, WindowDataset, at_speed
from tinysearch.data.window import VERSION
from tinysearch.data.wrists import EXERCISES, archive_content, checked_kind, exercised, split_of
from tinysearch.inputs.motion import Motion
from tinysearch.inputs.series import is_number


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
        kind = checked_kind(given, data="motions")
        split_of_person = split_of(validation_people, test_people)
        seen, checked = _seen(unseen), _speeds(speeds)
        content = archive_content(root)
        names = seen + tuple(name for name in EXERCISES if name not in seen)
        recordings: dict[Split, list[Recording]] = {split: [] for split in SPLITS}
        for found in exercised(content, axes=len(kind.axes)):
            recording = Recording(name=found.name, label=names.index(found.exercise), counts=found.counts)
            if split_of_person[found.person] != "train":
                recordings[split_of_person[found.person]].append(recording)
                continue
            early, late = (recording, None) if validation_people else _parted(recording)
            if recording.label < len(seen):
                # for speeds near 1 accelerations and rates stay as they are
                recordings["train"] += [at_speed(early, speed) for speed in checked]
            if late is not None:
                recordings["validation"].append(late)
        settings = (
            f"{VERSION}|{given.name}|{kind}|{hop_s}|{sorted(split_of_person.items())}|{checked}|{names}|{len(seen)}"
        )
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
