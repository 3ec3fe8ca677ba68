"""The answer at a glance: cheapest, best value and best point that can be built, and what to order for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tinysearch.evaluation.operating import answers_in_words, in_words
from tinysearch.report.data import DesignCard
from tinysearch.report.sentence import knee, ladder, number, overlap, quality_of
from tinysearch.report.view import RunView
from tinysearch.report.wording import count, interval, label_of, network, pair_text, seconds, usd, value_text

BEST = {"eer": "Most accurate", "latency_s": "Fastest"}
"""What the best point is called by what money buys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """One point as a card.

    Attributes:
        labels: what it is: cheapest, best value, most accurate; a point may be several.
        quality: its error rate (or what else money buys) with its interval.
        meaning: what the firmware's threshold means to people; empty where unknown.
        usable: whether owners get in often enough; None where unknown.
        latency: mean time until an owner is in, or one attempt where it is not known how many that takes.
        order: what to buy, each part with its number and price.
        step: what it costs and gains over the card before; empty on the first.
        problem: why it cannot be built; empty if it can.
        standing: whether it can be ordered as it is, or is a design; empty where that is not known.
    """

    id: str
    labels: tuple[str, ...]
    price: str
    quality: str
    meaning: str
    usable: bool | None
    latency: str
    network: str
    order: tuple[tuple[str, str], ...]
    step: str
    problem: str
    standing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picks:
    """Up to three cards, cheapest first, and what to know about the choice."""

    cards: tuple[Pick, ...]
    note: str


def picks(view: RunView) -> Picks:
    """The cards of a run; none where the front is empty. Points that can be built go before those on paper only."""
    if not view.front:
        return Picks(cards=(), note="")
    quality = quality_of(view)
    real = [design for design in view.points if view.board(design).buildable]
    rungs = ladder(view, real or view.points, quality)
    chosen: dict[str, list[str]] = {rungs[0].id: ["Cheapest"]}
    middle = knee(view, rungs, quality)
    if middle is not None:
        chosen.setdefault(middle.id, []).append("Best value")
    chosen.setdefault(rungs[-1].id, []).append(BEST.get(quality, f"Lowest {label_of(quality)}"))
    designs = [view.design(identity) for identity in chosen]
    return Picks(
        cards=tuple(
            _card(view, design, chosen[design.id], quality, designs[i - 1] if i else None)
            for i, design in enumerate(designs)
        ),
        note=_note(view, real),
    )


def _note(view: RunView, real: Sequence[DesignCard]) -> str:
    missing = len(view.points) - len(real)
    if not missing:
        return ""
    if not real:
        return f"None of the {count(missing, 'point')} of the front can be built: their boards exist on paper only."
    return f"Of {count(len(view.points), 'point')} of the front, {missing} exist on paper only and are left out here."


def _card(view: RunView, design: DesignCard, labels: Sequence[str], quality: str, before: DesignCard | None) -> Pick:
    board = view.board(design)
    bought = Counter((f"{part.name} (price assumed)" if part.assumed else part.name, part.usd) for part in board.parts)
    value = number(view, design, quality)
    sure = interval(design.eer_ci95) if quality == "eer" else ""
    point = design.operating_point
    return Pick(
        id=design.id,
        labels=tuple(labels),
        price=usd(view.cost(design)),
        quality=f"{label_of(quality)} {value_text(quality, value)}{sure}",
        meaning=_meaning(design),
        usable=None if point is None else point.usable,
        latency=_latency(design),
        network=network(view, design),
        order=tuple((f"{n} × {name}" if n > 1 else name, usd(n * price)) for (name, price), n in bought.items()),
        step="" if before is None else _step(view, before, design, quality),
        problem="" if board.buildable else board.reason,
        standing=f"{board.order[:1].upper()}{board.order[1:]}",
    )


def _meaning(design: DesignCard) -> str:
    """What a design's errors mean to whoever uses it; empty where that is not known."""
    if design.operating_point is not None:
        return " ".join(filter(None, (in_words(design.operating_point), design.cascade, design.executed)))
    return "" if design.answered is None else answers_in_words(design.answered)


def _latency(design: DesignCard) -> str:
    attempt = f"{seconds(design.attempt_s)} an attempt"
    point = design.operating_point
    if point is None or point.effective_latency_s is None:
        return attempt
    return f"{seconds(point.effective_latency_s)} until an owner is in, {attempt}"


def _step(view: RunView, before: DesignCard, design: DesignCard, quality: str) -> str:
    first, second = pair_text(quality, number(view, before, quality), number(view, design, quality))
    chance = ", may be chance" if quality == "eer" and overlap(before, design) else ""
    extra = view.cost(design) - view.cost(before)
    return f"+{usd(extra)} buys {label_of(quality)} {first} → {second}{chance}"
