"""Branches of the front trained again, so that luck does not choose."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import pytest
from toy_space import SyntheticErrors

from tinysearch.core.protocols import TrainingProgress, TrainingRecord
from tinysearch.search.loop import SearchOptions, search


class Lucky(SyntheticErrors):
    """One training a branch: every rate is the true one times a factor by branch."""

    def error_rates(self, branches):
        rates = super().error_rates(branches)
        digits = [sum(map(ord, branch.key)) % 7 for branch in branches]
        return replace(rates, eer=rates.eer * (1.0 - 0.08 * sum(digits) / len(digits)))


class Again:
    """Trained several times, a branch shows its true rate."""

    evidence, needs_training = "trained", True

    def __init__(self, lucky, *, interrupt_at=None, fails=()):
        self.lucky, self.done, self.interrupt_at, self.fails = lucky, [], interrupt_at, fails

    def knows(self, branch):
        return branch in self.done

    def draws(self, branch):
        return (0.1, 0.2, 0.3)

    def train(self, branch, *, progress):
        if len(self.done) == self.interrupt_at:
            self.interrupt_at = None
            os.kill(os.getpid(), signal.SIGINT)
        progress(TrainingProgress(branch=branch, phase="again", fraction=0.5))
        if branch.short in self.fails:
            raise RuntimeError("loss is NaN")
        self.done.append(branch)
        return TrainingRecord(branch=branch, seconds=3.0, remembered=False)

    def error_rates(self, branches):
        honest = all(branch in self.done for branch in branches)
        return (super(Lucky, self.lucky) if honest else self.lucky).error_rates(branches)


def branches_of(result):
    return {branch for point in result.points for branch in point.candidate.branches}


def run(problem, lucky, again, tmp_path=None, **options):
    fresh = replace(problem, error_model=lucky, finalists=again)
    return search(fresh, SearchOptions(sampler="memoized", n_trainings=20, **options), run_dir=tmp_path)


def test_the_front_consists_of_branches_that_were_trained_again(problem, space):
    once = run(problem, Lucky(space, seed=0), None)
    lucky = Lucky(space, seed=0)
    again = Again(lucky)
    result = run(problem, lucky, again)
    assert branches_of(result) <= set(again.done)
    assert set(branches_of(once)) <= set(again.done)
    assert len(set(again.done)) == len(again.done) < 30
    assert result.trainings == once.trainings == len(lucky.trainings)
    for point in result.points:
        assert point.values["eer"] == SyntheticErrors.error_rates(lucky, point.candidate.branches).eer
    trials = {t.user_attrs["id"]: t for t in result.study.trials if t.user_attrs["kind"] == "finalist"}
    assert {point.candidate.id for point in result.points} == set(trials)
    for point in result.points:
        trial = trials[point.candidate.id]
        assert trial.values == pytest.approx(list(point.values.values()))
        assert trial.user_attrs["eer_repeats"] == {b.key: [0.1, 0.2, 0.3] for b in point.candidate.branches}


def test_an_interrupt_keeps_the_front_and_the_next_run_goes_on(problem, space, tmp_path):
    lucky = Lucky(space, seed=0)
    again = Again(lucky, interrupt_at=2)
    stopped = run(problem, lucky, again, tmp_path)
    assert stopped.interrupted
    assert len(again.done) == 2
    assert stopped.points
    resumed = run(problem, lucky, again, tmp_path)
    whole = run(problem, fresh := Lucky(space, seed=0), Again(fresh))
    assert [p.values for p in resumed.points] == [p.values for p in whole.points]
    assert len(set(again.done)) == len(again.done)
    ended = len(resumed.study.trials)
    assert len(run(problem, lucky, again, tmp_path).study.trials) == ended


def test_what_cannot_be_trained_again_is_answered_as_trained_once(problem, space):
    lucky = Lucky(space, seed=0)
    first = next(iter(branches_of(run(problem, lucky, None)))).short
    again = Again(lucky, fails=(first,))
    result = run(problem, lucky, again)
    assert first not in {branch.short for branch in again.done}
    assert result.points
    assert not result.interrupted


def test_no_time_no_repeats(problem, space):
    lucky = Lucky(space, seed=0, remember=True)
    again = Again(lucky)
    result = run(problem, lucky, again, timeout_s=0.0)
    assert again.done == []
    assert result.points
