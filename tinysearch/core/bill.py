"""The bill of materials of a candidate, and whether it can be ordered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class BomLine:
    """One part on the bill of materials.

    Attributes:
        usd: of one piece.
        source: where the price can be looked up.
        quantity: the order size that it holds for; None where that is not known.
        seller, date, kind: who asks it, when it was read, and how it was obtained (``assumed`` is an estimate).
        url: where it can be ordered; empty where no address is known.
    """

    part: str
    usd: float
    source: str = ""
    quantity: int | None = None
    seller: str = ""
    date: str = ""
    kind: str = ""
    url: str = ""

    @property
    def about(self) -> str:
        """What the price is, for people: ``marketplace, 1 piece, 2026-08`` or ``assumed, ...``."""
        pieces = "" if self.quantity is None else f"{self.quantity} piece{'' if self.quantity == 1 else 's'}"
        told = ["assumed" if self.kind == "assumed" else self.seller, pieces, self.date]
        return ", ".join(word for word in told if word)

    def to_dict(self) -> dict[str, Any]:
        return {
            "part": self.part,
            "usd": round(self.usd, 4),
            "quantity": self.quantity,
            "seller": self.seller or None,
            "date": self.date or None,
            "kind": self.kind or None,
            "source": self.source or None,
            "url": self.url or None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNote:
    """Whether a bill can be ordered by one person, and what else it takes.

    Attributes:
        build: what carries the processor: ``board``, ``module`` or ``chip``.
        quantity: of the order that prices were asked for; None for the prices as listed.
        bring: what is needed and not in the bill, in words.
        marking: what is printed on the carrier, by which it is told from its likes.
    """

    build: str
    quantity: int | None = None
    bring: tuple[str, ...] = ()
    marking: str = ""

    @property
    def ready(self) -> bool:
        """True for ready boards and breakouts; false for a design, which somebody has to draw and assemble."""
        return self.build == "board"

    @property
    def text(self) -> str:
        """One line for people."""
        if not self.ready:
            return (
                f"design, not an order: a {'bare chip' if self.build == 'chip' else 'module'} on a carrier of your own"
            )
        extra = f"; bring {', '.join(self.bring)}" if self.bring else ""
        return f"order: ready-made parts{extra}"

    def to_dict(self) -> dict[str, Any]:
        return {
            "ready": self.ready,
            "build": self.build,
            "quantity": self.quantity,
            "bring": list(self.bring),
            "marking": self.marking or None,
            "text": self.text,
        }
