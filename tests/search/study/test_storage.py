from __future__ import annotations

import multiprocessing

import optuna
import pytest

from tinysearch.core.errors import UserError
from tinysearch.search.loop import SearchOptions, search
from tinysearch.search.study import storage


@pytest.fixture
def journal(problem, tmp_path):
    search(problem, SearchOptions(sampler="random", n_trials=6), run_dir=tmp_path)
    return tmp_path / storage.JOURNAL


def test_a_line_cut_anywhere_costs_only_that_line(journal):
    raw = journal.read_bytes()
    last = raw.rstrip(b"\n").rfind(b"\n") + 1
    whole = len(storage.load_study(journal.parent).trials)
    for cut in (last + 1, last + 20, (last + len(raw)) // 2, len(raw) - 2):
        journal.write_bytes(raw[:cut])
        assert storage.end_journal(journal) == cut - last
        assert journal.read_bytes() == raw[:last]
        study = storage.load_study(journal.parent)
        assert len(study.trials) == whole - 1
        study.add_trial(optuna.trial.create_trial(state=optuna.trial.TrialState.FAIL))
        assert len(storage.load_study(journal.parent).trials) == whole
    for whole_but_its_end in (raw, raw[:-1], raw[:-1] + b"\x08"):
        journal.write_bytes(whole_but_its_end)
        assert storage.end_journal(journal) == 0
        assert journal.read_bytes() == raw


def test_what_was_never_a_journal_is_left_alone(tmp_path):
    diary = tmp_path / storage.JOURNAL
    diary.write_text("my diary\nline two\n")
    with pytest.raises(UserError, match="name another run_dir"):
        storage.open_journal(tmp_path, objectives=("eer",))
    assert diary.read_text() == "my diary\nline two\n"


@pytest.mark.parametrize("line", ["garbage", '{"op_code":99}', "[1,2]", "[" * 9999, '{"op_code":2,"study_id":"x"}'])
def test_a_journal_that_somebody_changed_is_one_line(journal, line):
    lines = journal.read_text().splitlines()
    journal.write_text("\n".join([*lines[:5], line, *lines[6:]]) + "\n")
    for read in (storage.load_study, lambda folder: storage.open_journal(folder, objectives=("eer", "usd", "s"))):
        with pytest.raises(UserError, match="as the search wrote it") as caught:
            read(journal.parent)
        assert "\n" not in str(caught.value)


def test_names_constraints_and_attributes_are_there_for_the_dashboard(journal):
    study = storage.load_study(journal.parent)
    assert study.metric_names == ["eer", "bom_cost_usd", "latency_s"]
    assert any(not t.user_attrs["feasible"] for t in study.trials)
    for trial in study.trials:
        constraints = trial.system_attrs["constraints"]
        assert all(c <= 0 for c in constraints) == trial.user_attrs["feasible"]
        if not trial.user_attrs["feasible"]:
            assert trial.user_attrs["violations"]
            assert trial.user_attrs["trained"] == []
            assert trial.values is None  # and no error of a guess
            assert storage.as_told([trial])[0].values == trial.system_attrs.get(storage.GUESSED)
        if trial.user_attrs.get("modality") == "face":
            layouts = storage.as_told([trial])[0].user_attrs
            assert layouts["face_blocks"] in trial.user_attrs["branches"][0]
            assert "voice_blocks" not in layouts
    assert any(storage.GUESSED in t.system_attrs for t in study.trials)
    feasible = [t for t in study.trials if t.user_attrs["feasible"]]
    assert {t.number for t in study.best_trials} <= {t.number for t in feasible}


def test_other_rules_are_refused_by_name(journal, problem):
    from dataclasses import replace

    changed = replace(problem, rules={"space": "toy", "data": "2"})
    with pytest.raises(UserError, match="other data") as caught:
        search(changed, SearchOptions(n_trials=8), run_dir=journal.parent)
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="objectives"):
        search(replace(problem, objectives=("eer", "latency_s")), SearchOptions(n_trials=8), run_dir=journal.parent)


def _hold(path, ready, done):
    with storage.run_lock(path):
        ready.set()
        done.wait(20)


def test_two_searches_do_not_share_a_run_directory(tmp_path):
    context = multiprocessing.get_context("fork")
    ready, done = context.Event(), context.Event()
    process = context.Process(target=_hold, args=(tmp_path, ready, done))
    process.start()
    assert ready.wait(20)
    with pytest.raises(UserError, match="one process at a time"), storage.run_lock(tmp_path):
        pass
    process.kill()
    process.join()
    with storage.run_lock(tmp_path):
        pass


def test_a_lock_file_left_by_a_killed_writer_does_not_block(journal, problem):
    (journal.parent / "journal.log.lock").symlink_to(journal)
    result = search(problem, SearchOptions(sampler="random", n_trials=7), run_dir=journal.parent)
    assert result.trials == 7
