"""Points of a finished run, evaluated again as the run had them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinysearch.app.building.branches import branches_of_document
from tinysearch.app.building.training import recall
from tinysearch.app.run.cascades import cascade_of_document
from tinysearch.app.run.setup import Setup
from tinysearch.core.candidate import Candidate
from tinysearch.core.errors import UserError
from tinysearch.core.evaluation import Evaluation


def candidates_of(setup: Setup, points: Sequence[Mapping[str, Any]]) -> dict[str, Candidate]:
    """Candidates of a run's design space by id.

    Args:
        points: of front.json.

    Raises:
        UserError: one of them is not in it any more.
    """
    ids, table = {str(point["id"]) for point in points}, setup.problem.table.own()
    if table.pricing is not None:
        named, known = [branches_of_document(setup.models.task, point) for point in points], set(table.branches)
        models = [table.members_of(branches) for branches in named if known.issuperset(branches)]
        table.reveal(np.unique(np.reshape(models, (-1, table.needs.shape[1])), axis=0))
    found = {candidate.id: candidate for candidate in map(table.candidate, range(len(table))) if candidate.id in ids}
    after = [cascade_of_document(setup.models.task, point) for point in points]
    found |= {candidate.id: candidate for candidate in after if candidate is not None and candidate.id in ids}
    if missing := ids - found.keys():
        raise UserError(
            "a point must still be on sale", value=min(missing), remedy="the catalogue has changed: search again"
        )
    return found


def evaluated_again(setup: Setup, candidate: Candidate, document: Mapping[str, Any], folder: Path) -> Evaluation:
    """The evaluation of a point of front.json, with the branches that its run kept."""
    recall(setup.errors, candidate.branches, folder)
    point = document.get("operating_point")
    far = None if point is None else float(point["far"])
    return setup.evaluate(candidate, setup.rates(candidate), far=far)
