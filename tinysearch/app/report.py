"""The report of a run: its data from what the search knows, its page from the run directory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tinysearch.core.objectives import Evaluation
from tinysearch.report import build_data, thin, write_data
from tinysearch.report import write_report as write_page
from tinysearch.search.design import NO_BRANCH
from tinysearch.search.result import SearchResult

if TYPE_CHECKING:
    from tinysearch.app.run import Setup


def write_report(folder: Path) -> Path:
    """Rebuild report.html of a run from its directory.

    Raises:
        UserError: no finished run, or damaged files.
    """
    return write_page(folder)


def write_report_data(setup: Setup, result: SearchResult, evaluations: Sequence[Evaluation], folder: Path) -> Path:
    """Write report_data.json: the front as evaluated, and known designs besides it.

    Args:
        evaluations: of the front.
    """
    others, known = _known(setup, result)
    shown = {evaluation.candidate.id: evaluation for evaluation in (*others, *evaluations)}
    catalog = setup.models.catalog
    data = build_data(
        evaluations=list(shown.values()),
        front={evaluation.candidate.id for evaluation in evaluations},
        known=known,
        options={name: setup.option(evaluation.candidate) for name, evaluation in shown.items()},
        chips=catalog.chips,
        price_level=setup.models.price_level,
    )
    return write_data(folder, data)


def _known(setup: Setup, result: SearchResult) -> tuple[list[Evaluation], int]:
    """Evaluations of known designs, thinned, and how many are known."""
    knowledge, table = result.knowledge, result.knowledge.table
    rows = np.flatnonzero(knowledge.model_done[table.model])
    metrics = knowledge.model_metrics[table.model[rows]]
    names = table.columns
    nothing = np.full(len(rows), np.nan)
    kept = thin(
        eer=metrics[:, 0] if metrics.shape[1] else nothing,
        cost_usd=table.analytic[rows, names.index("bom_cost_usd")] if "bom_cost_usd" in names else nothing,
        model=table.model[rows],
        keep=np.searchsorted(rows, [point.row for point in result.points]).tolist(),
    )
    evaluations = []
    for row in rows[kept]:
        needs = [int(branch) for branch in table.needs[row] if branch != NO_BRANCH]
        rates = (
            knowledge.rates(needs)
            if knowledge.objectives.metrics
            else setup.errors.error_rates([table.branches[branch] for branch in needs])
        )
        evaluations.append(setup.evaluate(table.candidate(int(row)), rates))
    return evaluations, len(rows)
