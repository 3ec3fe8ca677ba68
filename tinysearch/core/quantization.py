"""Precisions and the integer arithmetic that Python and C share bit for bit.

Requantization is that of TensorFlow Lite's int8 scheme: a saturating rounding doubling high multiply by a 31-bit
multiplier, then a rounding shift right (Jacob et al. 2018, arXiv 1712.05877). Frozen networks only use multipliers
below one half, so a shift is always to the right and at least 1, which the C kernels rely on.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tinysearch.core.errors import UserError

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]

INT8_LOW, INT8_HIGH = -128, 127
INPUT_SCALE = 1.0 / 128.0
"""A network's input is int8 for every precision: byte - 128, standing for (byte - 128) / 128."""

XNOR_FRACTION_BITS = 8
"""A binary accumulator is shifted left by this before its bias is added, so that the bias is finer than one count."""

MOST_VALUES = 1024
"""Of an embedding: see ts_cosine_s8.h."""

COSINE_FRACTION_BITS = 20
"""Cosines are fixed point with this many fraction bits; so are thresholds."""

_XNOR = re.compile(r"^xnor([123])/([12])(?:from([1-9]))?$")

PRECISIONS = ("float32", "int8", *(f"xnor{a}/{w}" for w in (1, 2) for a in (1, 2, 3)))
"""Every precision, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """The arithmetic of one branch.

    Attributes:
        kind: ``float32``, ``int8`` or ``xnor``.
        activation_bits, weight_bits: 32/32, 8/8, or A/B of XNOR A/B with A in 1..3 and B in 1..2.
        from_stage: of XNOR, the first stage that is binary: 1 is behind the first layer, and one more wherever the map
            becomes smaller than before. The first layer and stages before it are int8. 0 for all of a network, the
            first layer's weights included.
    """

    kind: Literal["float32", "int8", "xnor"]
    activation_bits: int
    weight_bits: int
    from_stage: int = 0

    @classmethod
    def parse(cls, text: object) -> Precision:
        """``float32``, ``int8``, ``xnorA/B`` or ``xnorA/BfromS``.

        Raises:
            UserError: anything else.
        """
        name = str(text).strip().lower()
        if name == "float32":
            return cls(kind="float32", activation_bits=32, weight_bits=32)
        if name == "int8":
            return cls(kind="int8", activation_bits=8, weight_bits=8)
        match = _XNOR.match(name)
        if match is None:
            raise UserError(
                "a precision must be float32, int8, xnorA/B or xnorA/BfromS with A in 1..3, B in 1..2, S in 1..9",
                value=text,
                remedy="write for example precision=int8 or precision=xnor2/1",
            )
        return cls(
            kind="xnor",
            activation_bits=int(match.group(1)),
            weight_bits=int(match.group(2)),
            from_stage=int(match.group(3) or 0),
        )

    @property
    def arithmetic(self) -> str:
        """What its binary layers compute in, or all where none is: ``xnor2/1``."""
        return self.kind if self.kind != "xnor" else f"xnor{self.activation_bits}/{self.weight_bits}"

    def __str__(self) -> str:
        return f"{self.arithmetic}from{self.from_stage}" if self.from_stage else self.arithmetic

    @property
    def levels(self) -> int:
        """Highest activation level of an XNOR precision: 2^A - 1."""
        return (1 << self.activation_bits) - 1


FLOAT32 = Precision(kind="float32", activation_bits=32, weight_bits=32)


def quantize_multiplier(real: float) -> tuple[int, int]:
    """Multiplier m in [2^30, 2^31) and right shift n with real ~ m / 2^31 / 2^n.

    Args:
        real: the factor, 0 <= real <= 0.5. A factor below 2^-32 becomes (0, 1). Below one half n is at least 1;
            exactly one half is (2^30, 0), which only the inputs of an addition may have.

    Raises:
        ValueError: outside that range.
    """
    if not 0.0 <= real <= 0.5:
        raise ValueError(f"a requantization multiplier must lie in [0, 0.5], got {real}")
    if real < 2.0**-32:
        return 0, 1
    if real == 0.5:
        return 1 << 30, 0
    fraction, exponent = math.frexp(real)
    multiplier = min(round(fraction * (1 << 31)), (1 << 31) - 1)
    return multiplier, -exponent


def doubling_high_multiply(value: npt.ArrayLike, multiplier: npt.ArrayLike) -> Int64:
    """Rounding of ``value * multiplier / 2^31`` to nearest, halves towards plus infinity for the int32 range used here.

    TFLite's nudge of negative products together with a truncating division gives the same as a floor of the sum
    with 2^30, which is what the C kernels compute.
    """
    product = np.asarray(np.multiply(value, multiplier, dtype=np.int64))
    product += 1 << 30
    product >>= 31
    return product


def rounding_shift_right(value: npt.ArrayLike, shift: npt.ArrayLike) -> Int64:
    """``value / 2^shift`` rounded to nearest, halves away from zero; shift >= 0."""
    wide, bits = np.asarray(value, np.int64), np.asarray(shift, np.int64)
    half = np.where(bits > 0, np.int64(1) << np.maximum(bits - 1, 0), 0)
    rounded = np.asarray(wide >> 63)  # -1 for what is negative
    rounded = np.asarray(rounded & -(bits > 0).astype(np.int64))
    rounded += wide
    rounded = np.asarray(rounded + half)
    rounded >>= bits
    return rounded


def requantize(
    accumulator: npt.ArrayLike,
    multiplier: npt.ArrayLike,
    shift: npt.ArrayLike,
    *,
    zero_point: int,
    low: int = INT8_LOW,
    high: int = INT8_HIGH,
) -> npt.NDArray[np.int8]:
    """int8 from int32 accumulators: clamp(zero_point + accumulator * multiplier / 2^31 / 2^shift).

    Args:
        accumulator: int32 values, channels last.
        multiplier, shift: scalars or one a channel, from :func:`quantize_multiplier`.
        zero_point: of the output.
        low, high: clamp, for a fused ReLU ``low = zero_point``.
    """
    sides = np.shape(accumulator)[-2:]
    multiplier, shift = (_repeated(factors, sides) for factors in (multiplier, shift))
    scaled = rounding_shift_right(doubling_high_multiply(accumulator, multiplier), shift)
    scaled += zero_point
    return np.clip(scaled, low, high, out=scaled).astype(np.int8)


def _repeated(factors: npt.ArrayLike, sides: tuple[int, ...]) -> Int64:
    """One factor a channel written out for every column, so that NumPy's innermost loop is longer than the channels."""
    values = np.asarray(factors, np.int64)
    return np.ascontiguousarray(np.broadcast_to(values, sides)) if values.ndim == 1 else values


def cosine_fixed(left: npt.NDArray[np.int8], right: npt.NDArray[np.int8]) -> Int64:
    """Cosine of int8 embeddings in fixed point with :data:`COSINE_FRACTION_BITS` fraction bits.

    Computed as the C runtime does: one integer dot product, two squared norms, one integer square root, a division
    that truncates towards zero. An embedding of zeros has cosine 0 to everything.

    Args:
        left, right: shapes [..., E] that broadcast, E <= 1024.

    Returns:
        int64, shape of the broadcast without its last axis, in [-2^20, 2^20] up to rounding.
    """
    a, b = left.astype(np.int64), right.astype(np.int64)
    dot = (a * b).sum(-1)
    product = (a * a).sum(-1) * (b * b).sum(-1)
    return _cosine(dot, product)


def cosine_fixed_from_norms(dot: npt.ArrayLike, left_norm: npt.ArrayLike, right_norm: npt.ArrayLike) -> Int64:
    """As :func:`cosine_fixed`, from dot products and squared norms that are already there (all int64)."""
    return _cosine(np.asarray(dot, np.int64), np.asarray(left_norm, np.int64) * np.asarray(right_norm, np.int64))


def _cosine(dot: Int64, product: Int64) -> Int64:
    root = _isqrt_shifted(np.minimum(product, (1 << 48) - 1))  # 1024 values of -128 on both sides give 2^48
    quotient = (np.abs(dot) << (COSINE_FRACTION_BITS + 8)) // np.maximum(root, 1)
    return np.where(root > 0, np.sign(dot) * quotient, 0).astype(np.int64)


def _isqrt_shifted(value: Int64) -> Int64:
    """floor(sqrt(value * 2^16)), exact for value < 2^48."""
    wide = value.astype(np.uint64) << np.uint64(16)
    root = np.floor(np.sqrt(wide.astype(np.float64))).astype(np.uint64)
    root = root - (root * root > wide).astype(np.uint64)
    after = root + np.uint64(1)
    fits = (after <= np.uint64(0xFFFFFFFF)) & (after * after <= wide)
    return (root + fits.astype(np.uint64)).astype(np.int64)
