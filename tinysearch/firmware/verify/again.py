"""The rung that compares a project with what its run emits now: nothing in it is believed.

The rung ``files`` believes candidate.json where it vouches for what was rendered: thresholds, classes, weights, golden
vectors. Here the point is emitted once more from the run's own networks, error rates and front, and every file must be
the same, candidate.json among them. Who changes both a project and the run that it came from is not found.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tinysearch.core.errors import TinysearchError
from tinysearch.core.safe_text import plain_line
from tinysearch.firmware.folder import MARKER
from tinysearch.firmware.verify.emitted import Difference, Package, in_words, is_accepted
from tinysearch.firmware.verify.facts import read_point
from tinysearch.firmware.verify.rung import Rung

NAME = "run"

Again = Callable[[Path], Path]
"""Writes the project of the same point into a folder that does not exist yet; raises UserError where it cannot."""

_MOST_PLACES = 3


class NotOfTheRunError(TinysearchError):
    """The run has no such point."""


OF_A_RUN = f"no run to compare with: thresholds and weights of {MARKER} are believed; add run_dir=DIR"
OF_A_NETWORK = "no network to compare with: weights are believed; add network=FILE, and what it was emitted with"


def as_the_run_emits(
    project: Path, *, again: Again | None, package: Package | None, accept: Sequence[str], lacking: str = OF_A_RUN
) -> Rung:
    """Compare every file of a project with those of its point, emitted anew.

    Args:
        project: its folder.
        again: None where the run, or the network, is not known.
        package: what emits projects here.
        accept: paths, or patterns of paths, that were changed, added or removed on purpose.
        lacking: what to say where ``again`` is None.
    """
    version = str(read_point(project)["generator"].get("version"))
    if again is None:
        return _not_run(lacking)
    if package is None or version != package.version:
        return _not_run(f"written by version {plain_line(version)}: what this one emits may differ")
    with tempfile.TemporaryDirectory(prefix="tinysearch-again-") as name:
        try:
            fresh = again(Path(name) / "project")
        except NotOfTheRunError as error:
            return Rung(name=NAME, status="failed", detail=str(error))
        except TinysearchError as error:
            return _not_run(str(error))
        found = list(_differences(project, fresh))
        count = sum(path.is_file() for path in fresh.rglob("*"))
    open_ = [what for what in found if not is_accepted(what, accept)]
    if open_:
        detail = f"{in_words(open_)}: its run emits otherwise; emit it again, or accept=[FILE,..] (a threshold: far=)"
        return Rung(name=NAME, status="failed", detail=detail)
    told = f"all {count} files are as its run emits them"
    return Rung(name=NAME, status="passed", detail=f"{told}, but for {in_words(found)}" if found else told)


def _differences(project: Path, fresh: Path) -> Iterator[Difference]:
    for path in sorted(fresh.rglob("*")):
        name, here = path.relative_to(fresh).as_posix(), project / path.relative_to(fresh)
        if not path.is_file():
            continue
        if not here.is_file():
            yield Difference(how="removed", name=name)
        elif here.read_bytes() != path.read_bytes():
            places = list(_places(here, path)) if name == MARKER else []
            yield Difference(how="changed", name=name, places=tuple(places[:_MOST_PLACES]))


def _places(here: Path, there: Path) -> Iterator[str]:
    """Where two documents differ."""
    try:
        yield from _differing(*(json.loads(path.read_text(encoding="utf-8")) for path in (here, there)))
    except (ValueError, RecursionError):
        return


def _differing(one: Any, other: Any, *, place: str = "") -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in dict.fromkeys([*one, *other]):
            yield from _differing(one.get(key), other.get(key), place=f"{place}.{key}".removeprefix("."))
    elif one != other:
        yield place


def _not_run(detail: str) -> Rung:
    return Rung(name=NAME, status="not run", detail=detail)
