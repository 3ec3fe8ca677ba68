from __future__ import annotations

from dataclasses import fields

from tinysearch.app.config import compose_config, plain
from tinysearch.app.training import build_trainer
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
