"""Where the data files live: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from tinysearch.core.errors import TinysearchError
from tinysearch.files import home_path, make_folder, write_atomically, writing

_PACKAGE = Path(__file__).resolve().parents[2]


def data_dir(name: str) -> Path:
    """Folder of ``conf``, ``hardware_catalog`` or ``firmware_templates``.

    Raises:
        TinysearchError: the installation is incomplete.
    """
    for folder in (_PACKAGE.parent / name, _PACKAGE / "_data" / name):
        if folder.is_dir():
            return folder
    raise TinysearchError(f"the installation lacks its folder {name}; install tinysearch again")


def processors() -> int:
    """Processors that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not everywhere
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def cache_dir(configured: str | None) -> Path:
    """Folder of trained branches and decoded data: as configured, else the user's cache folder on this system."""
    if configured:
        return home_path(configured).absolute()
    return platformdirs.user_cache_path("tinysearch", appauthor=False)


_NOTE = """\
What lies in this folder describes people: their faces and voices as decoded samples, and what
networks make of them (embeddings, and stages of trainings). It is biometric data. Only the owner of
this folder may read it; do not pass it on without the consent of these people. Deleting it loses
nothing but time.
"""


def note_people(folder: Path) -> None:
    """Make a folder for its owner alone, with a note that what lies there is biometric data.

    Raises:
        OSError: it cannot be made.
    """
    make_folder(folder, private=True)
    note = folder / "README.txt"
    if not note.exists():
        write_atomically(note, _NOTE.encode(), private=True)


def usable_cache(configured: str | None) -> Path:
    """The cache, made if need be.

    Raises:
        WritingError: it cannot be written; names the option that chooses another one.
    """
    folder = cache_dir(configured)
    with writing(folder, remedy="add cache.dir=DIR, a folder that you may write"):
        if not folder.exists():
            make_folder(folder, private=True)
        note_people(folder / "data")
        note_people(folder / "branches")
    return folder
