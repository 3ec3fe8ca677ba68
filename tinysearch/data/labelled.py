"""Encoded files of one input by class: what every classification of pictures or sounds does with what it has found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import SPLITS, Split
from tinysearch.core.task import Input
from tinysearch.data.preparation import AudioOptions, SampleFile
from tinysearch.data.samples import FileDataset
from tinysearch.inputs.camera import Camera
from tinysearch.inputs.microphone import Microphone

Int32 = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledFile:
    """A sample whose identity is its class, and what it is from: samples of one speaker or recording are alike."""

    sample: SampleFile
    group: str


class LabelledFiles(FileDataset):
    """A classification of files of one input, whose splits share their classes.

    Args:
        name, digest, cache_dir, broken_limit, one_of_each: see :class:`~tinysearch.data.samples.FileDataset`.
        given: the task's input, a camera or a microphone.
        files: by split.
        class_names: in the order of labels.
        audio: how recordings become images.

    Attributes:
        classes: how many classes there are.
        ordered: that augmentation must not mirror pictures, whose left side may tell the class. Clips may be rolled:
            what is heard begins anywhere in them.
        augmentation: how samples are varied in training.

    Raises:
        UserError: an input of another kind, fewer than two classes, or a class without a file in some split.
    """

    def __init__(
        self,
        *,
        name: str,
        digest: str,
        given: Input,
        files: Mapping[Split, Sequence[LabelledFile]],
        class_names: Sequence[str],
        audio: AudioOptions | None = None,
        cache_dir: Path | str | None = None,
        broken_limit: float = 0.05,
        one_of_each: bool = False,
    ) -> None:
        if not isinstance(given.kind, Camera | Microphone):
            raise UserError(
                f"data={name} must be read as a camera's or a microphone's",
                value=f"{given.name}: {given.kind.name}",
                remedy="choose a task with one, or other data",
            )
        self.class_names = tuple(class_names)
        self.classes = len(self.class_names)
        self.augmentation = given.kind.augmentation
        self.ordered = isinstance(given.kind, Camera)
        self._labelled = files
        if self.classes < 2:
            raise UserError(
                "a classification must have two classes or more",
                value=f"{', '.join(class_names) or 'none'} in data={name}",
                remedy="make one folder a class",
            )
        for split in SPLITS:
            held = {file.sample.identity for file in files[split]}
            missing = [name for label, name in enumerate(self.class_names) if label not in held]
            if missing:
                raise UserError(
                    "a class must have a file in every split",
                    value=f"class {missing[0]} has none in {split} of data={name}",
                    remedy="add files, three or more a class, or leave the class out",
                )
        classes = np.arange(self.classes, dtype=np.int32)
        super().__init__(
            name=name,
            digest=digest,
            files={given.name: {split: [file.sample for file in own] for split, own in files.items()}},
            people={split: {given.name: classes} for split in SPLITS},
            audio=audio,
            cache_dir=cache_dir,
            broken_limit=broken_limit,
            one_of_each=one_of_each,
            recorded=(given.name,) if isinstance(given.kind, Microphone) else (),
            owner="class",
        )

    def groups(self, modality: str, split: Split) -> Int32:
        """What each readable file of a split is from, int32 [N]; of a split that has been loaded."""
        skipped = self.last_skipped(modality, split)
        names = [file.group for file in self._labelled[split] if file.sample.name not in skipped.reasons]
        return np.unique(names, return_inverse=True)[1].astype(np.int32)
