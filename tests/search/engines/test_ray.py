"""Trainings on a real Ray cluster of two nodes on this machine, and on one that the search starts itself."""

from __future__ import annotations

import os
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from toy_space import SyntheticErrors
from worker_errors import Complaining, Rough, front, front_of_known, trained

from tinysearch.core.errors import UserError
from tinysearch.search.engines import RayEngine, RayOptions, WorkerDiedError
from tinysearch.search.engines.ray import _connect
from tinysearch.search.loop import SearchOptions, search

pytestmark = [
    # Ray leaves sockets and files to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def cluster():
    """A cluster of two nodes with one processor each."""
    pytest.importorskip("ray", reason="ray is not installed: pip install '.[ray]'")
    from ray.cluster_utils import Cluster

    paths = [str(Path(__file__).parents[1]), str(Path(__file__).parents[3] / "benchmarks")]
    with pytest.MonkeyPatch.context() as patch:
        # The error models of these tests live in test modules, which Ray's workers must be able to import.
        patch.setenv("PYTHONPATH", os.pathsep.join(paths))
        small = {"num_cpus": 1, "object_store_memory": 100 << 20}
        cluster = Cluster(initialize_head=True, head_node_args=small | {"include_dashboard": False})
        cluster.add_node(**small)
        yield cluster
        cluster.shutdown()


@pytest.fixture
def address(cluster):
    return cluster.address


@pytest.mark.slow
def test_the_front_is_that_of_one_process_and_a_dead_task_fails_its_trial_only(address, problem, space, tmp_path):
    deadly = min((b for b in space.branches if b.modality == "voice"), key=lambda b: space.size[b][1])
    errors = Rough(space, path=tmp_path / "log", deadly=deadly.key, pause=0.2)
    events = []
    options = SearchOptions(sampler="exhaustive", n_trials=8, n_workers=2)
    result = search(
        replace(problem, error_model=errors),
        replace(options, engine="ray", engine_options={"address": address}),
        on_event=events.append,
    )
    lines = trained(tmp_path / "log")
    assert len({key for key, _ in lines}) == len(lines) == 8
    assert str(os.getpid()) not in {pid for _, pid in lines}
    failed = [t for t in result.study.trials if t.state.name == "FAIL"]
    assert [t.user_attrs["branches"] for t in failed] == [[deadly.key]]
    assert "died" in failed[0].user_attrs["error"]
    assert {e.kind for e in events} >= {"training", "trained", "failed", "trial"}
    assert front(result) == front_of_known(problem, space, {key for key, _ in lines} - {deadly.key})


@pytest.mark.slow
def test_errors_come_home_and_impossible_wishes_are_refused(address, space):
    engine = RayEngine(Complaining(), n_workers=2, options=RayOptions(address=address))
    reports = []
    for branch in space.branches[:2]:
        engine.submit(branch)
    while len(reports) < 2:
        reports += engine.wait(lambda: False)
    engine.close()
    engine.close()
    by_precision = {str(report.branch.precision): report.error for report in reports}
    assert isinstance(by_precision["float32"], UserError)
    assert "Strange" in str(by_precision["int8"])
    with pytest.raises(UserError, match="must hold one training"):
        RayEngine(Complaining(), n_workers=1, options=RayOptions(address=address, num_gpus=1))
    import ray

    assert not ray.is_initialized()


@pytest.mark.slow
def test_a_machine_that_goes_away_takes_its_training_along_and_no_other(cluster, space, tmp_path):
    extra = cluster.add_node(num_cpus=2, object_store_memory=100 << 20)
    doomed = Rough(space, path=tmp_path / "log", pause=600.0)
    options = RayOptions(address=cluster.address, num_cpus=2)  # only the new machine holds one
    engine = RayEngine(doomed, n_workers=1, options=options)
    engine.submit(space.branches[0])
    while not (tmp_path / "log").exists():
        assert not [report for report in engine.wait(lambda: False) if report.error]
    cluster.remove_node(extra)
    reports = []
    while not reports:
        reports = [report for report in engine.wait(lambda: False) if report.progress is None]
    assert isinstance(reports[0].error, WorkerDiedError)
    engine.close()
    engine = RayEngine(SyntheticErrors(space, seed=0), n_workers=1, options=replace(options, num_cpus=1))
    engine.submit(space.branches[0])
    while not (reports := [report for report in engine.wait(lambda: False) if report.progress is None]):
        pass
    engine.close()
    assert reports[0].record is not None


def test_a_cluster_is_started_where_none_is_named(problem, space, capfd):
    pytest.importorskip("ray", reason="ray is not installed: pip install '.[ray]'")
    errors = SyntheticErrors(space, seed=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[3] / "benchmarks"))
        result = search(
            replace(problem, error_model=errors), SearchOptions(sampler="exhaustive", n_trials=2, engine="ray")
        )
    assert result.trainings == 2
    assert errors.trainings == []
    out, err = capfd.readouterr()
    assert out + err == ""


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "127.0.0.1:99999"])
def test_a_cluster_that_is_not_there_is_one_line_at_once(space, address):
    pytest.importorskip("ray", reason="ray is not installed: pip install '.[ray]'")
    with pytest.raises(UserError, match=r"ray\.address") as caught:
        RayEngine(SyntheticErrors(space, seed=0), n_workers=1, options=RayOptions(address=address))
    assert "\n" not in str(caught.value)


class _Slow:
    """Stands for ray on a busy machine: misses its own deadline some times."""

    def __init__(self, misses):
        self.misses, self.starts, self.cleared = misses, 0, 0

    def init(self, **_):
        self.starts += 1
        if self.starts <= self.misses:
            raise Exception("The current node timed out during startup.\nMore words.")

    def shutdown(self):
        self.cleared += 1


def test_a_busy_machine_gets_more_than_one_start():
    ray = _Slow(misses=2)
    _connect(ray, RayOptions(), n_workers=1)
    assert (ray.starts, ray.cleared) == (3, 2)


def test_a_machine_that_cannot_start_ray_is_offered_the_local_engine():
    with pytest.raises(UserError, match=r"timed out during startup.*engine=local") as caught:
        _connect(_Slow(misses=99), RayOptions(), n_workers=1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("wrong", [{"num_cpus": -1}, {"num_gpus": "many"}])
def test_wrong_resources_are_one_line(wrong):
    with pytest.raises(UserError, match=r"ray\.num"):
        RayOptions(**wrong)


def test_without_ray_it_says_what_to_install(problem, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r"pip install .*ray"):
        search(problem, SearchOptions(engine="ray"))


@pytest.mark.slow
def test_two_hundred_trainings_over_eight_workers_all_come_home(cluster, space):
    options = RayOptions(address=cluster.address, num_cpus=2 / 8)  # eight at once on two processors
    engine = RayEngine(SyntheticErrors(space, seed=0), n_workers=8, options=options)
    waiting = [space.branches[number % len(space.branches)] for number in range(200)]
    asked = Counter(waiting)
    known, under_way = [], 0
    while waiting or under_way:
        while waiting and under_way < 8:
            engine.submit(waiting.pop())
            under_way += 1
        done = [report for report in engine.wait(lambda: False) if report.progress is None]
        under_way -= len(done)
        known += done
    engine.close()
    assert [report.error for report in known if report.error is not None] == []
    assert Counter(report.record.branch for report in known) == asked
