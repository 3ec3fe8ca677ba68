"""Rungs on this machine: the project's own host build against its golden vectors, plain and under sanitizers."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tinysearch.firmware.verify.objects import Objects, at_hand
from tinysearch.firmware.verify.rung import Outcome, Rung, not_run, run_tool

TIMEOUT_S = 600.0
TOOLS, INSTALL = ("gcc", "make"), "apt-get install gcc make"
SANITIZE = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")

_GOLDEN = re.compile(r"^golden (\w+) \d+ (crc|error)", re.MULTILINE)
_CHECKED = re.compile(r"^pair \d+ \d+ score -?\d+ equal$", re.MULTILINE)


def golden_vectors(project: Path, *, objects: Objects | None = None) -> Rung:
    """What ``make check`` does: warnings are errors, embeddings and pair scores equal the oracle's.

    Args:
        project: folder of an emitted project.
        objects: shared with other projects; None compiles anew.
    """
    return _built("host", project, objects)


def _built(name: str, project: Path, objects: Objects | None, *, options: Sequence[str] = ()) -> Rung:
    lacking = not_run(name, TOOLS, install=INSTALL)
    if lacking is not None:
        return lacking
    with at_hand(objects) as shared:
        return _judged(name, _run(project, shared, options))


def _run(project: Path, objects: Objects, options: Sequence[str]) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="tinysearch-verify-") as name:
        program = Path(name) / "host"
        outcome = objects.link(project / "host", program, goal="list", options=options)
        if outcome.passed:
            outcome = run_tool((program,), timeout_s=TIMEOUT_S, folder=Path(name))
    return outcome


def sanitizers(project: Path, *, objects: Objects | None = None) -> Rung:
    """What ``make sanitize`` does: the same under the address and undefined-behavior sanitizers.

    Args:
        project: folder of an emitted project.
        objects: shared with other projects; None compiles anew.
    """
    return _built("sanitizers", project, objects, options=SANITIZE)


def _judged(name: str, outcome: Outcome) -> Rung:
    if not outcome.passed or "OK golden vectors" not in outcome.text:
        return Rung(name=name, status="failed", detail=outcome.reason(timeout_s=TIMEOUT_S))
    return Rung(name=name, status="passed", detail=agreement(outcome.text))


def agreement(text: str) -> str:
    """What a passed run compared, in one line."""
    branches: dict[str, list[str]] = {}
    for branch, kind in _GOLDEN.findall(text):
        branches.setdefault(branch, []).append(kind)
    what = "embeddings" if (pairs := len(_CHECKED.findall(text))) else "outputs"
    parts = [
        f"{len(kinds)} {branch} {what} {'equal bit for bit' if kinds[0] == 'crc' else 'within rounding'}"
        for branch, kinds in branches.items()
    ]
    return ", ".join([*parts, f"{pairs} pair scores equal"] if pairs else parts)
