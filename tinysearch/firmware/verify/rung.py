"""The outcome of one check, and running a tool for it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Status = Literal["passed", "failed", "not run"]

_TAIL = 400
_MAKE_VARIABLES = frozenset({"MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One check: its name, what came of it, and one line of detail."""

    name: str
    status: Status
    detail: str

    def to_dict(self) -> dict[str, str]:
        return {"name": self.name, "status": self.status, "detail": self.detail}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a tool did: exit status (None where it ran out of time) and everything it printed."""

    status: int | None
    text: str

    @property
    def passed(self) -> bool:
        return self.status == 0

    def reason(self, *, timeout_s: float) -> str:
        """Why it failed, in one line: the first line that says so, else the end of what was printed."""
        if self.status is None:
            return f"no end after {timeout_s:.0f} s"
        lines = [line.strip() for line in self.text.splitlines() if line.strip()]
        telling = [line for line in lines if any(word in line for word in ("error", "ERR", "DIFFERS", "FAILED"))]
        return (telling or lines[-1:] or [f"exit status {self.status}"])[0][:_TAIL]


class WrongAnswerError(Exception):
    """A program of a project says something else than it must."""


def climbed(name: str, judge: Callable[[], str]) -> Rung:
    """The rung whose judge returns what it found, or raises where the project is not what it should be."""
    try:
        return Rung(name=name, status="passed", detail=judge())
    except (WrongAnswerError, OSError, ValueError, KeyError, TypeError) as error:
        return Rung(name=name, status="failed", detail=" ".join(str(error).split()) or type(error).__name__)


def not_run(name: str, tools: Sequence[str], *, install: str) -> Rung | None:
    """The rung that lacks some of its tools; None where all are there."""
    lacking = missing(tools)
    if not lacking:
        return None
    return Rung(name=name, status="not run", detail=f"not run: needs {', '.join(lacking)} ({install})")


def missing(tools: Sequence[str]) -> list[str]:
    """The tools that are not on PATH."""
    return [tool for tool in tools if shutil.which(tool) is None]


def run_tool(
    command: Sequence[str | Path],
    *,
    timeout_s: float,
    folder: Path,
    typed: str = "",
    variables: Mapping[str, str] | None = None,
) -> Outcome:
    """Run a tool to its end, or end it and all that it started when the time is up.

    A make that we were started by does not reach the ones that we start.

    Args:
        command: words, the program first.
        timeout_s: how long it may take (s).
        folder: where it runs.
        typed: what it reads from standard input.
        variables: of its environment, beside ours.
    """
    words = [str(word) for word in command]
    environment = {name: value for name, value in os.environ.items() if name not in _MAKE_VARIABLES}
    environment |= variables or {}
    with subprocess.Popen(
        words,
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            text, _ = process.communicate(typed, timeout=timeout_s)
        except BaseException as error:
            _end(process)
            text, _ = process.communicate()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            return Outcome(status=None, text=text)
        return Outcome(status=process.returncode, text=text)


def _end(process: subprocess.Popen[str]) -> None:
    """End a tool, and where the system has groups of processes also what it started."""
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
