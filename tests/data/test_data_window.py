"""The front-end of motion and signal, as its definition says."""

import numpy as np
import pytest

from tinysearch.core.errors import UserError
from tinysearch.data.window import Window, WindowSettings, WindowTables, window_starts


def _noise(count, samples, axes, level=8000.0, seed=0):
    values = np.random.default_rng(seed).normal(0, level, (count, samples, axes))
    return np.clip(np.rint(values), -32768, 32767).astype(np.int16)


def test_rows_follow_each_other_through_the_window():
    settings = WindowSettings(size=10, samples=100, range_counts=(128,))
    ramp = np.arange(-50, 50, dtype=np.int16)[None, :, None]
    assert np.array_equal(Window(settings)(ramp), ramp.reshape(1, 10, 10, 1))
    overlapping = Window(WindowSettings(size=16, samples=100, range_counts=(128,)))(ramp)
    assert overlapping[0, 0, :, 0].tolist() == list(range(-50, -34))
    assert overlapping[0, 15, :, 0].tolist() == list(range(34, 50))


def test_a_series_is_the_mean_of_its_samples_row_by_row():
    settings = WindowSettings(size=4, samples=12, range_counts=(128, 128), content="series")
    window = np.zeros((1, 12, 2), np.int16)
    window[0, :, 0] = [1, 2, 3, -1, -2, -3, 10, 10, 12, 500, 500, 500]
    window[0, 3:6, 1] = [-1, 0, 0]
    series = Window(settings)(window)
    assert series.shape == (1, 4, 1, 2)
    assert series[0, :, 0, 0].tolist() == [2, -2, 11, 127]
    assert series[0, :, 0, 1].tolist() == [0, 0, 0, 0]
    with pytest.raises(UserError, match="must be a multiple of the rows of a series; got 12 samples for input_size=5"):
        WindowSettings(size=5, samples=12, range_counts=(1,), content="series")


def test_a_fixed_range_rounds_and_clamps():
    settings = WindowSettings(size=4, samples=16, range_counts=(256, 1))
    window = np.zeros((1, 16, 2), np.int16)
    window[0, :6, 0] = [255, 1, -1, -256, 32767, -32768]
    window[0, :2, 1] = [1, -1]
    image = Window(settings)(window).reshape(16, 2)
    assert image[:6, 0].tolist() == [127, 1, 0, -128, 127, -128]
    assert image[:2, 1].tolist() == [127, -128]


def test_centered_windows_do_not_know_where_zero_is():
    settings = WindowSettings(size=10, samples=100, range_counts=(8192,) * 3, center=True)
    window = _noise(4, 100, 3, level=2000)
    assert np.array_equal(Window(settings)(window), Window(settings)(window + np.int16(5000)))


@pytest.mark.parametrize("content", ["samples", "spectrum"])
def test_a_window_s_own_scale_forgets_its_level(content):
    settings = WindowSettings(size=16, samples=128, range_counts=(8192,), content=content, scale="window")
    window = _noise(6, 128, 1, level=1500)
    quiet, loud = Window(settings)(window), Window(settings)(window * np.int16(4))
    assert np.abs(quiet.astype(int) - loud).max() <= 2
    assert np.abs(quiet.astype(int)).max() > 40
    silent = Window(settings)(np.full((1, 128, 1), 0, np.int16))
    assert np.unique(silent).size == 1


def test_a_quiet_window_is_not_blown_up():
    settings = WindowSettings(size=4, samples=16, range_counts=(6400,), scale="window")
    window = np.zeros((1, 16, 1), np.int16)
    window[0, 0] = 10  # 100 counts, a 64th of the range, would be 127
    assert Window(settings)(window)[0, 0, 0, 0] == round(12.7)


def test_a_spectrum_shows_a_tone_in_its_band_and_its_level():
    settings = WindowSettings(size=16, samples=256, range_counts=(4096, 4096), content="spectrum")
    assert settings.fft_size == 32
    time = np.arange(256)
    window = np.zeros((1, 256, 2), np.int16)
    window[0, :, 0] = np.rint(4000 * np.sin(2 * np.pi * 8 / 32 * time))
    image = Window(settings)(window)[0].astype(int)
    bands = image[:, :, 0].mean(axis=0)
    assert abs(int(bands.argmax()) - 7.5) <= 0.5 and bands.max() > 90  # bin 8 of 1 .. 15
    assert image[:, :, 1].max() < -90  # nothing on the other axis
    halved = Window(settings)(window // 2)[0].astype(int)
    assert abs(image[:, :, 0].max() - halved[:, :, 0].max() - 2 * settings.steps_per_octave) <= 1


def test_settings_that_change_a_byte_change_the_key():
    plain = {"size": 16, "samples": 200, "range_counts": (8192,)}
    others = [{"size": 17}, {"samples": 201}, {"range_counts": (8191,)}, {"content": "spectrum"}, {"center": True}]
    others += [{"scale": "window"}, {"steps_per_octave": 9}]
    keys = {WindowSettings(**(plain | other)).key for other in [{}, *others]}
    assert len(keys) == len(others) + 1


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"size": 3}, "4 to 128 rows"),
        ({"size": 9}, "without a gap; got 9 rows of 9 samples for 100 samples; use input_size=10"),
        ({"samples": 9}, "between input_size and 8192 samples"),
        ({"range_counts": ()}, "1 to 16 axes"),
        ({"range_counts": (0,)}, "1 to 32768 counts"),
        ({"content": "wavelet"}, "samples or spectrum"),
        ({"scale": "none"}, "range or window"),
        ({"steps_per_octave": 0}, "1 to 64 steps"),
        ({"content": "spectrum", "size": 64}, "without a gap"),
    ],
)
def test_bad_settings_are_refused_in_one_line(wrong, says):
    with pytest.raises(UserError, match=says):
        WindowSettings(**({"size": 10, "samples": 100, "range_counts": (8192,)} | wrong))


def test_other_shapes_are_refused():
    front_end = Window(WindowSettings(size=10, samples=100, range_counts=(8192,)))
    with pytest.raises(ValueError, match=r"int16 \[B, 100, 1\]"):
        front_end(np.zeros((2, 100, 2), np.int16))


def test_windows_are_whole():
    assert window_starts(100, samples=100, hop=50).tolist() == [0]
    assert window_starts(99, samples=100, hop=50).tolist() == []
    assert window_starts(220, samples=100, hop=50).tolist() == [0, 50, 100]


def test_weights_of_a_spectrum_cover_every_bin():
    tables = WindowTables.of(WindowSettings(size=16, samples=256, range_counts=(8192,), content="spectrum"))
    reached = set()
    for first, count in zip(tables.first_bin, tables.bin_count, strict=True):
        reached |= set(range(int(first), int(first) + int(count)))
    assert reached == set(range(1, 16))


@pytest.mark.parametrize("content", ["samples", "spectrum"])
def test_of_no_windows_there_are_no_images(content):
    """What is left of a recording beside a bad row may be shorter than a window."""
    settings = WindowSettings(size=20, samples=400, range_counts=(128,), content=content)
    assert Window(settings)(np.zeros((0, 400, 1), np.int16)).shape == (0, 20, 20, 1)
