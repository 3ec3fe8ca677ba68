"""The source paper's guidelines (section 6.6), each held against the designs of this run.

Every verdict compares measured figures; the rule that decides it is part of the sentence. A run that lacks what a
guideline speaks of leaves it open and says what is missing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median

from tinysearch.report.data import BranchCard, DesignCard
from tinysearch.report.sentence import Sentence, ladder, number, planar_front
from tinysearch.report.view import RunView, effective_s
from tinysearch.report.wording import count, named, network, pair_text, percent, points, rate_name, usd

HARDLY_ANY = 0.01
"""Loss of EER, as a fraction, up to which int8 is said to sacrifice hardly any accuracy."""


def guidelines(view: RunView) -> tuple[Sentence, ...]:
    """Verdicts on all guidelines, in the paper's order."""
    known = [design for design in view.affordable if design.eer is not None]
    return (
        _properties(view, known),
        _security(known),
        _parallelism(view),
        _quantization(view, known),
        _saturation(view, known),
        _discontinuity(view),
    )


def _guideline(
    title: str, text: str, numbers: Mapping[str, float], *, holds: bool | None, ids: Sequence[str] = ()
) -> Sentence:
    return Sentence(kind="guideline", title=title, text=text, numbers=numbers, points=tuple(ids), holds=holds)


def _binary_share(view: RunView, designs: Sequence[DesignCard]) -> float:
    """Share of XNOR branches among all branches of some designs."""
    branches = [branch for design in designs for branch in view.branches(design)]
    return sum(branch.precision.startswith("xnor") for branch in branches) / len(branches)


def _properties(view: RunView, known: Sequence[DesignCard]) -> Sentence:
    title = "Establish the desired properties first: which precision is best depends on them"
    kinds = {branch.precision.startswith("xnor") for design in known for branch in view.branches(design)}
    if kinds != {True, False}:
        text = f"Open: the {count(len(known), 'known design')} have {count(len(kinds), 'kind')} of arithmetic, not two."
        return _guideline(title, text, {"designs": len(known), "kinds": len(kinds)}, holds=None)
    axes = {
        "latency": {design.id: design.latency_s for design in known},
        "size": {design.id: float(view.weight_bytes(design)) for design in known},
        "cost": {design.id: view.cost(design) for design in known},
    }
    fronts = {name: planar_front(view, known, horizontal=axis) for name, axis in axes.items()}
    share = {name: _binary_share(view, front) for name, front in fronts.items()}
    holds = min(share["latency"], share["size"]) > share["cost"]
    return _guideline(
        title,
        f"XNOR branches make up {percent(share['latency'], 0)} of the {rate_name()}-latency front, "
        f"{percent(share['size'], 0)} of the {rate_name()}-weights front and {percent(share['cost'], 0)} of the "
        f"{rate_name()}-cost front. The paper found XNOR on the first two rather than on the third.",
        {**share, **{f"{name}_points": len(front) for name, front in fronts.items()}},
        holds=holds,
    )


def _security(known: Sequence[DesignCard]) -> Sentence:
    title = "Choose the security level: a lower FAR costs convenience"
    rated = [
        (design.frr_far10, design.frr_far1, slow / fast)
        for design in known
        if design.frr_far1 is not None
        and design.frr_far10 is not None
        and (slow := effective_s(design, design.frr_far1)) is not None
        and (fast := effective_s(design, design.frr_far10)) is not None
    ]
    if not rated:
        text = f"Open: FRR at both FAR levels is known of 0 of {count(len(known), 'design')}."
        return _guideline(title, text, {"rated": 0, "designs": len(known)}, holds=None)
    loose, strict, ratio = (median(row[i] for row in rated) for i in range(3))
    first, second = pair_text("eer", loose, strict)
    return _guideline(
        title,
        f"From FAR 10 % to FAR 1 %, the median FRR of {count(len(rated), 'design')} goes from {first} to {second} and "
        f"the effective latency by a factor of {ratio:.2f}.",
        {"rated": len(rated), "frr_far10": loose, "frr_far1": strict, "ratio": ratio},
        holds=ratio > 1,
    )


def _parallelism(view: RunView) -> Sentence:
    title = "Exploit parallelism: the branches of a fusion run side by side on two cores"
    # A cascade runs them one after the other wherever it is.
    fusions = [design for design in view.affordable if len(design.branch_latency_s) > 1 and not design.first]
    dual = [design for design in fusions if view.board(design).cores > 1]
    if not dual:
        text = f"Open: 0 of {count(len(fusions), 'known fusion')} run on two cores."
        return _guideline(title, text, {"dual": 0, "fusions": len(fusions)}, holds=None)
    saved = median(1 - design.latency_s / sum(design.branch_latency_s.values()) for design in dual)
    cheapest = min(dual, key=lambda design: (view.cost(design), design.latency_s, design.id))
    return _guideline(
        title,
        f"On two cores, {count(len(dual), 'fusion')} take {percent(saved, 0)} less time (median) than their branches "
        f"one after the other; the cheapest of them is {named(view, cheapest)} at {usd(view.cost(cheapest))}.",
        {"dual": len(dual), "saved": saved, "bom_cost_usd": view.cost(cheapest)},
        holds=saved > 0,
        ids=(cheapest.id,),
    )


def _quantization(view: RunView, known: Sequence[DesignCard]) -> Sentence:
    title = "Experiment with precision: 8 bits cost hardly any accuracy, XNOR shrinks further"
    rates: dict[str, float] = {d.branches[0]: number(view, d, "eer") for d in known if len(d.branches) == 1}
    families: dict[tuple[object, ...], dict[str, BranchCard]] = defaultdict(dict)
    for key in rates:
        branch = view.data.branches[key]
        families[branch.modality, branch.layout, branch.width, branch.input_size][branch.precision] = branch
    pairs = [(f["float32"], f["int8"]) for f in families.values() if {"float32", "int8"} <= f.keys()]
    if not pairs:
        text = f"Open: no layout of {len(families)} is known both as a float32 and as an int8 network."
        return _guideline(title, text, {"pairs": 0, "layouts": len(families)}, holds=None)
    loss = median(rates[low.key] - rates[high.key] for high, low in pairs)
    shrink = median(high.weight_bytes / low.weight_bytes for high, low in pairs)
    text = (
        f"Over {count(len(pairs), 'layout')}, int8 against float32 changes the {rate_name()} by {loss * 100:+.1f} "
        f"points (median; hardly any means up to {HARDLY_ANY * 100:g}) and makes the weights {shrink:.1f} times "
        "smaller."
    )
    numbers: dict[str, float] = {"pairs": len(pairs), "loss": loss, "shrink": shrink}
    binary = [
        (f["int8"], branch)
        for f in families.values()
        if "int8" in f
        for name, branch in f.items()
        if name.startswith("xnor")
    ]
    if binary:
        numbers["binary_pairs"] = len(binary)
        numbers["binary_loss"] = median(rates[low.key] - rates[high.key] for high, low in binary)
        numbers["binary_shrink"] = median(high.weight_bytes / low.weight_bytes for high, low in binary)
        text += (
            f" XNOR against int8 ({count(len(binary), 'pair')}): {numbers['binary_loss'] * 100:+.1f} points, "
            f"{numbers['binary_shrink']:.1f} times smaller."
        )
    return _guideline(title, text, numbers, holds=loss <= HARDLY_ANY and shrink > 1)


def _saturation(view: RunView, known: Sequence[DesignCard]) -> Sentence:
    title = "Saturate the network before adding a modality"
    alone = [design for design in known if len(design.branches) == 1]
    fused = [design for design in known if len(design.branches) > 1]
    if not alone or not fused:
        text = f"Open: {count(len(alone), 'known design')} with one modality, {len(fused)} with two."
        return _guideline(title, text, {"alone": len(alone), "fused": len(fused)}, holds=None)
    best = min(alone, key=lambda d: (number(view, d, "eer"), view.cost(d), d.id))
    same = [design for design in alone if design.modality == best.modality]
    low = min(same, key=lambda d: (view.params(d), number(view, d, "eer"), view.cost(d), d.id))
    high = best
    better = [design for design in fused if number(view, design, "eer") < number(view, high, "eer")]
    grown = number(view, low, "eer") - number(view, high, "eer")
    numbers = {
        "low_usd": view.cost(low),
        "low_eer": number(view, low, "eer"),
        "high_usd": view.cost(high),
        "high_eer": number(view, high, "eer"),
    }
    first, second = pair_text("eer", numbers["low_eer"], numbers["high_eer"])
    if grown == 0:
        text = f"Open: {best.modality} alone has one {rate_name()}, {first}, at {count(len(same), 'design')}."
        return _guideline(title, text, numbers | {"designs": len(same)}, holds=None)
    text = (
        f"Growing {network(view, low)} ({usd(view.cost(low))}) to {network(view, high)} ({usd(view.cost(high))}) takes "
        f"the {rate_name()} from {first} to {second}"
    )
    if not better:
        return _guideline(
            title,
            f"{text}; 0 of {count(len(fused), 'known fusion')} are better than that.",
            numbers | {"fused": len(fused)},
            holds=True,
        )
    fusion = min(better, key=lambda d: (view.cost(d), number(view, d, "eer"), d.id))
    gained = numbers["high_eer"] - number(view, fusion, "eer")
    spent_growing, spent_adding = view.cost(high) - view.cost(low), view.cost(fusion) - view.cost(high)
    numbers |= {
        "fusion_usd": view.cost(fusion),
        "fusion_eer": number(view, fusion, "eer"),
        "spent_growing_usd": spent_growing,
        "spent_adding_usd": spent_adding,
    }
    _, third = pair_text("eer", numbers["high_eer"], numbers["fusion_eer"])
    # Dollars a point, compared without dividing: nothing may have been gained by growing.
    holds = spent_growing * gained <= spent_adding * grown
    verdict = "less" if holds else "more"
    difference = f"{usd(abs(spent_adding))} {'more' if spent_adding >= 0 else 'less'}"
    return _guideline(
        title,
        f"{text} ({usd(spent_growing)} for {points(grown, 2)}); the cheapest fusion that is better, "
        f"{named(view, fusion)}, costs {usd(view.cost(fusion))} ({difference}, for {points(gained, 2)}, to "
        f"{third}). A point of {rate_name()} costs {verdict} by growing than by adding.",
        numbers,
        holds=holds,
        ids=(low.id, high.id, fusion.id),
    )


def _discontinuity(view: RunView) -> Sentence:
    title = "The front is not smooth: the next dollar may need another sensor, chip or training"
    if any(design.eer is None for design in view.points):
        unknown = sum(design.eer is None for design in view.points)
        text = f"Open: the error rate of {count(unknown, 'point')} of the front is not known."
        return _guideline(title, text, {"unknown": unknown}, holds=None)
    rungs = ladder(view, view.points, "eer")
    pairs = list(pairwise(rungs))
    numbers = {
        "steps": len(pairs),
        "modality": sum(old.modality != new.modality for old, new in pairs),
        "processor": sum(view.board(old).processor != view.board(new).processor for old, new in pairs),
        "training": sum(not set(new.branches) <= set(old.branches) for old, new in pairs),
    }
    text = (
        f"Of {count(len(pairs), 'step')} along the {rate_name()}-cost front, {numbers['modality']} change the "
        f"modality, {numbers['processor']} the processor and {numbers['training']} need another trained network."
    )
    if not pairs:
        return _guideline(title, f"Open: {text}", numbers, holds=None)
    return _guideline(title, text, numbers, holds=max(numbers["modality"], numbers["processor"]) > 0)
