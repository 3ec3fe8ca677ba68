"""When a device decides: all the time, at an interval, or when somebody presses a button."""

from __future__ import annotations

import contextlib
import math
import re
from dataclasses import dataclass
from typing import Literal, get_args

from tinysearch.core.errors import UserError
from tinysearch.core.units import parse_duration

ScheduleKind = Literal["always", "every", "button"]
SCHEDULES: tuple[ScheduleKind, ...] = get_args(ScheduleKind)

DAY_S = 86400.0

PRESSES_PER_DAY = 20.0
"""What ``button`` stands for without a number: a door that a household of four uses a few times a day."""

_PRESSES = re.compile(r"^(\d+(?:\.\d+)?)\s*/\s*day$")
_RULE = "a schedule must be always, every:DURATION or button:PRESSES/day"
_REMEDY = "write for example every:10s, every:5min, button or button:50/day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a device decides.

    Attributes:
        kind: ``always``, one decision after the other without a pause; ``every``, at an interval, asleep in between;
            ``button``, when somebody asks, asleep in between.
        interval_s: from the beginning of one decision to that of the next, on average; 0 for ``always``.
    """

    kind: ScheduleKind = "always"
    interval_s: float = 0.0

    @property
    def sleeps(self) -> bool:
        """Whether there is a pause in which the device may sleep."""
        return self.kind != "always"

    @property
    def text(self) -> str:
        """For people: ``all the time``, ``every 10 s``, ``20 times a day``."""
        if self.kind == "button":
            return f"{DAY_S / self.interval_s:g} times a day"
        return f"every {format_duration(self.interval_s)}" if self.kind == "every" else "all the time"


ALWAYS = Schedule()


def parse_schedule(given: object) -> Schedule:
    """A schedule from ``always``, ``every:10s``, ``every:5min``, ``button`` or ``button:50/day``.

    Raises:
        UserError: something else, or an interval or number of presses that is not positive.
    """
    word, colon, rest = (part.strip() for part in str(given).partition(":"))
    if word == "always" and not colon:
        return ALWAYS
    if word == "button" and not colon:
        return Schedule(kind="button", interval_s=DAY_S / PRESSES_PER_DAY)
    interval = 0.0
    presses = _PRESSES.match(rest) if word == "button" else None
    if presses is not None and 0 < float(presses[1]) < math.inf:
        interval = DAY_S / float(presses[1])
    elif word == "every" and rest:
        with contextlib.suppress(UserError):
            interval = parse_duration(rest)
    if not 0 < interval < math.inf:
        raise UserError(_RULE, value=given, remedy=_REMEDY)
    return Schedule(kind="every" if word == "every" else "button", interval_s=interval)


def format_duration(seconds: float) -> str:
    """``500 ms``, ``10 s``, ``5 min`` or ``1.5 h``: in the largest unit of which it is at least one."""
    for unit, size in (("h", 3600.0), ("min", 60.0), ("s", 1.0)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e3:.3g} ms"
