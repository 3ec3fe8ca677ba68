"""The rule that refuses captures without signal: C gives the verdicts of Python for the same bytes."""

from __future__ import annotations

import ctypes
import re
from collections import Counter

import ckernels
import numpy as np
import numpy.typing as npt
import pytest
from projects import TEMPLATES

from tinysearch.data import capture_signal
from tinysearch.data.capture_signal import CLIP_NEAR, CLIP_RAIL, CLIP_RANGE, REASONS, Signal, judge_clip, judge_picture

MAIN = TEMPLATES / "esp_idf/main"


@pytest.fixture(scope="module")
def code() -> ctypes.CDLL:
    library = ckernels.library([], extra=f'#include "{MAIN}/capture_signal.c"\n')
    library.capture_signal_problem.restype = ctypes.c_char_p
    return library


def picture_by_c(code: ctypes.CDLL, picture: npt.NDArray[np.uint8]) -> Signal:
    image = np.ascontiguousarray((picture.astype(np.int16) - 128).astype(np.int8))
    return Signal(code.capture_judge_picture(ctypes.c_void_p(image.ctypes.data), *image.shape))


def clip_by_c(code: ctypes.CDLL, clip: npt.NDArray[np.int16]) -> Signal:
    clip = np.ascontiguousarray(clip)
    return Signal(code.capture_judge_clip(ctypes.c_void_p(clip.ctypes.data), clip.size))


def test_constants_verdicts_and_words_are_the_same(code: ctypes.CDLL) -> None:
    header = (MAIN / "capture_signal.h").read_text()
    constants = {name: int(value) for name, value in re.findall(r"^    ((?:PICTURE|CLIP)_\w+) = (\d+),", header, re.M)}
    names = [name for name in vars(capture_signal) if name.startswith(("PICTURE_", "CLIP_"))]
    assert constants == {name: getattr(capture_signal, name) for name in names}
    assert re.findall(r"SIGNAL_(\w+)[,\s]", header.split("typedef enum")[1].split("}")[0]) == [v.name for v in Signal]
    assert code.capture_signal_problem(0) is None
    for verdict in list(Signal)[1:]:
        assert code.capture_signal_problem(verdict).decode() == f"this capture {REASONS[verdict]}"


def drawn_picture(random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Scenes, half frames, covered lenses, black and white; at and about every limit of the rule."""
    height, width = random.choice([8, 31, 32, 33, 48, 64, 100], 2)
    channels = random.choice([1, 3])
    low = int(random.integers(0, 256))
    high = min(255, low + int(random.choice([0, 1, 14, 15, 16, 17, 100])))
    if random.random() < 0.3:
        low, high = int(random.integers(0, 7)), int(random.integers(249, 256))
    picture = np.where(random.random((height, width, channels)) < random.random(), low, high).astype(np.uint8)
    if random.random() < 0.5:
        picture[random.integers(0, height + 1) :] = random.integers(0, 256)
    if random.random() < 0.3:
        picture[:, random.integers(0, width + 1) :] = random.integers(0, 256)
    if random.random() < 0.2:
        share = random.choice([0.009, 0.01, 0.011, 0.02])
        picture[random.random((height, width)) < share] = random.integers(0, 256)
    return picture


def drawn_clip(random: np.random.Generator) -> npt.NDArray[np.int16]:
    """Noise of every level with drop-outs, clicks and clipping; lengths about a block and about a clip."""
    size = int(random.choice([1, 2, 159, 160, 161, 320, 1600, 3333, 25_600]))
    level = random.choice([0, 1, 8, CLIP_RANGE // 2 - 1, CLIP_RANGE // 2, 500, 20_000, 60_000])
    clip = random.integers(-level, level + 1, size) + random.choice([0, 3000])
    if random.random() < 0.4:
        slow = np.repeat(random.integers(-level, level + 1, size // 6 + 1), 6)[:size]  # runs of six, then cut off
        low, high = -level * random.choice([0.3, 0.9, 1.0]), level * random.choice([0.3, 0.6, 1.0])
        clip = np.clip(slow, low, high).astype(int)
        clip += random.integers(0, 2 + level // 200, size)
    if random.random() < 0.5:
        clip[int(size * random.choice([0.05, 0.2, 0.25, 0.26, 0.5, 1.0])) :] = random.integers(-2, 3)
    if random.random() < 0.3:
        clip[random.random(size) < random.choice([0.2, 0.25, 0.3])] = random.choice(
            [CLIP_RAIL, -CLIP_RAIL, CLIP_RAIL - 1]
        )
    return np.clip(clip, -32768, 32767).astype(np.int16)


def test_pictures_are_judged_as_in_python(code: ctypes.CDLL) -> None:
    random, seen = np.random.default_rng(0), Counter[Signal]()
    for _ in range(500):
        picture = drawn_picture(random)
        verdict = judge_picture(picture)
        assert picture_by_c(code, picture) is verdict
        seen[verdict] += 1
    assert min(seen[verdict] for verdict in (Signal.GOOD, Signal.FLAT, Signal.STUCK, Signal.CLIPPED)) > 5


def test_recordings_are_judged_as_in_python(code: ctypes.CDLL) -> None:
    random, seen = np.random.default_rng(1), Counter[Signal]()
    for _ in range(500):
        clip = drawn_clip(random)
        verdict = judge_clip(clip)
        assert clip_by_c(code, clip) is verdict
        seen[verdict] += 1
    assert clip_by_c(code, np.zeros(0, np.int16)) is judge_clip(np.zeros(0, np.int16)) is Signal.SILENT
    assert min(seen[verdict] for verdict in (Signal.GOOD, Signal.SILENT, Signal.STUCK, Signal.CLIPPED)) > 5


def test_limits_are_met_to_the_level(code: ctypes.CDLL) -> None:
    for contrast, verdict in ((15, Signal.FLAT), (16, Signal.GOOD)):
        picture = np.full((16, 16, 1), 100, np.uint8)
        picture[8:] += contrast
        assert picture_by_c(code, picture) is judge_picture(picture) is verdict
    for still, verdict in ((47, Signal.GOOD), (48, Signal.STUCK)):
        blocks = np.random.default_rng(2).integers(50, 200, (8, 8, 8, 8), dtype=np.uint8)
        for block in range(still):
            blocks[block // 8, block % 8] = 120
        picture = np.ascontiguousarray(blocks.transpose(0, 2, 1, 3).reshape(64, 64, 1))
        assert picture_by_c(code, picture) is judge_picture(picture) is verdict
    for loud, verdict in ((7, Signal.SILENT), (8, Signal.GOOD)):
        clip = np.random.default_rng(3).integers(-3, 4, 25_600)
        clip.reshape(-1, 160)[:loud, 5] = CLIP_RANGE
        clip.reshape(-1, 160)[:loud, 6] = 0
        assert clip_by_c(code, clip.astype(np.int16)) is judge_clip(clip.astype(np.int16)) is verdict
    for run, verdict in ((41, Signal.CLIPPED), (40, Signal.GOOD)):  # of 160 samples
        for top in (2 * CLIP_RANGE, 30_000):
            block = np.linspace(0, 0.9 * top, 160)
            block[:run] = top - top // CLIP_NEAR
            block[0], block[-1] = top, 0
            clip = np.tile(block, 10).astype(np.int16)
            assert clip_by_c(code, clip) is judge_clip(clip) is verdict
    pairs = np.tile(np.array([9000, 9000, -9000, -9000], np.int16), 400)
    assert clip_by_c(code, pairs) is judge_clip(pairs) is Signal.GOOD
