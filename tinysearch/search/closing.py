"""The end of a search: designs of its front that are not trials yet become some; that costs no training."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from tinysearch.search.finalists import FinalistModel, relearned
from tinysearch.search.known.assess import constraint_values
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.resolver import Resolver
from tinysearch.search.samplers import Proposal
from tinysearch.search.session import Session
from tinysearch.search.study.history import History
from tinysearch.search.study.recorder import TrialNote


def close_front(session: Session) -> Knowledge:
    """Record every design of the exact front of what is known that is not a trial yet; the knowledge of that front.

    Where finalists were trained again their repeats count from here on, and their designs become trials once more.
    """
    model, knowledge, resolver = session.problem.finalists, session.knowledge, session.resolver
    if model is not None and knowledge.objectives.metrics:
        knowledge = relearned(knowledge, model)
        session.progress.watch(knowledge)
        resolver = resolver.knowing(knowledge)
    knowledge.complete()
    notes = _notes(knowledge, resolver, session.history, model, rules=session.rules)
    if notes:
        message = f"{len(notes)} designs follow from what is trained"
        session.progress.emit("completing", session.history, message=message)
    for row, note in notes.items():
        session.recorder.record(note, np.random.default_rng([session.options.seed, row]))
    return knowledge


def _notes(
    knowledge: Knowledge, resolver: Resolver, history: History, model: FinalistModel | None, *, rules: tuple[str, ...]
) -> dict[int, TrialNote]:
    """Of designs of the front that are not trials yet, as they are known now: what is to be recorded, by row.

    Args:
        knowledge: at the end of the search, completed.
        resolver: by that knowledge.
        model: knows the branches that were trained again; their designs become trials once more.
        rules: of feasibility; every one of them is kept.
    """
    out = {}
    for row in knowledge.front.tolist():
        design = resolver.design(Proposal(row=row))
        rates, values = resolver.values(design, None)
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
