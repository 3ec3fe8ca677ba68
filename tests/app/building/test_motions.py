"""The task motions from its words to its data and networks."""

from __future__ import annotations

import pytest

from tinysearch.app.building.branches import branches_of
from tinysearch.app.building.datasets import build_dataset
from tinysearch.app.building.decision import build_judge, decision_of
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.config.tasks import task_of
from tinysearch.core.errors import UserError
from tinysearch.core.program import lower
from tinysearch.core.protocols import SPLITS


def test_a_task_brings_its_data_and_its_settings() -> None:
    config = plain(compose_config(["task=motions", "task.wrist.window_s=4.0", "data.hop_s=4.0"]))
    assert config["data"]["name"] == "motions"
    data = build_dataset(config)
    assert data.load("wrist", "test", input_size=20, channels=6).inputs.shape[1:] == (20, 20, 6)
    assert task_of(config).sensors(("wrist",)) == ("motion",)


def test_what_training_does_not_see_is_an_anomaly() -> None:
    config = plain(compose_config(["task=unseen_motions", "data.hop_s=4.0"]))
    assert decision_of(config) == "anomaly"
    data = build_dataset(config)
    build_judge(config).check(data)
    labels = {split: data.load("wrist", split, input_size=10, channels=6).identities for split in SPLITS}
    assert labels["train"].max() < data.normal == 5
    assert labels["test"].max() == labels["validation"].max() == 6
    assert {split: len(data.groups("wrist", split)) for split in SPLITS} == {s: len(own) for s, own in labels.items()}


def test_data_that_are_chosen_stay() -> None:
    assert plain(compose_config(["task=motions", "data=embedded"]))["data"]["name"] == "embedded"
    assert plain(compose_config(["task=face_voice"]))["data"]["name"] == "embedded"


def test_data_without_their_kind_of_input_are_refused_in_one_line() -> None:
    config = plain(compose_config(["data=motions"]))
    with pytest.raises(UserError, match="data=motions must have an input of kind motion; got task=face_voice"):
        build_dataset(config)


@pytest.mark.parametrize("precision", ["float32", "int8", "xnor1/1"])
def test_its_networks_have_a_program_in_every_precision(precision: str) -> None:
    words = ["task=motions", "modality=wrist", "wrist.blocks=[1,2]", f"wrist.precision={precision}"]
    (branch,) = branches_of(plain(compose_config(words)))
    network = branch.network()
    assert network.params < 8600
    program = lower(network, branch.precision)
    assert program.tensors[program.steps[-1].output].shape.channels == 32
