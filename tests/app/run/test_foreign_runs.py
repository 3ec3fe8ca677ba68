"""Run directories that somebody else has edited: one line, and no file outside of the run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tinysearch.app.building.spaces import build_space
from tinysearch.app.building.wiring import build_models
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.run.run_dir import read_config, read_front
from tinysearch.app.run.settings import objectives_of
from tinysearch.core.errors import UserError


@pytest.mark.parametrize("identity", ["../../evil", "/evil", "a/b", "a\\b", "..", "", "a\0b", None, ["a"]])
def test_an_id_is_the_name_of_a_file_in_the_run(identity: Any, tmp_path: Path) -> None:
    (tmp_path / "front.json").write_text(json.dumps({"schema": 2, "points": [{"id": identity}]}))
    with pytest.raises(UserError, match="an id that can be a file's name"):
        read_front(tmp_path)


@pytest.mark.parametrize(
    ("group", "value"),
    [
        ("trainer", {"_target_": "os.system"}),
        ("data", {}),
        ("catalog", "${other}"),
        ("trainer", {"name": "table", "path": 5}),
        ("cache", {"dir": True}),
    ],
)
def test_names_and_paths_of_a_run_are_text(group: str, value: Any, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    config = plain(compose_config(["trainer=table", "trainer.path=rates.csv"]))
    del config["emit"]["format"]
    path.write_text(yaml.safe_dump(config))
    assert read_config(tmp_path)["trainer"]["name"] == "table"
    assert read_config(tmp_path)["emit"]["format"] == "esp_idf", "runs that are older than the option"
    path.write_text(yaml.safe_dump(config | {group: value}))
    with pytest.raises(UserError, match="must be text") as caught:
        read_config(tmp_path)
    assert group in str(caught.value)


@pytest.mark.parametrize("key", ["task.name", "space.layouts", "latency.table", "objectives.names", "price_level"])
def test_what_a_run_lacks_is_named_where_it_is_asked_for(key: str, tmp_path: Path) -> None:
    config: Any = plain(compose_config(["trainer=none"]))
    *parts, name = key.split(".")
    part = config[parts[0]] if parts else config
    del part[name]
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    read = read_config(tmp_path) | {"seed": 1}
    with pytest.raises(UserError, match=rf"config.yaml of a run must be whole; .*: {name} is missing"):
        (build_models(read), build_space(read), objectives_of(read))


def test_a_group_that_a_reference_empties_is_refused() -> None:
    with pytest.raises(UserError, match="limits must be a group of options"):
        plain(compose_config(["limits=${run_dir}"]))
