"""Stored ZIP files of samples, members ``<split>/<identity>/<name>.<suffix>``, as ``tools/archive.py`` writes them."""

from __future__ import annotations

import hashlib
import os
import zipfile
from functools import lru_cache, partial
from pathlib import Path

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import SPLITS, Split
from tinysearch.data.preparation import SampleFile


class Archive:
    """One ZIP file: its samples by split, numbered by name within each split.

    Attributes:
        digest: of its bytes.
        files: samples by split, in the order of their names.
        identities: names of the identities of each split, in the order of their numbers.

    Raises:
        UserError: it is no such archive.
    """

    def __init__(self, path: Path) -> None:
        self.digest = hashlib.sha256(path.read_bytes()).hexdigest()
        try:
            with zipfile.ZipFile(path) as archive:
                names = sorted(name for name in archive.namelist() if name.count("/") == 2 and name[-1] != "/")
        except (zipfile.BadZipFile, OSError) as error:
            raise UserError(
                "an archive of samples must be a ZIP file", value=path, remedy="install it again"
            ) from error
        self.files: dict[Split, tuple[SampleFile, ...]] = {}
        self.identities: dict[Split, tuple[str, ...]] = {}
        for split in SPLITS:
            members = [name for name in names if name.startswith(f"{split}/")]
            self.identities[split] = tuple(sorted({name.split("/")[1] for name in members}))
            known = {identity: number for number, identity in enumerate(self.identities[split])}
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
