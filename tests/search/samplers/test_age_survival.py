"""AGE-MOEA's survival."""

from __future__ import annotations

import numpy as np
import pytest
from pymoo.core.population import Population
from pymoo.core.problem import Problem

from tinysearch.search.samplers._age_survival import AgeSurvival, curvature, extremes, intercepts, spread_scores


def sphere(count: int, power: float) -> np.ndarray:
    points = np.abs(np.random.default_rng(0).normal(size=(count, 3)))
    points = np.vstack([np.eye(3), np.ones((1, 3)), points])
    return points / (points**power).sum(axis=1, keepdims=True) ** (1 / power)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0, 4.0])
def test_the_exponent_of_a_curved_front_is_found(power: float) -> None:
    assert curvature(sphere(40, power)) == pytest.approx(power, rel=1e-6)


def test_axes_are_measured_by_their_extreme_points() -> None:
    assert intercepts(sphere(40, 2.0) * [1.0, 20.0, 0.05]) == pytest.approx([1.0, 20.0, 0.05])
    flat = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    assert (intercepts(flat) > 0).all()


def test_extremes_come_first_and_crowded_points_last() -> None:
    front = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.51, 0.49]])
    scores = spread_scores(front, 1.0)
    assert np.isinf(scores[extremes(front)]).all()
    assert scores[2] > scores[3] > 0 or scores[3] > scores[2] > 0
    assert min(scores[2:]) <= 0.5 * max(scores[2:])


def test_survivors_are_the_first_fronts_and_what_is_best_of_the_next() -> None:
    values = np.vstack([sphere(12, 2.0), sphere(12, 2.0) + 0.3])
    population = Population.new("X", np.arange(len(values))[:, None])
    population.set("F", values, "G", np.zeros((len(values), 0)), "H", np.zeros((len(values), 0)))
    kept = AgeSurvival().do(Problem(n_var=1, n_obj=3), population, n_survive=20)
    numbers = kept.get("X")[:, 0].tolist()
    assert len(set(numbers)) == 20
    assert set(range(16)) <= set(numbers)
    assert set(kept.get("rank")) == {0, 1}
