"""The benchmark of training recipes: what is told of errors and seconds of two of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from recipes import Layout, Trained, compared, trainer_of

from tinysearch.app.building.datasets import build_dataset
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.core.errors import UserError


def test_differences_are_taken_seed_by_seed() -> None:
    errors = [(0.20, 0.21), (0.30, 0.33), (0.10, 0.12)]
    pairs = [(Trained(error=a, cpu_s=20.0), Trained(error=b, cpu_s=10.0 + i)) for i, (a, b) in enumerate(errors)]
    told = compared(pairs)
    assert told["difference"] == pytest.approx(0.02)
    assert told["standard_error"] == pytest.approx(0.01 / 3**0.5, abs=1e-5)  # of 1, 3 and 2 points
    assert told["errors"] == [list(pair) for pair in errors]
    assert told["cpu_s"] == [20.0, 11.0]


def test_one_seed_tells_no_standard_error() -> None:
    assert compared([(Trained(error=0.2, cpu_s=1.0), Trained(error=0.1, cpu_s=1.0))])["standard_error"] is None


def test_a_recipe_is_the_configured_one_with_settings_changed() -> None:
    usual, longer = trainer_of([], seed=3), trainer_of(["epochs=20"], seed=3)
    assert usual.settings.seed == longer.settings.seed == 3
    assert (longer.settings.epochs, usual.settings.epochs) == (20, 16)
    with pytest.raises(UserError):
        trainer_of(["epochs=0"], seed=3)


def test_precisions_of_a_layout_share_their_float_start() -> None:
    data = build_dataset(plain(compose_config(["data=embedded"])))
    layout = Layout(modality="voice", blocks=(1, 1), precisions=("int8", "xnor2/1"))
    trainer = trainer_of(["epochs=1", "samples_per_epoch=16"], seed=0)
    started: list[str] = []
    fit = trainer.fit

    def noted(branch, network, data, *, workspace, progress):
        def told(tick) -> None:
            started.extend([str(branch.precision)] * tick.phase.startswith("float 1/1"))
            progress(tick)

        return fit(branch, network, data, workspace=workspace, progress=told)

    trainer.fit = noted
    found = list(layout.trained(data, trainer))
    assert set(started) == {"int8"}
    assert all(0 < each.error < 1 and each.cpu_s > 0 for each in found)
