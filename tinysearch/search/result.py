"""The end of a search: the front, chosen on validation people and shown with test people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tinysearch.core.candidate import Candidate
from tinysearch.core.error_rates import NO_ERROR_RATES, ErrorRates
from tinysearch.search.known.design import Floats, Ints
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.known.pareto import is_nondominated

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontPoint:
    """One design of the front.

    Attributes:
        row: of the design table.
        values: objectives by name by which it was chosen (errors of validation people).
        shown: the same with the errors of test people.
    """

    row: int
    candidate: Candidate
    values: dict[str, float]
    shown: dict[str, float]
    rates: ErrorRates


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """What a search leaves behind.

    Attributes:
        points: the front, by the first objective as shown, ascending.
        reason: why it ended, as a sentence.
        interrupted: by a signal; everything finished is saved.
        trials: proposals told in all, earlier runs of the study included; completions are not counted.
        trainings: done in this study, remembered ones not counted; ``training_s`` their seconds together.
        hypervolume: of the front in the coordinates of the scale, for comparison within one space.
        nearest: where a limit of an error leaves the front empty, which known design comes nearest; else empty.
        worker: this process among those of a shared study; None if it was alone.
        knowledge: error rates of every branch and fusion known at the end, for reports.
    """

    points: tuple[FrontPoint, ...]
    study: optuna.Study = field(repr=False)
    reason: str
    interrupted: bool
    trials: int
    trainings: int
    training_s: float
    hypervolume: float
    nearest: str = ""
    worker: str | None = None
    knowledge: Knowledge = field(repr=False)


def front_points(knowledge: Knowledge) -> tuple[FrontPoint, ...]:
    """The front of everything known.

    Designs are chosen by the errors of validation people. Of those, one that another beats or equals in every objective
    as shown, with the errors of test people, is left out, so that no reader is offered a point beside a better one.
    """
    rows = knowledge.front
    if not len(rows):
        return ()
    names = knowledge.objectives.names
    decided = np.array([knowledge.values(int(row)) for row in rows])
    shown = np.array([knowledge.values(int(row), shown=True) for row in rows])
    order = _by_objectives(decided)
    kept = order[is_nondominated(shown[order])]
    kept = kept[_by_objectives(shown[kept])]
    return tuple(
        FrontPoint(
            row=int(rows[i]),
            candidate=knowledge.table.candidate(int(rows[i])),
            values=dict(zip(names, decided[i].tolist(), strict=True)),
            shown=dict(zip(names, shown[i].tolist(), strict=True)),
            rates=_rates(knowledge, int(rows[i])),
        )
        for i in kept
    )


def nearest_miss(knowledge: Knowledge) -> str:
    """Of designs that are known and break a limit, the one that breaks it least, as a clause; empty without limits."""
    objectives, table = knowledge.objectives, knowledge.table
    boards = knowledge.boards[knowledge.model_done[knowledge.board_model]]
    if not objectives.limits or len(knowledge.front) or not len(boards):
        return ""
    metrics = knowledge.model_metrics[table.model[boards]]
    values = objectives.combine(table.columns, table.analytic[boards], metrics)
    broken = [objectives.broken(row) for row in values.tolist()]
    excess = [max((violation.actual / violation.limit for violation in each), default=1.0) for each in broken]
    at = int(np.argmin(excess))
    named = " + ".join(branch.short for branch in table.candidate(int(boards[at])).branches)
    return f"no design that is known keeps every limit; the nearest, {named}: {broken[at][0].message}"


def _rates(knowledge: Knowledge, row: int) -> ErrorRates:
    if not knowledge.objectives.metrics:
        return NO_ERROR_RATES
    return knowledge.rates([int(b) for b in knowledge.table.needs[row]])


def _by_objectives(values: Floats) -> Ints:
    """Order by the first objective, then the second, and so on."""
    return np.lexsort(values.T[::-1])
