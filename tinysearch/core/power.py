"""Where the power of one design goes, and how long its battery lasts: figures for files, tables and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tinysearch.core.provenance import Kind
from tinysearch.core.schedule import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerReport:
    """Average power of one design at its schedule.

    Attributes:
        rests: how it rests between decisions: ``deep sleep``, ``light sleep`` or ``awake``.
        shares_mw: by where it goes, mW; None where nobody says what some part draws.
        range_mw: of the total, by the low and high estimate of the latency; None where it is not known.
        kind: the weakest of the figures that it rests on.
        unknown: what nobody says; empty where everything is known.
        battery: what it runs on, as in a sentence; empty without one.
        battery_days, battery_range_days: None without a battery, or where the power is not known.
    """

    schedule: Schedule
    rests: str
    shares_mw: Mapping[str, float] | None
    range_mw: tuple[float, float] | None
    kind: Kind
    unknown: str = ""
    battery: str = ""
    battery_days: float | None = None
    battery_range_days: tuple[float, float] | None = None

    @property
    def total_mw(self) -> float | None:
        """Average power, None where it is not known."""
        return None if self.shares_mw is None else sum(self.shares_mw.values())

    @property
    def sentence(self) -> str:
        """``runs 41 days on 2 AA, deciding every 10 s``."""
        when = f"deciding {self.schedule.text}"
        if self.total_mw is None:
            return f"how long it runs is not known: nobody says {self.unknown}"
        if self.battery_days is None:
            return f"draws {self.total_mw:.3g} mW on average, {when}"
        return f"runs {lifetime(self.battery_days)} on {self.battery}, {when}"

    def to_dict(self) -> dict[str, Any]:
        """As a point of front.json has it."""
        return {
            "schedule": self.schedule.text,
            "rests": self.rests,
            "shares_mw": None if self.shares_mw is None else dict(self.shares_mw),
            "range_mw": None if self.range_mw is None else list(self.range_mw),
            "kind": self.kind,
            "unknown": self.unknown or None,
            "battery": self.battery or None,
            "battery_range_days": None if self.battery_range_days is None else list(self.battery_range_days),
            "text": self.sentence,
        }


def lifetime(days: float) -> str:
    """``7.5 hours``, ``41 days`` or ``2.3 years``."""
    if days < 2:
        return f"{days * 24:.2g} hours"
    return f"{days:.0f} days" if days < 730 else f"{days / 365.25:.1f} years"
