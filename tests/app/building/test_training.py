from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest

from tinysearch.app.building.branches import branches_of
from tinysearch.app.building.datasets import build_dataset
from tinysearch.app.building.decision import build_judge
from tinysearch.app.building.errors import build_errors, build_trainer
from tinysearch.app.building.wiring import build_models, wish_of
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.run.firmware import emit_candidate
from tinysearch.app.run.setup import set_up
from tinysearch.core.errors import UserError
from tinysearch.training.settings import TrainingSettings


def test_the_configuration_lists_every_setting_with_its_default() -> None:
    listed = plain(compose_config([]))["trainer"]
    defaults = {field.name: field.default for field in fields(TrainingSettings)}
    assert set(listed) == {"name", *defaults}
    left_open = {"seed", "threads"}
    assert {name: listed[name] for name in defaults if name not in left_open} == {
        name: value for name, value in defaults.items() if name not in left_open
    }


def test_the_trainer_takes_the_searchs_seed_and_its_share_of_threads() -> None:
    config = plain(compose_config(["seed=7"]))
    trainer = build_trainer(config, threads=1)
    assert trainer.digest == build_trainer(config).digest
    assert trainer.digest != build_trainer(plain(compose_config(["seed=8"]))).digest
    assert trainer.digest == build_trainer(plain(compose_config(["trainer.seed=7", "seed=8"]))).digest


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["fusion.rule=product"], "concatenation, weighted, learned, cascade"),
        (["fusion.rule=weighted", "fusion.weights.face=-1"], "numbers from 0"),
        (["fusion.rule=weighted", "fusion.weights={face: 0, voice: 0}"], "numbers from 0"),
        (["fusion.rule=cascade", "task=door"], "of two branches"),
        (["fusion.rule=cascade", "fusion.first=hand"], "an input of every fusion"),
        (["fusion.first=face"], "come with fusion.rule=cascade"),
        (["fusion.rule=learned", "trainer=table", "trainer.path=rates.csv"], "measured on trained branches"),
        (["task=digits", "data=embedded"], "same classes in every split"),
        (["task=digits", "trainer=published"], "measured on trained branches"),
        (
            ["experiment=digits", "data=embedded", "fusion.rule=learned"],
            "of a classification must be added",
        ),
    ],
)
def test_fusions_and_tasks_that_do_not_fit_are_one_line(words: list[str], rule: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rule):
        build_errors(plain(compose_config([*words, f"cache.dir={tmp_path}"])))


def test_a_run_from_before_there_was_a_choice_of_fusion_goes_on(tmp_path: Path) -> None:
    config = plain(compose_config([f"cache.dir={tmp_path}"]))
    judge = build_judge({name: value for name, value in config.items() if name != "fusion"})
    assert judge.settings == build_judge(config).settings


def test_effective_latency_is_not_asked_of_a_classification() -> None:
    words = ["task=digits", "trainer=none", "objectives=[bom_cost_usd,latency_s]"]
    assert set_up(plain(compose_config(words))).settings.objectives == ("bom_cost_usd", "latency_s")
    with pytest.raises(UserError, match="that of a verification"):
        set_up(plain(compose_config(["task=digits", "objectives=[eer,effective_latency_far1_s]"])))


def test_the_firmware_of_an_untrained_classification_has_placeholders(tmp_path: Path) -> None:
    words = ["task=digits", "trainer=none", "modality=face", "face.blocks=[1]", "face.precision=int8"]
    config = plain(compose_config(words))
    evaluation = build_models(config).choose(branches_of(config), wish_of(config))
    project = emit_candidate(config, evaluation, tmp_path / "project")
    facts = json.loads((project / "candidate.json").read_text())["firmware_facts"]
    assert (facts["classes"], facts["class_thresholds"], facts["reject"]) == (["class 0", "class 1"], [0, 0], None)
    assert "Placeholders" in (project / "README.md").read_text()


def test_data_without_what_they_need_ask_for_it() -> None:
    with pytest.raises(UserError, match=r"data=digits must be given data\.root; got nothing for it"):
        build_dataset(plain(compose_config(["task=digits"])))
