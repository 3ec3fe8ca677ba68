"""The memoized sampler where spaces are large, narrow or broken."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from toy_space import SyntheticErrors, ToySpace

from tinysearch.core.errors import UserError
from tinysearch.search.known.design import DesignTable
from tinysearch.search.known.fidelity import Hint
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.known.objective_values import ObjectiveVector
from tinysearch.search.known.pareto import hypervolume
from tinysearch.search.loop import SearchOptions, search
from tinysearch.search.memoized.evidence import evidence_of
from tinysearch.search.memoized.promising import Screen
from tinysearch.search.memoized.sampler import MemoizedSampler
from tinysearch.search.memoized.scene import Room, Scene
from tinysearch.search.memoized.surrogate import BranchSurrogate
from tinysearch.search.proposals import Proposal, Stop
from tinysearch.search.samplers import make_sampler


def only(table, wanted):
    """The table with the designs whose branches are wanted."""
    rows = [row for row in range(len(table)) if wanted(table.candidate(row).branches)]
    return DesignTable(
        branches=table.branches,
        params=table.params,
        macs=table.macs,
        columns=table.columns,
        analytic=table.analytic[rows],
        needs=table.needs[rows],
        platforms=table.platforms,
        platform=table.platform[rows],
    )


def test_in_a_large_space_branches_in_training_leave_something_to_choose():
    wide = ToySpace(widths=(8, 16, 24, 32))
    errors = SyntheticErrors(wide, seed=0)
    faces = only(wide.table, lambda branches: len(branches) == 1 and branches[0].modality == "face")
    useful = np.flatnonzero(faces.useful())
    for pending in useful[:12]:
        knowledge = Knowledge(faces, ObjectiveVector(("eer",)), errors.error_rates)
        knowledge.learn([int(b) for b in useful[:40:6] if b != pending])
        knowledge.pending[pending] = True
        proposal = MemoizedSampler(stop_share=0.0).propose(knowledge, np.random.default_rng(0))
        assert knowledge.trainable()[faces.needs[proposal.row, 0]]


def test_what_is_in_training_is_taken_to_end_as_expected(space, errors):
    knowledge = Knowledge(space.table, ObjectiveVector(("eer", "bom_cost_usd", "latency_s")), errors.error_rates)
    useful = [int(b) for b in np.flatnonzero(space.table.useful())]
    knowledge.learn(useful[::9])
    known = knowledge.hypervolume()
    knowledge.pending[useful[1::9]] = True
    rng = np.random.default_rng(0)
    scene = Scene(
        knowledge, BranchSurrogate(space.table), draws=16, shortlist=12, rng=rng, room=Room(), screen=Screen(knowledge)
    )
    assert hypervolume(scene.front, knowledge.corner) > known


def test_what_is_left_in_a_draw_is_the_front_of_everything_less_the_front_that_is_known(space, errors):
    knowledge = Knowledge(space.table, ObjectiveVector(("eer", "bom_cost_usd", "latency_s")), errors.error_rates)
    knowledge.learn([int(b) for b in np.flatnonzero(space.table.useful())[::9]])
    rng = np.random.default_rng(0)
    scene = Scene(
        knowledge, BranchSurrogate(space.table), draws=16, shortlist=72, rng=rng, room=Room(), screen=Screen(knowledge)
    )
    left, known = scene.left(), knowledge.hypervolume()
    for draw, points in enumerate(scene._points(np.arange(len(scene.boards)))):
        everything = hypervolume(np.vstack([knowledge.front_points, points]), knowledge.corner)
        assert left[draw] == pytest.approx(everything - known)
    # No training adds more than all of them.
    _, gain, _ = scene.best_action(np.ones(len(knowledge.known)))
    assert 0 < gain < left.mean()


def test_a_search_goes_on_while_doubtful_beliefs_leave_something(space, errors, monkeypatch):
    knowledge = Knowledge(space.table, ObjectiveVector(("eer", "bom_cost_usd", "latency_s")), errors.error_rates)
    knowledge.learn([int(b) for b in np.flatnonzero(space.table.useful())[::9]])
    # With this share the usual beliefs would end the search now.
    sampler = MemoizedSampler(stop_share=0.5)
    monkeypatch.setattr(Scene, "left", lambda scene: np.full(len(scene.branch_metrics), np.inf))
    assert isinstance(sampler.propose(knowledge, np.random.default_rng(0)), Proposal)
    monkeypatch.setattr(Scene, "left", lambda scene: np.zeros(len(scene.branch_metrics)))
    ended = sampler.propose(knowledge, np.random.default_rng(0))
    assert isinstance(ended, Stop)
    assert "all of them more than 500.00 % with a chance of 0 %" in ended.reason


class Stubborn(SyntheticErrors):
    """Some branches cannot be trained."""

    stubborn = ()

    def train(self, branch, *, progress):
        if branch in self.stubborn:
            raise RuntimeError("will not learn")
        return super().train(branch, progress=progress)


@pytest.mark.parametrize("sampler", ["memoized", "exhaustive"])
def test_partners_of_what_cannot_be_trained_are_not_trained(problem, space, sampler):
    voice = next(b for b in space.branches if b.modality == "voice")
    errors = Stubborn(space, seed=0)
    errors.stubborn = (voice,)
    table = only(ToySpace(budget_usd=13.0).table, lambda branches: len(branches) == 2 and branches[1] == voice)
    result = search(
        replace(problem, table=table, error_model=errors), SearchOptions(sampler=sampler, n_trials=20, seed=0)
    )
    assert result.reason == "nothing is left to train; failed or given up: 1"
    assert result.trainings <= 1  # a face may have been trained before the voice failed


def test_networks_that_accept_nobody_promise_nothing(problem, space):
    class Deaf(SyntheticErrors):
        def error_rates(self, branches):
            rates = super().error_rates(branches)
            accepted = 0.0 if branches[0].modality == "voice" else 0.5
            return replace(rates, frr_at_far={0.1: 1.0 - accepted})

    objectives = ("eer", "effective_latency_far10_s", "bom_cost_usd")
    options = SearchOptions(sampler="memoized", n_trainings=24, seed=0)
    result = search(replace(problem, error_model=Deaf(space, seed=0), objectives=objectives), options)
    assert result.hypervolume > 0.0


def test_hints_are_eers_and_say_nothing_of_other_error_rates(space, errors):
    for objectives, count in ((("eer",), 1), (("effective_latency_far1_s",), 0)):
        knowledge = Knowledge(space.table, ObjectiveVector(objectives), errors.error_rates)
        knowledge.hints[0] = Hint(eer=0.1, spread=0.15)
        assert len(evidence_of(knowledge).branches) == count


@pytest.mark.parametrize(
    ("sampler", "settings", "line"),
    [
        ("memoized", {"draws": 0}, "sampler.draws must be a whole number from 1"),
        ("memoized", {"shortlist": 1.5}, "sampler.shortlist must be a whole number from 1"),
        ("memoized", {"stop_share": -1}, "sampler.stop_share must be a share from 0 to less than 1"),
        ("memoized", {"stop_share": 2}, "sampler.stop_share must be a share from 0 to less than 1"),
        ("memoized", {"cost_exponent": -1}, "sampler.cost_exponent must be a number from 0"),
        ("memoized", {"stop_shar": 0}, "did you mean sampler.stop_share?"),
        ("exhaustive", {"k": 2}, "sampler=exhaustive must be given no settings"),
        ("nsga2", {"population_size": 1}, "must be greater than or equal to 2"),
        ("gp", {"n_startup_trials": "x"}, "sampler.n_startup_trials must be a number"),
        ("pymoo_nsga2", {"pop_size": 3}, "did you mean sampler.population_size?"),
        ("pymoo_nsga2", {"population_size": 1}, "sampler.population_size must be a whole number from 2"),
    ],
)
def test_wrong_settings_of_a_sampler_get_one_line(space, sampler, settings, line):
    with pytest.raises(UserError) as caught:
        make_sampler(sampler, flat=space.flat, objectives=3, constraints=1, seed=0, options=settings)
    assert line in str(caught.value)


def test_pymoo_begins_anew_when_it_is_told_of_other_trials(problem, space):
    study = search(problem, SearchOptions(sampler="pymoo_nsga2", n_trials=50, seed=0)).study
    trials = [t for t in study.trials if t.user_attrs["kind"] == "proposal"][:45]

    def resumed(*counts):
        constraints = len(problem.assessor.rules)
        sampler = make_sampler(
            "pymoo_nsga2", flat=space.flat, objectives=3, constraints=constraints, seed=0, options={}
        )
        sampler.propose(None, np.random.default_rng(0))  # dropped by the loop
        for count in counts:
            sampler.resume(trials[:count])
        return [sampler.propose(None, np.random.default_rng(0)).params for _ in range(10)]

    assert resumed(45) == resumed(0, 15, 30, 45)
