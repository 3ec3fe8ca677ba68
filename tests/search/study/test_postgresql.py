"""Processes that share a study on a real PostgreSQL server, started by these tests in a folder of their own."""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import signal
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from postgres_server import PASSWORD, Server, programs, server, stop
from toy_space import SyntheticErrors, ToySpace
from worker_errors import Rough, front, front_of_known, trained

from tinysearch.core.errors import UserError
from tinysearch.search.loop import SearchOptions, StudyProblem, search
from tinysearch.search.study import postgresql
from tinysearch.search.study.claims import PostgresClaims
from tinysearch.search.study.shared import SharedStudy

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # see the end of the fixture
    pytest.mark.skipif(programs() is None, reason="PostgreSQL is not installed: apt-get install postgresql"),
]
OBJECTIVES = ("eer", "bom_cost_usd", "latency_s")


@pytest.fixture(scope="module")
def database():
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install '.[postgresql]'")
    # Not pytest's own folder: its name is too long for a socket, and only its owner may enter it.
    with tempfile.TemporaryDirectory(prefix="pg-") as name, server(Path(name)) as running:
        yield running
        # A result's study stays connected for as long as somebody holds it, as Optuna's always do.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


def shared(database, request, **more):
    return SharedStudy(url=database.url, name=request.node.name[-60:], **({"expire_s": 3.0} | more))


class Slow(Rough):
    """Each training takes a moment, and one may take for ever in a process that is to die."""

    def __init__(self, space, *, path, pause, hang_on=None):
        super().__init__(space, path=path, pause=pause)
        self.hang_on = hang_on

    def train(self, branch, *, progress):
        if branch.key == self.hang_on:
            with self.path.with_name("hanging").open("w") as file:
                file.write(str(os.getpid()))
            time.sleep(600)
        return super().train(branch, progress=progress)


def problem_with(errors):
    space = ToySpace(budget_usd=11.0)
    rules = {"space": "toy", "data": "1"}
    return StudyProblem(
        table=space.table, flat=space.flat, objectives=OBJECTIVES, error_model=errors, assessor=space, rules=rules
    )


def work(folder, options, hang_on=None):
    """A worker process: joins, searches, tells what it did."""
    errors = Slow(ToySpace(budget_usd=11.0), path=folder / "log", pause=0.02, hang_on=hang_on)
    result = search(problem_with(errors), options)
    (folder / f"worker-{os.getpid()}.json").write_text(json.dumps({"reason": result.reason}))


def start(*arguments):
    process = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    process.start()
    return process


@pytest.mark.parametrize("sampler", ["tpe"])
def test_three_processes_train_each_branch_once_and_find_the_front_of_one(database, space, tmp_path, request, sampler):
    study = shared(database, request)
    options = SearchOptions(sampler=sampler, n_trials=40, shared=study)
    workers = [start(tmp_path, replace(options, shared=replace(study, join=True))) for _ in range(2)]
    errors = Slow(space, path=tmp_path / "log", pause=0.02)
    result = search(problem_with(errors), options, run_dir=tmp_path / "run")
    for worker in workers:
        worker.join(timeout=120)
        assert worker.exitcode == 0
    keys = [key for key, _ in trained(tmp_path / "log")]
    assert max(Counter(keys).values()) == 1
    assert front(result) == front_of_known(problem_with(errors), space, set(keys))
    trials = result.study.get_trials()
    proposals = [trial for trial in trials if trial.user_attrs["kind"] == "proposal"]
    # Each process may be about to tell one more when the last one is counted.
    assert 40 <= len(proposals) <= 42
    told = Counter(trial.user_attrs["worker"] for trial in proposals)
    assert len(told) == 3
    assert sorted(key for trial in trials for key in trial.user_attrs["trained"]) == sorted(keys)
    assert database.query("SELECT count(*) FROM tinysearch_claims") == [(0,)]
    assert len(list(tmp_path.glob("worker-*.json"))) == 2


def test_the_training_of_a_killed_worker_is_done_by_another(database, space, tmp_path, request):
    study = shared(database, request, expire_s=600.0)  # not waited for: a process that is gone is seen
    options = SearchOptions(sampler="exhaustive", n_trials=6, shared=study)
    victim_branch = search(problem_with(SyntheticErrors(space, seed=0)), replace(options, shared=None)).study.trials[0]
    key = victim_branch.user_attrs["branches"][0]
    victim = start(tmp_path, options, key)
    while not (tmp_path / "hanging").exists() or not (tmp_path / "hanging").read_text():
        assert victim.is_alive()
        time.sleep(0.05)
    os.kill(victim.pid, signal.SIGKILL)
    victim.join()
    result = search(problem_with(Slow(space, path=tmp_path / "log", pause=0.0)), options)
    keys = [key for key, _ in trained(tmp_path / "log")]
    assert key in keys
    assert max(Counter(keys).values()) == 1
    assert result.trials == 6
    assert not [trial for trial in result.study.trials if trial.state.name != "COMPLETE"]


def test_one_process_decides_as_it_does_without_a_database_and_resumes(database, space, request):
    study = shared(database, request)
    options = SearchOptions(sampler="memoized", n_trials=9, seed=2)
    alone = search(problem_with(SyntheticErrors(space, seed=0)), options)
    first = search(problem_with(SyntheticErrors(space, seed=0)), replace(options, n_trials=4, shared=study))
    assert first.trials == 4
    errors = SyntheticErrors(space, seed=0)
    second = search(problem_with(errors), replace(options, shared=study))
    assert front(second) == front(alone)
    proposals = [t.user_attrs["id"] for t in second.study.trials if t.user_attrs["kind"] == "proposal"]
    assert proposals == [t.user_attrs["id"] for t in alone.study.trials if t.user_attrs["kind"] == "proposal"]
    assert second.trainings == alone.trainings
    changed = replace(problem_with(errors), rules={"space": "toy", "data": "2"})
    with pytest.raises(UserError, match="data"):
        search(changed, replace(options, shared=study))


class Saboteur(SyntheticErrors):
    """Stops the database in the middle of the third training."""

    def __init__(self, space, folder):
        super().__init__(space, seed=0)
        self.folder = folder

    def train(self, branch, *, progress):
        if len(self.trainings) == 2:
            stop(self.folder)
        return super().train(branch, progress=progress)


def test_a_database_that_goes_away_is_one_line_and_the_search_goes_on_later(space):
    with tempfile.TemporaryDirectory(prefix="pg-") as name:
        study = SharedStudy(url=Server(folder=Path(name)).url, expire_s=600.0)
        options = SearchOptions(sampler="exhaustive", n_trials=5, shared=study)
        with server(Path(name)), pytest.raises(UserError, match="must answer as long") as caught:
            search(problem_with(Saboteur(space, Path(name))), options)
        assert "\n" not in str(caught.value)
        assert PASSWORD not in str(caught.value)
        with server(Path(name)):
            errors = SyntheticErrors(space, seed=0)
            result = search(problem_with(errors), options)
        alone = search(problem_with(SyntheticErrors(space, seed=0)), replace(options, shared=None))
    assert (result.trials, len(errors.trainings)) == (5, 3)
    assert front(result) == front(alone)


def test_claims_are_exclusive_and_expire(database):
    def claims(expire_s):
        engine = postgresql._open_storage(postgresql.parse_url(database.url)).engine
        return PostgresClaims(engine, study="claims", expire_s=expire_s)

    one, two = claims(60.0), claims(60.0)
    assert one.take(["a", "b"])
    assert one.take(["a"])
    assert not two.take(["b", "c"])
    assert two.take(["c"])
    assert one.others() == {"c"}
    assert two.others() == {"a", "b"}
    one.release(["a", "c"])
    assert two.others() == {"b"}
    two.close()
    assert one.others() == frozenset()
    hasty = claims(0.5)
    # Its owner is seen every 12 s, so to somebody this hasty the claim is stale.
    time.sleep(1.0)
    assert hasty.take(["b"])
    assert one.others() == {"b"}
    # The hasty one itself is seen often enough to keep it.
    time.sleep(1.5)
    assert not claims(0.5).take(["b"])
    hasty.close()
    one.close()


def test_the_password_is_shown_nowhere(database, request, caplog):
    study = shared(database, request)
    assert PASSWORD in study.url
    texts = [repr(study), repr(SearchOptions(shared=study)), postgresql.shown(study.url), caplog.text]
    bad = study.url.replace(PASSWORD, "wrong-" + PASSWORD)
    elsewhere = study.url.replace(str(database.folder), "/does/not/exist")
    for url in (bad, elsewhere, "mysql://u:" + PASSWORD + "@h/d", "postgresql://u:" + PASSWORD + "@h:x/d", PASSWORD):
        with pytest.raises(UserError) as caught:
            postgresql.open_study(replace(study, url=url), objectives=OBJECTIVES)
        texts.append(str(caught.value))
        assert "\n" not in str(caught.value)
    assert not [text for text in texts[:-1] if PASSWORD in text]


def test_a_worker_without_a_search_says_so(database, request, monkeypatch):
    monkeypatch.setattr(postgresql, "JOIN_S", 0.6)
    with pytest.raises(UserError, match="start the search"):
        postgresql.open_study(shared(database, request, join=True), objectives=OBJECTIVES)
