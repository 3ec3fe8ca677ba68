"""The rung that compares a project's sources with what was emitted: no change is too well hidden to be found.

Driving an application finds what somebody tries. A back door that opens to one PIN alone is found by comparing
files: those that the package copies as they are with the package's own, all others (wiring, weights, golden vectors)
with the digests that candidate.json lists. What a user has changed on purpose must be named to pass.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from tinysearch.core.safe_text import plain_line
from tinysearch.firmware.folder import MARKER, SOURCES
from tinysearch.firmware.verify.facts import read_point
from tinysearch.firmware.verify.rung import Rung

NAME = "files"

_BUILT = ("host/build/",)
"""What builds leave behind there."""

_ORIGINS = (
    ("components/runtime/", ("runtime/", "runtime/frontend/")),
    ("host/", ("host/",)),
    ("src/", ("runtime/", "runtime/frontend/", "esp_idf/components/model/", "esp_idf/components/model/include/")),
    ("", ("esp_idf/",)),
)
"""By the beginning of a project's path, where the package keeps what it copies."""

_MOST_NAMED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What emits projects here: its folder ``firmware_templates`` and its version.

    Attributes:
        project: folder of the templates from which a kind of project takes what other kinds have too.
    """

    templates: Path
    version: str
    project: str | None = None

    def origin(self, name: str) -> Path | None:
        """The file that is copied to this path of a project; None for what is rendered or another's."""
        if self.project is not None and (own := self.templates / self.project / name).is_file():
            return own
        for beginning, folders in _ORIGINS:
            if name.startswith(beginning):
                paths = [self.templates / folder / name.removeprefix(beginning) for folder in folders]
                return next((path for path in paths if path.is_file()), None)
        return None


def as_emitted(project: Path, *, package: Package | None, accept: Sequence[str] = ()) -> Rung:
    """Compare a project's files.

    Args:
        project: its folder.
        package: what would emit it now; None compares with candidate.json alone.
        accept: paths, or patterns of paths, that were changed, added or removed on purpose.
    """
    point = read_point(project)
    listed = point["firmware_facts"].get("files")
    version = str(point["generator"].get("version"))
    same = package is not None and version == package.version
    if not isinstance(listed, dict):
        detail = (
            f"{MARKER} lists no digests of files, as version {plain_line(version)} wrote it: emit the project again"
        )
        return Rung(name=NAME, status="failed" if same else "not run", detail=detail)
    found = list(_differences(project, listed, package if same else None))
    open_ = [what for what in found if not is_accepted(what, accept)]
    if open_:
        detail = f"{in_words(open_)}: emit the project again, or accept=[FILE,..] what was changed on purpose"
        return Rung(name=NAME, status="failed", detail=detail)
    told = f"{len(listed)} files of {', '.join(SOURCES)} are as they were emitted"
    if found:
        told += f", but for what was accepted: {in_words(found)}"
    if not same:
        told = f"written by version {plain_line(version)}, compared with the digests of {MARKER} alone: {told}"
    return Rung(name=NAME, status="passed" if same else "not run", detail=told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A file that is not as it must be.

    Attributes:
        how: in a word.
        name: its path in the project.
        places: what differs within, where that can be told.
    """

    how: str
    name: str
    places: tuple[str, ...] = ()


def _differences(project: Path, listed: Mapping[str, str], package: Package | None) -> Iterator[Difference]:
    here = dict(compared_files(project))
    for name in sorted({*listed, *here}):
        path = here.get(name)
        if path is None:
            yield Difference(how="removed", name=name)
        elif path.is_symlink() or not path.is_file():
            yield Difference(how="no plain file", name=name)
        elif name not in listed:
            yield Difference(how="added", name=name)
        elif (digest := digest_of(path)) != listed[name]:
            yield Difference(how="changed", name=name)
        elif package is not None and (origin := package.origin(name)) is not None and digest != digest_of(origin):
            yield Difference(how=f"not as this version {package.version} has it", name=name)


def compared_files(project: Path) -> Iterator[tuple[str, Path]]:
    """Everything that is compared but folders, what editors hide and what builds leave."""
    for top in SOURCES:
        for path in sorted([project / top, *(project / top).rglob("*")]):
            name = path.relative_to(project).as_posix()
            hidden = any(part.startswith(".") for part in Path(name).parts)
            there = path.is_symlink() or (path.exists() and not path.is_dir())
            if there and not hidden and not name.startswith(_BUILT):
                yield name, path


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_accepted(what: Difference, accept: Sequence[str]) -> bool:
    """Whether a difference was named as meant."""
    return any(fnmatchcase(what.name, pattern) for pattern in accept)


def in_words(differences: Sequence[Difference]) -> str:
    """``changed: main/owner.c, main/people.c; added: main/x.c``."""
    groups: dict[str, list[str]] = {}
    for what in differences[:_MOST_NAMED]:
        within = f" ({', '.join(map(plain_line, what.places))})" if what.places else ""
        groups.setdefault(what.how, []).append(plain_line(what.name) + within)
    told = "; ".join(f"{how}: {', '.join(names)}" for how, names in groups.items())
    more = len(differences) - _MOST_NAMED
    return f"{told} and {more} more" if more > 0 else told
