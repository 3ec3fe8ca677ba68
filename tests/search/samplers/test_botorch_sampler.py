"""BoTorch's acquisition over our designs, and what is said without it."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tinysearch.core.errors import UserError
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.known.objective_values import ObjectiveVector
from tinysearch.search.memoized.covariance import branch_features
from tinysearch.search.samplers import Proposal, Stop
from tinysearch.search.samplers.botorch_sampler import QLogEhviSampler, design_features


def knowledge_of(space, errors, objectives=("eer", "bom_cost_usd", "latency_s")):
    return Knowledge(space.table, ObjectiveVector(objectives), errors.error_rates)


@pytest.mark.slow
def test_it_proposes_what_can_be_built_and_is_not_known(space, errors):
    pytest.importorskip("botorch")
    knowledge, sampler = knowledge_of(space, errors), QLogEhviSampler(start=2, draws=4)
    for number in range(3):
        proposal = sampler.propose(knowledge, np.random.default_rng(number))
        assert isinstance(proposal, Proposal)
        fresh = [b for b in space.table.needs[proposal.row] if b >= 0 and not knowledge.known[b]]
        assert fresh
        knowledge.learn(fresh)
    knowledge.learn(range(len(space.table.branches)))
    assert isinstance(sampler.propose(knowledge, np.random.default_rng(9)), Stop)


def test_it_says_which_objectives_it_can_search(space, errors):
    pytest.importorskip("botorch")
    knowledge = knowledge_of(space, errors, ("effective_latency_far1_s", "bom_cost_usd"))
    with pytest.raises(UserError, match="must search the error rate itself"):
        QLogEhviSampler().propose(knowledge, np.random.default_rng(0))


def test_without_botorch_it_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "botorch", None)
    with pytest.raises(UserError, match=r"pip install 'tinysearch-boards\[botorch\]'"):
        QLogEhviSampler()


def test_a_design_is_seen_by_the_inputs_that_it_has(space):
    table = space.table
    seen = design_features(branch_features(table), table.models).reshape(len(table.models), 2, -1)
    np.testing.assert_array_equal(seen[:, :, 0].sum(axis=1), (table.models >= 0).sum(axis=1))
    alone = np.flatnonzero(table.models[:, 1] < 0)
    first = branch_features(table)[table.models[alone, 0]]
    np.testing.assert_array_equal(seen[alone, first[:, 0].astype(int), 1:5], first[:, 1:5])
    assert not seen[alone, 1 - first[:, 0].astype(int)].any()
