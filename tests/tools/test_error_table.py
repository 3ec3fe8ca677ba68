"""The kept table of error rates: whole, consistent, and of the data and settings that are the default today."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from tinysearch.app.building.errors import build_errors
from tinysearch.app.building.spaces import build_space
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.evaluation.table import TableErrors
from tinysearch.evaluation.trained import TrainedErrors

TABLE = Path(__file__).parents[2] / "benchmarks" / "data" / "embedded.csv"
PEOPLE = TABLE.with_name("embedded-people.csv")


def test_it_covers_the_default_space_with_rates_inside_their_intervals() -> None:
    space, table = build_space(plain(compose_config([]))), TableErrors(path=TABLE)
    faces, voices = space.branches("face"), space.branches("voice")
    models = [(b,) for b in (*faces, *voices)] + [(f, v) for f in faces for v in voices]
    assert len(models) == 72 + 1296
    for branches in models:
        rates = table.error_rates(branches)
        assert rates.eer is not None and rates.eer_ci95 is not None
        assert 0.0 < rates.eer_ci95[0] <= rates.eer <= rates.eer_ci95[1] < 0.5
        assert rates.frr_at_far[0.01] >= rates.frr_at_far[0.1]
    with TABLE.open(newline="") as file:
        assert sum(1 for _ in csv.DictReader(file)) == len(models)


def test_other_people_move_all_rates_together_and_within_their_intervals() -> None:
    with TABLE.open(newline="") as file:
        kept = list(csv.DictReader(file))
    with PEOPLE.open(newline="") as file:
        drawn = list(csv.DictReader(file))
    named = ("kind", "modality", "face_blocks", "face_precision", "voice_blocks", "voice_precision")
    assert [[row[name] for name in named] for row in drawn] == [[row[name] for name in named] for row in kept]
    rates = np.array([[float(value) for name, value in row.items() if name.startswith("eer_")] for row in drawn])
    bounds = np.array([[float(row["eer_lo"]), float(row["eer_hi"])] for row in kept])
    assert 0.9 < np.mean((rates >= bounds[:, :1]) & (rates <= bounds[:, 1:])) < 1.0
    fusions = np.log(rates[[row["kind"] == "fusion" for row in drawn]])
    assert np.median(np.corrcoef(fusions)) > 0.7


def test_it_was_made_with_the_data_and_the_training_of_today(tmp_path: Path) -> None:
    errors = build_errors(plain(compose_config([f"cache.dir={tmp_path}"])))
    assert isinstance(errors, TrainedErrors)
    described = json.loads(TABLE.with_suffix(".json").read_text())
    if described["key"] != errors.memo.key:
        pytest.fail("default data or training changed: run tools/make_error_table.py again, or say why not")
