"""Captures without signal are told apart from dark, quiet and half-lit ones that people really bring."""

from __future__ import annotations

import zipfile
from importlib import resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysearch.data import EmbeddedDataset
from tinysearch.data.capture_signal import CLIP_BLOCK, REASONS, Signal, judge_clip, judge_picture, share_on_plateaus
from tinysearch.data.decode import decode_audio

SIDE, RATE_HZ = 64, 16_000


def scene(low: int, high: int, seed: int = 0) -> np.ndarray:
    """A picture of soft shapes between two levels, with a little noise."""
    random = np.random.default_rng(seed)
    shapes = np.kron(random.random((8, 8, 3)), np.ones((8, 8, 1)))
    return np.clip(low + shapes * (high - low) + random.normal(0, 0.6, shapes.shape), 0, 255).astype(np.uint8)


def tone(level: float, seconds: float = 1.6) -> np.ndarray:
    return level * np.sin(2 * np.pi * 220 * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)


def half_frame() -> np.ndarray:
    picture = scene(20, 200)
    picture[12:] = 0
    return picture


@pytest.mark.parametrize(
    ("picture", "verdict"),
    [
        (scene(30, 220), Signal.GOOD),
        (scene(2, 40), Signal.GOOD),
        (scene(200, 255), Signal.GOOD),
        (np.zeros((SIDE, SIDE, 3), np.uint8), Signal.FLAT),
        (np.full((SIDE, SIDE), 77, np.uint8), Signal.FLAT),
        (scene(3, 8), Signal.FLAT),
        (np.random.default_rng(0).integers(0, 16, (SIDE, SIDE, 3)).astype(np.uint8), Signal.FLAT),
        (half_frame(), Signal.STUCK),
        (np.where(np.random.default_rng(1).random((SIDE, SIDE)) < 0.5, 0, 255).astype(np.uint8), Signal.CLIPPED),
    ],
    ids=["day", "dusk", "snow", "black", "gray", "covered", "4 bits", "half a frame", "wrongly scaled"],
)
def test_pictures(picture: np.ndarray, verdict: Signal) -> None:
    assert judge_picture(picture) is verdict


def click() -> np.ndarray:
    clip = np.random.default_rng(0).normal(0, 5, 25_600)
    clip[9000:9100] = 30_000
    return clip.astype(np.int16)


def cut_off(gain: float, level: int) -> np.ndarray:
    """A tone that was too loud by so much, turned down to a level afterwards."""
    return np.rint(level * np.clip(tone(gain), -1, 1)).astype(np.int16)


def dropping_out() -> np.ndarray:
    clip = tone(8000).astype(np.int16)
    clip[4800:] = 0
    return clip


@pytest.mark.parametrize(
    ("clip", "verdict"),
    [
        (tone(8000).astype(np.int16), Signal.GOOD),
        (tone(40).astype(np.int16), Signal.GOOD),
        (tone(0.25), Signal.GOOD),
        (np.zeros(25_600, np.int16), Signal.SILENT),
        (np.full(25_600, -32768, np.int16), Signal.SILENT),
        (tone(20).astype(np.int16), Signal.SILENT),
        (tone(8000.0 / 65536 / 32768), Signal.SILENT),
        (click(), Signal.SILENT),
        (np.zeros(0, np.int16), Signal.SILENT),
        (dropping_out(), Signal.STUCK),
        (tone(8000), Signal.CLIPPED),
        (np.sign(tone(1.0)).astype(np.float32), Signal.CLIPPED),
        (cut_off(1.5, 16_000), Signal.CLIPPED),
        (cut_off(1.5, 300) + np.int16(4000), Signal.CLIPPED),
        (np.where(np.arange(25_600) == 9000, 30_000, cut_off(1.5, 8000)).astype(np.int16), Signal.CLIPPED),
        (np.maximum(cut_off(1.0, 8000), -4000), Signal.CLIPPED),
        (cut_off(1.02, 16_000), Signal.GOOD),
    ],
    ids=[
        *("speech", "quiet", "floats", "silence", "offset", "-64 dB", "16 bits in 32", "click", "empty"),
        *("drops out", "integers in floats", "square"),
        *("turned down", "turned down far", "with a click", "one side", "hardly clipped"),
    ],
)
def test_recordings(clip: np.ndarray, verdict: Signal) -> None:
    assert judge_clip(clip) is verdict


@pytest.mark.parametrize("hertz", [20, 100, 333, 1000, 2000, 4000, 5333, 8000])
@pytest.mark.parametrize("level", [40, 100, 1000, 20_000])
def test_tones_of_any_pitch_are_not_clipped(hertz: int, level: int) -> None:
    for phase in (0.1, 0.4, 0.8):
        wave = level * np.sin(2 * np.pi * hertz * np.arange(8000) / RATE_HZ + phase)
        assert judge_clip(np.rint(wave).astype(np.int16)) is not Signal.CLIPPED
        assert share_on_plateaus(np.rint(wave).astype(np.int16), rate_hz=RATE_HZ) < 0.04


def test_the_certain_share_of_a_recording_that_was_cut_off() -> None:
    assert share_on_plateaus(cut_off(2.0, 16_000), rate_hz=RATE_HZ) == pytest.approx(2 / 3, abs=0.02)
    assert share_on_plateaus(tone(16_000).astype(np.int16), rate_hz=RATE_HZ) < 0.01
    assert share_on_plateaus(np.zeros(0, np.int16), rate_hz=RATE_HZ) == 0.0


def test_blocks_last_ten_milliseconds_at_any_rate() -> None:
    assert CLIP_BLOCK == RATE_HZ // 100
    quick = np.repeat(tone(40, 0.2), 3)
    assert judge_clip(quick.astype(np.int16), rate_hz=48_000) is Signal.GOOD
    assert judge_clip(tone(20, 0.2).astype(np.int16), rate_hz=8_000) is Signal.SILENT


def test_every_verdict_but_good_has_a_reason() -> None:
    assert len(REASONS) == len(Signal)
    assert [verdict for verdict in Signal if verdict.good] == [verdict for verdict in Signal if not verdict.reason]


def test_what_is_no_capture_is_an_error() -> None:
    for picture in (np.zeros((4, 4), np.int16), np.zeros((0, 4), np.uint8), np.zeros((4, 4, 2), np.uint8)):
        with pytest.raises(ValueError, match="picture must"):
            judge_picture(picture)
    for clip in (np.zeros((4, 2), np.int16), np.array([0.0, np.nan]), np.zeros(4, np.int32)):
        with pytest.raises(ValueError, match="recording must"):
            judge_clip(clip)


@given(st.integers(0, 2**32 - 1), st.integers(-8000, 8000))
def test_an_offset_changes_nothing(seed: int, offset: int) -> None:
    clip = np.random.default_rng(seed).normal(0, 10 ** (seed % 4), 1600).clip(-20_000, 20_000).astype(np.int16)
    assert judge_clip(clip) is judge_clip((clip + offset).astype(np.int16))


@given(st.integers(0, 2**32 - 1))
def test_a_picture_turned_or_mirrored_has_the_same_verdict(seed: int) -> None:
    random = np.random.default_rng(seed)
    picture = scene(*sorted(random.integers(0, 256, 2).tolist()), seed=seed)
    if seed % 3 == 0:
        picture[: 8 * random.integers(0, 9)] = 0
    verdicts = {judge_picture(np.ascontiguousarray(turned)) for turned in (picture, picture[::-1], picture[:, ::-1])}
    assert verdicts == {judge_picture(np.ascontiguousarray(np.rot90(picture)))}


def test_people_who_ship_with_the_package_all_pass() -> None:
    faces = EmbeddedDataset().load("face", "test", input_size=48, channels=3).inputs
    voices = zipfile.ZipFile(str(resources.files("tinysearch.data") / "embedded" / "voices.zip"))
    clips = [decode_audio(voices.read(name)) for name in voices.namelist()[1::60]]
    assert {judge_clip(clip) for clip in clips} == {Signal.GOOD}
    assert max(share_on_plateaus(clip, rate_hz=RATE_HZ) for clip in clips) < 0.01
    assert {judge_picture((face.astype(np.int16) + 128).astype(np.uint8)) for face in faces[::8]} == {Signal.GOOD}
