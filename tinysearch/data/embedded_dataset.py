"""The data set that ships with the package: rendered faces and synthetic voices, as chimeric people."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import SPLITS, Split
from tinysearch.data.archive import Archive
from tinysearch.data.chimeric import chimeric_people
from tinysearch.data.preparation import AudioOptions
from tinysearch.data.samples import FileDataset

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
                "the embedded data must be faces.zip and voices.zip",
                value=folder,
                remedy="install the package again, or make them with tools/generate_faces.py and generate_voices.py",
            )
        archives = {modality: Archive(path) for modality, path in paths.items()}
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


def _chimeric(archives: Mapping[str, Archive], split: Split) -> dict[str, npt.NDArray[np.int32]]:
    return chimeric_people({name: len(archives[name].identities[split]) for name in ARCHIVES if name in archives})
