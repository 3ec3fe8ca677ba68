"""The rung that decides whether anything of a project may be compiled and run here: only the package's own code.

The rungs after it run make, gcc and the programs that come out. A project may be somebody else's, and so may the
digests in its candidate.json. So every file that builds read must be a copy of the package's own, or lines of its
templates filled with data (:mod:`tinysearch.firmware.verify.rendered`), or what its run emits, or accepted by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tinysearch.core.safe_text import plain_line
from tinysearch.firmware.verify.emitted import Difference, Package, compared_files, digest_of, in_words, is_accepted
from tinysearch.firmware.verify.facts import read_point
from tinysearch.firmware.verify.rendered import is_of_a_plug_in, written_otherwise
from tinysearch.firmware.verify.rung import Rung

NAME = "code"

_LONGEST_LINE = 80


def only_ours(project: Path, *, package: Package, accept: Sequence[str]) -> Rung:
    """Look for code that this package did not write; what is found must be accepted before anything is compiled.

    Args:
        project: its folder.
        package: what emits projects here.
        accept: paths, or patterns of paths, whose code the user trusts.
    """
    found = [what for what in _foreign(project, package) if not is_accepted(what, accept)]
    if not found:
        return Rung(name=NAME, status="passed", detail="what is compiled here is this package's, or was accepted")
    version = str(read_point(project)["generator"].get("version"))
    theirs = version == package.version and not all(is_of_a_plug_in(what.name) for what in found)
    detail = f"{in_words(found)}: nothing is compiled or run before you accept=[FILE,..] what you trust"
    return Rung(name=NAME, status="failed" if theirs else "not run", detail=detail)


def _foreign(project: Path, package: Package) -> Iterator[Difference]:
    point = read_point(project)
    for name, path in compared_files(project):
        if path.is_symlink() or not path.is_file():
            yield Difference(how="no plain file", name=name)
        elif (origin := package.origin(name)) is not None:
            if digest_of(path) != digest_of(origin):
                yield Difference(how=f"not as version {package.version} has it", name=name)
        elif (line := written_otherwise(project, name, package.templates, point)) is not None:
            yield Difference(how="not as it is rendered", name=name, places=(plain_line(line.strip())[:_LONGEST_LINE],))
