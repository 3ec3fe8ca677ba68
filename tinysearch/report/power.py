"""How long a design runs, and where its power goes, in words."""

from __future__ import annotations

from tinysearch.report.sentence import Sentence
from tinysearch.report.view import RunView
from tinysearch.report.wording import percent, value_text

LEAST_SHARE = 0.01
"""Shares below are left out of a sentence."""

_KINDS = {
    "measured": "measured figures",
    "datasheet": "figures of data sheets",
    "derived": "derived figures",
    "assumed": "figures that are partly assumed",
}


def power_notes(view: RunView, identity: str) -> tuple[Sentence, ...]:
    """Battery life or average power of a point and where it goes; nothing where nobody asked."""
    detail, design = view.data.details.get(identity), view.design(identity)
    if detail is None or detail.power is None:
        return ()
    power, total = detail.power, design.power_mw
    text = power["text"]
    if total is None:
        return (Sentence(kind="power", text=f"{_capital(text)}.", numbers={"power_mw": 0.0}, points=(identity,)),)
    ordered = sorted(power["shares_mw"].items(), key=lambda item: -item[1])
    goes = ", ".join(
        f"{name} {value_text('power_mw', share)} ({percent(share / total, 0)})"
        for name, share in ordered
        if share >= LEAST_SHARE * total
    )
    low, high = (value_text("power_mw", edge) for edge in power["range_mw"])
    evidence = f"{_KINDS[power['kind']]}, latency {design.latency_evidence}"
    return (
        Sentence(
            kind="power",
            text=f"{_capital(text)}: {value_text('power_mw', total)} on average, {low} to {high} ({evidence}); "
            f"it goes to {goes}; between decisions: {power['rests']}.",
            numbers={"power_mw": total, **({} if design.battery_days is None else {"days": design.battery_days})},
            points=(identity,),
        ),
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
