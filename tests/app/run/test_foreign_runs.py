"""Run directories that somebody else has edited: one line, and no file outside of the run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.run.run_dir import read_config, read_front
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
