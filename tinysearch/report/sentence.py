"""One sentence of advice, and comparisons of designs that sentences rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinysearch.core.objectives import MAXIMIZED, recorded_value
from tinysearch.report.data import DesignCard
from tinysearch.report.view import RunView

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One piece of advice.

    Attributes:
        kind: ``answer``, ``cheapest``, ``fastest``, ``knee``, ``step``, ``next``, ``raise``, ``give_up``, ``tie``,
            ``why``, ``price``, ``over``, ``guideline``, ``evidence`` or ``nothing``.
        text: for people, with its numbers.
        numbers: the figures in the text by name, in base units; never empty.
        points: ids of the designs it speaks of.
        title: of a guideline.
        holds: whether a guideline holds in this run; None where the run cannot tell, or for other kinds.
    """

    kind: str
    text: str
    numbers: Mapping[str, float]
    points: tuple[str, ...] = ()
    title: str = ""
    holds: bool | None = None


def quality_of(view: RunView) -> str:
    """What money buys in this run: the error rate if it is known, else the first objective that is not the cost."""
    if view.front and all(design.eer is not None for design in view.points):
        return "eer"
    known = [
        name
        for name in (*view.objectives, "latency_s")
        if name != "bom_cost_usd"
        and name not in MAXIMIZED
        and all(view.value(design, name) is not None for design in view.points)
    ]
    return known[0]


def number(view: RunView, design: DesignCard, objective: str) -> float:
    """A value that is known to be known."""
    value = view.value(design, objective)
    if value is None:
        raise ValueError(f"{design.id} has no {objective}")
    return value


def ladder(view: RunView, designs: Sequence[DesignCard], quality: str) -> tuple[DesignCard, ...]:
    """Designs that no other of them beats in cost and quality, cheapest first; of equals the first by id."""
    known = [design for design in designs if view.value(design, quality) is not None]
    known.sort(key=lambda design: (view.cost(design), number(view, design, quality), design.id))
    steps: list[DesignCard] = []
    for design in known:
        if not steps or number(view, design, quality) < number(view, steps[-1], quality):
            steps.append(design)
    return tuple(steps)


def knee(view: RunView, rungs: Sequence[DesignCard], quality: str) -> DesignCard | None:
    """The point of a ladder farthest below the line between its ends, both axes scaled to it; None without a bend."""
    if len(rungs) < 3:
        return None
    costs = [view.cost(design) for design in rungs]
    values = [number(view, design, quality) for design in rungs]
    width, height = costs[-1] - costs[0], values[0] - values[-1]
    gains = [(values[0] - v) / height - (c - costs[0]) / width for c, v in zip(costs, values, strict=True)]
    at = max(range(len(rungs)), key=lambda i: (gains[i], -i))
    return None if gains[at] <= 0 or at in (0, len(rungs) - 1) else rungs[at]


def planar_front(
    view: RunView, designs: Sequence[DesignCard], *, horizontal: Mapping[str, float]
) -> tuple[DesignCard, ...]:
    """Designs on the front of EER and a horizontal figure by id."""
    ordered = sorted(
        (design for design in designs if design.eer is not None),
        key=lambda design: (horizontal[design.id], number(view, design, "eer"), design.id),
    )
    kept: list[DesignCard] = []
    for design in ordered:
        if not kept or number(view, design, "eer") < number(view, kept[-1], "eer"):
            kept.append(design)
    return tuple(kept)


def overlap(first: DesignCard, second: DesignCard) -> bool | None:
    """Whether the 95 % intervals of two error rates overlap; None if one is unknown."""
    if first.eer_ci95 is None or second.eer_ci95 is None:
        return None
    return first.eer_ci95[0] <= second.eer_ci95[1] and second.eer_ci95[0] <= first.eer_ci95[1]


def tie_note(first: DesignCard, second: DesignCard) -> str:
    """What a comparison of two error rates must add."""
    return "; the 95 % intervals overlap, so this may be chance" if overlap(first, second) else ""


def decided_matrix(view: RunView, designs: Sequence[DesignCard], objectives: Sequence[str]) -> Floats:
    """Objectives by which was chosen, float64 [n, K], less being better, infinite where unknown."""
    rows = [[recorded_value(name, view.value(design, name, decided=True)) for name in objectives] for design in designs]
    return np.array([[np.inf if value is None else value for value in row] for row in rows]).reshape(
        len(designs), len(objectives)
    )
