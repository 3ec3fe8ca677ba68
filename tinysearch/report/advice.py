"""Advice in words: sentences derived from the figures of a run, each with its numbers.

Sentences of the front compare the points of front.json with one another by the values that the table shows. Price
sensitivity looks at every known design within the budget and at the error rate by which the search decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tinysearch.core.objectives import MAXIMIZED
from tinysearch.core.units import format_bytes
from tinysearch.report.certainty import evidence, ties
from tinysearch.report.data import BlockedCard, DesignCard
from tinysearch.report.guidelines import guidelines
from tinysearch.report.money import give_up, next_dollars, raise_budget, steps
from tinysearch.report.power import power_notes
from tinysearch.report.prices import sensitivity
from tinysearch.report.sentence import Sentence, knee, ladder, number, quality_of, tie_note
from tinysearch.report.view import RunView
from tinysearch.report.wording import (
    board_name,
    count,
    interval,
    label_of,
    named,
    network,
    pair_text,
    percent,
    rate_name,
    usd,
    value_text,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """All sentences of a run.

    Attributes:
        short: what to read first.
        over: which processors the best network does not run on, and by how much it fails.
        steps: along the front of cost and quality, cheapest first.
        guidelines: of the source paper, with verdicts.
        why: by id, why each point is on the front and within which price change it stays.
        evidence: how sure all that is.
    """

    short: tuple[Sentence, ...]
    over: tuple[Sentence, ...]
    steps: tuple[Sentence, ...]
    guidelines: tuple[Sentence, ...]
    why: Mapping[str, tuple[Sentence, ...]]
    evidence: tuple[Sentence, ...]

    @property
    def all(self) -> tuple[Sentence, ...]:
        """Every sentence."""
        per_point = tuple(sentence for found in self.why.values() for sentence in found)
        return self.short + self.over + self.steps + self.guidelines + per_point + self.evidence


_MEASURED = ("budget", "flash", "psram")
"""Rules whose messages differ in their numbers from processor to processor."""


_SIZES = ("flash-window", "shared-window", "flash-fits", "psram-addressable")
"""Rules about bytes whose messages give limit and actual value, not the difference."""


def advise(view: RunView) -> Advice:
    """Advice for a run; one sentence that there is none where the front is empty."""
    if not view.front:
        return Advice(short=(_nothing(view),), over=(), steps=(), guidelines=(), why={}, evidence=())
    quality = quality_of(view)
    short = [_answer(view, quality), _cheapest(view, quality), *_fastest(view), *_knee(view, quality)]
    short += [*next_dollars(view, quality), *raise_budget(view, quality), *give_up(view, quality)]
    short += ties(view)
    prices = sensitivity(view)
    return Advice(
        short=tuple(short),
        over=_over(view),
        steps=steps(view, quality),
        guidelines=guidelines(view),
        why={name: (why(view, name), *power_notes(view, name), *prices.get(name, ())) for name in view.front},
        evidence=evidence(view),
    )


def _nothing(view: RunView) -> Sentence:
    known = len(view.data.designs)
    return Sentence(
        kind="nothing",
        text=f"0 designs are on the front, of {known} known: let the search run longer.",
        numbers={"front": 0, "known": known},
    )


def _answer(view: RunView, quality: str) -> Sentence:
    best = min(view.points, key=lambda d: (number(view, d, quality), view.cost(d), d.id))
    value, cost = number(view, best, quality), view.cost(best)
    budget = "Without a budget" if view.budget_usd is None else f"For {usd(view.budget_usd)}"
    sure = interval(best.eer_ci95) if quality == "eer" else ""
    extra = {} if view.budget_usd is None else {"budget_usd": view.budget_usd}
    return Sentence(
        kind="answer",
        text=(
            f"{budget}, the lowest {label_of(quality)} is {value_text(quality, value)}{sure}: {named(view, best)}, "
            f"{usd(cost)}, {_waiting(best)}. "
            f"{count(len(view.front), 'design')} of {view.data.known} known are on the front."
            f"{_on_paper(view, best, quality)}"
        ),
        numbers={
            quality: value,
            "bom_cost_usd": cost,
            **_waited(best),
            "front": len(view.front),
            "known": view.data.known,
            **extra,
        },
        points=(best.id,),
    )


def _waiting(design: DesignCard) -> str:
    """How long an owner waits, in words."""
    attempt = f"an attempt takes {value_text('latency_s', design.attempt_s)}"
    point = design.operating_point
    if point is None:
        return attempt
    if not point.retried:
        return f"{attempt} (misses {percent(point.frr)} of anomalies at {100 * point.far:g} % of false alarms)"
    if point.effective_latency_s is None:
        return f"{attempt}, and at FAR {100 * point.far:g} % no owner gets in"
    waits, rejected = value_text("latency_s", point.effective_latency_s), percent(point.frr)
    return f"an owner is in after {waits} (FRR {rejected} at FAR {100 * point.far:g} %, capture and retries included)"


def _waited(design: DesignCard) -> dict[str, float]:
    """The figures of :func:`_waiting`."""
    point = design.operating_point
    if point is None:
        return {"attempt_s": design.attempt_s}
    rates = {"far": point.far, "frr": point.frr}
    if point.effective_latency_s is None:
        return {"attempt_s": design.attempt_s, **rates}
    return {"effective_latency_s": point.effective_latency_s, **rates}


def _on_paper(view: RunView, best: DesignCard, quality: str) -> str:
    """What an answer must add whose board cannot be built."""
    if view.board(best).buildable:
        return ""
    real = [design for design in view.points if view.board(design).buildable]
    start = f" Its board exists on paper only ({view.board(best).reason});"
    if not real:
        return f"{start} 0 of {count(len(view.points), 'point')} can be built."
    other = min(real, key=lambda d: (number(view, d, quality), view.cost(d), d.id))
    _, value = pair_text(quality, number(view, best, quality), number(view, other, quality))
    return (
        f"{start} of the {count(len(real), 'point')} that can be built, {named(view, other)} is best: "
        f"{usd(view.cost(other))}, {label_of(quality)} {value}."
    )


def _cheapest(view: RunView, quality: str) -> Sentence:
    first = ladder(view, view.points, quality)[0]
    cost, value = view.cost(first), number(view, first, quality)
    board = view.board(first)
    sure = interval(first.eer_ci95) if quality == "eer" else ""
    return Sentence(
        kind="cheapest",
        text=(
            f"The cheapest board on the front is {board_name(board)} at {usd(cost)} with "
            f"{count(len(board.parts), 'part')}; it reaches {label_of(quality)} {value_text(quality, value)}{sure} "
            f"with {network(view, first)}."
        ),
        numbers={"bom_cost_usd": cost, quality: value, "parts": len(board.parts)},
        points=(first.id,),
    )


def _fastest(view: RunView) -> tuple[Sentence, ...]:
    if "latency_s" not in view.objectives:
        return ()
    fastest = min(view.points, key=lambda d: (d.attempt_s, view.cost(d), d.id))
    numbers = {"attempt_s": fastest.attempt_s, "acquisition_s": fastest.acquisition_s}
    numbers["bom_cost_usd"] = view.cost(fastest)
    rate = ""
    if fastest.eer is not None:
        numbers["eer"] = fastest.eer
        rate = f", {rate_name()} {value_text('eer', fastest.eer)}{interval(fastest.eer_ci95)}"
    text = (
        f"The fastest attempt is that of {named(view, fastest)}: {value_text('latency_s', fastest.attempt_s)}, "
        f"{value_text('latency_s', fastest.acquisition_s)} of it capture; "
        f"{usd(view.cost(fastest))}{rate}."
    )
    return (Sentence(kind="fastest", text=text, numbers=numbers, points=(fastest.id,)),)


def _knee(view: RunView, quality: str) -> tuple[Sentence, ...]:
    rungs = ladder(view, view.points, quality)
    found = knee(view, rungs, quality)
    if found is None:
        return ()
    first, last = rungs[0], rungs[-1]
    cost, value = view.cost(found), number(view, found, quality)
    saving, spending = cost - view.cost(first), view.cost(last) - cost
    leads = number(view, first, quality), number(view, last, quality)
    here, low = pair_text(quality, value, leads[0])
    _, high = pair_text(quality, value, leads[1])
    return (
        Sentence(
            kind="knee",
            text=(
                f"The knee is {named(view, found)}: {usd(cost)} for {label_of(quality)} {here}. "
                f"Saving {usd(saving)} more leads to {low}; spending {usd(spending)} more "
                f"leads only to {high}{tie_note(found, last) if quality == 'eer' else ''}."
            ),
            numbers={
                "bom_cost_usd": cost,
                quality: value,
                "saving_usd": saving,
                "saving_leads_to": leads[0],
                "spending_usd": spending,
                "spending_leads_to": leads[1],
            },
            points=(found.id, first.id, last.id),
        ),
    )


def why(view: RunView, identity: str) -> Sentence:
    """Why a point is on the front, against the other points and by the values that the table shows."""
    design = view.design(identity)
    known = [name for name in view.objectives if all(view.value(d, name) is not None for d in view.points)]
    names = [name for name in known if name not in MAXIMIZED]  # a battery life has a sentence of its own
    others = [point for point in view.points if point.id != identity]
    for name in names:
        value = number(view, design, name)
        if others and all(value < number(view, other, name) for other in others):
            second = min(number(view, other, name) for other in others)
            here, there = pair_text(name, value, second)
            return Sentence(
                kind="why",
                text=f"No point of the front has a lower {label_of(name)}: {here}; the next has {there}.",
                numbers={name: value, "next": second},
                points=(identity,),
            )
    rivals = {name: _rivals(view, identity, name, names) for name in names}
    best = max(names, key=lambda name: len(rivals[name]), default=None)
    if best is None or not rivals[best]:
        figures = {name: number(view, design, name) for name in names}
        listed = ", ".join(f"{label_of(name)} {value_text(name, value)}" for name, value in figures.items())
        return Sentence(
            kind="why",
            text=f"{_alone(len(others))}: {listed}.",
            numbers={"others": len(others), **figures},
            points=(identity,),
        )
    value = number(view, design, best)
    second = min(number(view, view.design(other), best) for other in rivals[best])
    here, there = pair_text(best, value, second)
    limits = {name: number(view, design, name) for name in names if name != best}
    listed = " and ".join(f"{label_of(name)} up to {value_text(name, limit)}" for name, limit in limits.items())
    return Sentence(
        kind="why",
        text=(
            f"With {listed}, it has the lowest {label_of(best)}: {here}; the other "
            f"{count(len(rivals[best]), 'point')} within these limits {'have' if len(rivals[best]) > 1 else 'has'} "
            f"{there} or more."
        ),
        numbers={
            best: value,
            "next": second,
            "rivals": len(rivals[best]),
            **{f"limit_{n}": v for n, v in limits.items()},
        },
        points=(identity,),
    )


def _alone(others: int) -> str:
    if not others:
        return "It is the only point of the front, 1 of 1"
    return f"Of the other {count(others, 'point')} of the front, not one is as good in everything"


def _rivals(view: RunView, identity: str, objective: str, names: list[str]) -> list[str]:
    """Other points that are at least as good in every objective but one."""
    design = view.design(identity)
    rest = [name for name in names if name != objective]
    return [
        other.id
        for other in view.points
        if other.id != identity and all(number(view, other, n) <= number(view, design, n) for n in rest)
    ]


def _over(view: RunView) -> tuple[Sentence, ...]:
    """Processors that cannot carry the best network: by how much they fail, those that lack the same thing together."""
    groups: dict[str, list[BlockedCard]] = {}
    for card in view.data.blocked:
        groups.setdefault(card.message if card.rule in _MEASURED else card.message.split("; limit")[0], []).append(card)
    return (*(_blocked(cards, message) for message, cards in groups.items()), *_would_do(view))


def _would_do(view: RunView) -> tuple[Sentence, ...]:
    """The cheapest board that carries what others do not."""
    wanted = {card.network for card in view.data.blocked}
    carried = [d for d in view.data.designs if network(view, d) in wanted and view.board(d).buildable]
    if not carried:
        return ()
    found = min(carried, key=lambda design: (view.cost(design), design.latency_s, design.id))
    board = view.board(found)
    return (
        Sentence(
            kind="over",
            text=(
                f"The cheapest board that can run {network(view, found)} is {board.name} ({board.processor}) at "
                f"{usd(view.cost(found))}."
            ),
            numbers={"bom_cost_usd": view.cost(found)},
            points=(found.id,),
        ),
    )


def _blocked(cards: list[BlockedCard], message: str) -> Sentence:
    first = cards[0]
    listed = ", ".join(card.processor for card in cards)
    return Sentence(
        kind="over",
        text=(
            f"{first.network} does not run on {listed} ({count(len(cards), 'processor')}): "
            f"{first.message if len(cards) == 1 else message}{_excess(first) if len(cards) == 1 else ''}."
        ),
        numbers={"processors": len(cards), "limit": first.limit, "actual": first.actual},
    )


def _excess(card: BlockedCard) -> str:
    """By how much a size is over its limit, unless the message says so."""
    if card.rule not in _SIZES or card.actual <= card.limit or " over " in card.message:
        return ""
    return f"; {format_bytes(round(card.actual - card.limit))} over"
