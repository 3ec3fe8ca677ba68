"""Options of the user's own: files and folders outside the package, as Hydra's users have them.

``data=./mine.yaml`` is an option of the group ``data`` that stands in a file; with ``--config-dir DIR`` or
``hydra.searchpath=[DIR]`` the file ``DIR/data/mine.yaml`` is the option ``data=mine``. What a file leaves out it takes
from the option that its ``name`` names, or from the group's default.
"""

from __future__ import annotations

import atexit
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import yaml

from tinysearch.core.errors import UserError, did_you_mean
from tinysearch.files import home_path
from tinysearch.reading import read_yaml

OWN = "own"
"""What an option that stands in a user's file is called among the options of its group."""

SUFFIXES = (".yaml", ".yml")
_PLACES = "hydra.searchpath"
_HYDRA = "tinysearch composes by Hydra and runs by itself: of Hydra's own keys it takes hydra.searchpath, hydra.run.dir"


def take_places(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Places of options among words, as Hydra spells them, and the words without keys of Hydra's.

    Raises:
        UserError: another key of Hydra's, or a place that is not there.
    """
    places: list[str] = []
    rest: list[str] = []
    for word in words:
        key, _, value = word.partition("=")
        key = key.lstrip("+~")
        if not key.startswith(("hydra.", "hydra/")):
            rest.append(word)
        elif key == _PLACES:
            places += [_place(text.strip().strip("\"'")) for text in value.strip("[]").split(",") if text.strip()]
        elif key == "hydra.run.dir":
            rest.append(f"run_dir={value}")
        else:
            raise UserError(f"{_HYDRA}, and with -m hydra.sweep.dir", value=word, remedy="leave it out")
    return places, rest


def _place(text: str) -> str:
    if "://" in text and not text.startswith("file://"):
        return text
    folder = home_path(text.removeprefix("file://")).absolute()
    if not folder.is_dir():
        raise UserError("a place of options must be a folder", value=text, remedy="name one with folders by group")
    return f"file://{folder}"


def file_of(group: str, value: str, places: Sequence[str]) -> Path | None:
    """The file that an option of a group stands in, if it is one of the user's own; None for any other value."""
    named = home_path(value)
    if named.suffix in SUFFIXES and named.is_file():
        return named
    if "/" in value or "\\" in value:
        return None
    for place in places:
        for suffix in SUFFIXES:
            path = Path(place.removeprefix("file://")) / group / f"{value}{suffix}"
            if path.is_file():
                return path
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnOptions:
    """Words in which options that stand in files have names that Hydra finds.

    Attributes:
        places: where it finds them, further options of the user's own included.
        bases: by group, the option of ours that the user's leaves out nothing of.
    """

    words: list[str]
    places: list[str]
    bases: dict[str, str]


def own_options(words: Sequence[str], *, groups: Mapping[str, str], places: Sequence[str], ours: Ours) -> OwnOptions:
    """Find the options among words that stand in files.

    Args:
        groups: of options, and what each takes by default.
        places: of the user's own options.
        ours: options of the package.

    Raises:
        UserError: a file that is no option of its group.
    """
    found = OwnOptions(words=[], places=list(places), bases={})
    for word in words:
        group, _, value = word.partition("=")
        value = value.strip("\"'")
        path = file_of(group, value, places) if group in groups and value not in ours.names(group) else None
        if path is None:
            found.words.append(word)
        elif group == "space":
            found.words.append(f"space.path={path}")
        elif group == "task":
            found.words.append(f"task={path}")
        else:
            document = _read(group, path)
            if group != "experiment" and "defaults" not in document:
                base = str(document.get("name"))
                found.bases[group] = base = base if base in ours.names(group) else groups[group]
                _check_keys(group, document, ours.keys(group, base), path)
                document = {"defaults": [base, "_self_"], **document}
            found.places.append(option_place(group, _text(group, document)))
            found.words.append(f"{group}={OWN}")
    return found


class Ours(Protocol):
    """Options of the package."""

    def names(self, group: str) -> Sequence[str]:
        """Of a group's options."""
        ...

    def keys(self, group: str, option: str) -> Sequence[str]:
        """Of an option."""
        ...


def _read(group: str, path: Path) -> dict[str, Any]:
    """What stands in an option's file.

    Raises:
        UserError: it cannot be read, or is no mapping.
    """
    try:
        document = read_yaml(path)
    except OSError as error:
        raise UserError(
            f"an option of {group} must be a readable YAML file",
            value=f"{path}: {error.strerror}",
            remedy="check the file",
        ) from None
    if not isinstance(document, dict):
        raise UserError(f"an option of {group} must be a mapping", value=path, remedy="write lines of key: value")
    return document


def _check_keys(group: str, document: Mapping[str, Any], known: Sequence[str], path: Path) -> None:
    for key in document:
        if key not in known:
            raise UserError(
                f"an option of {group} must have keys out of {', '.join(known)}",
                value=f"{path}: {key}",
                remedy=did_you_mean(str(key), known, otherwise="leave it out"),
            )


def _text(group: str, document: Mapping[str, Any]) -> str:
    """An option as Hydra reads it; an experiment sets keys of the whole configuration."""
    header = "# @package _global_\n" if group == "experiment" else ""
    return header + yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


@cache
def _kept(group: str, text: str) -> TemporaryDirectory[str]:
    """The folder of a place, which is there until the process ends."""
    folder = TemporaryDirectory(prefix="tinysearch-option-")
    atexit.register(folder.cleanup)
    path = Path(folder.name) / group / f"{OWN}.yaml"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    return folder


def option_place(group: str, text: str) -> str:
    """A place, as Hydra's search path has them, in which a text is the option :data:`OWN` of a group."""
    return f"file://{_kept(group, text).name}"
