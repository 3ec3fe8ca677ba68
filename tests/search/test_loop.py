from __future__ import annotations

import os
import signal
from collections import Counter
from dataclasses import replace
from datetime import datetime

import numpy as np
import optuna
import pytest
from toy_space import SyntheticErrors

from tinysearch.core.error_rates import ErrorRates
from tinysearch.core.errors import TinysearchError, UserError
from tinysearch.core.protocols import TrainingProgress
from tinysearch.search import asking
from tinysearch.search.known.pareto import is_nondominated
from tinysearch.search.loop import SearchOptions, search
from tinysearch.search.samplers import SAMPLERS, Wait
from tinysearch.search.study import history, storage

QUICK = [name for name in SAMPLERS if name not in ("gp", "botorch_qlogehvi")]


def summary(study):
    """What must be equal between a run and its repetition."""
    return [
        (t.state.name, t.values, t.params, t.user_attrs.get("id"), t.user_attrs["kind"], t.system_attrs["constraints"])
        for t in study.trials
        if t.state.name != "RUNNING"
    ]


def front_ids(result):
    return [point.candidate.id for point in result.points]


@pytest.mark.parametrize("sampler", QUICK)
def test_every_sampler_keeps_the_promises(problem, errors, space, sampler, tmp_path):
    result = search(problem, SearchOptions(sampler=sampler, n_trials=12, seed=3), run_dir=tmp_path)
    proposals = [t for t in result.study.trials if t.user_attrs["kind"] == "proposal"]
    assert 1 <= len(proposals) == result.trials <= 12
    assert max(Counter(errors.trainings).values()) == 1
    assert len(errors.trainings) == result.trainings
    needed = {key for t in proposals if t.user_attrs["feasible"] for key in t.user_attrs["branches"]}
    assert {branch.key for branch in errors.trainings} == needed
    # Front points are trials, and none beats another.
    recorded = {t.user_attrs["id"]: t for t in result.study.trials if t.user_attrs["feasible"]}
    assert set(front_ids(result)) <= set(recorded)
    values = np.array([list(point.values.values()) for point in result.points])
    assert is_nondominated(values).all()
    for point in result.points:
        assert recorded[point.candidate.id].values == pytest.approx(list(point.values.values()))
    for trial in result.study.trials:
        assert trial.params.keys() == space.flat.distributions().keys()


@pytest.mark.parametrize(
    "sampler",
    ["memoized", "pymoo_nsga2", *(pytest.param(name, marks=pytest.mark.slow) for name in ("nsga2", "nsga3", "tpe"))],
)
def test_a_run_killed_at_any_moment_ends_like_the_undisturbed_one(problem, space, sampler, tmp_path):
    options = SearchOptions(sampler=sampler, n_trials=46, seed=1)
    whole = search(replace(problem, error_model=SyntheticErrors(space, seed=0)), options, run_dir=tmp_path / "whole")
    raw = (tmp_path / "whole" / storage.JOURNAL).read_bytes()
    rng = np.random.default_rng(0)
    for attempt in range(4):
        run_dir = tmp_path / str(attempt)
        run_dir.mkdir()
        # What a kill leaves: the journal up to any byte. The memo may know more than the journal, or (a table) nothing.
        (run_dir / storage.JOURNAL).write_bytes(raw[: int(rng.integers(len(raw) // 20, len(raw)))])
        errors = SyntheticErrors(space, seed=0)
        if attempt % 2:
            for trial in whole.study.trials:
                for key in trial.user_attrs["trained"]:
                    branch = next(b for b in space.branches if b.key == key)
                    errors.train(branch, progress=lambda _: None)
        before = len(errors.trainings)
        again = search(replace(problem, error_model=errors), options, run_dir=run_dir)
        assert summary(again.study) == summary(whole.study)
        assert front_ids(again) == front_ids(whole)
        assert not (attempt % 2) or len(errors.trainings) == before
        if attempt % 2 == 0:
            finished = {k for t in storage.load_study(run_dir).trials for k in t.user_attrs["trained"]}
            assert len(errors.trainings) <= len(finished)


def test_seeded_runs_repeat_and_other_seeds_differ(problem, space):
    def run(seed):
        fresh = replace(problem, error_model=SyntheticErrors(space, seed=0))
        return summary(search(fresh, SearchOptions(sampler="tpe", n_trials=15, seed=seed)).study)

    assert run(0) == run(0) != run(1)


def test_memoized_finds_the_whole_front_and_says_why_it_stops(problem, space):
    errors = SyntheticErrors(space, seed=5)
    result = search(replace(problem, error_model=errors), SearchOptions(sampler="memoized"))
    assert "hypervolume" in result.reason or "every branch" in result.reason
    exhaustive = search(
        replace(problem, error_model=SyntheticErrors(space, seed=5)), SearchOptions(sampler="exhaustive")
    )
    assert result.trainings < 0.75 * exhaustive.trainings
    assert result.hypervolume > 0.99 * exhaustive.hypervolume


def test_what_is_remembered_costs_nothing(problem, space):
    errors = SyntheticErrors(space, seed=0, remember=True)
    result = search(replace(problem, error_model=errors), SearchOptions(sampler="memoized"))
    assert errors.trainings == []
    assert result.trainings == 0
    assert len(result.points) == len([t for t in result.study.trials if t.user_attrs["kind"] == "completion"]) > 5


def test_limits_hold(problem, space):
    errors = SyntheticErrors(space, seed=0)
    result = search(replace(problem, error_model=errors), SearchOptions(sampler="exhaustive", n_trainings=5))
    assert len(errors.trainings) == 5 == result.trainings
    assert "5 trainings" in result.reason
    result = search(replace(problem, error_model=errors), SearchOptions(sampler="exhaustive", timeout_s=0.0))
    assert result.trials == 0


def test_a_sampler_that_brings_nothing_new_does_not_spin_forever(problem, monkeypatch):
    monkeypatch.setattr(asking, "MOST_STALE", 20)

    class Never:
        rules = ("no",)

        def assess(self, point):
            from tinysearch.core.limits import Violation
            from tinysearch.search.known.assess import Assessment

            return Assessment(violations=(Violation(rule="no", limit=0, actual=1, message="never"),))

    result = search(replace(problem, assessor=Never()), SearchOptions(sampler="random"))
    assert result.trials == 20
    assert "nothing new" in result.reason
    assert result.points == ()


class _Waits:
    """A sampler that waits for a training that nobody does."""

    def resume(self, trials):
        """Nothing to remember."""

    def propose(self, knowledge, rng):
        return Wait()


def test_a_sampler_that_waits_for_nothing_does_not_wait_forever(problem):
    result = search(problem, SearchOptions(sampler="patient", sampler_factory=lambda *_, **__: _Waits(), n_trials=3))
    assert result.reason == "the sampler waits for a training, and none is under way"
    assert result.trials == 0


def test_trials_took_the_time_between_their_proposal_and_their_end(problem):
    before = datetime.now()
    result = search(problem, SearchOptions(sampler="random", n_trials=4, seed=0))
    after = datetime.now()
    for trial in result.study.trials:
        assert before <= trial.datetime_start <= trial.datetime_complete <= after


def test_variables_that_a_completion_leaves_open_are_drawn_for_each(problem):
    study = search(problem, SearchOptions(sampler="exhaustive", seed=0)).study
    alone = [
        tuple(value for name, value in sorted(trial.params.items()) if name.startswith("voice"))
        for trial in study.trials
        if trial.user_attrs["kind"] == "completion" and trial.params["modality"] == "face"
    ]
    assert len(alone) > 2
    assert len(set(alone)) > 1


def test_events_tell_what_happens(problem):
    events = []
    result = search(problem, SearchOptions(sampler="exhaustive", n_trials=4), on_event=events.append)
    kinds = [event.kind for event in events]
    assert kinds[0] == "started"
    assert kinds[-1] == "stopped"
    assert kinds.count("trained") == 4 == kinds.count("trial")
    ticks = [event for event in events if event.kind == "training"]
    assert [event.fraction for event in ticks[:2]] == [0.5, 1.0]
    assert events[-1].message == result.reason
    assert events[-1].front_size >= len(result.points) > 0
    assert all(event.remaining_s is not None for event in events if event.kind == "trial")
    volumes = [event.hypervolume for event in events]
    assert volumes == sorted(volumes)
    assert events[-1].best[0] == pytest.approx(min(point.values["eer"] for point in result.points))


class Interrupted(SyntheticErrors):
    """Ctrl-C arrives in the middle of the n-th training."""

    def __init__(self, space, *, at, seed=0):
        super().__init__(space, seed=seed)
        self.at = at

    def train(self, branch, *, progress):
        if len(self.trainings) == self.at and not self.knows(branch):
            os.kill(os.getpid(), signal.SIGINT)
        return super().train(branch, progress=progress)


def test_ctrl_c_ends_in_good_order_and_the_run_goes_on_later(problem, space, tmp_path):
    options = SearchOptions(sampler="memoized", n_trials=10)
    before = signal.getsignal(signal.SIGINT)
    errors = Interrupted(space, at=4)
    stopped = search(replace(problem, error_model=errors), options, run_dir=tmp_path)
    assert stopped.interrupted
    assert len(errors.trainings) == 4
    assert stopped.points
    assert signal.getsignal(signal.SIGINT) is before
    errors.at = -1
    resumed = search(replace(problem, error_model=errors), options, run_dir=tmp_path)
    assert not resumed.interrupted
    assert max(Counter(errors.trainings).values()) == 1
    undisturbed = search(replace(problem, error_model=SyntheticErrors(space, seed=0)), options)
    assert front_ids(resumed) == front_ids(undisturbed)


class Failing(SyntheticErrors):
    def __init__(self, space, *, fails, error=None, seed=0):
        super().__init__(space, seed=seed)
        self.fails, self.error, self.attempts = fails, error or RuntimeError("loss is NaN"), []

    def train(self, branch, *, progress):
        self.attempts.append(branch)
        if self.fails(len(self.attempts) - 1):
            raise self.error
        return super().train(branch, progress=progress)


def test_a_failed_training_fails_its_trial_only(problem, space):
    errors = Failing(space, fails=lambda n: n in (2, 3))
    result = search(replace(problem, error_model=errors), SearchOptions(sampler="memoized", n_trials=8))
    failed = [t for t in result.study.trials if t.state == optuna.trial.TrialState.FAIL]
    assert len(failed) >= 2
    assert all("loss is NaN" in t.user_attrs["error"] for t in failed)
    assert max(Counter(errors.attempts).values()) == 1
    assert result.points


def test_when_everything_fails_the_search_gives_up(problem, space):
    with pytest.raises(TinysearchError, match="none succeeded"):
        search(replace(problem, error_model=Failing(space, fails=lambda n: True)), SearchOptions(sampler="memoized"))
    complaint = UserError("a data set has people", value="none", remedy="prepare it")
    with pytest.raises(UserError, match="people"):
        search(
            replace(problem, error_model=Failing(space, fails=lambda n: True, error=complaint)),
            SearchOptions(sampler="memoized"),
        )


@pytest.mark.parametrize("error", [UserError("a face must have ears", value="none", remedy="x"), SystemExit(3)])
def test_a_branch_of_which_a_trainer_complains_ends_no_search(problem, space, error):
    errors = Failing(space, fails=lambda n: n == 1, error=error)
    result = search(replace(problem, error_model=errors), SearchOptions(sampler="memoized", n_trials=6))
    assert result.points and len(errors.attempts) > 2


def test_a_branch_that_cannot_be_answered_ends_no_search(problem, space):
    class Forgetful(SyntheticErrors):
        def error_rates(self, branches):
            if list(branches) == self.trainings[1:2]:
                raise TinysearchError("its entry was damaged meanwhile")
            return super().error_rates(branches)

    errors = Forgetful(space, seed=0)
    result = search(replace(problem, error_model=errors), SearchOptions(sampler="memoized", n_trials=6))
    assert result.points


def test_a_full_disk_is_one_line(problem, space, tmp_path):
    full = OSError(28, "No space left on device")
    with pytest.raises(UserError, match="must be space") as caught:
        search(
            replace(problem, error_model=Failing(space, fails=lambda n: n == 1, error=full)),
            SearchOptions(sampler="memoized"),
            run_dir=tmp_path,
        )
    assert "\n" not in str(caught.value)


class Elsewhere(SyntheticErrors):
    """As on another machine with another cache: trained, but not to be seen here."""

    def knows(self, branch):
        return False

    def error_rates(self, branches):
        raise FileNotFoundError(2, "No such file or directory", "embeddings.npz")


def test_machines_without_a_common_cache_are_told_so(problem, space, monkeypatch):
    monkeypatch.setattr(history, "_PATIENCE_S", 0.1)
    monkeypatch.setattr(history, "_PAUSE_S", 0.05)
    with pytest.raises(UserError, match=r"cache\.dir") as caught:
        search(replace(problem, error_model=Elsewhere(space, seed=0)), SearchOptions(sampler="exhaustive"))
    assert "\n" not in str(caught.value)


class Lucky(SyntheticErrors):
    """Validation and test disagree: what looked best on validation people is not on test people."""

    def error_rates(self, branches):
        rates = super().error_rates(branches)
        digit = sum(map(ord, "".join(b.key for b in branches))) % 7
        return ErrorRates(eer=rates.eer * (1 + digit / 7), evidence="trained", eer_validation=rates.eer)


def test_the_front_is_chosen_on_validation_and_thinned_on_test(problem, space):
    result = search(
        replace(problem, error_model=Lucky(space, seed=0)), SearchOptions(sampler="exhaustive", n_trials=40)
    )
    chosen = np.array([list(p.values.values()) for p in result.points])
    shown = np.array([list(p.shown.values()) for p in result.points])
    assert is_nondominated(chosen).all()
    assert is_nondominated(shown).all()
    completed = [t for t in result.study.trials if t.user_attrs["feasible"]]
    decided = np.array([t.values for t in completed])
    assert is_nondominated(decided).sum() > len(result.points)
    assert (shown[:, 0] >= chosen[:, 0]).all()
    assert [p.rates.eer for p in result.points] == shown[:, 0].tolist()


def test_nothing_feasible_is_said_at_once(problem):
    empty = replace(
        problem.table,
        needs=np.zeros((0, 2), int),
        analytic=np.zeros((0, 4)),
        platform=np.zeros(0, int),
    )
    with pytest.raises(UserError, match="feasible"):
        search(replace(problem, table=empty), SearchOptions())


def test_unknown_names_are_one_line(problem):
    for options in (
        SearchOptions(sampler="magic"),
        SearchOptions(sampler="memoized", sampler_options={"magic": 1}),
        SearchOptions(sampler="tpe", sampler_options={"magic": 1}),
        SearchOptions(engine="magic"),
        SearchOptions(n_workers=0),
    ):
        with pytest.raises(UserError):
            search(problem, options)


class _Slow(SyntheticErrors):
    """The second training never ends by itself."""

    def train(self, branch, *, progress):
        while self.trainings:
            progress(TrainingProgress(branch=branch, phase="epoch", fraction=0.5))
        return super().train(branch, progress=progress)


def test_a_design_that_cannot_be_trained_is_nothing_new(problem, space, monkeypatch):
    monkeypatch.setattr(asking, "MOST_STALE", 20)
    errors = Failing(space, fails=lambda n: n > 1)
    result = search(replace(problem, error_model=errors), SearchOptions(sampler="random", n_trials=2000))
    assert result.reason == "20 proposals in a row brought nothing new"


def test_what_test_people_say_is_shown_and_what_validation_people_say_decides(problem, space):
    class Split(SyntheticErrors):
        def error_rates(self, branches):
            rates = super().error_rates(branches)
            frr = min(0.9, 3 * rates.eer)
            return replace(rates, frr_at_far={0.01: frr}, frr_at_far_validation={0.01: frr / 2})

    objectives = ("effective_latency_far1_s", "bom_cost_usd")
    chosen = replace(problem, error_model=Split(space, seed=0), objectives=objectives)
    points = search(chosen, SearchOptions(sampler="exhaustive")).points
    table, names = chosen.table, chosen.table.columns
    for point in points:
        attempt = sum(table.analytic[point.row, names.index(name)] for name in ("acquisition_s", "latency_s"))
        frr = point.rates.frr_at_far[0.01]
        assert point.values["effective_latency_far1_s"] == pytest.approx(attempt / (1 - frr / 2))
        assert point.shown["effective_latency_far1_s"] == pytest.approx(attempt / (1 - frr))
    assert is_nondominated(np.array([list(point.shown.values()) for point in points])).all()


def test_a_training_in_this_process_ends_with_the_time_and_is_no_interrupt(space, problem):
    errors = _Slow(space, seed=0)
    result = search(replace(problem, error_model=errors), SearchOptions(sampler="exhaustive", timeout_s=0.3))
    assert len(errors.trainings) == 1
    assert not result.interrupted
    assert result.reason == "the time is up"
    assert result.points


def test_building_the_space_counts_as_time_of_the_run(problem):
    result = search(problem, SearchOptions(sampler="exhaustive", timeout_s=60.0, spent_s=61.0))
    assert (result.reason, result.trainings, result.interrupted) == ("the time is up", 0, False)


def test_training_time_is_what_a_study_trains_itself(problem, space):
    free = SyntheticErrors(space, seed=0)
    unlimited = search(replace(problem, error_model=free), SearchOptions(sampler="exhaustive", n_trainings=8))
    limited = SyntheticErrors(space, seed=0)
    options = SearchOptions(sampler="exhaustive", training_s=unlimited.training_s / 2)
    result = search(replace(problem, error_model=limited), options)
    assert 0 < len(limited.trainings) < 8
    assert result.training_s >= unlimited.training_s / 2
    assert "minutes were trained" in result.reason
    assert "a new run of the same command trains for" in result.reason


class _RemembersSome(SyntheticErrors):
    """Some branches were trained before, and took their time then."""

    def __init__(self, space, some):
        super().__init__(space, seed=0)
        self._trained |= set(some)

    def train(self, branch, *, progress):
        record = super().train(branch, progress=progress)
        return replace(record, seconds=self.seconds(branch)) if record.remembered else record


def test_a_first_answer_counts_what_remembered_branches_took(problem, space):
    errors = _RemembersSome(space, space.branches[:6])
    took = sum(errors.seconds(branch) for branch in space.branches[:6])
    result = search(replace(problem, error_model=errors), SearchOptions(sampler="exhaustive", answer_s=took / 2))
    assert errors.trainings == []
    assert result.points
    assert f"this one on {took / 60:.1f} ({took / 60:.1f} of them remembered)" in result.reason
    asked_again = SearchOptions(sampler="exhaustive", training_s=took / 2)
    assert search(replace(problem, error_model=errors), asked_again).trainings
    options = SearchOptions(sampler="exhaustive", answer_s=took + 1.0)
    result = search(replace(problem, error_model=errors), options)
    assert errors.trainings
