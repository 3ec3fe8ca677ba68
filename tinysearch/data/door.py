"""People at a door: each a rendered face, a synthetic voice and the motion of a real hand, put together by number."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import SPLITS, Dataset, Samples, Split
from tinysearch.core.task import Augmentation, Input
from tinysearch.data.chimeric import chimeric_people
from tinysearch.data.embedded_dataset import ARCHIVES, EmbeddedDataset
from tinysearch.data.preparation import AudioOptions
from tinysearch.data.recordings import Int16, Recording, WindowDataset
from tinysearch.data.window import VERSION
from tinysearch.data.wrists import EXERCISES, archive_content, checked_kind, exercised, split_of
from tinysearch.inputs.camera import Camera
from tinysearch.inputs.microphone import Microphone
from tinysearch.inputs.motion import Motion

CAVEAT = (
    "Error rates are of chimeric (virtual) people: a rendered face, a synthesized voice and the motion of a real hand "
    "that never belonged together. Good for comparing designs, not for telling how well real people are recognized."
)

Int32 = npt.NDArray[np.int32]


class DoorDataset(Dataset):
    """The embedded faces and voices, and hands out of the embedded motions, as chimeric people.

    A hand's identity is one of ten real people with one of seven exercises, which stands for a sign of their own; both
    arms do it. Faces, voices and those ten are each in one split only. People of a split are numbered by face, see
    :func:`~tinysearch.data.chimeric.chimeric_people`.

    Args:
        given: the task's input of kind motion; its rate and ranges are those of the recordings.
        root: folder with ``faces.zip``, ``voices.zip`` and ``motions.npz``; None takes those of the package.
        validation_people, test_people: of the motions, numbers 1 .. 10; all others train.
        audio, cache_dir, broken_limit: of faces and voices, see :class:`~tinysearch.data.samples.FileDataset`.

    Attributes:
        caveat: that the people are chimeric.

    Raises:
        UserError: an archive is not there or another, an unknown person, or an input that was not recorded for.
    """

    caveat = CAVEAT

    def __init__(
        self,
        *,
        given: Input | None = None,
        root: Path | str | None = None,
        validation_people: Sequence[int] = (7,),
        test_people: Sequence[int] = (8, 9, 10),
        audio: AudioOptions | None = None,
        cache_dir: Path | str | None = None,
        broken_limit: float = 0.05,
    ) -> None:
        given = given or Input(name="hand", kind=Motion())
        if given.name in ARCHIVES:
            raise UserError(
                "data=door must have a name of its own for the motion sensor", value=given.name, remedy="call it hand"
            )
        faces_voices = EmbeddedDataset(root=root, audio=audio, cache_dir=cache_dir, broken_limit=broken_limit)
        hands = _Hands(given, root=root, split_of_person=split_of(validation_people, test_people))
        self.name = "door"
        self.digest = hashlib.sha256(f"{faces_voices.digest}|{hands.digest}".encode()).hexdigest()[:24]
        self._made: dict[str, Dataset] = {name: faces_voices for name in faces_voices.modalities} | {given.name: hands}
        self.modalities = tuple(sorted(self._made))
        self._people = {split: self._chimeric(split) for split in SPLITS}

    def load(self, modality: str, split: Split, *, input_size: int, channels: int) -> Samples:
        """See :class:`~tinysearch.core.protocols.Dataset`.

        Raises:
            UserError: a modality or split that is not there, or an impossible shape.
        """
        return self._of(modality).load(modality, split, input_size=input_size, channels=channels)

    def load_clip(self, modality: str, split: Split, *, input_size: int, channels: int, frames: int) -> Samples:
        """See :class:`~tinysearch.core.protocols.Dataset`."""
        return self._of(modality).load_clip(modality, split, input_size=input_size, channels=channels, frames=frames)

    def _of(self, modality: str) -> Dataset:
        if modality not in self._made:
            raise UserError(
                f"a modality must be one of {', '.join(self.modalities)}", value=modality, remedy="choose one of them"
            )
        return self._made[modality]

    def people(self, split: Split) -> Mapping[str, Int32]:
        """See :class:`~tinysearch.core.protocols.Dataset`."""
        return self._people[split]

    def varied_as(self, modality: str) -> Augmentation:
        """Each input as its own kind is varied."""
        kinds: Mapping[str, type[Camera | Microphone]] = {"face": Camera, "voice": Microphone}
        return kinds[modality].augmentation if modality in kinds else Motion.augmentation

    def _chimeric(self, split: Split) -> dict[str, Int32]:
        order = sorted(self._made, key=lambda name: (*ARCHIVES, name).index(name))
        return chimeric_people({name: int(self._made[name].people(split)[name].max()) + 1 for name in order})


class _Hands(WindowDataset):
    """Whose hand does which exercise: an identity a person and exercise, numbered within its split.

    Windows do not overlap, and those of an identity are of either arm in turn: a fusion takes the first ones of each.
    """

    def __init__(self, given: Input, *, root: Path | str | None, split_of_person: Mapping[int, Split]) -> None:
        kind, content = checked_kind(given, data="door"), archive_content(root)
        within = {split: sorted(p for p, own in split_of_person.items() if own == split) for split in SPLITS}
        self._hands = {split: len(within[split]) * len(EXERCISES) for split in SPLITS}
        arms: dict[Split, dict[int, list[Int16]]] = {split: defaultdict(list) for split in SPLITS}
        for found in exercised(content, axes=len(kind.axes)):
            split = split_of_person[found.person]
            hand = within[split].index(found.person) * len(EXERCISES) + EXERCISES.index(found.exercise)
            arms[split][hand].append(found.counts)
        settings = f"hands|{VERSION}|{given.name}|{kind}|{sorted(split_of_person.items())}"
        super().__init__(
            name="door",
            digest=hashlib.sha256(settings.encode() + hashlib.sha256(content).digest()).hexdigest()[:24],
            modality=given.name,
            kind=kind,
            hop_s=kind.window_s,
            recordings={
                split: [
                    Recording(name=f"hand {hand}", label=hand, counts=_in_turn(arms[split][hand], length=kind.samples))
                    for hand in sorted(arms[split])
                ]
                for split in SPLITS
            },
            class_names=(),
        )
        self.classes = None
        for split, count in self._hands.items():
            fewest = int(np.bincount(self.labels(split), minlength=count).min())
            if fewest < 2:
                raise UserError(
                    "every hand must have two windows or more",
                    value=f"{fewest} of {kind.window_s:g} s in {split}",
                    remedy="shorten window_s, or name more people in data.validation_people and data.test_people",
                )

    def people(self, split: Split) -> Mapping[str, Int32]:
        """Person k of a split is hand k."""
        return {self.modalities[0]: np.arange(self._hands[split], dtype=np.int32)}


def _in_turn(arms: Sequence[Int16], *, length: int) -> Int16:
    """Whole windows of each arm, [n, axes], end to end: the first of each, the second of each, and so on."""
    windows = [np.split(counts[: len(counts) // length * length], max(len(counts) // length, 1)) for counts in arms]
    pieces = [piece for together in zip_longest(*windows) for piece in together if piece is not None]
    return np.concatenate(pieces)
