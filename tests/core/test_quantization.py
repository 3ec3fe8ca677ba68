from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinysearch.core.errors import UserError
from tinysearch.core.quantization import (
    COSINE_FRACTION_BITS,
    Precision,
    cosine_fixed,
    doubling_high_multiply,
    quantize_multiplier,
    requantize,
    rounding_shift_right,
)


def tflite_high_multiply(a: int, b: int) -> int:
    """The reference definition: nudge by sign, divide by 2^31 truncating towards zero."""
    product = a * b
    nudged = product + ((1 << 30) if product >= 0 else 1 - (1 << 30))
    return int(math.copysign(abs(nudged) // (1 << 31), nudged))


def tflite_shift(x: int, exponent: int) -> int:
    """The reference definition of gemmlowp's rounding divide by a power of two."""
    mask = (1 << exponent) - 1
    remainder = x & mask
    threshold = (mask >> 1) + (1 if x < 0 else 0)
    return (x >> exponent) + (1 if remainder > threshold else 0)


@given(st.integers(-(2**31) + 1, 2**31 - 1), st.integers(2**30, 2**31 - 1))
def test_high_multiply_equals_the_reference(a: int, b: int) -> None:
    assert int(doubling_high_multiply(a, b)) == tflite_high_multiply(a, b)


@given(st.integers(-(2**31), 2**31 - 1), st.integers(0, 31))
def test_shift_equals_the_reference(x: int, exponent: int) -> None:
    assert int(rounding_shift_right(x, exponent)) == tflite_shift(x, exponent)


@given(st.floats(1e-8, 0.5))
def test_multiplier_is_close_and_shifts_right(real: float) -> None:
    multiplier, shift = quantize_multiplier(real)
    assert shift >= (0 if real == 0.5 else 1)
    assert 2**30 <= multiplier < 2**31
    assert multiplier / 2**31 / 2**shift == pytest.approx(real, rel=2**-30)


@pytest.mark.parametrize("real", [-0.1, 0.51, math.nan])
def test_multiplier_out_of_range_is_refused(real: float) -> None:
    with pytest.raises(ValueError, match=r"0\.5"):
        quantize_multiplier(real)


@given(hnp.arrays(np.int32, 16, elements=st.integers(-(2**30), 2**30)), st.integers(-128, 127))
def test_requantize_is_monotone_and_clamped(accumulator: np.ndarray, zero_point: int) -> None:
    multiplier, shift = quantize_multiplier(0.003)
    out = requantize(np.sort(accumulator), multiplier, shift, zero_point=zero_point, low=zero_point)
    assert (np.diff(out.astype(int)) >= 0).all()
    assert out.min() >= zero_point


embedding = hnp.arrays(np.int8, 24, elements=st.integers(-128, 127))


@given(embedding, embedding)
def test_cosine_is_the_cosine(a: np.ndarray, b: np.ndarray) -> None:
    fixed = int(cosine_fixed(a, b)) / 2**COSINE_FRACTION_BITS
    norms = np.linalg.norm(a.astype(float)) * np.linalg.norm(b.astype(float))
    expected = float(a.astype(float) @ b.astype(float)) / norms if norms else 0.0
    assert fixed == pytest.approx(expected, abs=3e-5)
    assert int(cosine_fixed(a, b)) == int(cosine_fixed(b, a))


@pytest.mark.parametrize("name", ["float32", "int8", "xnor1/1", "xnor2/1", "xnor3/1", "xnor2/2", "xnor2/1from2"])
def test_precisions_round_trip(name: str) -> None:
    assert str(Precision.parse(name)) == name


@pytest.mark.parametrize("name", ["int4", "xnor4/1", "xnor21", "xnor2/1from0", "xnor2/1from10", "int8from2", ""])
def test_unknown_precisions_name_rule_value_and_remedy(name: str) -> None:
    with pytest.raises(UserError, match="precision must be float32"):
        Precision.parse(name)
