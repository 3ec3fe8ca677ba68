"""Means that are a half, as they fall in PyTorch's float32 arithmetic.

A half is no half there: the products of integers and scale are rounded, their sum, the quotient, the product with the
reciprocal of the output's scale. The kernels do the same operations in the same order, for halves alone: every other
mean is farther from a half than these errors reach. ``ts_halves.h`` and its users are the same in C.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinysearch.core.quantization import Int64
from tinysearch.networks.graph import Array, Graph, Quantization, Rounding

_LANES, _TURNS = 8, 4
MOST_VALUES = 512
"""Of a mean over whole rows: from here on PyTorch sums in another order."""

Singles = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Halves:
    """Scale of the inputs, and the reciprocal of the outputs', both single precision; 0: halves go to even."""

    scale: float = 0.0
    inverse: float = 0.0

    @property
    def fields(self) -> dict[str, float]:
        """Members of a layer."""
        return {"scale": self.scale, "inverse": self.inverse}

    def reals(self, centered: Array) -> Singles:
        """Inputs less their zero point as real numbers."""
        found: Singles = centered.astype(np.float32) * np.float32(self.scale)
        return found

    def rounded(self, sums: Singles, counts: Array) -> Int64:
        """Outputs less their zero point from sums of so many values."""
        means = sums / counts.astype(np.float32)
        return np.rint(means * np.float32(self.inverse)).astype(np.int64)


def halves_of(graph: Graph, source: Quantization, result: Quantization) -> Halves:
    """How halves fall in a network of PyTorch; to even in others."""
    if graph.rounding is not Rounding.TORCH:
        return Halves()
    return Halves(scale=source.scale, inverse=float(np.float32(1 / result.scale)))


def sum_of_row(values: Singles) -> Singles:
    """Sums over the last axis as PyTorch adds up contiguous values, fewer than :data:`MOST_VALUES`."""
    count = values.shape[-1]
    lanes = 1 if count < _LANES else _LANES
    whole = count // lanes * lanes
    total = sum_in_order(values[..., whole:])
    for lane in range(lanes):
        total = total + _sum_in_turn(values[..., lane:whole:lanes])
    return total


def _sum_in_turn(values: Singles) -> Singles:
    """Four sums in turn, what is left over to the first."""
    count = values.shape[-1]
    whole = count // _TURNS * _TURNS
    sums = [sum_in_order(values[..., turn:whole:_TURNS]) for turn in range(_TURNS)]
    for rest in range(whole, count):
        sums[0] = sums[0] + values[..., rest]
    return sums[0] + sums[1] + sums[2] + sums[3]


def sum_in_order(values: Singles) -> Singles:
    """Sums over the last axis, one value after another."""
    total = np.zeros(values.shape[:-1], np.float32)
    for place in range(values.shape[-1]):
        total = total + values[..., place]
    return total
