"""Objectives by name: which there are, which way is better, and how a study records them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinysearch.core.errors import UserError

OBJECTIVES: dict[str, str] = {
    "eer": "equal error rate",
    "bom_cost_usd": "board cost (US$)",
    "latency_s": "latency (s)",
    "effective_latency_far1_s": "effective latency at FAR 1 % (s)",
    "effective_latency_far10_s": "effective latency at FAR 10 % (s)",
    "flash_bytes": "flash needed (bytes)",
    "ram_bytes": "RAM needed (bytes)",
    "energy_mj": "energy an authentication (mJ)",
    "power_mw": "average power (mW)",
    "battery_days": "battery life (days)",
}
"""Objectives by name, minimized but for :data:`MAXIMIZED`, with the label that people read."""

FAR_OF_OBJECTIVE = {"effective_latency_far1_s": 0.01, "effective_latency_far10_s": 0.1}
"""Objectives that are the time of an attempt divided by the share of genuine attempts accepted at a FAR."""

MAXIMIZED = frozenset({"battery_days"})
"""Objectives of which more is better; a study, which minimizes, records the negative: see :func:`recorded_name`."""

POWER_OBJECTIVES = frozenset({"power_mw", "battery_days"})
"""Objectives that follow from the task's schedule and what every part draws."""

ALIASES = {"error": "eer"}
"""Other names of objectives: the error rate of a verification is its equal error rate."""

_NEGATIVE = "negative_"

ERROR_OBJECTIVES = frozenset({"eer", "effective_latency_far1_s", "effective_latency_far10_s"})
"""Objectives that need a trained network; all others follow from the analytic models."""


def check_objectives(names: Sequence[str]) -> tuple[str, ...]:
    """The names as a tuple, aliases replaced.

    Raises:
        UserError: none, unknown or repeated names.
    """
    chosen = tuple(ALIASES.get(str(name), str(name)) for name in names or ())
    if not chosen or len(set(chosen)) != len(chosen) or not {objective_of(name) for name in chosen} <= set(OBJECTIVES):
        raise UserError(
            f"objectives must be different names out of {', '.join(OBJECTIVES)}",
            value=list(names or ()),
            remedy="write for example objectives=[eer,bom_cost_usd,latency_s]",
        )
    return chosen


def recorded_name(name: str) -> str:
    """What an objective is called where everything is minimized: ``negative_battery_days``."""
    return f"{_NEGATIVE}{name}" if name in MAXIMIZED else name


def recorded_value(name: str, value: Any) -> Any:
    """A value, or an array of them, as it is recorded and back: negative where more is better; None stays None."""
    return -value if value is not None and objective_of(name) in MAXIMIZED else value


def objective_of(recorded: str) -> str:
    """The objective that a recorded name stands for: the reverse of :func:`recorded_name`."""
    return recorded.removeprefix(_NEGATIVE)
