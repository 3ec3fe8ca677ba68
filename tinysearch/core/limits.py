"""Limits that people have: any objective, at most or at least so much."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tinysearch.core.errors import UserError
from tinysearch.core.objectives import ERROR_OBJECTIVES, MAXIMIZED
from tinysearch.core.units import format_bytes, parse_bytes, parse_duration, written

LIMITS: Mapping[str, str] = {
    "max_error": "eer",
    "max_latency_s": "latency_s",
    "max_effective_latency_far1_s": "effective_latency_far1_s",
    "max_effective_latency_far10_s": "effective_latency_far10_s",
    "max_flash_bytes": "flash_bytes",
    "max_ram_bytes": "ram_bytes",
    "max_energy_mj": "energy_mj",
    "max_power_mw": "power_mw",
    "min_battery_days": "battery_days",
}
"""Options that set a limit, and the objective that each limits; ``budget`` is the limit of the board's cost."""

_SPELLINGS = {"_bytes": "200KiB", "_s": "0.5", "error": "0.05", "_mj": "20", "_mw": "5", "_days": "90"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One broken rule: its name, limit and actual value in base units, and one line for people."""

    rule: str
    limit: float
    actual: float
    message: str

    def to_dict(self) -> dict[str, Any]:
        return {"rule": self.rule, "limit": self.limit, "actual": self.actual, "message": self.message}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit.

    Attributes:
        option: as it is spelled, for example ``max_latency_s``.
        bound: in the objective's unit; positive.
    """

    option: str
    bound: float

    @property
    def objective(self) -> str:
        """The objective that is limited."""
        return LIMITS[self.option]

    @property
    def is_error(self) -> bool:
        """Whether a network must be trained before it is known to be kept."""
        return self.objective in ERROR_OBJECTIVES

    def keeps(self, value: Any) -> Any:
        """Whether a value, or each of an array of them, is within the limit; what is NaN is not."""
        return value >= self.bound if self.objective in MAXIMIZED else value <= self.bound

    def excess(self, value: Any) -> Any:
        """How far beyond the limit a value or an array of them is, as a factor: at most 1 where the limit is kept."""
        return self.bound / value if self.objective in MAXIMIZED else value / self.bound

    def violation(self, value: float) -> Violation | None:
        """The broken limit, or None where it is kept."""
        if self.keeps(value):
            return None
        least = "at least" if self.objective in MAXIMIZED else "at most"
        message = f"{self.objective} must be {least} {self.spelled(self.bound)}; actual {self.spelled(value)}"
        return Violation(rule=self.option, limit=self.bound, actual=value, message=message)

    def spelled(self, value: float) -> str:
        """A value of the objective as people read it; the bound itself in full."""
        if self.objective.endswith("_bytes"):
            return format_bytes(round(value))
        return written(value) if value == self.bound else written(value, 4)


def parse_limits(given: Mapping[str, object]) -> tuple[Limit, ...]:
    """Limits by option; None and options without a value are no limit.

    Sizes are spelled like ``200KiB``, times like ``500ms`` or a number of seconds, errors like ``0.05`` or ``5%``.

    Raises:
        UserError: not a positive number of the objective's unit.
    """
    return tuple(
        Limit(option=option, bound=_bound(option, value)) for option, value in given.items() if value is not None
    )


def _bound(option: str, value: object) -> float:
    try:
        bound = _parser(option)(value)
    except (UserError, ValueError):
        bound = math.nan
    if not 0 < bound < math.inf or (option == "max_error" and bound > 1):
        what = "a share between 0 and 1" if option == "max_error" else "a positive number"
        example = next(text for ending, text in _SPELLINGS.items() if option.endswith(ending))
        raise UserError(f"{option} must be {what}", value=value, remedy=f"write for example {option}={example}")
    return bound


def _parser(option: str) -> Callable[[object], float]:
    if option.endswith("_bytes"):
        return parse_bytes
    return parse_duration if option.endswith("_s") else _number


def _number(value: object) -> float:
    text = str(value).strip()
    return float(text.removesuffix("%")) / 100 if text.endswith("%") else float(text)
