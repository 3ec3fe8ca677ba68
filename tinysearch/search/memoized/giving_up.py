"""From which error on a branch in training is of no use any more."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinysearch.search.known.design import NO_BRANCH, Bools, Floats, Ints
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.known.objective_values import CHANCE_EER
from tinysearch.search.known.pareto import Extension, bars
from tinysearch.search.memoized.candidates import lucky_models

RATES = np.geomspace(0.01, CHANCE_EER, 17)
"""Errors among which the one is sought."""

POINTS_AT_A_TIME = 2000
"""So many designs are looked at together: of few designs at all of these errors, of many at one after the other."""


def useless_from(
    knowledge: Knowledge,
    branch: int,
    *,
    gain: float,
    front: Floats,
    extension: Extension,
    lucky: Callable[[Ints], Floats],
) -> float | None:
    """The EER from which a branch would add less than ``gain`` to the hypervolume whatever it is fused with.

    Partners and fusions are taken to turn out well, so that no training is given up for a doubt.

    Args:
        front, extension: the present front, float64 [f, K], and what its hypervolume becomes.
        lucky: metrics [b, M] of some branches if they turn out well.

    Returns:
        None where even guessing would add more (the cheapest board, say), or the search has no EER.
    """
    if knowledge.objectives.metrics != ("eer",):
        return None
    models = np.sort(knowledge.models_of(branch))
    models = models[~np.append(knowledge.failed, False)[knowledge.table.models[models]].any(axis=1)]
    boards = knowledge.boards_of(models)
    of = np.searchsorted(models, knowledge.board_model[boards])
    count = len(knowledge.known)
    among = np.zeros(count + 1, bool)
    among[knowledge.table.models[models]] = True
    among[[branch, NO_BRANCH]] = False
    partners = np.flatnonzero(among)
    step = min(len(RATES), max(1, POINTS_AT_A_TIME // max(1, len(boards))))
    metrics = np.zeros((step, count + 1, 1))
    metrics[:, partners] = lucky(partners)
    (error,) = np.flatnonzero(knowledge.objectives.is_error).tolist()
    bar = bars(knowledge.points(boards, np.zeros((len(boards), 1))), front, knowledge.corner, of=error)

    def useless(rates: Floats) -> Bools:
        """Bool [n], of some rates."""
        metrics[: len(rates), branch, 0] = rates
        models_metrics = lucky_models(knowledge, models, metrics[: len(rates)])[:, of]
        adding = knowledge.scale.transform_objective(error, models_metrics[:, :, 0]) < bar
        points = knowledge.points(boards[np.nonzero(adding)[1]], models_metrics[adding])
        ends = np.append(0, np.cumsum(adding.sum(axis=1)))
        return np.asarray(extension.hypervolumes(points, ends) - extension.base <= gain, np.bool_)

    # A higher error never adds more; from the highest down, since most branches are of use up to high ones.
    first = len(RATES)
    while first > 0:
        last, first = first, max(0, first - step)
        of_use = np.flatnonzero(~useless(RATES[first:last]))
        if len(of_use):
            first += int(of_use[-1]) + 1
            break
    return float(RATES[first]) if first < len(RATES) else None
