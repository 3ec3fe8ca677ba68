"""The whole path on a task without people: digits, by classification error."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinysearch.app.cli import main
from tinysearch.app.run.held_out import held_out_source
from tinysearch.firmware.verify import classes


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of the two packages' form: a bar at a digit's height, and a tone of its level."""
    folder = tmp_path_factory.mktemp("digits")
    rng = np.random.default_rng(0)
    rows = []
    for digit in np.repeat(np.arange(10), 12):
        picture = rng.integers(0, 60, (28, 28))
        picture[2 * digit + 3 : 2 * digit + 6] = 250
        rows.append(",".join(map(str, [*picture.ravel(), digit])))
    (folder / "mnist_5k.csv.gz").write_bytes(gzip.compress("\n".join(rows).encode()))
    labels = np.repeat(np.arange(10), 12)
    lengths = rng.integers(8, 20, len(labels))
    means = 5.0 * rng.normal(size=(10, 13))
    frames = [means[digit] + rng.normal(size=(count, 13)) for digit, count in zip(labels, lengths, strict=True)]
    np.savez(folder / "digits.npz", X=np.concatenate(frames).astype(np.float32), y=labels, lengths=lengths)
    return folder


@pytest.mark.slow
def test_search_report_evaluate_and_firmware_of_a_classification(
    digits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        *("experiment=digits", f"data.root={digits}", f"cache.dir={tmp_path}/cache", "n_workers=1"),
        *("trainer.epochs=4", "trainer.samples_per_epoch=0", "space.layouts=[[1]]", "space.precisions=[int8]"),
    ]
    assert main([*words, "budget=15usd", f"run_dir={tmp_path}/run"]) == 0
    told = capsys.readouterr()
    assert "host passed, classify passed, project passed" in told.out + told.err
    front = json.loads((tmp_path / "run" / "front.json").read_text())
    assert front["points"]
    for point in front["points"]:
        value = point["values"]
        low, high = value["eer_ci95"]
        assert 0 <= low <= value["eer"] <= high < 0.9
        assert value["effective_latency_far1_s"] is None
        assert point["evidence"]["eer"] == "trained"
        assert (tmp_path / "run" / point["firmware"] / "main" / "app_classify.c").is_file()
    assert min(point["values"]["eer"] for point in front["points"]) < 0.5  # of guessing: 0.9
    assert "classification error of task digits" in (tmp_path / "run" / "report.html").read_text()
    assert main(["report", f"run_dir={tmp_path}/run"]) == 0
    capsys.readouterr()
    branch = ["modality=face", "face.blocks=[1]", "face.precision=int8"]
    assert main(["evaluate", *words, *branch, "trainer=torch"]) == 0
    point = json.loads(capsys.readouterr().out)
    known = [p for p in front["points"] if p["modality"] == "face"]
    assert all(point["values"]["eer"] == p["values"]["eer"] for p in known)
    best = min(front["points"], key=lambda p: p["values"]["error"])
    rung = classes.error_rate(*_project(tmp_path, best))
    assert (rung.name, rung.status) == ("error", "passed"), rung.detail
    assert f"error {best['values']['error']:.4%}" in rung.detail


def _project(folder: Path, point: dict[str, Any]) -> tuple[Path, Any]:
    project = folder / "run" / point["firmware"]
    return project, held_out_source(project, None)
