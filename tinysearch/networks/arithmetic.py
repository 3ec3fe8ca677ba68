"""TensorFlow Lite's reference arithmetic on int64 arrays, as tflite-micro's kernels execute it in 32 bits.

Multipliers are 31-bit fractions with a power of two; unlike those of :mod:`tinysearch.core.quantization`, which
training keeps below one half, a file's may be of any size. Fixed point numbers with i integer bits are raw values that
stand for raw / 2^(31 - i). Products round half up at the 31st bit, shifts to the right round halves away from zero.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tinysearch.core.quantization import (
    INT8_HIGH,
    INT8_LOW,
    Int64,
    doubling_high_multiply,
    rounding_shift_right,
)
from tinysearch.networks.graph import Graph, Quantization, Rounding
from tinysearch.networks.options import Activation

INT32_LOW, INT32_HIGH = -(1 << 31), (1 << 31) - 1
_FRACTION = 31

_EXP_TERMS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
"""exp(-2^e) for e = -2 .. 4, 31 fraction bits."""
_EXP_EIGHTH, _THIRD = 1895147668, 715827883  # exp(-1/8), 1/3
_NEWTON_START, _NEWTON_SLOPE = 1515870810, -1010580540  # 48/17, -32/17 with 2 integer bits


def quantize_multiplier(real: float) -> tuple[int, int]:
    """Multiplier m in [2^30, 2^31) and left shift n (negative: to the right) with real ~ m / 2^31 * 2^n.

    A factor below 2^-32 becomes (0, 0).

    Raises:
        ValueError: negative or not finite.
    """
    if not (0.0 <= real < math.inf):
        raise ValueError(f"a requantization multiplier must be finite and not negative, got {real}")
    fraction, exponent = math.frexp(real)
    multiplier = math.floor(fraction * (1 << _FRACTION) + 0.5)
    if multiplier == 1 << _FRACTION:
        multiplier, exponent = multiplier // 2, exponent + 1
    return (multiplier, exponent) if multiplier and exponent >= -_FRACTION else (0, 0)


def factor_in(graph: Graph, real: float) -> tuple[int, int]:
    """Multiplier and left shift in a network's rounding.

    Without a shift to the right a product is rounded once; the multiplier of a small factor has fewer bits then, 20 for
    a thousandth.

    Raises:
        ValueError: negative or not finite.
    """
    multiplier, shift = quantize_multiplier(real)
    once = graph.rounding is not Rounding.TWICE and shift < 0
    return (round(real * (1 << _FRACTION)), 0) if once else (multiplier, shift)


def scaled(values: npt.ArrayLike, multiplier: npt.ArrayLike, shift: npt.ArrayLike) -> Int64:
    """``values * multiplier / 2^31 * 2^shift``, rounded twice; one multiplier and shift, or one a channel (last)."""
    shifts = np.asarray(shift, np.int64)
    raised = np.asarray(values, np.int64) << np.maximum(shifts, 0)
    return rounding_shift_right(doubling_high_multiply(raised, multiplier), np.maximum(-shifts, 0))


def activation_range(activation: Activation, quantization: Quantization) -> tuple[int, int]:
    """Least and largest int8 value that a fused activation lets through.

    Raises:
        KeyError: an activation that is none of these.
    """
    low, high = {
        Activation.NONE: (None, None),
        Activation.RELU: (0.0, None),
        Activation.RELU6: (0.0, 6.0),
        Activation.RELU_N1_TO_1: (-1.0, 1.0),
    }[activation]
    least = INT8_LOW if low is None else max(INT8_LOW, quantized(low, quantization))
    return least, INT8_HIGH if high is None else min(INT8_HIGH, quantized(high, quantization))


def quantized(real: float, quantization: Quantization) -> int:
    """The stored value of a real one, in single precision, halves away from zero; not clamped."""
    quotient = np.float32(real) / quantization.scales[0]
    return quantization.zero_point + int(round_away(np.asarray(quotient, np.float64)))


def round_away(values: npt.NDArray[np.float64]) -> Int64:
    """To the nearest integer, halves away from zero, as C's ``round``."""
    return (np.sign(values) * np.floor(np.abs(values) + 0.5)).astype(np.int64)


def exp_on_negative(values: npt.ArrayLike, integer_bits: int) -> Int64:
    """Exponential of fixed point numbers <= 0 with ``integer_bits`` <= 5, as fixed point with none.

    A Taylor polynomial of the remainder by one quarter, times powers of e for the bits above it.
    """
    raw = np.asarray(values, np.int64)
    fraction_bits = _FRACTION - integer_bits
    quarter = 1 << (fraction_bits - 2)
    remainder = (raw & (quarter - 1)) - quarter
    result = _exp_near_eighth(_saturated(remainder << integer_bits))
    bits = remainder - raw
    for exponent, factor in zip(range(-2, integer_bits), _EXP_TERMS, strict=False):
        chosen = (bits >> (fraction_bits + exponent)) & 1
        result = np.where(chosen == 1, doubling_high_multiply(result, factor), result)
    return np.where(raw == 0, INT32_HIGH, result)


def _exp_near_eighth(values: Int64) -> Int64:
    """Exponential on [-1/4, 0), by its Taylor polynomial around -1/8."""
    x = values + (1 << (_FRACTION - 3))
    squared = doubling_high_multiply(x, x)
    cubed = doubling_high_multiply(squared, x)
    fourth = rounding_shift_right(doubling_high_multiply(squared, squared), 2)
    tail = rounding_shift_right(doubling_high_multiply(fourth + cubed, _THIRD) + squared, 1)
    return _EXP_EIGHTH + doubling_high_multiply(np.full_like(x, _EXP_EIGHTH), x + tail)


def reciprocal_of_one_plus(values: npt.ArrayLike) -> Int64:
    """1 / (1 + x) for fixed point x in [0, 1) without integer bits."""
    return _saturated(_twice_reciprocal(values) << 1)


def ratio_of_one_plus(values: npt.ArrayLike) -> Int64:
    """(1 - x) / (1 + x) for fixed point x in [0, 1) without integer bits."""
    return _saturated((_twice_reciprocal(values) - (1 << (_FRACTION - 2))) << 2)


def _twice_reciprocal(values: npt.ArrayLike) -> Int64:
    """2 / (1 + x) with 2 integer bits, by three steps of Newton's method on half the denominator."""
    total = np.asarray(values, np.int64) + INT32_HIGH
    half_denominator = (total + 1) >> 1  # the sum is positive: halves up
    x = _NEWTON_START + doubling_high_multiply(half_denominator, _NEWTON_SLOPE)
    for _ in range(3):
        error = (1 << (_FRACTION - 2)) - doubling_high_multiply(half_denominator, x)
        x = x + _saturated(doubling_high_multiply(x, error) << 2)
    return x


def _saturated(values: Int64) -> Int64:
    return np.clip(values, INT32_LOW, INT32_HIGH)
