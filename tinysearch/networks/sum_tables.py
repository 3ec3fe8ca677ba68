"""Sums of two quantized values, rounded once: a table for each operand, in fixed point with one half added.

``(left[a] + right[b]) >> fraction`` is the output less its zero point, less one where no bit is shifted out and the
result is odd. All 65536 pairs are looked at: tables are taken with which none differs from its framework's output, or
fewest do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tinysearch.core.quantization import Int64
from tinysearch.networks.graph import Array

Reals = npt.NDArray[np.float64]

_STORED = np.arange(-128, 128)
_MOST_FRACTION, _FEWER, _OFFSETS = 24, 5, (0, 1, -1, 2, -2, 3, -3, 4, -4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operands:
    """What a sum is made of.

    Attributes:
        scales, zeros: of the operands.
        signs: of the operands in the sum.
        result: the output's scale.
        low, high: clamp of the output less its zero point.
        singles: whether the framework computes in float32 and multiplies by the reciprocal of the output's scale, as
            PyTorch does; else the sum is a real number.
    """

    scales: tuple[float, float]
    zeros: tuple[int, int]
    signs: tuple[int, int]
    result: float
    low: int
    high: int
    singles: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SumTables:
    """Constants of a sum.

    Attributes:
        left, right: int64 [256] by stored value + 128.
        differing: pairs whose output is not the framework's.
    """

    left: Int64
    right: Int64
    fraction: int
    differing: int

    def summed(self, left: Array, right: Array) -> Int64:
        """Outputs less their zero point, not clamped, of stored values."""
        sums = self.left[left.astype(np.int64) + 128] + self.right[right.astype(np.int64) + 128]
        steps: Int64 = sums >> self.fraction
        steps -= (sums & ((1 << self.fraction) - 1) == 0) & (steps % 2 == 1)
        return steps


@lru_cache(maxsize=64)
def sum_tables(operands: Operands) -> SumTables:
    """The tables with the fewest differing pairs."""
    reals = _reals(operands)
    factor = float(np.float32(1 / operands.result)) if operands.singles else 1 / operands.result
    wished = np.clip(_outputs(operands, reals), operands.low, operands.high)
    largest = sum(float(np.abs(values).max()) for values in reals) * factor + 1
    most = min(_MOST_FRACTION, 30 - int(np.ceil(np.log2(largest))))
    best: SumTables | None = None
    for fraction in range(most, max(most - _FEWER, 0), -1):
        for offset in _OFFSETS:
            left, right = (np.rint(values * factor * 2.0**fraction).astype(np.int64) for values in reals)
            tables = SumTables(left=left + (1 << fraction >> 1) + offset, right=right, fraction=fraction, differing=0)
            found = np.clip(tables.summed(_STORED[:, None], _STORED[None]), operands.low, operands.high)
            differing = int(np.count_nonzero(found != wished))
            if best is None or differing < best.differing:
                best = SumTables(left=tables.left, right=right, fraction=fraction, differing=differing)
            if differing == 0:
                return best
    if best is None:
        raise ValueError("an output scale so far below its inputs' leaves no bit for a fraction")
    return best


def _reals(operands: Operands) -> tuple[Reals, Reals]:
    """What each stored value adds, by stored value + 128."""
    left, right = (
        np.asarray(sign * (_STORED - zero) * scale, np.float64)
        for sign, zero, scale in zip(operands.signs, operands.zeros, operands.scales, strict=True)
    )
    return left, right


def _outputs(operands: Operands, reals: tuple[Reals, Reals]) -> Reals:
    """Outputs less their zero point of all pairs, as the framework computes them: [256, 256]."""
    left, right = reals
    if not operands.singles:
        exact: Reals = np.rint((left[:, None] + right[None]) / operands.result)
        return exact
    sums = left.astype(np.float32)[:, None] + right.astype(np.float32)[None]
    found: Reals = np.rint(sums * np.float32(1 / operands.result)).astype(np.float64)
    return found
