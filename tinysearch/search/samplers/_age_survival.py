"""AGE-MOEA's survival for pymoo, in NumPy: pymoo's own needs numba, a compiler that nothing else here wants.

Panichella, "An adaptive evolutionary algorithm based on non-Euclidean geometry for many-objective optimization",
GECCO 2019: the first front's curvature gives the exponent p of the norm in which both nearness to the ideal point and
distances between neighbors are measured.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from pymoo.core.survival import Survival
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

from tinysearch.search.known.design import Floats, Ints

_TINY = 1e-9
_LEAST_P, _MOST_P = 0.1, 20.0


class AgeSurvival(Survival):  # type: ignore[misc]  # pymoo has no types
    """Keeps whole fronts while they fit, and of the front that does not the designs with the highest survival score."""

    def __init__(self) -> None:
        super().__init__(filter_infeasible=True)

    def _do(self, problem: Any, pop: Any, *args: Any, n_survive: int, **kwargs: Any) -> Any:  # noqa: ARG002
        values = np.asarray(pop.get("F"), np.float64)
        fronts = NonDominatedSorting().do(values, n_stop_if_ranked=n_survive)
        ideal = values[fronts[0]].min(axis=0)
        first = values[fronts[0]] - ideal
        width = intercepts(first)
        power = curvature(first / width)
        kept: list[int] = []
        for rank, front in enumerate(fronts):
            unit = (values[front] - ideal) / width
            scores = spread_scores(unit, power) if rank == 0 else 1.0 / np.maximum(_norm(unit, power), _TINY)
            for at, score in zip(front, scores, strict=True):
                pop[at].set("rank", rank)
                pop[at].set("crowding", float(score))
            best_first = np.asarray(front)[np.argsort(-scores, kind="stable")]
            kept += best_first[: n_survive - len(kept)].tolist()
        return pop[kept]


def intercepts(front: Floats) -> Floats:
    """Where the plane through the extreme points meets each axis, float64 [K]; the largest values if there is none.

    Args:
        front: [n, K], the ideal point at the origin.
    """
    largest: Floats = np.maximum(front.max(axis=0), _TINY)
    chosen = extremes(front / largest)
    if len(set(chosen.tolist())) < front.shape[1]:
        return largest
    try:
        plane = np.linalg.solve(front[chosen], np.ones(front.shape[1]))
    except np.linalg.LinAlgError:
        return largest
    with np.errstate(divide="ignore"):
        found = 1.0 / plane
    usable = bool(np.isfinite(found).all() and (found > _TINY).all())
    return np.asarray(found if usable else largest, np.float64)


def extremes(unit: Floats) -> Ints:
    """Int64 [K]: for each axis the point of ``unit`` [n, K] that lies nearest to it."""
    away = np.sqrt(np.maximum((unit**2).sum(axis=1)[:, None] - unit**2, 0.0))
    return np.asarray(away.argmin(axis=0), np.int64)


def curvature(unit: Floats) -> float:
    """Exponent p for which the point nearest to the diagonal has norm 1: 1 is a plane, 2 a sphere."""
    middle = unit.mean(axis=1)
    off_diagonal = np.linalg.norm(unit - middle[:, None], axis=1)
    inner = np.ones(len(unit), bool)
    inner[extremes(unit)] = False
    if not inner.any():
        return 1.0
    center = float(middle[inner][off_diagonal[inner].argmin()])
    if not _TINY < center < 1.0:
        return 1.0
    return float(np.clip(np.log(unit.shape[1]) / -np.log(center), _LEAST_P, _MOST_P))


def spread_scores(unit: Floats, power: float) -> Floats:
    """Score [n] of each point of the first front.

    Infinite for the extremes; of the others, in the order in which a greedy choice takes them, the distance to the two
    nearest already taken over that to the ideal point.
    """
    nearness = np.maximum(_norm(unit, power), _TINY)
    distance = _norm(np.abs(unit[:, None] - unit[None]), power) / nearness[:, None]
    scores = np.zeros(len(unit))
    taken = np.zeros(len(unit), bool)
    taken[extremes(unit)] = True
    scores[taken] = np.inf
    while not taken.all():
        left = np.flatnonzero(~taken)
        nearest = np.sort(distance[np.ix_(left, np.flatnonzero(taken))], axis=1)[:, :2].sum(axis=1)
        best = int(nearest.argmax())
        scores[left[best]] = nearest[best]
        taken[left[best]] = True
    return scores


def _norm(values: Floats, power: float) -> Floats:
    return np.asarray((np.abs(values) ** power).sum(axis=-1) ** (1.0 / power), np.float64)
