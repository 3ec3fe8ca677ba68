"""What ``benchmarks/faults.py`` does to tinysearch: one module a family of faults.

Each module has ``KINDS``, a mapping from the name of a kind to a function ``(folder, rng, case) -> Iterator[Trial]``:
what is done in ``folder`` for one case, with every random choice out of ``rng``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One fault and how it was answered.

    Attributes:
        what: the fault, for people.
        answers: every answer of a command that met it.
        lost: what was there before and is no longer: records, entries, files.
        wrong: what else was not as it must be, by name; None where nothing was.
    """

    what: str
    answers: tuple[Answer, ...]
    lost: int = 0
    wrong: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a command ended.

    Attributes:
        status: exit status; negative: killed by that signal.
        said: the end of standard error.
        wall_s, processor_s: how long it took by the clock, and how much of that the processor worked.
    """

    words: tuple[str, ...]
    status: int
    said: str
    wall_s: float
    processor_s: float

    @property
    def complaint(self) -> str | None:
        """What is wrong with the answer itself; None for success, or one line and status 2."""
        if "Traceback (most recent call last)" in self.said or "internal failure" in self.said:
            return "traceback"
        if self.status == 0:
            return None
        if self.status != WRONG_INPUT:
            return f"status {self.status}"
        lines = [line for line in self.said.splitlines() if line.startswith("tinysearch: ")]
        lists_problems = self.words[:2] == ("catalog", "check")  # one a line, on standard output
        return None if len(lines) == 1 or lists_problems else f"{len(lines)} lines"


WRONG_INPUT = 2
