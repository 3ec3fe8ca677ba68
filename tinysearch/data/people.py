"""Whose files a folder holds: ``<person>/<modality>/<file>``, and why every other file below it is not read."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tinysearch.core.errors import UserError
from tinysearch.data.splits import SUFFIXES, Found, FoundFile, found_file
from tinysearch.reading import is_regular, same_name

_LOG = logging.getLogger(__name__)

MOST_UNREAD = 100_000
_DEEPEST = 6
_LISTS = ("train.txt", "validation.txt", "test.txt")
_UNSPOKEN = ("thumbs.db", "desktop.ini")
"""What file managers leave behind; hidden files are not spoken of either."""

_REMEDIES = {
    **dict.fromkeys((".m4a", ".aac", ".amr", ".3gp", ".wma"), "convert it with ffmpeg to .wav"),
    **dict.fromkeys((".mp4", ".mov", ".webm"), "take sound and frames out of it with ffmpeg, as .wav and .png"),
    **dict.fromkeys((".heic", ".heif", ".avif"), "convert it with heif-convert or ImageMagick to .jpg"),
    **dict.fromkeys((".cr2", ".nef", ".arw", ".dng", ".raw"), "develop it to .png or .jpg"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleTree:
    """Files by modality and person, and names of the others by the reason why they are not read."""

    found: Found
    unread: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def find_people(root: Path) -> PeopleTree:
    """Every file below a folder; one warning tells how many are not read.

    Raises:
        UserError: there is no file of a person, or two folders are of one person.
    """
    found: dict[str, dict[str, list[FoundFile]]] = {}
    unread: dict[str, list[str]] = {}
    others = 0
    folders: dict[str, str] = {}
    for path in _files(root):
        name = path.relative_to(root)
        reason = _why_not(path, name)
        if reason is None:
            person = same_name(name.parts[0])
            if folders.setdefault(person, name.parts[0]) != name.parts[0]:
                raise UserError(
                    "people must have names that differ in more than how a letter is encoded (NFC, NFD)",
                    value=f"{person} twice in {root}",
                    remedy="rename one of the folders",
                )
            found.setdefault(name.parts[1], {}).setdefault(person, []).append(found_file(path, root=root))
        elif reason:
            unread.setdefault(reason, []).append(printable(name.as_posix()))
            others += 1
            if others > MOST_UNREAD:
                raise UserError(
                    f"data.root must hold people, and at most {MOST_UNREAD} other files",
                    value=root,
                    remedy="name the folder that has one folder a person",
                )
    reasons = {reason: tuple(names) for reason, names in sorted(unread.items())}
    if not found:
        raise UserError(
            "data.root must have folders <person>/face or <person>/voice with pictures or recordings",
            value=f"{root}{told_unread(reasons)}",
            remedy="write data=folder data.root=DIR",
        )
    if reasons:
        _LOG.warning("%s%s; see data inspect", root, told_unread(reasons))
    return PeopleTree(found={name: found[name] for name in sorted(found)}, unread=reasons)


def told_unread(reasons: Mapping[str, tuple[str, ...]]) -> str:
    """``: 4 files are not read: ...`` with one example a reason; empty where all are read."""
    if not reasons:
        return ""
    count = sum(map(len, reasons.values()))
    listed = "; ".join(f"{len(names)} x {reason} ({names[0]})" for reason, names in reasons.items())
    return f": {count} file{' is' if count == 1 else 's are'} not read: {listed}"


def printable(name: str) -> str:
    """A name of a file on one line; bytes that are not UTF-8 are spelled as hexadecimal numbers."""
    return os.fsencode(name).decode("utf-8", "backslashreplace").replace("\n", "\\n")


def _files(root: Path) -> Iterator[Path]:
    """Whatever is no folder, by name. Links to people and modalities are followed, deeper ones are not."""
    for folder, folders, names in os.walk(root, followlinks=True):
        depth = len(Path(folder).relative_to(root).parts)
        folders.sort()
        if depth >= _DEEPEST:
            folders.clear()
        elif depth >= 2:
            folders[:] = [name for name in folders if not Path(folder, name).is_symlink()]
        for name in sorted(names):
            yield Path(folder, name)


def _why_not(path: Path, name: Path) -> str | None:
    """Why a file is no sample; None for a sample, empty for what needs no word."""
    *above, last = name.parts
    noise = any(part.startswith(".") for part in name.parts) or last.lower() in _UNSPOKEN
    if noise or (not above and (last in _LISTS or last.lower().startswith("readme"))):
        return ""
    if printable(str(name)) != str(name):
        return "its name is not UTF-8, or not one line: rename it"
    if not is_regular(path):
        return "no regular file"
    suffix = path.suffix.lower()
    known = [modality for modality, suffixes in SUFFIXES.items() if suffix in suffixes]
    if not known:
        return f"suffix {suffix or 'missing'}: {_REMEDIES.get(suffix, 'convert or remove it')}"
    return _misplaced(above, known, suffix)


def _misplaced(above: list[str], known: list[str], suffix: str) -> str | None:
    """What is wrong with the folders above a file; None where nothing is."""
    if len(above) == 2 and above[1] in SUFFIXES:
        return None if above[1] in known else f"suffix {suffix}: none of {above[1]}"
    if len(above) == 2 and above[1].lower() in SUFFIXES:
        return f"its folder must be called {above[1].lower()}, not {above[1]}"
    if len(above) > 2 and any(part.lower() in SUFFIXES for part in above[1:]):
        return "it lies deeper than <person>/face/FILE or <person>/voice/FILE: move it up"
    return "it does not lie in <person>/face or <person>/voice"
