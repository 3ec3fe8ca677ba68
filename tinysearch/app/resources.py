"""Where the data files live: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

import os
from pathlib import Path

from tinysearch.core.errors import TinysearchError

_PACKAGE = Path(__file__).resolve().parent.parent


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
    """Folder of trained branches and decoded data: as configured, else the user's cache folder."""
    if configured:
        return Path(configured).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "tinysearch"
