"""Learning curves: hints about untrained branches, and trainings that are given up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import optuna
import pytest
from toy_space import SyntheticErrors

from tinysearch.architectures.resnet import resnet_branch
from tinysearch.core.protocols import TrainingProgress, TrainingRecord
from tinysearch.search.engines import make_engine
from tinysearch.search.known.fidelity import Curves, EarlyEvidence, Hint, Limit
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.known.objective_values import ObjectiveVector
from tinysearch.search.loop import SearchOptions, search
from tinysearch.search.memoized.sampler import MemoizedSampler

BRANCH = resnet_branch("face", blocks=(2, 2), precision="int8")
FRACTIONS = (0.25, 0.5, 0.75)


def tick(branch, fraction, eer, phase="int8"):
    return TrainingProgress(branch=branch, phase=phase, fraction=fraction, eer_validation=eer)


class Curved(SyntheticErrors):
    """Trainings that tell their validation EER three times: first far above the end, then near it."""

    def __init__(self, space, *, seed=0, hopeless=()):
        super().__init__(space, seed=seed)
        self.started = []
        self._eer.update({key: 0.5 for key in self._eer if any(branch.short in hopeless for branch in key)})

    def train(self, branch, *, progress):
        if branch not in self._trained:
            self.started.append(branch)
            for fraction in FRACTIONS:
                phase = "float 1/1" if fraction < 0.4 else "int8 1/1"
                progress(tick(branch, fraction, min(0.5, self._eer[branch,] * 1.5 ** (1 - fraction)), phase))
        return super().train(branch, progress=progress)


def test_a_curve_is_continued_as_others_were() -> None:
    curves = Curves()
    assert curves.limit(0.2) is None
    for final in (0.1, 0.2, 0.3):
        assert curves.hint(0.5, 0.2) is None  # so few tell nothing
        curves.add([(0.1, 3 * final), (0.5, 2 * final), (1.0, final)], final)
    hint = curves.hint(0.52, 0.2)
    assert hint is not None
    assert (hint.eer, hint.spread) == pytest.approx((0.1, 0.15))
    limit = curves.limit(0.2)
    assert limit is not None
    assert [at for at, _ in limit.steps] == [0.5]
    assert limit.hopeless(tick(BRANCH, 0.5, 0.41 * np.exp(0.3)))
    assert not limit.hopeless(tick(BRANCH, 0.5, 0.39 * np.exp(0.3)))
    assert not limit.hopeless(tick(BRANCH, 0.1, 0.5))
    assert not limit.hopeless(tick(BRANCH, 1.0, 0.5))
    assert not limit.hopeless(tick(BRANCH, 0.5, None))


def test_one_training_is_one_however_often_it_tells() -> None:
    curves = Curves()
    curves.add([(0.5, 0.3), (0.52, 0.29), (0.54, 0.28), (0.55, 0.27)], 0.2)
    assert curves.fall(0.53) is None
    curves.add([(0.5, 0.2)], 0.2)
    curves.add([(0.5, 0.2)], 0.2)
    mean, _ = curves.fall(0.53)
    assert mean == pytest.approx(np.log(0.2 / 0.29) / 3) or mean == pytest.approx(np.log(0.2 / 0.28) / 3)


def test_a_perfect_tick_is_a_good_hint() -> None:
    hints: dict[int, Hint] = {}
    evidence = EarlyEvidence([BRANCH], hints)
    for _ in range(3):
        evidence.tick(tick(BRANCH, 0.5, 0.2))
        evidence.ended(BRANCH, 0.1)
    evidence.tick(tick(BRANCH, 0.5, 0.0))
    evidence.ended(BRANCH, None)
    assert hints[0].eer < 0.01


def test_the_float_stage_tells_of_the_float_sibling() -> None:
    float_sibling = BRANCH.start
    hints: dict[int, Hint] = {}
    evidence = EarlyEvidence([BRANCH, float_sibling], hints)
    for _ in range(3):
        evidence.tick(tick(BRANCH, 0.5, 0.2, "float 8/8"))
        evidence.tick(tick(BRANCH, 0.75, 0.15))
        told = evidence.ended(BRANCH, 0.1)
    assert told["curves"] == {BRANCH.key: [[[0.5, 0.2], [0.75, 0.15]], 0.1]}
    assert set(hints) == {1}
    assert hints[1].eer == pytest.approx(0.1)
    again: dict[int, Hint] = {}
    EarlyEvidence([BRANCH, float_sibling], again).adopt(told)
    assert again == hints


def test_losing_branches_stop_early_and_a_resumed_run_knows(problem, space, tmp_path) -> None:
    plain = Curved(space)
    search(replace(problem, error_model=plain), SearchOptions(sampler="memoized", sampler_options={"prune": False}))
    losers = tuple(branch.short for branch in plain.started[4:16])
    errors = Curved(space, hopeless=losers)
    options = SearchOptions(sampler="memoized", n_trials=20, seed=0)
    result = search(replace(problem, error_model=errors), options, run_dir=tmp_path / "whole")
    pruned = [t for t in result.study.trials if t.user_attrs.get("given_up")]
    assert pruned
    assert all(t.state == optuna.trial.TrialState.PRUNED for t in pruned)
    given_up = {key for t in pruned for key in t.user_attrs["given_up"]}
    assert given_up & {branch.key for branch in errors.started if branch.short in losers}
    # Whatever else was given up would have added less than the share at which the search ends.
    state = Knowledge(space.table, ObjectiveVector(problem.objectives), errors.error_rates)
    state.learn(space.table.branch_index(branch) for branch in errors.trainings)
    before = state.hypervolume()
    state.learn(i for i, branch in enumerate(space.table.branches) if branch.key in given_up)
    assert state.hypervolume() <= before * (1 + MemoizedSampler().stop_share)
    assert given_up.isdisjoint(branch.key for branch in errors.trainings)
    assert len(set(errors.started)) == len(errors.started)
    # The journal up to the middle: decisions, hints and what was given up follow from it.
    lines = (tmp_path / "whole" / "journal.log").read_bytes().splitlines(keepends=True)
    numbers = [i for i, line in enumerate(lines) if b"given_up" in line]
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "journal.log").write_bytes(b"".join(lines[: numbers[0] + 1]))
    fresh = Curved(space, hopeless=losers)
    again = search(replace(problem, error_model=fresh), options, run_dir=tmp_path / "cut")
    assert [t.values for t in again.study.trials] == [t.values for t in result.study.trials]
    assert pruned[0].user_attrs["given_up"][0] not in {branch.key for branch in fresh.started}


@pytest.mark.parametrize("engine", ["inline", "processes"])
def test_every_engine_gives_up_where_it_is_told(space, engine) -> None:
    errors = Curved(space, hopeless=(BRANCH.short,))
    branch = next(b for b in space.branches if b.short == BRANCH.short)
    other = next(b for b in space.branches if b.short != BRANCH.short)
    made = make_engine(engine, errors, n_workers=1, on_progress=lambda report: None)
    limit = Limit(steps=((0.5, 0.3),))
    reports = []
    try:
        made.submit(branch, limit)
        made.submit(other)
        while sum(report.is_end for report in reports) < 2:
            reports += made.wait(lambda: False)
    finally:
        made.close()
    ends = [report for report in reports if report.is_end]
    assert [report.given_up for report in ends] == [True, False]
    assert ends[0].progress.fraction == 0.5
    assert isinstance(ends[1].record, TrainingRecord)
