"""`verify` of a project in a run directory judges its C by the run's own models and data."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinysearch.app.building.branches import branches_of
from tinysearch.app.building.datasets import build_dataset
from tinysearch.app.building.wiring import build_models, wish_of
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.run.firmware import emit_candidate
from tinysearch.app.run.held_out import held_out_source
from tinysearch.app.run.run_dir import write_config
from tinysearch.core.error_rates import ErrorRates
from tinysearch.core.errors import UserError
from tinysearch.data.pairs import evaluation_pairs
from tinysearch.firmware.integer_network import run
from tinysearch.firmware.untrained import untrained
from tinysearch.firmware.verify.held_out import error_rate
from tinysearch.metrics import fused_scores
from tinysearch.metrics.rates import det_curve, equal_error_rate


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project as a finished run leaves it: with the run's configuration and the embeddings of its model."""
    run_dir = tmp_path_factory.mktemp("run")
    words = ["modality=voice", "voice.blocks=[1]", "voice.precision=int8", "voice.width=4", "voice.input_size=32"]
    config = plain(compose_config([*words, "trainer=none", f"cache.dir={run_dir / 'cache'}"]))
    write_config(run_dir, config)
    models = build_models(config)
    evaluation = models.choose(branches_of(config), wish_of(config))
    (branch,) = evaluation.candidate.branches
    shape = {"voice": (branch.input_size, branch.channels)}
    dataset = build_dataset(config)
    rows = dataset.load("voice", "test", input_size=branch.input_size, channels=branch.channels).inputs
    embeddings = run(untrained(models.needs(branch).program, config["seed"]), rows)
    folder = run_dir / "models" / branch.key
    folder.mkdir(parents=True)
    np.savez_compressed(folder / "embeddings.npz", test=embeddings)
    pairs = evaluation_pairs(dataset, "test", shape)
    scores = fused_scores({"voice": embeddings}, pairs)
    eer = equal_error_rate(det_curve(scores[pairs.genuine], scores[~pairs.genuine]))
    measured = replace(evaluation, errors=ErrorRates(eer=eer, evidence="trained"))
    return emit_candidate(config, measured, run_dir / "firmware" / evaluation.candidate.id)


def test_a_project_in_a_run_gives_the_error_rate_of_its_point(project: Path) -> None:
    source = held_out_source(project, None)
    assert source is not None
    people = source()
    assert people is source()
    assert people.eer == json.loads((project / "candidate.json").read_text())["values"]["eer"]
    rung = error_rate(project, source)
    assert rung.status == "passed", rung.detail
    assert f"EER {people.eer:.4%} as in Python" in rung.detail


def test_a_project_elsewhere_needs_its_run(project: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(project, tmp_path / "copy"))
    assert held_out_source(copy, None) is None
    source = held_out_source(copy, project.parent.parent)
    assert source is not None
    assert len(source().inputs["voice"]) == 216


def test_a_run_without_the_model_is_not_a_pass(project: Path, tmp_path: Path) -> None:
    shutil.copy(project.parent.parent / "config.yaml", tmp_path)
    source = held_out_source(project, tmp_path)
    assert source is not None
    with pytest.raises(UserError, match="must have kept the models"):
        source()
    assert error_rate(project, source).status == "not run"


def test_other_data_than_were_measured_are_refused(project: Path, tmp_path: Path) -> None:
    run_dir = Path(shutil.copytree(project.parent.parent, tmp_path / "run"))
    (path,) = (run_dir / "models").rglob("embeddings.npz")
    with np.load(path) as archive:
        fewer = archive["test"][:-1]
    np.savez_compressed(path, test=fewer)
    source = held_out_source(run_dir / "firmware" / project.name, None)
    assert source is not None
    with pytest.raises(UserError, match="215 voice embeddings, 216 samples"):
        source()
