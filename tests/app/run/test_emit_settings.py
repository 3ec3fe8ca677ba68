"""What a configuration says of firmware is parsed once, and refused before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.run.emit_settings import built_settings, emit_settings
from tinysearch.core.errors import UserError


@pytest.fixture(scope="module")
def usual() -> dict[str, Any]:
    return dict(plain(compose_config(["task=motions"])))


def changed(usual: dict[str, Any], **options: object) -> dict[str, Any]:
    return usual | {"emit": usual["emit"] | options}


def test_a_project_and_a_library_are_told_apart(usual: dict[str, Any]) -> None:
    project, library = emit_settings(usual), emit_settings(changed(usual, format="component", name="wrist"))
    assert (project.format, project.component, project.verify, project.bmi270_config) == ("esp_idf", None, True, b"")
    assert (library.format, library.component) == ("component", "wrist")


@pytest.mark.parametrize(
    ("top", "trained", "looked_up"),
    [("auto", 9, 0), ("all", 9, 9), ("none", 0, 0), (None, 0, 0), (3, 3, 3), (20, 9, 9)],
)
def test_so_many_points_of_a_front(usual: dict[str, Any], top: object, trained: int, looked_up: int) -> None:
    found = emit_settings(changed(usual, top=top))
    assert found.points_of(9, evidence="trained") == trained
    assert found.points_of(9, evidence="table") == looked_up


@pytest.mark.parametrize(
    ("option", "value", "rule"),
    [
        ("top", -1, "emit.top must be all, none, auto or a number"),
        ("top", True, "emit.top must be all, none, auto or a number"),
        ("format", "zip", "emit.format must be one of esp_idf, component, onnx"),
        ("bmi270_config", "none.bin", "must be a file that can be read"),
    ],
)
def test_wrong_values_are_refused(usual: dict[str, Any], option: str, value: object, rule: str) -> None:
    with pytest.raises(UserError, match=rule):
        emit_settings(changed(usual, **{option: value}))


def test_networks_alone_are_nothing_to_build(usual: dict[str, Any]) -> None:
    assert emit_settings(changed(usual, format="onnx")).format == "onnx"
    with pytest.raises(UserError, match="of a search must be esp_idf or component"):
        built_settings(changed(usual, format="onnx"), of="a search")


def test_the_program_of_a_bmi270_goes_into_a_project_with_motions(usual: dict[str, Any], tmp_path: Path) -> None:
    program = tmp_path / "program.bin"
    program.write_bytes(bytes(6))
    asked = changed(usual, bmi270_config=str(program))
    assert emit_settings(asked).bmi270_config == bytes(6)
    with pytest.raises(UserError, match="of a task with motions or a signal; got task=face_voice"):
        emit_settings(asked | {"task": plain(compose_config([]))["task"]})
    with pytest.raises(UserError, match=r"emit\.format=component"):
        emit_settings(changed(asked, format="component"))


def test_recordings_become_images_as_the_data_say(usual: dict[str, Any]) -> None:
    heard = dict(plain(compose_config(["task=keywords"])))
    assert emit_settings(heard).audio.clip_s == 1.0
    with pytest.raises(UserError, match=r"data\.audio must have no options but .*; got speed"):
        emit_settings(heard | {"data": heard["data"] | {"audio": {"speed": 2}}})
