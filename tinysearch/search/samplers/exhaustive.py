"""Every branch in turn, the cheapest to train first: the true front, if there is time for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinysearch.search.known.design import NO_BRANCH
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.proposals import Outcome, Proposal, SamplerMaker, Stop, Wait
from tinysearch.search.sampler_settings import check_settings

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


class ExhaustiveSampler:
    """Proposes one design for every branch that some feasible design needs; fusions follow for free."""

    name = "exhaustive"

    def resume(self, trials: Sequence[FrozenTrial]) -> None:
        """Nothing: what is known is not proposed again."""

    def told(self, proposal: Proposal, outcome: Outcome) -> dict[str, Any]:  # noqa: ARG002
        return {}

    def propose(self, knowledge: Knowledge, rng: np.random.Generator) -> Proposal | Stop | Wait:  # noqa: ARG002
        table = knowledge.table
        open_branches = np.flatnonzero(knowledge.trainable())
        ready = np.append(knowledge.trainable() | knowledge.known | knowledge.pending, True)
        for branch in open_branches[np.lexsort((open_branches, table.macs[open_branches]))]:
            models = knowledge.models_of(int(branch))
            models = models[ready[table.models[models]].all(axis=1)]
            if len(models):
                # One branch alone where that is feasible, else the pair with the least extra training.
                partner = np.where(table.models[models] == branch, NO_BRANCH, table.models[models]).max(axis=1)
                extra = np.where(partner == NO_BRANCH, -1.0, table.macs[partner])
                model = int(models[np.argmin(extra)])
                return Proposal(row=int(table.offsets[model]))
        if knowledge.pending.any():
            return Wait()
        return Stop(reason=knowledge.why_nothing_is_left())


def _make(name: str, *, options: Mapping[str, Any], **_: Any) -> ExhaustiveSampler:
    check_settings(name, options, {})
    return ExhaustiveSampler()


SAMPLERS: Mapping[str, SamplerMaker] = {"exhaustive": _make}
