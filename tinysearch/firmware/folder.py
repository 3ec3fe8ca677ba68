"""Writing a whole folder at once: beside the target first, then by rename, so that no half project is ever seen."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from tinysearch.core.errors import UserError

GENERATOR = "tinysearch"
MARKER = "candidate.json"
"""File whose ``generator`` tells that a folder is a project of ours."""


def is_ours(folder: Path) -> bool:
    """Whether a folder is a project that this generator wrote."""
    try:
        text = (folder / MARKER).read_text(encoding="utf-8")
        return bool(json.loads(text).get("generator", {}).get("name") == GENERATOR)
    except (OSError, ValueError, AttributeError):
        return False


def replace_folder(out: Path, files: Mapping[str, bytes]) -> Path:
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
        raise UserError("a project is written into a folder of its own", value=out, remedy="choose another folder")
    if out.exists() and any(out.iterdir()) and not is_ours(out):
        raise UserError(
            "only a project of this generator is overwritten", value=out, remedy="choose a new folder or empty this one"
        )
    for name in files:
        _check_path(name)
    out.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        for name, content in files.items():
            path = fresh / name
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, content)
        fresh.chmod(0o755)
        _swap(fresh, out)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return out


def _check_path(name: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or any(part in ("..", "") for part in path.parts) or "\\" in name:
        raise UserError("a file of a project lies inside it", value=repr(name), remedy="use a relative path without ..")


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _swap(fresh: Path, out: Path) -> None:
    """Put ``fresh`` where ``out`` is; what was there goes last."""
    if not out.exists():
        fresh.rename(out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}.old.", dir=out.parent)) / "old"
    out.rename(old)
    try:
        fresh.rename(out)
    except OSError:
        old.rename(out)
        raise
    finally:
        shutil.rmtree(old.parent, ignore_errors=True)
