"""Kinds of input and tasks as values: what a kind needs, how combinations are spelled, what is refused."""

from __future__ import annotations

import pytest

from tinysearch.core.errors import UserError
from tinysearch.core.network import Shape
from tinysearch.core.task import Input, Task
from tinysearch.core.trust import trust
from tinysearch.inputs import BUILT_IN, make_kind
from tinysearch.inputs.camera import Camera
from tinysearch.inputs.microphone import Microphone

DOOR = Task(
    name="door",
    decision="verification",
    inputs=(
        Input(name="face", kind=Camera()),
        Input(name="hall", kind=Camera()),
        Input(name="voice", kind=Microphone(clip_s=2.0)),
    ),
    combinations=(("face",), ("face", "voice")),
)


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_kind_says_what_its_input_needs(name: str) -> None:
    kind = make_kind(name, {})
    channels = 6 if name == "motion" else 1
    shape = kind.shape(input_size=64, channels=channels)
    capture = kind.capture(shape)
    assert kind.name == name
    assert shape.channels == channels
    assert capture.size_bytes > 0
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in kind.suffixes)


def test_captures_are_frames_and_clips() -> None:
    frame = Camera().capture(Camera().shape(input_size=64, channels=3))
    assert (frame.size_bytes, frame.pixels, frame.frame, frame.seconds) == (96 * 96 * 2, 96 * 96, "96X96", 0.0)
    clip = Microphone(clip_s=2.0).capture(Microphone().shape(input_size=64, channels=1))
    assert (clip.size_bytes, clip.pixels, clip.seconds) == (64_000, 0, 2.0)


def test_a_shorter_clip_has_as_many_seconds_a_frame() -> None:
    microphone = Microphone(clip_s=1.6)
    whole = microphone.shape(input_size=64, channels=1)
    half = microphone.shorter(whole, frames=32)
    assert half == Shape(height=32, width=64, channels=1)
    assert (microphone.capture(half).seconds, microphone.capture(half).size_bytes) == (0.8, 25_600)
    assert microphone.shorter(whole, frames=64) == whole
    for frames in (7, 65):
        with pytest.raises(UserError, match="8 to input_size, 64"):
            microphone.shorter(whole, frames=frames)


def test_combinations_are_spelled_by_names() -> None:
    assert DOOR.combination("voice+face") == ("face", "voice")
    assert DOOR.combination("fusion") == DOOR.names
    assert DOOR.modality(DOOR.names) == "fusion"
    assert DOOR.modality(("face", "voice")) == "face+voice"
    assert DOOR.sensors(DOOR.names) == ("camera", "microphone")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (lambda: make_kind("smell", {}), "must be one of camera"),
        (lambda: make_kind("nowhere:Kind", {}), "not by a file alone"),
        (lambda: (trust(["tinysearch.nowhere:Kind"]), make_kind("tinysearch.nowhere:Kind", {})), "must be importable"),
        (lambda: make_kind("camera", {"clip_s": 1.0}), "clip_s"),
        (lambda: make_kind("microphone", {"clip_s": 30.0}), "0.1 to 10 s"),
        (lambda: make_kind("microphone", {"clip_s": "long"}), "long"),
        (lambda: DOOR.combination("gait"), "(face, hall, voice), each once, joined by +"),
        (lambda: DOOR.combination("face+face"), "modality=fusion"),
    ],
)
def test_what_is_wrong_is_refused_in_a_line(wrong, named: str) -> None:
    with pytest.raises(UserError) as caught:
        wrong()
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)
