"""Optuna's samplers, told of designs that break a rule."""

from __future__ import annotations

import numpy as np
import pytest

from tinysearch.search.proposals import Outcome
from tinysearch.search.samplers import make_sampler
from tinysearch.search.samplers.optuna_samplers import OptunaStudySampler

STARTUP = 4


@pytest.mark.slow
def test_gp_does_not_insist_on_a_point_that_breaks_a_rule(space):
    sampler = OptunaStudySampler("gp", flat=space.flat, objectives=2, options={"n_startup_trials": STARTUP})
    rng = np.random.default_rng(0)
    for _ in range(STARTUP):
        sampler.told(sampler.propose(None, rng), Outcome(values=tuple(rng.random(2))))
    seen = []
    for _ in range(4):
        proposal = sampler.propose(None, rng)
        seen.append(tuple(proposal.params.items()))
        sampler.told(proposal, Outcome(values=None, constraints=(3.0, float(8 << 20))))
    assert len(set(seen)) == len(seen)


def test_gp_is_told_the_worst_values_of_what_has_none(space):
    sampler = OptunaStudySampler("gp", flat=space.flat, objectives=2, options={})
    rng = np.random.default_rng(0)
    for outcome in (
        Outcome(values=None, constraints=(2.0,)),  # nothing to compare with yet
        Outcome(values=(0.1, 9.0)),
        Outcome(values=(0.3, 7.0)),
        Outcome(values=None, constraints=(2.0,)),
        Outcome(values=None),  # given up, not infeasible
    ):
        sampler.told(sampler.propose(None, rng), outcome)
    trials = sampler._mirror.trials
    assert [t.values for t in trials] == [None, [0.1, 9.0], [0.3, 7.0], [0.3, 9.0], None]


@pytest.mark.parametrize("name", ["random", "tpe", "nsga2", "pymoo_nsga2"])
def test_what_cannot_be_built_is_not_proposed_where_anything_can(space, name):
    flat, row = space.flat, 0
    wanted = space.table.candidate(row).platform.processor
    flat._admits = lambda point: point.processor == wanted
    try:
        sampler = make_sampler(name, flat=flat, objectives=2, constraints=1, seed=0, options={})
        rng = np.random.default_rng(0)
        for _ in range(6):
            proposal = sampler.propose(None, rng)
            assert proposal.point.processor == wanted
            sampler.told(proposal, Outcome(values=tuple(rng.random(2))))
        flat._admits = lambda _: False
        assert sampler.propose(None, rng).point is not None  # judged and recorded, as it breaks a rule
    finally:
        flat._admits = None
