"""Spoken words: the synthetic keywords that ship with the package, made by ``tools/generate_keywords.py``."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import SPLITS
from tinysearch.core.task import Input
from tinysearch.data.archive import Archive
from tinysearch.data.labelled import LabelledFile, LabelledFiles
from tinysearch.data.preparation import AudioOptions, SampleFile

ARCHIVE = "keywords.zip"
UNKNOWN, SILENCE = "_unknown_", "_silence_"
"""Classes of all other words, and of rooms in which nobody speaks, as Speech Commands calls them."""

CAVEAT = (
    "Error rates are of synthetic speech, one synthesizer's words in made-up rooms: good for comparing designs, not "
    "for telling how well real people's words are recognized."
)


class KeywordsDataset(LabelledFiles):
    """Clips of 1 s out of a stored ZIP file, members ``<split>/<class>/<speaker>-<..>.opus``.

    Speakers differ between splits, and so do the words of the class ``_unknown_``; clips of ``_silence_`` are from no
    speaker and stand for themselves.

    Args:
        given: the task's microphone.
        root: folder with ``keywords.zip``; None takes that of the package.
        audio, cache_dir, broken_limit: see :class:`~tinysearch.data.samples.FileDataset`.

    Attributes:
        caveat: that the speech is synthetic.

    Raises:
        UserError: the archive is not there or is none, or its splits differ in their classes.
    """

    caveat = CAVEAT

    def __init__(
        self,
        *,
        given: Input,
        root: Path | str | None = None,
        audio: AudioOptions | None = None,
        cache_dir: Path | str | None = None,
        broken_limit: float = 0.05,
    ) -> None:
        path = (Path(str(resources.files("tinysearch.data") / "embedded")) if root is None else Path(root)) / ARCHIVE
        if not path.is_file():
            raise UserError(
                f"data=keywords must find {ARCHIVE}",
                value=path.parent,
                remedy="install the package again, or make it with tools/generate_keywords.py",
            )
        archive = Archive(path)
        names = archive.identities["train"]
        if any(archive.identities[split] != names for split in SPLITS):
            raise UserError(f"{ARCHIVE} must have the same classes in every split", value=path, remedy="make it again")
        super().__init__(
            name="keywords",
            digest=archive.digest[:16],
            given=given,
            files={split: _labelled(archive.files[split], names) for split in SPLITS},
            class_names=names,
            audio=audio,
            cache_dir=cache_dir,
            broken_limit=broken_limit,
        )


def _labelled(files: Sequence[SampleFile], names: Sequence[str]) -> list[LabelledFile]:
    """Files with their speakers."""
    return [LabelledFile(sample=file, group=_speaker(file, silent=names[file.identity] == SILENCE)) for file in files]


def _speaker(file: SampleFile, *, silent: bool) -> str:
    return file.name if silent else file.name.rpartition("/")[2].partition("-")[0]
