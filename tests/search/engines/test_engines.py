from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from toy_space import SyntheticErrors
from worker_errors import Complaining, Rough, front, front_of_known, trained

from tinysearch.core.errors import UserError
from tinysearch.search.engines import ProcessEngine, WorkerDiedError
from tinysearch.search.engines.inline import InlineEngine
from tinysearch.search.loop import SearchOptions, search


def test_workers_train_everything_once_and_a_dead_one_is_replaced(problem, space, tmp_path):
    deadly = min((b for b in space.branches if b.modality == "voice"), key=lambda b: space.size[b][1])
    errors = Rough(space, path=tmp_path / "log", deadly=deadly.key)
    events = []
    result = search(
        replace(problem, error_model=errors),
        SearchOptions(sampler="exhaustive", n_trials=10, n_workers=2, engine="local"),
        on_event=events.append,
    )
    lines = trained(tmp_path / "log")
    assert max(Counter(key for key, _ in lines).values()) == 1
    assert str(os.getpid()) not in {pid for _, pid in lines}
    failed = [t for t in result.study.trials if t.state.name == "FAIL"]
    assert [t.user_attrs["branches"] for t in failed] == [[deadly.key]]
    assert "died" in failed[0].user_attrs["error"]
    assert result.trials == 10
    assert result.trainings == 9
    assert {e.kind for e in events} >= {"training", "trained", "failed", "trial"}
    assert front(result) == front_of_known(problem, space, {key for key, _ in lines} - {deadly.key})


def test_a_stop_leaves_no_process_behind(space, tmp_path):
    engine = ProcessEngine(Rough(space, path=tmp_path / "log", pause=60.0), n_workers=1)
    engine.submit(space.branches[0])
    while not engine.wait(lambda: False):
        pass
    pid = int(trained(tmp_path / "log")[0][1])
    engine.close()
    engine.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_errors_come_home_in_one_piece(space, tmp_path):
    engine = ProcessEngine(Complaining(), n_workers=1)
    reports = []
    for branch in space.branches[:2]:
        engine.submit(branch)
    while len(reports) < 2:
        reports += engine.wait(lambda: False)
    engine.close()
    assert isinstance(reports[0].error, UserError)
    assert "prepare it" in str(reports[0].error)
    assert not isinstance(reports[1].error, WorkerDiedError)
    assert "Strange" in str(reports[1].error)


class Offline(SyntheticErrors):
    """Its trainings lose the connection to wherever they fetch from."""

    def train(self, branch, *, progress):
        raise ConnectionResetError("the server of the data set hung up")


class Unmannered(SyntheticErrors):
    """Its trainings raise, one after the other, what ends programs and no searches."""

    def train(self, branch, *, progress):
        self.trainings.append(branch)
        raise (SystemExit("no GPU"), KeyboardInterrupt("mine"), GeneratorExit("closed"))[len(self.trainings) - 1]


def ends(engine, model, branches):
    """Reports of the ends of trainings by one worker."""
    options = {"n_workers": 1} if engine is ProcessEngine else {"on_progress": lambda _: None}
    running = engine(model, **options)
    for branch in branches:
        running.submit(branch)
    try:
        reports = []
        while len(reports) < len(branches):
            reports += running.wait(lambda: False)
    finally:
        running.close()
    return reports


@pytest.mark.parametrize("engine", [InlineEngine, ProcessEngine])
def test_a_trainer_fails_its_training_whatever_it_raises(space, engine):
    (lost,) = ends(engine, Offline(space, seed=0), space.branches[:1])
    assert "hung up" in str(lost.error)
    rude = [str(report.error) for report in ends(engine, Unmannered(space, seed=0), space.branches[:3])]
    for said, expected in zip(
        rude, ("SystemExit no GPU", "KeyboardInterrupt mine", "GeneratorExit closed"), strict=True
    ):
        assert expected in said and "died" not in said


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(0)])
def test_who_watches_a_training_may_end_the_search(space, error):
    def watch(report):
        raise error

    engine = InlineEngine(SyntheticErrors(space, seed=0), on_progress=watch)
    engine.submit(space.branches[0])
    with pytest.raises(type(error)):
        engine.wait(lambda: False)


def test_what_cannot_be_sent_is_refused(space):
    model = Complaining()
    model.handle = lambda: None
    with pytest.raises(UserError, match="picklable"):
        ProcessEngine(model, n_workers=2)


SCRIPT = """
import sys
from dataclasses import replace
from pathlib import Path

sys.path[:0] = {paths!r}
import numpy as np
from worker_errors import OBJECTIVES, Rough
from toy_space import ToySpace
from tinysearch.search.loop import SearchOptions, StudyProblem, search

print("script runs", flush=True)
space = ToySpace(budget_usd=11.0)
problem = StudyProblem(
    table=space.table,
    flat=space.flat,
    objectives=OBJECTIVES,
    error_model=Rough(space, path=Path("log")),
    assessor=space,
)
result = search(problem, SearchOptions(sampler="exhaustive", n_trials=3, n_workers=2))
print(result.trainings, "trainings", __file__ is not None)
"""


def test_a_script_without_a_main_guard_is_run_once(tmp_path):
    """Spawned workers import the main module again unless it is hidden from them."""
    paths = [str(Path(__file__).parents[1]), str(Path(__file__).parents[3] / "benchmarks")]
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(paths=paths))
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["script runs", "3 trainings True"]
    assert len({pid for _, pid in trained(tmp_path / "log")}) == 2
