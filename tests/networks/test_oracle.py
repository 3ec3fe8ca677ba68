"""The oracle against tflite-micro, and against what its source says where that cannot be installed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from random_tflite import everything

from tinysearch.firmware.networks.golden import random_inputs
from tinysearch.networks.arithmetic import exp_on_negative, quantize_multiplier, reciprocal_of_one_plus, scaled
from tinysearch.networks.graph import Quantization
from tinysearch.networks.operators.pointwise import rescaled
from tinysearch.networks.oracle import run
from tinysearch.networks.tflite_file import read_tflite


def test_every_byte_is_that_of_tflite_micro(tmp_path):
    runtime = pytest.importorskip("tflite_micro.python.tflite_micro.runtime")
    path = tmp_path / "network.tflite"
    path.write_bytes(everything())
    graph = read_tflite(path)
    inputs = random_inputs(graph, 20, 0)
    outputs = run(graph, inputs)
    assert all(len(np.unique(output)) > 5 for output in outputs)
    interpreter = runtime.Interpreter.from_file(str(path))
    for sample in range(20):
        for index, values in enumerate(inputs):
            interpreter.set_input(values[sample], index)
        interpreter.invoke()
        for index, expected in enumerate(outputs):
            np.testing.assert_array_equal(interpreter.get_output(index), expected[sample])


def test_factors_are_quotients_in_double_precision():
    """134 times the quotient of these scales is just below 138.5 in double, and just above in single precision."""
    source, result = (
        Quantization(scales=np.array([scale], np.float32), zero_points=np.array([zero]))
        for scale, zero in ((0.08257771811076589, -82), (0.07989469360144913, -94))
    )
    assert rescaled(source, result)[128 + 52] == 44


@pytest.mark.parametrize("real", [1e-12, 2.0**-31, 0.3, 0.5, 0.75, 1.0, 3.7, 1 - 2.0**-40])
def test_a_multiplier_and_its_shift_stand_for_the_factor(real):
    multiplier, shift = quantize_multiplier(real)
    assert multiplier == 0 or 1 << 30 <= multiplier < 1 << 31
    assert abs(multiplier * 2.0 ** (shift - 31) - real) <= max(real * 2.0**-30, 2.0**-32)


def test_scaling_rounds_twice():
    assert scaled([3, -3, 5, -5], 1 << 30, 0).tolist() == [2, -1, 3, -2]
    assert scaled([3, -3], 1 << 30, 2).tolist() == [6, -6]
    assert scaled([6, -6], 1 << 30, -1).tolist() == [2, -2]


def test_exponentials_and_reciprocals_are_close_to_the_real_ones():
    values = np.arange(0, -(1 << 31), -(1 << 22))
    found = exp_on_negative(values, 5) / 2.0**31
    np.testing.assert_allclose(found, np.exp(values / 2.0**26), atol=3e-7)
    fractions = np.linspace(0, 2**31 - 1, 1000).astype(np.int64)
    np.testing.assert_allclose(reciprocal_of_one_plus(fractions) / 2.0**31, 1 / (1 + fractions / 2.0**31), atol=1e-7)
    assert exp_on_negative(0, 5) == 2**31 - 1
    assert math.isclose(exp_on_negative(-(1 << 26), 5) / 2.0**31, math.exp(-1), abs_tol=1e-6)
