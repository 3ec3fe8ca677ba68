"""Price sensitivity: within which change of one part's price a point stays on the front.

A part's price changes on every board that has it. A point leaves the front when a design that is at least as good in
every other objective becomes cheaper: because a part that the point has more of rises, or one that the other has more
of falls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tinysearch.report.data import DesignCard
from tinysearch.report.sentence import Floats, Sentence, decided_matrix
from tinysearch.report.view import RunView
from tinysearch.report.wording import count, percent, rate_name, usd

COST = "bom_cost_usd"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceLimit:
    """A point stays on the front while a part's price ``rises`` (or falls) by less than ``change_usd``, unsigned."""

    part: str
    rises: bool
    price_usd: float
    change_usd: float
    rival: str

    @property
    def relative(self) -> float:
        """Size of the change as a fraction of the price."""
        return self.change_usd / self.price_usd

    @property
    def price_then_usd(self) -> float:
        """The part's price at the limit."""
        return self.price_usd + (self.change_usd if self.rises else -self.change_usd)

    @property
    def text(self) -> str:
        """The condition in words."""
        verb = "rises" if self.rises else "falls"
        if self.change_usd < 0.005:
            return f"{self.part} never {verb} from {usd(self.price_usd)}"
        return (
            f"{self.part} {verb} by less than {usd(self.change_usd)} ({percent(self.relative, 0)}, "
            f"to {usd(self.price_then_usd)})"
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Market:
    """Affordable designs with what decides between them, in arrays: ``values`` [n, K - 1] without the cost."""

    designs: tuple[DesignCard, ...]
    values: Floats
    cost_usd: Floats
    boards: Mapping[str, Counter[str]]
    prices: Mapping[str, float]


def market_of(view: RunView) -> Market:
    """Every affordable design of a run with what it costs."""
    others = [name for name in view.objectives if name != COST]
    boards = view.data.boards
    return Market(
        designs=view.affordable,
        values=decided_matrix(view, view.affordable, others),
        cost_usd=np.array([view.cost(design) for design in view.affordable]),
        boards={key: Counter(part.name for part in board.parts) for key, board in boards.items()},
        prices={part.name: part.usd for board in boards.values() for part in board.parts},
    )


def sensitivity(view: RunView) -> dict[str, tuple[Sentence, ...]]:
    """By point of the front, what change of price it survives; empty where cost is no objective."""
    if COST not in view.objectives:
        return {}
    market = market_of(view)
    shown = len(view.affordable) - 1
    apart = any(design.eer_validation is not None for design in view.affordable)
    judged = f", by the {rate_name()} of validation people" if apart and "eer" in view.objectives else ""
    return {p.id: (_sentence(p, *price_limits(market, p), shown=shown, judged=judged),) for p in view.points}


def price_limits(market: Market, point: DesignCard) -> tuple[tuple[PriceLimit, ...], int]:
    """The tightest limit of every part whose price could take a point off the front, and how many rivals there are.

    A rival is another affordable design that is at least as good in every objective but cost.
    """
    at = next(i for i, design in enumerate(market.designs) if design.id == point.id)
    as_good = [int(i) for i in np.flatnonzero((market.values <= market.values[at]).all(axis=1)) if i != at]
    own = market.boards[point.board]
    limits: dict[tuple[str, bool], PriceLimit] = {}
    for i in as_good:
        rival = market.designs[i]
        gap, theirs = float(market.cost_usd[i] - market.cost_usd[at]), market.boards[rival.board]
        for name in own.keys() | theirs.keys():
            more, price = own[name] - theirs[name], market.prices[name]
            if more == 0 or price <= 0 or (more < 0 and gap >= -more * price):
                continue
            change = max(gap / abs(more), 0.0)
            found = PriceLimit(part=name, rises=more > 0, price_usd=price, change_usd=change, rival=rival.id)
            best = limits.get((name, more > 0))
            if best is None or found.change_usd < best.change_usd:
                limits[name, more > 0] = found
    return tuple(sorted(limits.values(), key=lambda limit: (limit.relative, limit.part))), len(as_good)


def _sentence(point: DesignCard, limits: tuple[PriceLimit, ...], rivals: int, *, shown: int, judged: str) -> Sentence:
    if not limits:
        return Sentence(
            kind="price",
            text=(
                f"No price change of a single part takes it off the front: {rivals} of the other "
                f"{count(shown, 'design')} shown {'are' if rivals != 1 else 'is'} as good in everything else{judged}"
                f"{', and none of these becomes cheaper that way' if rivals else ''}."
            ),
            numbers={"rivals": rivals, "shown": shown},
            points=(point.id,),
        )
    rise = next((limit for limit in limits if limit.rises), None)
    fall = next((limit for limit in limits if not limit.rises), None)
    tightest = [limit for limit in (rise, fall) if limit is not None]
    numbers: dict[str, float] = {"rivals": rivals, "shown": shown}
    for limit in tightest:
        name = "rise" if limit.rises else "fall"
        numbers |= {f"{name}_usd": limit.change_usd, f"{name}_to_usd": limit.price_then_usd}
    return Sentence(
        kind="price",
        text=(
            f"It stays on the front while {' and while '.join(limit.text for limit in tightest)}"
            f"{', each alone' if len(tightest) > 1 else ''}; of "
            f"{count(shown, 'other design')} shown, {rivals} {'are' if rivals != 1 else 'is'} as good in everything "
            f"but cost{judged}."
        ),
        numbers=numbers,
        points=(point.id, *sorted({limit.rival for limit in tightest})),
    )
