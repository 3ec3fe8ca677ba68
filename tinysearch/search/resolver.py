"""What a proposal is and what it is worth."""

from __future__ import annotations

import numpy as np

from tinysearch.core.error_rates import ErrorRates
from tinysearch.core.errors import TinysearchError
from tinysearch.search.known.assess import Assessor
from tinysearch.search.known.design import NO_BRANCH
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.samplers import Proposal
from tinysearch.search.study.recorder import Design


class Resolver:
    """Resolves proposals into designs, and gives designs their objectives as far as the knowledge reaches."""

    def __init__(self, assessor: Assessor, knowledge: Knowledge) -> None:
        self._assessor = assessor
        self._knowledge = knowledge

    def knowing(self, knowledge: Knowledge) -> Resolver:
        """The same, by other knowledge."""
        return Resolver(self._assessor, knowledge)

    def design(self, proposal: Proposal) -> Design:
        """A proposal resolved; a point of the flat space is assessed, a row of the table is feasible as it stands."""
        table = self._knowledge.table
        if proposal.row is not None:
            return Design(
                branches=tuple(int(b) for b in table.needs[proposal.row] if b != NO_BRANCH),
                row=proposal.row,
                candidate=table.candidate(proposal.row),
                analytic=dict(zip(table.columns, table.analytic[proposal.row].tolist(), strict=True)),
            )
        if proposal.point is None:
            raise TinysearchError("a sampler proposed neither a row nor a point")
        assessed = self._assessor.assess(proposal.point)
        candidate = assessed.candidate
        return Design(
            branches=tuple(table.branch_index(b) for b in assessed.branches),
            row=None if candidate is None else table.row_of(candidate),
            candidate=candidate,
            analytic=assessed.analytic,
            violations=assessed.violations,
        )

    def values(self, design: Design, error: str | None) -> tuple[ErrorRates | None, tuple[float, ...] | None]:
        """Error rates as far as known, and the objectives; what was not trained counts as guessing."""
        if error is not None or design.analytic is None:
            return None, None
        objectives = self._knowledge.objectives
        known = bool(design.branches) and all(self._knowledge.known[b] for b in design.branches)
        rates = (
            self._knowledge.rates(design.branches) if known and objectives.metrics and not design.violations else None
        )
        metrics = objectives.chance_metrics() if rates is None else objectives.metrics_of(rates)
        columns = tuple(design.analytic)
        if not set(objectives.analytic) <= set(columns):
            return rates, None
        analytic = np.array([[design.analytic[name] for name in columns]], np.float64)
        values = objectives.combine(columns, analytic, metrics[None])[0]
        return rates, tuple(float(v) for v in values)
