"""What is remembered is believed only while every byte is as it was written, and shared while it is being made."""

from __future__ import annotations

import json
import logging
import os
import shutil
import stat
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scripted_search import Patient, errors_of
from toy_space import ToySpace

from tinysearch.app.building.training import borrow_kept
from tinysearch.architectures.resnet import resnet_branch
from tinysearch.core.errors import TinysearchError
from tinysearch.evaluation import memo as memo_module
from tinysearch.evaluation.entries import SCHEMA
from tinysearch.search.loop import SearchOptions, StudyProblem, search

SIZES = {"width": 4, "input_size": 16, "channels": 1, "embedding": 16}
FACE = resnet_branch("face", blocks=(1,), precision="int8", **SIZES)
VOICE = resnet_branch("voice", blocks=(1,), precision="int8", **SIZES)


@pytest.fixture
def errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memo_module, "_believed", {})
    made = errors_of(tmp_path, pause_s=0.0)
    for branch in (FACE, VOICE):
        made.train(branch, progress=lambda _: None)
    return made


def flip(path: Path, at: float = 0.5) -> None:
    raw = bytearray(path.read_bytes())
    raw[int(at * (len(raw) - 1))] ^= 4
    path.write_bytes(bytes(raw))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def age(path: Path) -> None:
    """As an earlier version would have written it, without what it did not know."""
    if path.suffix == ".json":
        path.write_text(json.dumps({"branch": FACE.key}))
    else:
        np.savez(path, meta=np.frombuffer(b"{}", np.uint8))
    record = path.with_name("record.json")
    old = json.loads(record.read_text())
    for name in ("schema", "files", "digest"):
        old.pop(name, None)
    record.write_text(json.dumps(old))


def renew(path: Path) -> None:
    record = path.with_name("record.json")
    record.write_text(json.dumps(json.loads(record.read_text()) | {"schema": SCHEMA + 1}))


@pytest.mark.parametrize("name", ["record.json", "network.npz", "embeddings.npz"])
@pytest.mark.parametrize("harm", [flip, truncate, age, renew])
def test_what_cannot_be_believed_is_named_set_aside_and_trained_again(
    name: str, harm: Callable[[Path], None], errors, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = errors.memo.folder(FACE)
    harm(folder / name)
    memo_module._believed.clear()
    assert not errors.knows(FACE)
    assert FACE.key in caplog.text and "set aside" in caplog.text
    assert [path.name for path in (tmp_path / "cache/set-aside/data-trainer").iterdir()] == [f"{FACE.key}.1"]
    assert not errors.train(FACE, progress=lambda _: None).remembered
    assert errors.knows(FACE) and errors.knows(VOICE)
    assert errors.error_rates([FACE, VOICE]).eer is not None


@pytest.mark.parametrize("at", [0.02, 0.3, 0.6, 0.97])
def test_a_flipped_bit_anywhere_in_a_record_is_found(at: float, errors) -> None:
    flip(errors.memo.folder(FACE) / "record.json", at)
    memo_module._believed.clear()
    assert not errors.knows(FACE)


def test_an_entry_of_before_there_were_digests_is_read_in_full_and_kept(errors) -> None:
    folder = errors.memo.folder(FACE)
    record = json.loads((folder / "record.json").read_text())
    network = (folder / "network.npz").read_bytes()
    (folder / "record.json").write_text(json.dumps({k: record[k] for k in ("branch", "train_s", "seed", "machine")}))
    memo_module._believed.clear()
    assert errors.train(FACE, progress=lambda _: None).remembered
    assert (folder / "network.npz").read_bytes() == network
    flip(folder / "network.npz")
    memo_module._believed.clear()
    assert not errors.knows(FACE)


@pytest.mark.parametrize("harm", [flip, truncate, lambda path: path.write_text('{"eer": 0.1, "news": 1}')])
def test_broken_rates_are_computed_again(harm: Callable[[Path], None], errors, caplog) -> None:
    before = errors.error_rates([FACE, VOICE])
    for path in (errors.memo.root / "rates" / "data-trainer").glob("*.json"):
        harm(path)
    assert errors.error_rates([FACE, VOICE]).eer == before.eer
    assert "computed again" in caplog.text


@pytest.mark.parametrize("ends", [SystemExit, KeyboardInterrupt])
def test_a_trainer_that_ends_its_program_leaves_no_entry(ends: type[BaseException], tmp_path: Path) -> None:
    class Leaving(Patient):
        def fit(self, branch, network, data, **rest):
            super().fit(branch, network, data, **rest)
            raise ends

    errors = errors_of(tmp_path, pause_s=0.0)
    with pytest.raises(ends):
        replace(errors, make_trainer=lambda: Leaving(0.0)).train(FACE, progress=lambda _: None)
    assert not errors.knows(FACE)
    assert not errors.train(FACE, progress=lambda _: None).remembered


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_branch_whose_error_cannot_be_measured_is_not_remembered(value: float, tmp_path: Path) -> None:
    errors = errors_of(tmp_path, pause_s=0.0)
    broken = replace(errors, embed=lambda frozen, inputs: np.full((len(inputs), 16), value))
    with pytest.raises(TinysearchError, match="no numbers"):
        broken.train(FACE, progress=lambda _: None)
    assert not errors.knows(FACE)
    assert not errors.train(FACE, progress=lambda _: None).remembered


def test_a_finished_run_that_lost_an_entry_regains_its_front(errors, tmp_path: Path, caplog) -> None:
    space = ToySpace(budget_usd=11.0, widths=(4,))
    problem = StudyProblem(
        table=space.table, flat=space.flat, objectives=("eer", "bom_cost_usd"), error_model=errors, assessor=space
    )
    options = SearchOptions(sampler="memoized", n_trials=5)
    before = search(problem, options, run_dir=tmp_path / "run")
    lost = before.points[0].candidate.branches[0]
    flip(errors.memo.folder(lost) / "network.npz")
    memo_module._believed.clear()
    after = search(problem, options, run_dir=tmp_path / "run")
    assert lost.key in caplog.text and errors.knows(lost)
    assert [(p.candidate.id, p.values) for p in after.points] == [(p.candidate.id, p.values) for p in before.points]
    assert (after.trials, after.trainings) == (before.trials, before.trainings)


def test_a_run_lends_what_it_keeps_and_the_cache_has_lost(errors, tmp_path: Path) -> None:
    lost, kept = errors.memo.folder(FACE), tmp_path / "run" / "models" / FACE.key
    before = errors.error_rates([FACE, VOICE])
    shutil.copytree(lost, kept)
    flip(lost / "network.npz")
    memo_module._believed.clear()
    borrow_kept(errors, [FACE, VOICE], tmp_path / "run")
    assert errors.memo.folder(FACE) == kept and errors.knows(FACE)
    assert errors.error_rates([FACE, VOICE]) == before


def test_two_runs_share_a_training_under_way(tmp_path: Path) -> None:
    begun, go, fits, waited = threading.Event(), threading.Event(), [], threading.Event()

    class Slow(Patient):
        def fit(self, branch, network, data, **rest):
            fits.append(branch)
            begun.set()
            assert go.wait(20)
            return super().fit(branch, network, data, **rest)

    errors = replace(errors_of(tmp_path, pause_s=0.0), make_trainer=lambda: Slow(0.0))
    other = replace(errors)
    thread = threading.Thread(target=errors.train, args=(FACE,), kwargs={"progress": lambda _: None})
    thread.start()
    assert begun.wait(20)

    def watch(tick) -> None:
        assert f"process {os.getpid()} on" in tick.waits_for
        waited.set()
        go.set()

    record = other.train(FACE, progress=watch)
    thread.join()
    assert waited.is_set() and record.remembered and fits == [FACE]


def test_biometric_data_are_for_their_owner_alone(errors, tmp_path: Path) -> None:
    errors.error_rates([FACE, VOICE])
    for path in (tmp_path / "cache").rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        if path.suffix in (".npz", ".json"):
            assert mode == 0o600, path
        if path.is_dir() and path.name not in ("locks",):
            assert mode == 0o700, path


def test_embeddings_that_are_not_kept_are_computed_again(errors) -> None:
    before = errors.memo.embeddings(FACE)
    rates = errors.error_rates([FACE, VOICE])
    errors.memo.forget_people()
    memo_module._believed.clear()
    assert not list(errors.memo.root.rglob("embeddings.npz"))
    assert errors.knows(FACE)
    for path in (errors.memo.root / "rates" / "data-trainer").glob("*.json"):
        path.unlink()
    again = replace(errors)
    assert again.error_rates([FACE, VOICE]).eer == rates.eer
    assert all((again._computed[FACE][split] == rows).all() for split, rows in before.items())
    assert not list(errors.memo.root.rglob("embeddings.npz"))


def test_prepared_samples_that_were_damaged_are_made_again(tmp_path: Path, caplog) -> None:
    from tinysearch.data import cache as data_cache

    caplog.set_level(logging.WARNING)
    cache = data_cache.PreparedCache(folder=tmp_path / "data")
    rows = np.arange(12, dtype=np.int8).reshape(3, 2, 2)
    assert cache.store_rows("key", "inputs", iter([rows]), row=(2, 2)) == 3
    cache.store("key", {"identities": np.arange(3)}, rows={"inputs": [3, 2, 2]}, notes={})
    assert (cache.load("key")[0]["inputs"] == rows).all()
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()} == {0o600}
    flip(next((tmp_path / "data").glob("*.inputs.npy")), 1.0)
    assert cache.load("key") is None
    assert "damaged" in caplog.text
