"""A door with three inputs, from a task's file to a front: by a table of error rates and without any."""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path

import pytest

from tinysearch.app.cli import main
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.run.setup import set_up

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))

from sample_files import write_door

TASK = """
inputs:
  face: {kind: camera, width: 8, input_size: 48, channels: 3, embedding: 32, architecture: resnet}
  hall: {kind: camera, width: 8, input_size: 48, channels: 1, embedding: 32, architecture: separable, stages: [1, 1]}
  voice: {kind: microphone, width: 8, input_size: 48, channels: 1, embedding: 32, architecture: resnet}
combinations: [[face], [face, voice], [face, hall, voice]]
"""
LABELS = {"face": ("1", "1-1"), "hall": ("separable-1-1",), "voice": ("1", "1-1")}


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """Options of a search over the door."""
    (tmp_path / "door.yaml").write_text(TASK)
    rows = ["branches,eer,train_s"]
    spelled = {name: [f"{name}:{label}:int8" for label in labels] for name, labels in LABELS.items()}
    rows += [f"{key},{0.25 - 0.005 * len(key):.3f},5" for keys in spelled.values() for key in keys]
    for names in (("face", "voice"), ("face", "hall", "voice")):
        for keys in itertools.product(*(spelled[name] for name in names)):
            rows.append(f"{'+'.join(keys)},{0.2 / len(names) - 0.0005 * len(''.join(keys)):.4f},0")
    (tmp_path / "rates.csv").write_text("\n".join(rows) + "\n")
    space = ["space=paper", "space.layouts=[[1],[1,1]]", "space.precisions=[int8]", "budget=60usd", "emit.top=none"]
    return [f"task={tmp_path}/door.yaml", *space, "build=any", "seed=0", "n_trials=12", f"run_dir={tmp_path}/run", "-q"]


def front(folder: Path) -> dict:
    return json.loads((folder / "run" / "front.json").read_text())


@pytest.mark.parametrize("sampler", ["memoized", "tpe"])
def test_three_inputs_are_searched_by_a_table(tmp_path: Path, words: list[str], sampler: str) -> None:
    table = ["trainer=table", f"trainer.path={tmp_path}/rates.csv", f"sampler={sampler}"]
    assert main([*words, *table]) == 0
    found = front(tmp_path)
    assert found["schema"] == 2
    best = min(found["points"], key=lambda point: point["values"]["error"])
    if sampler == "memoized":
        assert set(best["branches"]) == {"face", "hall", "voice"}
        assert best["branches"]["hall"]["architecture"] == "separable"
        assert best["branches"]["hall"]["parameters"]["stages"] == [1, 1]
        assert best["branches"]["voice"]["input_kind"] == "microphone"
    assert best["values"]["error"] == best["values"]["eer"]
    assert best["decision"] == "verification"


def test_three_inputs_are_searched_without_error_rates(tmp_path: Path, words: list[str]) -> None:
    assert main([*words, "trainer=none"]) == 0
    assert front(tmp_path)["points"]


def test_arrays_and_single_evaluations_of_three_branches_agree(words: list[str]) -> None:
    setup = set_up(plain(compose_config([*words[:-1], "trainer=none"])))
    table = setup.problem.table
    whole = [row for row in range(len(table)) if (table.needs[row] >= 0).all()]
    assert whole
    for row in whole:
        candidate = table.candidate(row)
        values = setup.models.evaluate(candidate.branches, setup.option(candidate)).values()
        for name in table.columns:
            assert table.column(name)[row] == pytest.approx(values[name], rel=1e-9), name
        assert table.row_of(candidate) == row


def test_a_door_that_sees_hears_and_feels_is_trained_and_reported(tmp_path: Path) -> None:
    words = [
        *("task=door", f"data.root={write_door(tmp_path / 'archives')}", f"cache.dir={tmp_path}/cache", "n_workers=1"),
        *(f"task.{name}.width=4" for name in ("face", "hand", "voice")),
        *("task.face.input_size=16", "task.voice.input_size=16"),
        *("data.validation_people=[9]", "data.test_people=[10]", "build=board", "space.processors=[esp32s3]"),
        *("space=paper", "space.layouts=[[1]]", "space.precisions=[int8]", "budget=60usd", "emit.top=none", "-q"),
        *("trainer.epochs=1", "trainer.samples_per_epoch=32", "trainer.batch_size=16", f"run_dir={tmp_path}/run"),
    ]
    assert main(words) == 0
    point = front(tmp_path)["points"][0]
    assert set(point["branches"]) == {"face", "hand", "voice"}
    assert point["evidence"]["eer"] == "trained"
    assert 0 <= point["values"]["eer_ci95"][0] <= point["values"]["eer"] <= point["values"]["eer_ci95"][1] <= 1
    assert {"camera", "microphone", "motion"} == {branch["input_kind"] for branch in point["branches"].values()}
    assert "chimeric (virtual) people" in (tmp_path / "run" / "report.html").read_text()
