"""A table that holds what was asked for finds what a table of everything finds."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from overhead import FreeErrors, make_wide_table
from toy_space import SyntheticErrors, ToySpace

from tinysearch.search.known.design import NO_BRANCH, DesignTable
from tinysearch.search.known.knowledge import Knowledge, products
from tinysearch.search.known.objective_values import ObjectiveVector
from tinysearch.search.loop import SearchOptions, StudyProblem, search
from tinysearch.search.memoized.sampler import MemoizedSampler
from tinysearch.search.proposals import Proposal

VECTOR = ObjectiveVector(("eer", "bom_cost_usd", "latency_s"))
WIDE = ToySpace(budget_usd=14.0, widths=(8, 16))


class PricingByTable:
    """What a table of everything says, model by model."""

    def __init__(self, table: DesignTable) -> None:
        self.table = table
        faces, voices = (np.flatnonzero(table.input == number) for number in range(2))
        self.combinations = ((faces,), (voices,), (faces, voices))
        self.asked: list[tuple[int, ...]] = []

    def designs(self, models):
        self.asked += map(tuple, models.tolist())
        found = [
            (i, row) for i, model in enumerate(models) for row in np.flatnonzero((self.table.needs == model).all(1))
        ]
        of, rows = np.array(found, np.int64).reshape(-1, 2).T
        return of, self.table.analytic[rows], self.table.platform[rows]


def growing(whole: DesignTable) -> DesignTable:
    alone = whole.needs[:, 1] == NO_BRANCH
    return DesignTable(
        branches=whole.branches,
        params=whole.params,
        macs=whole.macs,
        columns=whole.columns,
        analytic=whole.analytic[alone],
        needs=whole.needs[alone],
        platforms=whole.platforms,
        platform=whole.platform[alone],
        pricing=PricingByTable(whole),
    )


def front_of(knowledge: Knowledge) -> set[str]:
    return {knowledge.table.candidate(int(row)).id for row in knowledge.front}


def test_the_front_is_that_of_a_table_of_everything_and_no_model_is_priced_twice():
    errors = SyntheticErrors(WIDE, seed=1)
    known = [int(b) for b in np.random.default_rng(2).permutation(np.flatnonzero(WIDE.table.useful()))[:40]]
    whole, grown = (Knowledge(table, VECTOR, errors.error_rates) for table in (WIDE.table, growing(WIDE.table)))
    for branch in known:
        whole.learn([branch])
        grown.learn([branch])
    assert front_of(grown) == front_of(whole)
    assert any(len(knowledge_needs(grown, row)) == 2 for row in grown.front)
    asked = grown.table.pricing.asked
    assert len(asked) == len(set(asked)) < len(WIDE.table.models)
    for row in range(len(grown.table)):
        assert grown.table.row_of(grown.table.candidate(row)) == row


def test_models_that_are_asked_for_together_stand_as_if_one_after_the_other():
    blocks = [WIDE.table.models[WIDE.table.models[:, 1] != NO_BRANCH][start::3][:40] for start in (2, 0, 1)]
    together, apart = growing(WIDE.table), growing(WIDE.table)
    together.reveal(*blocks)
    for block in blocks:
        apart.reveal(block)
    assert (together.models == apart.models).all()
    assert (together.needs == apart.needs).all()
    assert (together.analytic == apart.analytic).all()
    assert (together.platform == apart.platform).all()
    together.reveal(blocks[1])
    assert len(together) == len(apart)


def priced_at_once(table: DesignTable) -> DesignTable:
    """The same with every design that its pricing has."""
    members = table.pricing.combinations
    models = np.concatenate([part for own in members for part in products(own, inputs=table.needs.shape[1])])
    of, analytic, platform = table.pricing.designs(models)
    return replace(table, analytic=analytic, needs=models[of], platform=platform, pricing=None)


def test_of_three_inputs_the_front_is_that_of_a_table_of_everything():
    table = make_wide_table(90, np.random.default_rng(0))
    errors, everything = FreeErrors(table), priced_at_once(table)
    assert len(table.branches) == 108
    assert len(everything) > 100 * len(table)
    whole, grown = (Knowledge(each, VECTOR, errors.error_rates) for each in (everything, table))
    known = np.random.default_rng(3).permutation(len(table.branches))[:60]
    for branch in known.tolist():
        whole.learn([branch])
        grown.learn([branch])
    assert front_of(grown) == front_of(whole)
    assert {len(knowledge_needs(grown, row)) for row in grown.front} == {1, 3}
    assert len(grown.table.models) < len(whole.table.models) / 4
    assert (whole.unlocked & ~whole.model_done).any()
    # What is left out of the computation, since no luck could bring it to the front, does not belong there.
    for model in np.flatnonzero(whole.unlocked & ~whole.model_done):
        whole._compute(np.array([model]))
    assert front_of(grown) == front_of(whole)


def knowledge_needs(knowledge: Knowledge, row: int) -> list[int]:
    return [int(b) for b in knowledge.table.needs[row] if b != NO_BRANCH]


def test_knowledge_of_one_table_grows_by_itself():
    errors, table = SyntheticErrors(WIDE, seed=1), growing(WIDE.table)
    first, second = (Knowledge(table, VECTOR, errors.error_rates) for _ in range(2))
    useful = np.flatnonzero(table.useful()).tolist()
    first.learn(useful[::5])
    assert len(first.table) > len(table) == len(second.table)
    second.learn(useful[::5])
    assert front_of(first) == front_of(second)


@pytest.mark.parametrize("with_any", [None, [0, 4, 7], [5], []])
def test_products_have_each_model_once(with_any):
    members = [np.array([0, 1, 2]), np.array([3, 4]), np.array([5, 6, 7])]
    wanted = None if with_any is None else np.array(with_any, np.int64)
    found = [tuple(m) for part in products(members, inputs=4, with_any=wanted) for m in part.tolist()]
    assert len(found) == len(set(found))
    every = {(*m, NO_BRANCH) for m in itertools.product(*(own.tolist() for own in members))}
    assert set(found) == {m for m in every if with_any is None or set(m) & set(with_any)}


def test_a_decision_prices_few_fusions_and_still_trains_for_one():
    errors = SyntheticErrors(WIDE, seed=3)
    knowledge = Knowledge(growing(WIDE.table), VECTOR, errors.error_rates)
    sampler = MemoizedSampler(stop_share=0.0)
    for number in range(8):
        proposal = sampler.propose(knowledge, np.random.default_rng([0, number]))
        assert isinstance(proposal, Proposal)
        fresh = [b for b in knowledge_needs(knowledge, proposal.row) if not knowledge.known[b]]
        assert fresh
        knowledge.learn(fresh)
    assert any(len(knowledge_needs(knowledge, int(row))) == 2 for row in knowledge.front)
    whole = Knowledge(WIDE.table, VECTOR, errors.error_rates)
    whole.learn(range(len(WIDE.branches)))
    found, best = (np.array([k.values(int(row)) for row in k.front]) for k in (knowledge, whole))
    share = whole.scale.hypervolume(found) / whole.scale.hypervolume(best)
    assert share > 0.9


def test_a_search_of_a_growing_table_ends_and_goes_on_as_any(tmp_path):
    errors = SyntheticErrors(WIDE, seed=0)
    problem = StudyProblem(table=growing(WIDE.table), flat=WIDE.flat, objectives=VECTOR.names, error_model=errors)
    first = search(problem, SearchOptions(sampler="exhaustive", n_trials=12), run_dir=tmp_path)
    assert first.points
    result = search(problem, SearchOptions(sampler="memoized", n_trials=18), run_dir=tmp_path)
    whole = Knowledge(WIDE.table, VECTOR, errors.error_rates)
    whole.learn(result.knowledge.order)
    assert {point.candidate.id for point in result.points} == front_of(whole)
