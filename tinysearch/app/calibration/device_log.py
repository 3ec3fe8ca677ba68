"""What the command ``benchmark`` of a device printed, read out of a serial log; what may be damaged is refused.

A serial line loses bytes and a log ends anywhere, so a number is believed only where the log shows that it is whole:
each benchmark has run to its end, a branch's sum is that of its layers, and repeats tell nearly the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tinysearch.core.errors import UserError
from tinysearch.reading import read_text

LARGEST_REPEAT = 1.25
"""Largest over smallest count of a layer's repeats: interrupts and caches make a few per cent."""

_COLOR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_CHIP = re.compile(r"\bbenchmark (\w+) \d+\s*$")
_END = re.compile(r"\bOK benchmark\b")
_FALLEN_BACK = re.compile(r"\bWARN backend (\w+): .*portable kernels")
_LAYER = re.compile(r"\blayer (\w+) (\w+) (\d{1,18})\s*$")
_SUM = re.compile(r"\bbranch (\w+) (\d{1,18})\s*$")
_RUN_AGAIN = "run benchmark on the device again"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLog:
    """Cycles of each layer, mean of its repeats, by branch and step; and whose backend the device did not use."""

    cycles: dict[str, dict[str, float]]
    fallen_back: frozenset[str]


@dataclass(slots=True)
class _Reader:
    """One pass over the lines; ``where`` is the line being read, for messages."""

    log: Path
    target: str
    counts: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    sums: dict[str, int] = field(default_factory=dict)
    running: bool = False
    where: str = ""

    def refuse(self, rule: str, *, value: str | None = None) -> UserError:
        return UserError(rule, value=f"{value or self.where} in {self.log}", remedy=_RUN_AGAIN)

    def take(self, line: str) -> None:
        self.where = line.strip()
        chip, layer, total = _CHIP.search(line), _LAYER.search(line), _SUM.search(line)
        if chip:
            self.begin(chip[1])
        elif layer:
            self.add(layer[1], layer[2], int(layer[3]))
        elif re.search(r"\blayer\b", line) and self.running:
            raise self.refuse("a line of a layer must be `layer BRANCH STEP CYCLES`")
        elif total and self.sums.get(total[1], int(total[2])) != int(total[2]):
            raise self.refuse(f"the layers of a branch must add up to its sum, here {self.sums[total[1]]}")
        elif _END.search(line):
            self.running = False

    def begin(self, chip: str) -> None:
        if self.running:
            raise self.refuse("a benchmark must run to its end, `OK benchmark`", value="one without")
        if chip != self.target:
            raise self.refuse(f"the log must be of the project's chip, {self.target}")
        self.running, self.sums = True, {}

    def add(self, branch: str, step: str, cycles: int) -> None:
        if not cycles:
            raise self.refuse("a layer must take cycles")
        self.running = True
        self.sums[branch] = self.sums.get(branch, 0) + cycles
        self.counts.setdefault(branch, {}).setdefault(step, []).append(cycles)


def read_log(log: Path, *, target: str) -> DeviceLog:
    """Cycles out of a serial log, saved in whatever encoding.

    Args:
        log: the file.
        target: ESP-IDF target of the project that printed it.

    Raises:
        UserError: unreadable, of another chip, without layers, cut short, or with layers that contradict each other.
    """
    try:
        lines = [_COLOR.sub("", line) for line in read_text(log).splitlines()]
    except OSError as error:
        raise UserError(
            "the log must be a readable text", value=f"{log}: {error.strerror}", remedy="check the path"
        ) from error
    reader = _Reader(log, target)
    for line in lines:
        reader.take(line)
    if not reader.counts:
        raise UserError(
            "a log must have lines `layer BRANCH STEP CYCLES`",
            value=f"none in {log}",
            remedy="run benchmark on the device",
        )
    if reader.running:
        raise reader.refuse("a benchmark must run to its end, `OK benchmark`", value="one without")
    for branch, step, counts in _repeats(reader):
        if max(counts) > LARGEST_REPEAT * min(counts):
            told = f"layer {branch} {step} {min(counts)} and {max(counts)}"
            raise reader.refuse(f"repeats of a layer must agree within {LARGEST_REPEAT - 1:.0%}", value=told)
    cycles = {
        branch: {step: sum(counts) / len(counts) for step, counts in steps.items()}
        for branch, steps in reader.counts.items()
    }
    fallen_back = frozenset(found[1] for line in lines if (found := _FALLEN_BACK.search(line)))
    return DeviceLog(cycles=cycles, fallen_back=fallen_back)


def _repeats(reader: _Reader) -> Iterator[tuple[str, str, list[int]]]:
    for branch, steps in reader.counts.items():
        for step, counts in steps.items():
            yield branch, step, counts
