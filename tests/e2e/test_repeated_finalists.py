"""Finalists trained again, from the command's options to the files of the run."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import pytest

import tinysearch as ts
from tinysearch.core.errors import UserError

TRAINER = """
from tinysearch.core.program import lower
from tinysearch.core.protocols import TrainingProgress
from tinysearch.core.quantization import Precision
from tinysearch.firmware.untrained import untrained


class Drawn:
    digest = "drawn"  # on purpose without the seed

    def __init__(self, *, seed, **settings):
        self.seed = seed

    def fit(self, branch, network, data, *, workspace, progress):
        progress(TrainingProgress(branch=branch, phase="epoch", fraction=0.5))
        return untrained(lower(network, Precision.parse(branch.precision)), self.seed)
"""


@pytest.mark.slow
def test_the_median_repeat_is_reported_kept_and_emitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "drawn_trainer.py").write_text(TRAINER)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def run(repeats: int) -> ts.api.Result:
        return ts.search(
            budget="15usd",
            task={m: {"width": 4, "input_size": 24} for m in ("face", "voice")},
            space={"modalities": ["voice"], "layouts": [[1], [1, 1]], "precisions": ["int8"]},
            sampler="exhaustive",
            trainer={"name": "drawn_trainer:Drawn"},
            cache={"dir": str(tmp_path / "cache")},
            emit={"top": "none"},
            n_workers=1,
            run_dir="run",
            finalists={"repeats": repeats},
        )

    once = {point.id: point.document["values"] for point in run(1).points}
    kept = {path: path.read_bytes() for path in Path("run/models").glob("*/record.json")}
    again = run(3)
    trials = [t for t in again.study.trials if t.user_attrs["kind"] == "finalist"]
    assert {point.id for point in again.points} <= {trial.user_attrs["id"] for trial in trials}
    memos = sorted(path.name for path in (tmp_path / "cache" / "branches").iterdir() if path.is_dir())
    assert len(memos) == 3
    for point in again.points:
        key = point.evaluation.candidate.branches[0].key
        (trial,) = (t for t in trials if t.user_attrs["id"] == point.id)
        draws = trial.user_attrs["eer_repeats"][key]
        assert len(draws) == 3
        assert point.document["values"]["eer_validation"] == sorted(draws)[1]
        seed = json.loads(Path("run/models", key, "record.json").read_text())["seed"]
        assert draws.index(sorted(draws)[1]) == seed // 100_000
        firmware = point.emit(tmp_path / "firmware")
        assert firmware.is_dir()
        shutil.rmtree(firmware)
    changed = [path for path, content in kept.items() if path.read_bytes() != content]
    moved = [point for point in again.points if point.document["values"] != once.get(point.id)]
    assert bool(changed) == bool(moved)


@pytest.mark.parametrize("repeats", [0, 1.5, "many"])
def test_a_wrong_number_is_one_line(tmp_path: Path, repeats: object) -> None:
    with pytest.raises(UserError, match=r"finalists\.repeats"):
        ts.search(finalists={"repeats": repeats}, run_dir=str(tmp_path), cache={"dir": str(tmp_path)})


def test_a_table_has_one_figure_a_branch(
    small_space: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from tinysearch.app.config.compose import compose_config, plain
    from tinysearch.app.run.setup import set_up

    with caplog.at_level(logging.WARNING):
        setup = set_up(plain(compose_config([*small_space, "finalists.repeats=3"])))
    assert setup.problem.finalists is None
    assert "finalists are not repeated" in caplog.text
