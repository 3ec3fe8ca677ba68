"""Numbers that say where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["datasheet", "measured", "derived", "assumed"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced:
    """A number about hardware with its unit and its source.

    Attributes:
        value: the number, in ``unit``.
        unit: ``Hz``, ``bytes``, ``s``, ``usd``, ``W`` ...
        source: document or measurement that a reader can look up.
        date: ISO date (or year-month) on which the source was read.
        kind: how the number was obtained.
    """

    value: float
    unit: str
    source: str
    date: str
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one part costs in US$: sellers differ by a factor of two, so a range and not a number.

    Attributes:
        low, typical, high: US$ a piece, ``low <= typical <= high``.
        quantity: the order size that the prices hold for.
        source, date, kind: as in :class:`Sourced`.
    """

    low: float
    typical: float
    high: float
    quantity: int
    source: str
    date: str
    kind: Kind

    def at(self, level: Literal["low", "typical", "high"]) -> float:
        """US$ a piece at one level of the range."""
        return {"low": self.low, "typical": self.typical, "high": self.high}[level]
