"""Motion sensors and other series as kinds of input."""

import pytest

from tinysearch.core.errors import UserError
from tinysearch.core.network import Shape
from tinysearch.inputs import make_kind


def test_a_motion_sensor_gives_windows_of_six_axes():
    kind = make_kind("motion", {})
    assert kind.axes == ("ax", "ay", "az", "wx", "wy", "wz") and kind.samples == 100
    assert kind.range_counts == (8192,) * 6  # 2 of 8 g, 500 of 2000 degrees a second
    assert kind.full_scale == (8.0, 8.0, 8.0, 2000.0, 2000.0, 2000.0)
    shape = kind.shape(input_size=10, channels=6)
    assert shape == Shape(height=10, width=10, channels=6)
    capture = kind.capture(shape)
    assert (capture.size_bytes, capture.seconds) == (100 * 6 * 2, 2.0)


def test_a_series_is_a_column_of_samples():
    kind = make_kind("motion", {"content": "series"})
    assert kind.shape(input_size=50, channels=6) == Shape(height=50, width=1, channels=6)


def test_an_accelerometer_has_three_axes():
    kind = make_kind("motion", {"gyroscope": False, "range_g": 16.0, "span_g": 16.0})
    assert kind.axes == ("ax", "ay", "az") and kind.range_counts == (32768,) * 3
    with pytest.raises(UserError, match="channels must be the axes of the sensor; got channels=6; write channels=3"):
        kind.shape(input_size=10, channels=6)


def test_a_signal_has_the_axes_it_names():
    settings = {"axes": ["x", "y"], "units": ["g"], "full_scale": [16.0], "span": [2.0, 16.0], "rate_hz": 800}
    kind = make_kind("signal", settings)
    assert kind.units == ("g", "g") and kind.range_counts == (4096, 32768)
    assert kind.capture(kind.shape(input_size=32, channels=2)).size_bytes == 800 * 2 * 2


@pytest.mark.parametrize(
    ("settings", "interfaces"),
    [
        ({"units": ["g"]}, ("i2c", "spi", "adc", "uart")),
        ({}, ("i2c", "spi", "adc", "uart")),
        ({"units": ["mV"]}, ("adc", "uart")),
        ({"axes": ["a", "b"], "units": ["g", "mV"]}, ("adc", "uart")),
        ({"units": ["mV"], "interface": "i2c"}, ("i2c",)),
    ],
)
def test_an_accelerometer_reads_only_accelerations(settings, interfaces):
    assert make_kind("signal", settings).interfaces == interfaces


@pytest.mark.parametrize(
    ("kind", "wrong", "says"),
    [
        ("motion", {"window_s": 0}, "window_s must be a positive number, at most 1e\\+09; got 0"),
        ("motion", {"window_s": 1e308}, "window_s must be a positive number, at most 1e\\+09; got 1e\\+308"),
        ("motion", {"window_s": 10**400}, "window_s must be a positive number"),
        ("motion", {"span_g": float("inf"), "range_g": float("inf")}, "span_g must be positive and within range_g"),
        ("motion", {"rate_hz": "fast"}, "rate_hz must be a positive number, at most 1e\\+09; got fast"),
        ("motion", {"window_s": 0.1}, "a window must have 16 to 8192 samples; got 5 in 0.1 s at 50.0 Hz"),
        ("motion", {"span_g": 9.0}, "span_g must be positive and within range_g"),
        ("motion", {"content": "wavelet"}, "content must be samples or spectrum"),
        ("motion", {"center": 1}, "center must be true or false"),
        ("motion", {"gyroscope": "yes"}, "gyroscope must be true or false"),
        ("motion", {"colour": "red"}, "settings of kind motion must be out of"),
        ("signal", {"axes": []}, "axes must be 1 to 16 different names"),
        ("signal", {"axes": "lead"}, "axes must be a list of names; got lead"),
        ("signal", {"axes": [["x"]]}, "axes must be a list of names"),
        ("signal", {"units": 5}, "units must be a list of names; got 5"),
        ("signal", {"axes": ["x", "x"]}, "axes must be 1 to 16 different names"),
        ("signal", {"axes": ["x", "y", "z"], "units": ["g", "g"]}, "units must have one value, or one for each of 3"),
        ("signal", {"span": [10**400], "full_scale": [10**400]}, "span must be positive and within full_scale"),
        ("signal", {"span": [40000.0]}, "span must be positive and within full_scale"),
        ("signal", {"interface": "wire"}, "interface of a signal must be one of i2c, spi, adc, uart; got wire"),
        ("signal", {"scale": "own"}, "scale must be range or window"),
    ],
)
def test_bad_settings_are_one_line(kind, wrong, says):
    with pytest.raises(UserError, match=says):
        make_kind(kind, wrong)
