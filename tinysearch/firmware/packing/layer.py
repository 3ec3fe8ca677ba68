"""What a vector unit offers a layer of a network of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tinysearch.core.network import Shape
from tinysearch.firmware.packing.window import Int64, Products, Window

SUM_LIMIT = 1 << 30
"""Sums of products with their bias stay below this in magnitude."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LayerKernel:
    """A kernel with the constants of one layer.

    Attributes:
        op: its number in ``ts_<unit>_operator``.
        block: constants.
        scratch_bytes: aligned to 16.
        reads_by_rows: whether the rows under a row of the output are copied before any of that row is written, so that
            an output may lie so far before the input; else it lies apart.
        in_place: whether the output may lie at the input's place.
    """

    op: int
    block: npt.NDArray[np.int8]
    scratch_bytes: int
    reads_by_rows: bool = False
    in_place: bool = False


class LayerKernels(Protocol):
    """The kernels of a unit by what a layer computes; None where it has none for just this one."""

    def convolution(self, window: Window, products: Products) -> LayerKernel | None: ...

    def depthwise(self, window: Window, products: Products) -> LayerKernel | None:
        """Of a square kernel."""
        ...

    def fully_connected(self, products: Products) -> LayerKernel | None: ...

    def addition(
        self, tables: tuple[Int64, Int64], factor: tuple[int, int], *, count: int, zero: int, low: int, high: int
    ) -> LayerKernel | None:
        """Of ``count`` values: tables by unsigned byte of both inputs, multiplier and right shift of a sum."""
        ...

    def max_pool(self, source: Shape, out: Shape, *, pool: int, low: int, high: int) -> LayerKernel | None:
        """Of squares beside each other."""
        ...

    def average(self, source: Shape, *, low: int, high: int) -> LayerKernel | None:
        """Over the whole map."""
        ...


def sums_fit(products: Products) -> bool:
    """Whether no sum of products with its bias comes to :data:`SUM_LIMIT`, whatever the input."""
    magnitudes = np.abs(products.weights.reshape(len(products.weights), -1)).sum(1)
    return bool((np.abs(products.bias) + 128 * magnitudes < SUM_LIMIT).all())


def shifts_within(products: Products, least: int) -> bool:
    """Whether all shifts go to the right by ``least`` or more."""
    return bool(((products.shift >= least) & (products.shift <= 31)).all())
