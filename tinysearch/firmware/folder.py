"""Writing a whole folder at once: beside the target first, then by rename, so that no half project is ever seen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from tinysearch.core.errors import UserError
from tinysearch.files import fresh_folder, replace_folder

GENERATOR = "tinysearch"
MARKER = "candidate.json"
"""File whose ``generator`` tells that a folder is a project of ours."""

SOURCES = ("main", "components", "host", "src", "examples", "esphome", "CMakeLists.txt")
"""Of a project or a component: the folders and the file that it is built from."""


def is_ours(folder: Path) -> bool:
    """Whether a folder is a project that this generator wrote."""
    try:
        text = (folder / MARKER).read_text(encoding="utf-8")
        return bool(json.loads(text).get("generator", {}).get("name") == GENERATOR)
    except (OSError, ValueError, AttributeError):
        return False


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """SHA-256 by path of a project's sources, as its candidate.json lists them."""
    return {
        name: hashlib.sha256(content).hexdigest()
        for name, content in sorted(files.items())
        if name.partition("/")[0] in SOURCES
    }


def write_folder(out: Path, files: Mapping[str, bytes]) -> Path:
    """Make ``out`` contain exactly these files.

    Args:
        out: a folder that does not exist, is empty, or is a project of ours.
        files: contents by relative path with ``/``.

    Returns:
        ``out``.

    Raises:
        UserError: the folder is something else, or a path leaves it.
    """
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise UserError("a project must be written into a folder of its own", value=out, remedy="choose another folder")
    if out.exists() and any(out.iterdir()) and not is_ours(out):
        raise UserError(
            "a folder to write to must be new, empty or a project of this generator",
            value=out,
            remedy="choose a new folder or empty this one",
        )
    for name in files:
        _check_path(name)
    with fresh_folder(out) as fresh:
        for name, content in files.items():
            path = fresh / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        replace_folder(fresh, out)
    return out


def _check_path(name: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or any(part in ("..", "") for part in path.parts) or "\\" in name:
        raise UserError(
            "a file of a project must lie inside it", value=repr(name), remedy="use a relative path without .."
        )
