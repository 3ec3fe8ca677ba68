"""Which options of ESP-IDF its versions take on which targets: ``software/kconfig.yaml`` of the catalogue."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tinysearch.catalog.tables import malformed, read_table

_VERSION = re.compile(r"\d+(?:\.\d+)+")

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdfOptions:
    """Options with the version from which on a target takes them.

    Attributes:
        since: by option and target.
        versions: that were read, oldest first, as their tags spell them.
    """

    since: Mapping[str, Mapping[str, Version]]
    versions: tuple[str, ...]

    def refusal(self, option: str, *, target: str, version: Version) -> str | None:
        """Why an option cannot be set in a project for a target that a version of ESP-IDF builds; None where it can."""
        targets = self.since.get(option)
        if targets is None:
            return f"{option} must be an option of ESP-IDF {self.versions[0]} to {self.versions[-1]}"
        if target not in targets:
            return f"{option} must be an option of {target}; {', '.join(sorted(targets))} have it"
        if version < targets[target]:
            first, asked = _text(targets[target]), _text(version)
            return f"{option} must have ESP-IDF {first} or later on {target}, the project asks for {asked}"
        return None


def load_idf_options(path: Path) -> IdfOptions:
    """The table of a file.

    Raises:
        UserError: unreadable or malformed.
    """
    document = read_table(path)
    try:
        return IdfOptions(
            since={
                option: {target: parse_version(since) for since, targets in rows.items() for target in targets}
                for option, rows in document["taken"].items()
            },
            versions=tuple(str(version) for version in document["versions"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise malformed(path, error) from error


def parse_version(text: str) -> Version:
    """Numbers of a version: ``>=5.5.2`` and ``6.1-beta1`` are (5, 5, 2) and (6, 1).

    Raises:
        ValueError: no version.
    """
    found = _VERSION.search(str(text))
    if found is None:
        raise ValueError(f"a version must have two numbers or more, got {text!r}")
    return tuple(int(number) for number in found.group().split("."))


def _text(version: Version) -> str:
    return ".".join(map(str, version))
