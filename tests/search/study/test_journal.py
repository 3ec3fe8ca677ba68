"""Damage in a journal: a flipped bit is found, named with its line, and repaired without losing another line."""

from __future__ import annotations

import json
import logging
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import optuna
import pytest

from tinysearch.app.cli import main
from tinysearch.core.errors import UserError
from tinysearch.search.loop import SearchOptions, search
from tinysearch.search.study import storage
from tinysearch.search.study.repair import ASIDE, LOST


@pytest.fixture
def journal(problem, tmp_path: Path) -> Path:
    folder = tmp_path / "a run"
    search(problem, SearchOptions(sampler="random", n_trials=6), run_dir=folder)
    study = storage.load_study(folder)
    study._storage.set_study_system_attr(study._study_id, "note", "after the trials")
    return folder / storage.JOURNAL


def trials(journal: Path) -> list[dict[str, object]]:
    return [trial.user_attrs for trial in storage.load_study(journal.parent).trials]


def change(journal: Path, line: int, changed: Callable[[bytes], bytes]) -> None:
    lines = journal.read_bytes().splitlines()
    lines[line] = changed(lines[line])
    journal.write_bytes(b"\n".join(lines) + b"\n")


def repaired(journal: Path) -> int:
    return main(["journal", "repair", str(journal.parent)])


def test_a_flipped_bit_is_found_and_costs_its_line_alone(journal: Path, capsys) -> None:
    whole, raw = trials(journal), journal.read_bytes()
    places = np.random.default_rng(5).integers(len(raw) - 1, size=5)
    ends = [place for place, byte in enumerate(raw[:-1]) if byte == ord("\n")]
    for place, bit in [*zip(places, range(5), strict=True), *((end, 1) for end in ends[::6]), (3, 0), (11, 2)]:
        flipped = bytearray(raw)
        flipped[place] ^= 1 << bit % 8
        journal.write_bytes(flipped)
        with pytest.raises(UserError, match="must be as the search wrote it") as caught:
            storage.load_study(journal.parent)
        assert f"line {raw[:place].count(10) + 1} " in str(caught.value)
        assert f"journal repair {shlex.quote(str(journal.parent))}" in str(caught.value)
        assert repaired(journal) == 0
        left = trials(journal)
        assert len(left) == len(whole)
        assert all(a == b or a["kind"] == LOST for a, b in zip(left, whole, strict=True))
        lost = sum(trial["kind"] == LOST for trial in left)
        assert lost <= 1 + (raw[place] == ord("\n"))
        assert f"{len(whole) - lost} trials kept, {lost} lost" in capsys.readouterr().out


def test_a_repair_sets_aside_and_is_done_once(journal: Path, capsys) -> None:
    change(journal, 7, lambda line: line.replace(b"feasible", b"feasibel"))
    bad = journal.read_bytes().splitlines()[7]
    assert main(["journal", "check", str(journal.parent)]) == 2
    assert not journal.with_name(ASIDE).exists()
    assert repaired(journal) == 0
    assert journal.with_name(ASIDE).read_bytes() == b"# line 8 does not have its digest\n" + bad + b"\n"
    once = journal.read_bytes()
    assert "line 8" in capsys.readouterr().out
    assert repaired(journal) == main(["journal", "check", str(journal.parent)]) == 0
    assert journal.read_bytes() == once
    assert "line 8" not in capsys.readouterr().out


@pytest.mark.parametrize("sampler", ["memoized", "tpe"])
def test_a_repaired_run_goes_on(sampler: str, problem, tmp_path: Path) -> None:
    journal = tmp_path / storage.JOURNAL
    search(problem, SearchOptions(sampler=sampler, n_trials=5), run_dir=tmp_path)
    change(journal, 6, lambda _: b"\0" * 512)
    with pytest.raises(UserError, match="line 7 is not JSON"):
        search(problem, SearchOptions(sampler=sampler, n_trials=7), run_dir=tmp_path)
    assert repaired(journal) == 0
    assert search(problem, SearchOptions(sampler=sampler, n_trials=7), run_dir=tmp_path).trials == 7
    assert sum(trial["kind"] == LOST for trial in trials(journal)) == 1


@pytest.mark.parametrize("line", [0, 2])
def test_what_begins_a_journal_can_be_damaged_too(line: int, journal: Path, problem, capsys) -> None:
    before = trials(journal)
    change(journal, line, lambda text: text[: len(text) // 2])
    assert repaired(journal) == 0
    assert ("rules" in capsys.readouterr().out) == (line == 2)
    assert trials(journal) == before
    assert len(storage.load_study(journal.parent).directions) == 3


def test_the_journal_of_an_older_version_is_read_and_named_as_such(journal: Path, problem, caplog, capsys) -> None:
    records = [json.loads(line) for line in journal.read_bytes().splitlines()]
    assert all(list(record)[-1] == "digest" for record in records)
    plain = [{name: value for name, value in record.items() if name != "digest"} for record in records]
    journal.write_text("".join(json.dumps(record) + "\n" for record in plain))
    with caplog.at_level(logging.WARNING):
        assert search(problem, SearchOptions(sampler="random", n_trials=7), run_dir=journal.parent).trials == 7
    assert "whose lines have no digest" in caplog.text
    assert main(["journal", "check", str(journal.parent)]) == 0
    assert f"{len(plain)} lines of an older version" in capsys.readouterr().out


def test_plain_optuna_reads_it_and_may_write_to_it(journal: Path) -> None:
    backend = optuna.storages.journal.JournalFileBackend(str(journal))
    study = optuna.load_study(study_name=storage.STUDY_NAME, storage=optuna.storages.JournalStorage(backend))
    study.set_user_attr("dashboard:note", "a good one")
    assert storage.load_study(journal.parent).user_attrs["dashboard:note"] == "a good one"
    assert main(["journal", "check", str(journal.parent)]) == 0


def test_what_cannot_be_repaired_is_one_line(journal: Path, tmp_path: Path, capsys) -> None:
    with storage.run_lock(journal.parent):
        assert main(["journal", "repair", str(journal.parent)]) == 2
    assert "one process at a time" in capsys.readouterr().err
    for words in (["repair"], ["mend", str(tmp_path)], ["repair", str(tmp_path / "none")], ["check", "x", "y=z"]):
        assert main(["journal", *words]) == 2
    (tmp_path / storage.JOURNAL).write_text("my diary\nline two\n")
    assert main(["journal", "repair", str(tmp_path)]) == 2
    assert all(line.startswith("tinysearch: ") for line in capsys.readouterr().err.splitlines())
