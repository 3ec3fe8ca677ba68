"""What a folder with a folder a class holds, and why every other file below it is not read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinysearch.core.errors import UserError
from tinysearch.data.people import MOST_UNREAD, printable, told_unread
from tinysearch.data.splits import FoundFile, found_file
from tinysearch.reading import is_regular, same_name

BACKGROUND = "_background_noise_"
"""Folder of long recordings in which nobody speaks, in Speech Commands."""

_UNSPOKEN = ("thumbs.db", "desktop.ini")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassTree:
    """Files by class, in the order of their names; background recordings; names of all others by the reason why."""

    found: Mapping[str, tuple[FoundFile, ...]]
    background: tuple[FoundFile, ...]
    unread: Mapping[str, tuple[str, ...]]


def find_classes(root: Path, *, suffixes: Sequence[str]) -> ClassTree:
    """Every file ``<class>/<file>`` with one of some suffixes.

    Raises:
        UserError: there is no such folder, no file of a class, or two folders are of one class.
    """
    found: dict[str, list[FoundFile]] = {}
    background: list[FoundFile] = []
    unread: dict[str, list[str]] = {}
    spelled: dict[str, str] = {}
    for folder, path in _files(root):
        name = path.relative_to(root).as_posix()
        empty = path == root / folder
        reason = "an empty folder: fill or remove it" if empty else _why_not(path, suffixes=suffixes)
        if reason:
            unread.setdefault(reason, []).append(printable(name))
            if sum(map(len, unread.values())) > MOST_UNREAD:
                raise UserError(
                    f"data.root must hold classes, and at most {MOST_UNREAD} other files",
                    value=root,
                    remedy="name the folder that has one folder a class",
                )
        elif reason is None:
            label = same_name(folder)
            if spelled.setdefault(label, folder) != folder:
                raise UserError(
                    "classes must have names that differ in more than how a letter is encoded (NFC, NFD)",
                    value=f"{label} twice in {root}",
                    remedy="rename one of the folders",
                )
            file = found_file(path, root=root)
            (background if label == BACKGROUND else found.setdefault(label, [])).append(file)
    reasons = {reason: tuple(names) for reason, names in sorted(unread.items())}
    if not found:
        raise UserError(
            f"data.root must have a folder for each class with files {', '.join(suffixes)}",
            value=f"{root}{told_unread(reasons)}",
            remedy="write data.root=DIR",
        )
    return ClassTree(
        found={label: tuple(found[label]) for label in sorted(found)}, background=tuple(background), unread=reasons
    )


def _files(root: Path) -> list[tuple[str, Path]]:
    """Folder of a class and path of whatever lies in it, by name; of deeper and of empty folders the folder itself."""
    try:
        folders = sorted(entry.name for entry in os.scandir(root) if entry.is_dir() and not entry.name.startswith("."))
        return [(folder, path) for folder in folders for path in sorted((root / folder).iterdir()) or [root / folder]]
    except OSError as error:
        raise UserError("data.root must be a folder", value=root, remedy=error.strerror or "check it") from error


def _why_not(path: Path, *, suffixes: Sequence[str]) -> str | None:
    """Why a file is no sample; None for a sample, empty for what needs no word."""
    last = path.name
    if last.startswith(".") or last.lower() in _UNSPOKEN or last.lower().startswith("readme"):
        return ""
    if any(printable(name) != name for name in (path.parent.name, last)):
        return "its name is not UTF-8, or not one line: rename it"
    if path.is_dir():
        return "a folder within a class: move its files up"
    if not is_regular(path):
        return "no regular file"
    suffix = path.suffix.lower()
    return None if suffix in suffixes else f"suffix {suffix or 'missing'}: convert or remove it"
