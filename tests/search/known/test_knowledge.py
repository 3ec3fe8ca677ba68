from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_space import SyntheticErrors, ToySpace

from tinysearch.search.known import knowledge as module
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.known.objective_values import ObjectiveVector
from tinysearch.search.known.pareto import Scale, dominated_by, is_nondominated

VECTOR = ObjectiveVector(("eer", "bom_cost_usd", "latency_s"))


def brute_force(space, errors, known, vector=VECTOR):
    """Objective vectors of the front of every row whose branches are known."""
    table = space.table
    rows = [r for r in range(len(table)) if all(b in known for b in table.needs[r] if b >= 0)]
    if not rows:
        return set()
    metrics = [vector.metrics_of(errors.error_rates(table.candidate(r).branches)) for r in rows]
    values = vector.combine(table.columns, table.analytic[rows], np.array(metrics))
    return {tuple(v) for v in values[is_nondominated(values)].round(12)}


@settings(max_examples=15, deadline=None)
@given(st.sets(st.integers(0, 71), max_size=14), st.integers(0, 3), st.sampled_from([0, 10**6]))
def test_front_is_exact_in_whatever_order_branches_come(known, seed, all_pairs):
    space = SPACE
    errors = SyntheticErrors(space, seed=seed)
    with pytest.MonkeyPatch.context() as patch:
        # 0 makes every pair pass the screen that large spaces need.
        patch.setattr(module, "ALL_PAIRS", all_pairs)
        state = Knowledge(space.table, VECTOR, errors.error_rates)
        for branch in np.random.default_rng(seed).permutation(sorted(known)):
            state.learn([int(branch)])
        state.complete()
    found = {tuple(state.values(int(row)).round(12)) for row in state.front}
    assert found == brute_force(space, errors, known)


SPACE = ToySpace(budget_usd=14.0)  # with fusions


@pytest.mark.parametrize("seed", range(4))
def test_the_screen_of_large_spaces_keeps_lucky_fusions(seed, monkeypatch):
    monkeypatch.setattr(module, "ALL_PAIRS", 0)
    errors = SyntheticErrors(SPACE, seed=seed, noise=0.1)
    state = Knowledge(SPACE.table, VECTOR, errors.error_rates)
    known = [int(b) for b in np.random.default_rng(seed).permutation(72)[:24]]
    for branch in known:
        state.learn([branch])
    state.complete()
    assert {tuple(state.values(int(row)).round(12)) for row in state.front} == brute_force(SPACE, errors, set(known))


def test_hypervolume_never_falls_and_rates_are_asked_once(space, errors):
    asked = []

    def rates_of(branches):
        asked.append(tuple(branches))
        return errors.error_rates(branches)

    state = Knowledge(space.table, VECTOR, rates_of)
    before = 0.0
    for branch in np.random.default_rng(1).permutation(72)[:20]:
        state.learn([int(branch)])
        assert state.hypervolume() >= before - 1e-12
        before = state.hypervolume()
        state.learn([int(branch)])
    assert len(asked) == len(set(asked))


def test_nothing_is_to_be_trained_without_error_objectives(space):
    def never(branches):
        raise AssertionError(branches)

    state = Knowledge(space.table, ObjectiveVector(("bom_cost_usd", "latency_s")), never)
    assert not state.trainable().any()
    values = space.table.analytic[:, :2]
    assert {tuple(state.values(int(r))) for r in state.front} == {tuple(v) for v in values[is_nondominated(values)]}


def test_effective_latency_is_an_objective(space, errors):
    vector = ObjectiveVector(("effective_latency_far1_s", "bom_cost_usd"))
    state = Knowledge(space.table, vector, errors.error_rates)
    state.learn([0, 7, 40])
    assert {tuple(state.values(int(r)).round(12)) for r in state.front} == brute_force(
        space, errors, {0, 7, 40}, vector
    )


def test_siblings_wait_for_the_float_stage_that_a_first_one_makes(space, errors):
    state = Knowledge(space.table, VECTOR, errors.error_rates)
    first, sibling = (int(b) for b in np.flatnonzero(space.table.start == space.table.start[0])[:2])
    state.pending[first] = True
    assert not state.trainable()[sibling]
    others = space.table.start != space.table.start[0]
    assert (state.trainable()[others] == space.table.useful()[others]).all()
    state.learn([first])
    assert state.trainable()[sibling] == space.table.useful()[sibling]


def test_an_endless_latency_counts_nothing_and_warns_of_nothing(recwarn):
    scale = Scale(logarithmic=np.array([False, True]), reference=np.array([0.5, 10.0]))
    front = scale.transform([[0.1, 5.0]])
    endless = scale.transform([[0.2, np.inf], [0.05, np.inf], [0.05, 2.0]])
    assert dominated_by(endless, front).tolist() == [True, False, False]
    assert dominated_by(front, endless).tolist() == [True]
    assert scale.hypervolume([[0.1, 5.0], [0.05, np.inf]]) == scale.hypervolume([[0.1, 5.0]])
    assert not recwarn.list
