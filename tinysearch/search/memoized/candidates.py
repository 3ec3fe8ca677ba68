"""Designs that trainings could unlock, and the branches that they lack."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from tinysearch.search.known.design import NO_BRANCH, Bools, Floats, Ints
from tinysearch.search.known.knowledge import Knowledge

OPTIMISM = 1.5
"""How far, in standard deviations, errors are taken to lie below their prediction when looking for the promising."""


def candidates(knowledge: Knowledge, reach: Bools, boards: Ints | None = None) -> Ints:
    """Boards of locked models all of whose branches are within reach, int64 [n].

    Args:
        reach: bool [B + 1], branches that are free or open; the last one, where -1 points, is.
        boards: only these; None for all.
    """
    models = knowledge.table.models
    if boards is None:
        reached = np.flatnonzero(reach[models[:, 0]] & ~knowledge.unlocked)
        # A wide table has very many models, most of them beyond reach by their first branch.
        for place in range(1, models.shape[1]):
            reached = reached[reach[models[reached, place]]]
        return knowledge.boards_of(reached)
    return boards[reach[models[knowledge.board_model[boards]]].all(axis=1)]


def lacking_of(knowledge: Knowledge, boards: Ints, free: Bools) -> Ints:
    """The branches that some boards' models lack, int64 [n, K], the greatest first, then -1.

    Args:
        free: bool [B + 1], branches that no model lacks.
    """
    needs = knowledge.table.models[knowledge.board_model[boards]]
    lacking = np.sort(np.where(free[needs], NO_BRANCH, needs), axis=1)[:, ::-1]
    return np.ascontiguousarray(lacking)


def often_seen(draws: Ints, actions: Ints, most: int) -> list[tuple[int, ...]]:
    """The actions [n, members] seen in the most draws [n], each counted once a draw; not those that lack nothing."""
    real = actions[:, -1] != NO_BRANCH
    actions, draws = actions[real], draws[real]
    if not len(actions):
        return []
    # One number for each, by the order of actions.
    there = np.zeros(int(actions.max()) + 1, bool)
    there[actions] = True
    members, places = np.flatnonzero(there), (np.cumsum(there) - 1)[actions]
    shape = (len(members),) * actions.shape[1]
    numbers, which = np.unique(np.ravel_multi_index(tuple(places.T), shape), return_inverse=True)
    seen = np.zeros((len(numbers), int(draws.max()) + 1), bool)
    seen[which, draws] = True
    often = numbers[np.argsort(-seen.sum(axis=1), kind="stable")][:most]
    return [tuple(action) for action in members[np.column_stack(np.unravel_index(often, shape))].tolist()]


def lucky_models(knowledge: Knowledge, models: Ints, branch_metrics: Floats) -> Floats:
    """Metrics [S, m, M] of models from those of branches [S, B + 1, M], where fusions turn out well."""
    return model_metrics(knowledge, models, branch_metrics, partial(knowledge.relation.lucky, spreads=OPTIMISM))


def model_metrics(
    knowledge: Knowledge, models: Ints, branch_metrics: Floats, fuse: Callable[[Ints, Floats], Floats]
) -> Floats:
    """Metrics [S, m, M] of models from those of branches [S, B + 1, M], of fusions as ``fuse`` gives them."""
    branches = knowledge.table.models[models]
    metrics = branch_metrics[:, branches[:, 0]]
    fused = np.flatnonzero(branches[:, 1] != NO_BRANCH)
    metrics[:, fused] = fuse(branches[fused], branch_metrics)
    return np.asarray(np.minimum(metrics, knowledge.objectives.worst_metrics()), np.float64)


def distinct(ascending: Ints) -> tuple[Ints, Ints]:
    """Distinct values of an ascending array, and for each element the position of its value among them."""
    starts = np.ones(len(ascending), bool)
    starts[1:] = ascending[1:] != ascending[:-1]
    return ascending[starts], np.asarray(np.cumsum(starts) - 1, np.int64)
