"""Tasks of a user's own: inputs by name, combinations, and one line for what is wrong with a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tinysearch.app.building.branches import branches_of
from tinysearch.app.building.spaces import build_space
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.config.tasks import task_of
from tinysearch.core.errors import UserError
from tinysearch.core.schedule import Schedule
from tinysearch.inputs.microphone import Microphone

DOOR = """
inputs:
  hall: {kind: camera, width: 8, input_size: 32, channels: 1, embedding: 32, architecture: resnet}
  face: {kind: camera, width: 8, input_size: 64, channels: 3, embedding: 64, architecture: resnet}
  voice: {kind: microphone, clip_s: 2.0, width: 8, input_size: 64, channels: 1, embedding: 64, architecture: resnet}
combinations: [[face], [voice, face], [face, hall, voice]]
schedule: every:10s
"""


def composed(*words: str) -> dict[str, Any]:
    return plain(compose_config(words))


def written(folder: Path, text: str) -> str:
    (folder / "door.yaml").write_text(text)
    return f"task={folder}/door.yaml"


def test_a_file_is_a_task_with_inputs_by_name(tmp_path: Path) -> None:
    config = composed(written(tmp_path, DOOR), "task.hall.width=4", "hall.precision=int8", "hall.blocks=[1]")
    task = task_of(config)
    assert (task.name, task.decision, task.names, task.schedule) == (
        "door",
        "verification",
        ("face", "hall", "voice"),
        Schedule(kind="every", interval_s=10.0),
    )
    assert task.combinations == (("face",), ("face", "voice"), ("face", "hall", "voice"))
    assert task.input("voice").kind == Microphone(clip_s=2.0)
    (branch,) = branches_of(config)
    assert branch.key == "hall-resnet-1-int8-w4-i32x1-e32"


def test_combinations_are_searched_as_named(tmp_path: Path) -> None:
    word = written(tmp_path, DOOR)
    assert build_space(composed(word)).modalities == ("face", "face+voice", "fusion")
    assert build_space(composed(word, "space.modalities=[hall+face]")).combinations == (("face", "hall"),)
    every = build_space(composed(written(tmp_path, DOOR.replace("combinations", "# combinations"))))
    assert every.modalities == ("face", "hall", "voice", "fusion")


def test_a_file_named_after_a_task_of_ours_takes_what_it_leaves_out(tmp_path: Path) -> None:
    ours = composed("task=motions")
    mine = composed(written(tmp_path, "name: motions\nschedule: button\ninputs: {wrist: {window_s: 1.5}}\n"))
    assert mine["data"] == ours["data"]
    assert mine["task"]["schedule"] == "button"
    assert mine["task"] | {"schedule": "always"} | {"inputs": ours["task"]["inputs"]} == ours["task"]
    assert mine["task"]["inputs"] == {"wrist": ours["task"]["inputs"]["wrist"] | {"window_s": 1.5}}
    assert composed(written(tmp_path, "name: motions\n"), "data=series")["data"]["name"] == "series"


def test_inputs_of_a_file_are_all_that_it_has(tmp_path: Path) -> None:
    text = (
        "name: door\ninputs:\n  face: {width: 8}\n  gate: {kind: microphone, clip_s: 1.0, width: 8, input_size: 32}\n"
    )
    task = composed(written(tmp_path, text))["task"]
    assert set(task["inputs"]) == {"face", "gate"}
    assert (task["inputs"]["face"]["width"], task["inputs"]["face"]["input_size"]) == (8, 64)
    assert task["combinations"] is None


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("kind: microphone", "kind: smell", "must be one of camera, microphone"),
        ("  hall:", "  Hall:", "lower-case letter"),
        ("  hall: {kind: camera, ", "  hall: {", "must have a kind"),
        ("clip_s: 2.0", "clip_s: 99", "0.1 to 10 s"),
        ("[voice, face]", "[voice, gait]", "(face, hall, voice), each once"),
        ("[voice, face]", "[voice, voice]", "once"),
        ("[voice, face]", "[face]", "must differ"),
        ("every:10s", "sometimes", "must be always, every:DURATION or button:PRESSES/day"),
        ("schedule:", "decision: guess\nschedule:", "must be one of verification"),
        ("schedule:", "color: red\nschedule:", "keys out of"),
        (DOOR, "inputs: {}", "at least one input"),
        (DOOR, "- a list", "keys out of"),
        (DOOR, "a: [", "readable YAML"),
        ("kind: camera", "kind: camera, widht: 9", "door.yaml: hall: widht; did you mean width?"),
        ("kind: camera", "kind: camera, 17: 9", "door.yaml: hall: 17; leave it out"),
        ("kind: camera", "kind: camera, null: 9", "door.yaml: hall: None; leave it out"),
        ("kind: camera", "kind: sonar", "door.yaml: hall: sonar; choose one of them"),
        ("  hall:", "  face:", "twice"),
    ],
)
def test_a_wrong_file_gets_one_line(tmp_path: Path, before: str, after: str, line: str) -> None:
    word = written(tmp_path, DOOR.replace(before, after, 1))
    with pytest.raises(UserError) as caught:
        task_of(composed(word))
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_input_of_another_task_is_not_what_was_meant() -> None:
    with pytest.raises(UserError, match=r"got voice.blocks=\[1\]; no input of this task has that name"):
        composed("task=keywords", "voice.blocks=[1]")


def test_a_file_that_is_not_there_gets_one_line() -> None:
    with pytest.raises(UserError, match="readable YAML"):
        composed("task=nowhere/door.yaml")
