"""How sure the figures are: ties, who was measured, which estimates were calibrated."""

from __future__ import annotations

from collections import Counter

from tinysearch.report.data import DesignCard
from tinysearch.report.sentence import Sentence, number, overlap
from tinysearch.report.view import RunView
from tinysearch.report.wording import count, interval, named, percent, rate_name, usd

_MEANINGS = {
    "trained": "of networks trained here and measured with the integers that a board runs",
    "table": "read from a table",
    "published": "as published, not measured here",
    "surrogate": "predicted, not measured",
    "none": "unknown: nothing was trained",
}


def ties(view: RunView) -> tuple[Sentence, ...]:
    """How many other networks cannot be told from the one with the lowest error rate, and the cheapest of them."""
    rated = [design for design in view.points if design.eer is not None]
    known = [design for design in rated if design.eer_ci95 is not None]
    best = min(rated, key=lambda d: (number(view, d, "eer"), view.cost(d), d.id), default=None)
    if best is None:
        return ()
    if best.eer_ci95 is None:
        networks = len({design.branches for design in rated} - {best.branches})
        return (_untold(view, best, networks=networks),) if networks else ()
    others = [design for design in known if design.branches != best.branches]
    if not others:
        return ()
    tied = [design for design in others if overlap(best, design)]
    networks, tied_networks = (len({design.branches for design in found}) for found in (others, tied))
    numbers: dict[str, float] = {"tied": tied_networks, "networks": networks}
    if not tied:
        have = (
            "The other network on the front has no"
            if networks == 1
            else f"0 of the other {networks} networks on the front have a"
        )
        text = (
            f"{have} 95 % interval that overlaps that of the lowest {rate_name()}{interval(best.eer_ci95)}: it is the "
            "lowest beyond sampling noise."
        )
        return (Sentence(kind="tie", text=text, numbers=numbers, points=(best.id,)),)
    cheapest = min(tied, key=lambda d: (view.cost(d), d.latency_s, d.id))
    saving = view.cost(best) - view.cost(cheapest)
    numbers |= {"bom_cost_usd": view.cost(cheapest), "saving_usd": saving}
    spent = f"{usd(saving)} less" if saving > 0 else f"{usd(-saving)} more" if saving < 0 else "at the same price"
    which = "The other network" if networks == 1 else f"{tied_networks} of the other {networks} networks"
    text = (
        f"{which} on the front {'ties' if tied_networks == 1 else 'tie'} with the lowest {rate_name()}: "
        f"the 95 % intervals overlap{interval(best.eer_ci95)}. The cheapest such design is {named(view, cheapest)} at "
        f"{usd(view.cost(cheapest))}, {spent}, {rate_name()} {percent(number(view, cheapest, 'eer'))}"
        f"{interval(cheapest.eer_ci95)}."
    )
    return (Sentence(kind="tie", text=text, numbers=numbers, points=(best.id, cheapest.id)),)


def _untold(view: RunView, best: DesignCard, *, networks: int) -> Sentence:
    """What can be said of ties with a rate whose interval is not known."""
    return Sentence(
        kind="tie",
        text=(
            f"The lowest {rate_name()}, {percent(number(view, best, 'eer'))}, comes without an interval, so it cannot "
            f"be told which of the other {count(networks, 'network')} on the front tie with it."
        ),
        numbers={"eer": number(view, best, "eer"), "networks": networks},
        points=(best.id,),
    )


def evidence(view: RunView) -> tuple[Sentence, ...]:
    """Where error rates, latencies, prices and firmware checks come from."""
    return (*_rates(view), _latency(view), _prices(view), _firmware(view))


def _rates(view: RunView) -> list[Sentence]:
    kinds = Counter(design.eer_evidence for design in view.points)
    found = [
        Sentence(
            kind="evidence",
            text=f"Error rates of {count(amount, 'point')}: {_MEANINGS.get(kind, kind)}.",
            numbers={"points": amount},
        )
        for kind, amount in sorted(kinds.items())
    ]
    measured = [view.data.details[name] for name in view.front if name in view.data.details]
    people = sorted({detail.people for detail in measured if detail.people})
    if people:
        genuine, impostor = max(d.genuine for d in measured), max(d.impostor for d in measured)
        who = str(people[0]) if len(people) == 1 else f"{people[0]} to {people[-1]}"
        text = (
            f"They were measured on {who} test people whom no training saw, with up to {genuine} genuine and "
            f"{impostor} impostor pairs; one pair moves a rate by {percent(1 / max(genuine, 1), 2)}. Intervals are "
            "95 %, by bootstrap over people."
        )
        numbers = {"people_low": people[0], "people_high": people[-1], "genuine": genuine, "impostor": impostor}
        found.append(Sentence(kind="evidence", text=text, numbers=numbers))
    apart = sum(design.eer_validation is not None for design in view.points)
    if apart:
        text = (
            f"{count(apart, 'point')} {'were' if apart > 1 else 'was'} chosen by the {rate_name()} of validation "
            f"people and {'are' if apart > 1 else 'is'} shown with that of test people, so the choice does not flatter "
            "them; a dominated design may look better on test people by chance."
        )
        found.append(Sentence(kind="evidence", text=text, numbers={"points": apart}))
    return found


def _latency(view: RunView) -> Sentence:
    calibrated = sum(design.latency_evidence == "calibrated" for design in view.points)
    low = min(design.latency_range_s[0] / design.latency_s for design in view.points)
    high = max(design.latency_range_s[1] / design.latency_s for design in view.points)
    return Sentence(
        kind="evidence",
        text=(
            f"Latencies of {calibrated} of {count(len(view.front), 'point')} rest on calibrated kernels; bars reach "
            f"from {low:.2f} to {high:.2f} times the estimate. Capture comes on top."
        ),
        numbers={"calibrated": calibrated, "points": len(view.front), "low": low, "high": high},
    )


def _prices(view: RunView) -> Sentence:
    ranges = [view.board(design).price_range_usd for design in view.points]
    known = [(r, view.cost(d)) for r, d in zip(ranges, view.points, strict=True) if r is not None and view.cost(d)]
    text = f"Prices are at the {view.data.price_level} level of the catalogue for {count(len(view.front), 'point')}"
    numbers: dict[str, float] = {"points": len(view.front)}
    if known:
        low, high = min(r[0] / cost for r, cost in known), max(r[1] / cost for r, cost in known)
        text += f"; between sellers and order sizes they vary from {low:.2f} to {high:.2f} times that"
        numbers |= {"low": low, "high": high}
    boards = [view.board(design) for design in view.points]
    designs = sum(board.ready is False for board in boards)
    assumed = {part.name for board in boards for part in board.parts if part.assumed}
    if designs:
        text += f"; {designs} of these points ask for a design of your own and cannot be ordered as they are"
    if assumed:
        text += f"; assumed are the prices of {', '.join(sorted(assumed))}"
    numbers |= {"designs": designs, "assumed": len(assumed)}
    return Sentence(kind="evidence", text=text + ".", numbers=numbers)


def _firmware(view: RunView) -> Sentence:
    rungs = [rung["status"] for found in view.rungs.values() for rung in found]
    tally = Counter(rungs)
    text = f"Firmware was emitted for {len(view.firmware)} of {count(len(view.front), 'point')}"
    if rungs:
        text += f"; {tally['passed']} checks passed, {tally['failed']} failed, {tally['not run']} were not run"
    return Sentence(
        kind="evidence",
        text=text + ".",
        numbers={
            "emitted": len(view.firmware),
            "points": len(view.front),
            "passed": tally["passed"],
            "failed": tally["failed"],
            "not_run": tally["not run"],
        },
    )
