"""The end of a search: designs of its front that are not trials yet become some; that costs no training."""

from __future__ import annotations

from datetime import UTC, datetime

from tinysearch.search.finalists import FinalistModel
from tinysearch.search.judge import Judge
from tinysearch.search.known.assess import constraint_values
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.samplers import Proposal
from tinysearch.search.study.history import History
from tinysearch.search.study.recorder import TrialNote


def closing_notes(
    knowledge: Knowledge, judge: Judge, history: History, model: FinalistModel | None, *, rules: tuple[str, ...]
) -> dict[int, TrialNote]:
    """Of designs of the front that are not trials yet, as they are known now: what is to be recorded, by row.

    Args:
        knowledge: at the end of the search, completed.
        judge: by that knowledge.
        model: knows the branches that were trained again; their designs become trials once more.
        rules: of feasibility; every one of them is kept.
    """
    out = {}
    for row in knowledge.front.tolist():
        design = judge.design(Proposal(row=row))
        rates, values = judge.values(design, None)
        name, branches = knowledge.table.candidate(row).id, [knowledge.table.branches[b] for b in design.branches]
        again = {b.key: list(model.draws(b)) for b in branches if model.knows(b)} if model is not None else {}
        if (name, values) not in history.finalists if again else name not in history.recorded:
            out[row] = TrialNote(
                kind="finalist" if again else "completion",
                design=design,
                started=datetime.now(UTC),
                values=values,
                rates=rates,
                constraints=constraint_values((), rules),
                attributes={"eer_repeats": again} if again else {},
            )
    return out
