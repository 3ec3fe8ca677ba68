"""Numbers that say where they come from."""

from __future__ import annotations

from dataclasses import dataclass, replace
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


Seller = Literal["maker", "distributor", "retailer", "marketplace", "publication", "nobody"]
SELLERS: tuple[Seller, ...] = get_args(Seller)
"""Who asks a price: the maker's shop or list, a distributor of parts, a shop, a marketplace of many sellers, a printed
publication; nobody where a price is estimated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBreak:
    """US$ a piece, ``low <= typical <= high``, from an order of ``quantity`` pieces on."""

    quantity: int
    low: float
    typical: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one part costs in US$: sellers differ by a factor of two, so a range and not a number.

    Attributes:
        low, typical, high: US$ a piece, ``low <= typical <= high``.
        quantity: the order size that the prices hold for.
        source, date, kind: as in :class:`Sourced`.
        seller: who asks it; empty where it is not said.
        url: where it can be ordered; empty where no address is known.
        breaks: prices of larger orders, by increasing quantity.
    """

    low: float
    typical: float
    high: float
    quantity: int
    source: str
    date: str
    kind: Kind
    seller: Seller | Literal[""] = ""
    url: str = ""
    breaks: tuple[PriceBreak, ...] = ()

    def for_order(self, quantity: int) -> Price:
        """The price that holds for an order: that of the largest break it reaches.

        An order below the smallest quantity known gets the price of that one, which says its quantity.
        """
        reached = [step for step in self.breaks if step.quantity <= quantity]
        if not reached:
            return self
        step = reached[-1]
        return replace(self, low=step.low, typical=step.typical, high=step.high, quantity=step.quantity)

    def at(self, level: Literal["low", "typical", "high"]) -> float:
        """US$ a piece at one level of the range."""
        return {"low": self.low, "typical": self.typical, "high": self.high}[level]
