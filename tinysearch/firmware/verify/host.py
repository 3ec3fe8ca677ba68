"""Rungs on this machine: the project's own host build against its golden vectors, plain and under sanitizers."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from tinysearch.firmware.verify.objects import Objects, shared_objects
from tinysearch.firmware.verify.rung import Outcome, Rung, missing, run_tool

TIMEOUT_S = 600.0
INSTALL = "apt-get install gcc make"

_GOLDEN = re.compile(r"^golden (\w+) \d+ (crc|error)", re.MULTILINE)
_CHECKED = re.compile(r"^pair \d+ \d+ score -?\d+ equal$", re.MULTILINE)


def golden_vectors(project: Path, *, objects: Objects | None = None) -> Rung:
    """What ``make check`` does: warnings are errors, embeddings and pair scores equal the oracle's.

    Args:
        project: folder of an emitted project.
        objects: shared with other projects; None compiles anew.
    """
    lacking = missing(("gcc", "make"))
    if lacking:
        return Rung(name="host", status="not run", detail=f"not run: needs {', '.join(lacking)} ({INSTALL})")
    if objects is None:
        with shared_objects() as own:
            return _checked(project, own)
    return _checked(project, objects)


def _checked(project: Path, objects: Objects) -> Rung:
    with tempfile.TemporaryDirectory(prefix="tinysearch-verify-") as name:
        program = Path(name) / "host"
        outcome = objects.link(project / "host", program, goal="list")
        if outcome.passed:
            outcome = run_tool((program,), timeout_s=TIMEOUT_S, folder=Path(name))
    return _judged("host", outcome)


def sanitizers(project: Path) -> Rung:
    """``make sanitize``: the same under the address and undefined-behavior sanitizers."""
    return _make("sanitizers", project, "sanitize")


def _make(name: str, project: Path, goal: str) -> Rung:
    lacking = missing(("gcc", "make"))
    if lacking:
        return Rung(name=name, status="not run", detail=f"not run: needs {', '.join(lacking)} ({INSTALL})")
    with tempfile.TemporaryDirectory(prefix="tinysearch-verify-") as folder:
        command = ("make", "-s", "-C", project / "host", f"BUILD={folder}", "CC=gcc", goal)
        outcome = run_tool(command, timeout_s=TIMEOUT_S, folder=Path(folder))
    return _judged(name, outcome)


def _judged(name: str, outcome: Outcome) -> Rung:
    if not outcome.passed or "OK golden vectors" not in outcome.text:
        return Rung(name=name, status="failed", detail=outcome.reason(timeout_s=TIMEOUT_S))
    return Rung(name=name, status="passed", detail=agreement(outcome.text))


def agreement(text: str) -> str:
    """What a passed run compared, in one line."""
    branches: dict[str, list[str]] = {}
    for branch, kind in _GOLDEN.findall(text):
        branches.setdefault(branch, []).append(kind)
    parts = [
        f"{len(kinds)} {branch} embeddings {'equal bit for bit' if kinds[0] == 'crc' else 'within 1e-5'}"
        for branch, kinds in branches.items()
    ]
    return ", ".join([*parts, f"{len(_CHECKED.findall(text))} pair scores equal"])
