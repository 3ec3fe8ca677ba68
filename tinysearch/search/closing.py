"""The end of a search: designs of its front that are not trials yet become some; that costs no training."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from tinysearch.search.assess import constraint_values
from tinysearch.search.design import NO_BRANCH
from tinysearch.search.finalists import FinalistModel
from tinysearch.search.history import History
from tinysearch.search.judge import Judge
from tinysearch.search.knowledge import Knowledge
from tinysearch.search.recorder import Recorder, TrialKind, TrialNote
from tinysearch.search.samplers import Proposal

Closing = tuple[int, TrialKind, dict[str, Any]]
"""A design to record: row of the table, kind of its trial, attributes."""


def closing_designs(knowledge: Knowledge, history: History, model: FinalistModel | None) -> list[Closing]:
    """Designs of the front that are not trials yet, as they are known now.

    Args:
        knowledge: at the end of the search, completed.
        model: knows the branches that were trained again; their designs become trials once more.
    """
    table, out = knowledge.table, []
    for row in knowledge.front.tolist():
        name = table.candidate(row).id
        branches = [table.branches[b] for b in table.needs[row] if b != NO_BRANCH]
        again = {b.key: list(model.draws(b)) for b in branches if model.knows(b)} if model is not None else {}
        kind: TrialKind = "finalist" if again else "completion"
        values = tuple(float(value) for value in knowledge.values(row))
        if (name, values) not in history.finalists if again else name not in history.recorded:
            out.append((row, kind, {"eer_repeats": again} if again else {}))
    return out


def record_designs(
    designs: list[Closing], judge: Judge, recorder: Recorder, *, rules: tuple[str, ...], seed: int
) -> None:
    """Append their trials.

    Args:
        rules: of feasibility; every one of them is kept.
    """
    for row, kind, attributes in designs:
        design = judge.design(Proposal(row=row))
        rates, values = judge.values(design, None)
        note = TrialNote(
            kind=kind,
            design=design,
            started=datetime.now(UTC),
            values=values,
            rates=rates,
            constraints=constraint_values((), rules),
            attributes=attributes,
        )
        recorder.record(note, np.random.default_rng([seed, row]))
