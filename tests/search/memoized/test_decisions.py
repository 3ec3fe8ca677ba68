"""What a decision keeps or takes together is what it would find one by one, each time anew."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from overhead import FreeErrors, make_wide_table
from toy_space import SyntheticErrors

from tinysearch.search.known import pareto
from tinysearch.search.known.design import NO_BRANCH
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.known.objective_values import ObjectiveVector
from tinysearch.search.known.pareto import Extension, below, dominated_by, is_nondominated
from tinysearch.search.memoized.acquisition import Acquisition, unlocked_by
from tinysearch.search.memoized.candidates import lucky_models
from tinysearch.search.memoized.giving_up import RATES, useless_from
from tinysearch.search.memoized.promising import MOST_BOARDS, Screen, are_many, promising
from tinysearch.search.memoized.scene import Room, Scene
from tinysearch.search.memoized.surrogate import BranchSurrogate

VECTOR = ObjectiveVector(("eer", "bom_cost_usd", "latency_s"))


def spread(rows, points, most):
    """Evenly so many of some rows, by their points."""
    ordered = sorted(rows, key=lambda row: points[row].tolist())
    return [ordered[i] for i in sorted({int(i) for i in np.linspace(0, len(rows) - 1, min(len(rows), most))})]


def screened(knowledge, metrics, most):
    """What :class:`Screen` finds, without anything that is kept."""
    points, out = np.hstack([metrics, knowledge.branch_costs]), np.zeros(len(metrics), bool)
    for number in np.unique(knowledge.table.input):
        left = [i for i in np.flatnonzero(knowledge.table.input == number) if np.isfinite(points[i]).all()]
        count = 0
        while left and count < most // 3:
            best = is_nondominated(points[left], keep_equals=True)
            layer = spread([row for row, on in zip(left, best, strict=True) if on], points, most - count)
            out[layer] = True
            left = [row for row, on in zip(left, best, strict=True) if not on]
            count += len(layer)
    return out


def test_branches_are_screened_as_if_each_decision_were_the_first(monkeypatch):
    monkeypatch.setattr(pareto, "MANY", 50)
    monkeypatch.setattr(pareto, "SAMPLED", 20)
    table = make_wide_table(500, np.random.default_rng(0))
    knowledge = Knowledge(table, VECTOR, FreeErrors(table).error_rates)
    screen, rng = Screen(knowledge), np.random.default_rng(1)
    metrics = rng.uniform(0.05, 0.5, (len(table.branches), 1))
    found = []
    for _ in range(6):
        # Some beliefs change much, most a little, some branches cannot be had.
        metrics *= rng.uniform(0.99, 1.01, metrics.shape)
        metrics[rng.integers(len(metrics), size=20)] = rng.uniform(0.05, 0.5, (20, 1))
        metrics[rng.integers(len(metrics), size=5)] = np.nan
        found.append(screen.of(metrics))
        assert (found[-1] == screened(knowledge, metrics, 28)).all()
    assert any((a != b).any() for a, b in itertools.pairwise(found))


@pytest.mark.parametrize("unknown", [100, 30, 2])
def test_of_few_branches_of_three_inputs_not_all_designs_are_drawn(unknown):
    table = make_wide_table(72, np.random.default_rng(0))
    knowledge = Knowledge(table, VECTOR, FreeErrors(table).error_rates)
    knowledge.learn(np.random.default_rng(1).permutation(len(table.branches))[unknown:].tolist())
    scene = Scene(
        knowledge,
        BranchSurrogate(table),
        draws=8,
        shortlist=8,
        rng=np.random.default_rng(0),
        room=Room(),
        screen=Screen(knowledge),
    )
    many = are_many(knowledge, np.flatnonzero(knowledge.trainable()))
    assert many == (unknown > 2)
    assert (0 < len(scene.boards) <= MOST_BOARDS) == many
    action, _, _ = scene.best_action(np.ones(len(knowledge.known)))
    assert not knowledge.known[list(action)].any()


def test_what_alone_is_left_to_train_is_looked_at_whatever_else_promises_more():
    table = make_wide_table(500, np.random.default_rng(0))
    knowledge = Knowledge(table, VECTOR, FreeErrors(table).error_rates)
    trainable = np.flatnonzero(knowledge.trainable())[::40]
    spread = np.zeros((len(knowledge.known), 1))
    mean = np.full_like(spread, np.log(0.01))
    mean[trainable] = np.log(0.4)
    chosen, boards = promising(knowledge, Screen(knowledge), mean, spread, trainable)
    assert len(chosen)
    assert set(chosen.tolist()) <= set(trainable.tolist())
    assert np.isin(table.models[knowledge.board_model[boards]], trainable).any()


LACKING = st.lists(st.lists(st.integers(NO_BRANCH, 4), min_size=3, max_size=3), max_size=12)
ACTIONS = st.lists(st.sets(st.integers(0, 4), min_size=1, max_size=3).map(lambda each: tuple(sorted(each))), max_size=5)


@given(LACKING, ACTIONS)
def test_an_action_unlocks_what_lacks_nothing_else(lacking, actions):
    found = unlocked_by(actions, np.array(lacking, np.int64).reshape(-1, 3))
    for row, action in zip(found, actions, strict=True):
        lacked = [set(each) - {NO_BRANCH} for each in lacking]
        assert row.tolist() == [bool(each) and each <= set(action) for each in lacked]


@pytest.mark.parametrize("draws", [7, 40])
def test_gains_of_actions_are_means_over_draws(draws):
    rng = np.random.default_rng(draws)
    front, corner = rng.uniform(0.3, 1.0, (8, 3)), np.ones(3)
    drawn, extension = rng.uniform(0.1, 1.0, (draws, 30, 3)), Extension(front, corner)
    adds = (~dominated_by(drawn.reshape(-1, 3), front)).reshape(draws, 30)
    lacking = np.sort(rng.integers(NO_BRANCH, 6, (30, 3)), axis=1)[:, ::-1]
    actions = [(b,) for b in range(6)] + [(0, 1), (2, 5), (0, 3, 4)]
    unlocked = unlocked_by(actions, lacking)
    found = Acquisition(extension, drawn, adds).raced(actions, unlocked, np.ones(6))
    assert found
    for action, gain in found.items():
        rows = unlocked[actions.index(action)]
        added = [extension.hypervolume(points[rows & there]) for points, there in zip(drawn, adds, strict=True)]
        assert gain == pytest.approx(np.mean(added) - extension.base)
    # The best of all is among those that stay in the race.
    assert max(found.values()) >= 0.9 * max(
        np.mean([extension.hypervolume(p[row & a]) for p, a in zip(drawn, adds, strict=True)]) - extension.base
        for row in unlocked
    )


def test_a_training_is_of_no_use_from_the_first_rate_that_adds_too_little(space):
    knowledge = Knowledge(space.table, VECTOR, SyntheticErrors(space, seed=0).error_rates)
    useful = [int(b) for b in np.flatnonzero(space.table.useful())]
    knowledge.learn(useful[::9])
    front, extension = knowledge.front_points, Extension(knowledge.front_points, knowledge.corner)
    expected = np.full((len(knowledge.known) + 1, 1), 0.12)

    def added(branch, rate):
        metrics = expected[None].copy()
        metrics[:, branch] = rate
        models = np.sort(knowledge.models_of(branch))
        boards = knowledge.boards_of(models)
        of = np.searchsorted(models, knowledge.board_model[boards])
        points = knowledge.points(boards, lucky_models(knowledge, models, metrics)[0, of])
        return extension.hypervolume(points[below(points, knowledge.corner)]) - extension.base

    found = set()
    for branch in useful[1::9]:
        for gain in (0.0, 0.003, 0.02, 1.0):
            first = useless_from(
                knowledge, branch, gain=gain, front=front, extension=extension, lucky=lambda some: expected[some]
            )
            plain = [rate for rate in RATES.tolist() if added(branch, rate) <= gain]
            assert first == (plain[0] if plain else None)
            found.add(first)
    assert None in found
    assert len(found) > 3
