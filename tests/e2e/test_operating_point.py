"""Everything that speaks of people speaks of the threshold that the firmware has: cards, terminal, files, README, C."""

from __future__ import annotations

import csv
import json
import re
import sys
from pathlib import Path

import pytest

from tinysearch.app.cli import main
from tinysearch.app.terminal import front_table
from tinysearch.core.error_rates import FAILURES_TO_LOCK
from tinysearch.evaluation.operating import in_words, operating_far
from tinysearch.report.data import operating_point
from tinysearch.report.picks import picks
from tinysearch.report.view import read_view

CANDIDATE = ("modality=face", "face.blocks=[1]", "face.precision=int8")
FAST = (
    *("task.face.width=4", "task.face.input_size=24", "trainer.epochs=1", "trainer.float_epochs=1"),
    *("trainer.samples_per_epoch=64", "n_workers=1"),
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of one small network that was trained here, its firmware, and the cache."""
    folder = tmp_path_factory.mktemp("people")
    words = ["space.modalities=[face]", "space.layouts=[[1]]", "space.precisions=[int8]", "n_trials=1", "emit.top=1"]
    words += ["budget=15usd", "emit.verify=false", f"cache.dir={folder}/cache", f"run_dir={folder}/run", "-q"]
    assert main([*FAST, *words]) == 0
    return folder


def point_of(folder: Path) -> dict:
    return json.loads((folder / "run" / "front.json").read_text())["points"][0]


def facts(project: Path) -> tuple[dict, int]:
    """candidate.json, and the threshold in C."""
    threshold = re.search(r"CANDIDATE_THRESHOLD INT32_C\((-?\d+)\)", (project / "main/candidate.h").read_text())
    assert threshold is not None
    return json.loads((project / "candidate.json").read_text()), int(threshold.group(1))


def test_every_place_tells_the_same_of_people(trained: Path) -> None:
    point = point_of(trained)
    at, values = point["operating_point"], point["values"]
    project = trained / "run" / point["firmware"]
    candidate, threshold = facts(project)
    assert candidate["operating_point"] == at
    assert threshold == at["threshold"] == candidate["firmware_facts"]["threshold"]
    assert candidate["firmware_facts"]["threshold_far"] == at["far"]
    assert at["threshold_from"] == "validation"
    assert at["frr_ci95"][0] <= at["frr"] <= at["frr_ci95"][1]
    assert at["attempts"] == pytest.approx(1 / (1 - at["frr"]))
    attempt = values["acquisition_s"] + values["latency_s"]
    assert at["effective_latency_s"] == pytest.approx(attempt / (1 - at["frr"]))
    assert at["locked_out"] == pytest.approx(at["frr"] ** FAILURES_TO_LOCK)

    words = in_words(operating_point(at))
    card = next(card for card in picks(read_view(trained / "run")).cards if card.id == point["id"])
    assert card.meaning == words
    assert card.usable == at["usable"]
    assert words in (project / "README.md").read_text()
    shown = [str(cell) for column in front_table([point]).columns for cell in column.cells]
    assert f"{100 * at['frr']:.1f}{'' if at['usable'] else '!'}" in shown

    with (trained / "run" / "front.csv").open(newline="") as file:
        row = next(csv.DictReader(file))
    with (trained / "run" / "trials.csv").open(newline="") as file:
        trial = next(found for found in csv.DictReader(file) if found["id"] == point["id"])
    for name, value in (("far", at["far"]), ("frr", at["frr"]), ("frr_ci95.high", at["frr_ci95"][1])):
        assert float(row[f"operating_point.{name}"]) == float(trial[f"operating_point.{name}"]) == value


def test_emit_takes_the_far_that_it_is_given(trained: Path, tmp_path: Path) -> None:
    far = 0.037
    of_run = [f"run_dir={trained}/run", f"id={point_of(trained)['id']}"]
    spelled = [*CANDIDATE, *FAST]
    thresholds = set()
    for name, words in (("run", of_run), ("spelled", spelled)):
        out = tmp_path / name
        assert main(["emit", *words, f"cache.dir={trained}/cache", f"far={far}", f"out={out}"]) == 0
        candidate, threshold = facts(out)
        assert candidate["firmware_facts"]["threshold_far"] == candidate["operating_point"]["far"] == far
        assert f"At FAR {100 * far:g} %" in (out / "README.md").read_text()
        thresholds.add(threshold)
    assert len(thresholds) == 1
    assert (thresholds.pop() < point_of(trained)["operating_point"]["threshold"]) == (
        far > point_of(trained)["operating_point"]["far"]
    )


def test_what_cannot_be_emitted_is_refused(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    of_run = [f"run_dir={trained}/run", f"id={point_of(trained)['id']}", f"cache.dir={trained}/cache"]
    for words, said in (
        ([*of_run, "far=0.0000001"], "far must be at least 3 divided by the number of impostor pairs"),
        ([*of_run, "far=1.5"], "fractions between 0 and 1"),
        ([*CANDIDATE, "trainer=none", "far=0.05"], "networks must have been trained here"),
        ([*of_run, "emit.format=onnx"], "the package onnx must be installed"),
    ):
        assert main(["emit", *words, f"out={tmp_path}/lock"]) == 2
        assert said in capsys.readouterr().err
        assert not (tmp_path / "lock").exists()


def test_the_strictest_far_is_taken_at_which_the_best_network_is_usable() -> None:
    from tinysearch.core.error_rates import ErrorRates

    def rates(eer: float, **frr: float) -> ErrorRates:
        levels = {0.01: frr["one"], 0.05: frr["five"], 0.1: frr["ten"]}
        return ErrorRates(eer=eer, evidence="trained", frr_at_far=levels)

    best, worse = rates(0.05, one=0.45, five=0.15, ten=0.04), rates(0.2, one=0.9, five=0.7, ten=0.5)
    levels = (0.1, 0.05, 0.01)
    assert operating_far([worse, best], levels) == 0.05
    assert operating_far([worse], levels) == 0.1
    assert operating_far([best], (0.01,)) == 0.01
    assert operating_far([best], (0.02,)) is None
    assert operating_far([ErrorRates(eer=None, evidence="none")], levels) is None
