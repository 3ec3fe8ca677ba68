"""The data set that ships with the package: rendered faces and synthetic voices, as chimeric people."""

from __future__ import annotations

import hashlib
import os
import zipfile
from functools import lru_cache, partial
from importlib import resources
from pathlib import Path

import numpy as np

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import SPLITS, Split
from tinysearch.data.samples import AudioOptions, FileDataset, SampleFile

ARCHIVES = {"face": "faces.zip", "voice": "voices.zip"}

CAVEAT = (
    "Error rates are of synthetic people, rendered faces put together with synthesized voices at random: good for "
    "comparing designs, not for telling how well real people are recognized."
)


class EmbeddedDataset(FileDataset):
    """Faces and voices out of two stored ZIP files, members ``<split>/<identity>/<nn>.<suffix>``.

    Synthetic: person i of a split is face i with voice i modulo the number of voices, so that face and voice are
    independent, unlike those of real people, and error rates are not comparable with published ones. Identities are
    numbered by name.

    Args:
        root: folder with ``faces.zip`` and ``voices.zip``; None takes those of the package.
        audio, cache_dir, broken_limit: see :class:`~tinysearch.data.samples.FileDataset`.

    Attributes:
        caveat: that the people are synthetic.

    Raises:
        UserError: neither archive is there, or one is not such an archive.
    """

    caveat = CAVEAT

    def __init__(
        self,
        *,
        root: Path | str | None = None,
        audio: AudioOptions | None = None,
        cache_dir: Path | str | None = None,
        broken_limit: float = 0.05,
    ) -> None:
        folder = Path(str(resources.files("tinysearch.data") / "embedded")) if root is None else Path(root)
        paths = {modality: folder / name for modality, name in ARCHIVES.items() if (folder / name).is_file()}
        if not paths:
            raise UserError(
                "the embedded data are faces.zip and voices.zip",
                value=folder,
                remedy="install the package again, or make them with tools/generate_faces.py and generate_voices.py",
            )
        archives = {modality: _Archive(path) for modality, path in paths.items()}
        digest = hashlib.sha256("".join(archives[m].digest for m in sorted(archives)).encode()).hexdigest()[:16]
        super().__init__(
            name="embedded",
            digest=digest,
            files={modality: archive.files for modality, archive in archives.items()},
            people={split: _chimeric(archives, split) for split in SPLITS},
            audio=audio,
            cache_dir=cache_dir,
            broken_limit=broken_limit,
        )


class _Archive:
    """One ZIP file: its samples by split, and how many identities each split has."""

    def __init__(self, path: Path) -> None:
        self.digest = hashlib.sha256(path.read_bytes()).hexdigest()
        try:
            with zipfile.ZipFile(path) as archive:
                names = sorted(name for name in archive.namelist() if name.count("/") == 2 and name[-1] != "/")
        except (zipfile.BadZipFile, OSError) as error:
            raise UserError("an archive of samples is a ZIP file", value=path, remedy="install it again") from error
        self.files: dict[Split, tuple[SampleFile, ...]] = {}
        self.identities: dict[Split, int] = {}
        for split in SPLITS:
            members = [name for name in names if name.startswith(f"{split}/")]
            known = {identity: i for i, identity in enumerate(sorted({name.split("/")[1] for name in members}))}
            self.identities[split] = len(known)
            self.files[split] = tuple(
                SampleFile(
                    name=name,
                    identity=known[name.split("/")[1]],
                    read=partial(_read_member, str(path), self.digest, name),
                )
                for name in members
            )


def _read_member(path: str, digest: str, name: str) -> bytes:
    return _opened(path, digest, os.getpid()).read(name)


@lru_cache(maxsize=4)
def _opened(path: str, digest: str, process: int) -> zipfile.ZipFile:  # noqa: ARG001 (a forked process needs its own file)
    return zipfile.ZipFile(path)


def _chimeric(archives: dict[str, _Archive], split: Split) -> dict[str, np.ndarray]:
    counts = {modality: archive.identities[split] for modality, archive in archives.items()}
    people = counts.get("face", counts.get("voice", 0))
    return {modality: (np.arange(people) % max(count, 1)).astype(np.int32) for modality, count in counts.items()}
