"""What money buys along the front: steps, the next dollars, a larger budget, and what to give up first."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tinysearch.report.data import DesignCard
from tinysearch.report.sentence import Sentence, ladder, number, tie_note
from tinysearch.report.view import RunView
from tinysearch.report.wording import change, interval, label_of, named, pair_text, percent, unit_usd, usd

UNITS = (1, 2, 5)
"""Steps of more money, in the currency shown."""

_FORGIVEN_USD = 5e-5


def steps(view: RunView, quality: str) -> tuple[Sentence, ...]:
    """Every step along the front of cost and quality: what more money changes and what that gains."""
    rungs = ladder(view, view.points, quality)
    return tuple(_step(view, quality, old, new) for old, new in pairwise(rungs))


def _step(view: RunView, quality: str, old: DesignCard, new: DesignCard) -> Sentence:
    extra = view.cost(new) - view.cost(old)
    before, after = number(view, old, quality), number(view, new, quality)
    first, second = pair_text(quality, before, after)
    return Sentence(
        kind="step",
        text=(
            f"+{usd(extra)} (to {usd(view.cost(new))}): {change(view, old, new)}; {label_of(quality)} {first} → "
            f"{second}{_sure(new, quality)}{tie_note(old, new) if quality == 'eer' else ''}."
        ),
        numbers={"extra_usd": extra, "bom_cost_usd": view.cost(new), "before": before, "after": after},
        points=(old.id, new.id),
    )


def _sure(design: DesignCard, quality: str) -> str:
    return interval(design.eer_ci95) if quality == "eer" else ""


def next_dollars(view: RunView, quality: str) -> tuple[Sentence, ...]:
    """What 1, 2 and 5 dollars more than the cheapest point buy, as far as the budget reaches."""
    rungs = ladder(view, view.points, quality)
    found: list[Sentence] = []
    for more in (units * unit_usd() for units in UNITS):
        limit = view.cost(rungs[0]) + more
        if view.budget_usd is None or limit <= view.budget_usd + _FORGIVEN_USD:
            sentence = _spend(view, quality, rungs, more, before=found[-1] if found else None)
            if found and sentence.points[-1] == rungs[0].id:
                found.pop()  # what buys nothing for more covers what buys nothing for less
            found.append(sentence)
    return tuple(found)


def _spend(
    view: RunView, quality: str, rungs: Sequence[DesignCard], more: float, *, before: Sentence | None
) -> Sentence:
    first = rungs[0]
    limit = view.cost(first) + more
    best = [design for design in rungs if view.cost(design) <= limit + _FORGIVEN_USD][-1]
    values = number(view, first, quality), number(view, best, quality)
    texts = pair_text(quality, *values)
    start = f"{usd(more, 0)} more than the cheapest (up to {usd(limit)})"
    if best.id == first.id:
        text = f"{start} buys no lower {label_of(quality)} than {texts[0]}."
    elif before is not None and best.id == before.points[-1]:
        text = f"{start} buys no more than {usd(before.numbers['more_usd'], 0)} does: {label_of(quality)} {texts[1]}."
    else:
        text = (
            f"{start} takes the {label_of(quality)} from {texts[0]} to {texts[1]}{_sure(best, quality)}: "
            f"{named(view, best)} at {usd(view.cost(best))}{tie_note(first, best) if quality == 'eer' else ''}."
        )
    return Sentence(
        kind="next",
        text=text,
        numbers={
            "more_usd": more,
            "limit_usd": limit,
            "before": values[0],
            "after": values[1],
            "bom_cost_usd": view.cost(best),
        },
        points=(first.id, best.id),
    )


def raise_budget(view: RunView, quality: str) -> tuple[Sentence, ...]:
    """What 1, 2 and 5 dollars on top of the budget would buy, from what is known without further training."""
    if view.budget_usd is None or all(view.within(design) for design in view.data.designs):
        return ()
    inside = min(view.points, key=lambda d: (number(view, d, quality), view.cost(d), d.id))
    found: list[Sentence] = []
    for more in (units * unit_usd() for units in UNITS):
        sentence = _raised(view, quality, inside, more, before=found[-1] if found else None)
        if found and "after" not in sentence.numbers:
            found.pop()  # what buys nothing for more covers what buys nothing for less
        found.append(sentence)
    return tuple(found)


def _raised(view: RunView, quality: str, inside: DesignCard, more: float, *, before: Sentence | None) -> Sentence:
    limit = (view.budget_usd or 0.0) + more
    reach = [
        design
        for design in view.data.designs
        if not view.within(design)
        and view.cost(design) <= limit + _FORGIVEN_USD
        and view.value(design, quality) is not None
    ]
    now = number(view, inside, quality)
    best = min(reach, key=lambda d: (number(view, d, quality), view.cost(d), d.id), default=None)
    start = f"{usd(more, 0)} on top of the budget (up to {usd(limit)})"
    numbers: dict[str, float] = {"more_usd": more, "limit_usd": limit, "before": now}
    if best is None or number(view, best, quality) >= now:
        text = (
            f"{start} would buy no lower {label_of(quality)} than {pair_text(quality, now, now)[0]}, as far as is "
            "known without further training."
        )
        return Sentence(kind="raise", text=text, numbers=numbers, points=(inside.id,))
    after = number(view, best, quality)
    texts = pair_text(quality, now, after)
    if before is not None and best.id == before.points[-1]:
        text = f"{start} would buy no more than {usd(before.numbers['more_usd'], 0)}: {label_of(quality)} {texts[1]}."
    else:
        text = (
            f"{start} would take the {label_of(quality)} from {texts[0]} to {texts[1]}{_sure(best, quality)}: "
            f"{named(view, best)} at {usd(view.cost(best))}{tie_note(inside, best) if quality == 'eer' else ''}."
        )
    numbers |= {"after": after, "bom_cost_usd": view.cost(best)}
    return Sentence(kind="raise", text=text, numbers=numbers, points=(inside.id, best.id))


def give_up(view: RunView, quality: str) -> tuple[Sentence, ...]:
    """From the best point downwards: the cheaper point that loses least a dollar saved, and the one that loses most."""
    rungs = ladder(view, view.points, quality)
    best, cheaper = rungs[-1], rungs[:-1]
    if not cheaper:
        return ()

    def loss(design: DesignCard) -> float:
        return (number(view, design, quality) - number(view, best, quality)) / (view.cost(best) - view.cost(design))

    first = min(cheaper, key=lambda design: (loss(design), design.id))
    saving = view.cost(best) - view.cost(first)
    texts = pair_text(quality, number(view, best, quality), number(view, first, quality))
    return (
        Sentence(
            kind="give_up",
            text=(
                f"If money is short, give up first: {change(view, best, first)}. It saves {usd(saving)} "
                f"({percent(saving / view.cost(best), 0)}) and takes the {label_of(quality)} from {texts[0]} to "
                f"{texts[1]}, the least a dollar saved{tie_note(best, first) if quality == 'eer' else ''}."
            ),
            numbers={
                "saving_usd": saving,
                "saving_fraction": saving / view.cost(best),
                "before": number(view, best, quality),
                "after": number(view, first, quality),
            },
            points=(best.id, first.id),
        ),
    )
