"""The ESP32-P4's kernels for networks of one's own: multipliers below one half, only sums may overwrite inputs."""

from __future__ import annotations

from collections.abc import Mapping

from tinysearch.core.network import Shape
from tinysearch.core.quantization import INT8_HIGH
from tinysearch.firmware.packing.layer import LayerKernel, shifts_within, sums_fit
from tinysearch.firmware.packing.window import Int64, Products, Window, point
from tinysearch.firmware.packing.xespv import convolution, depthwise, elementwise, pools
from tinysearch.firmware.packing.xespv.records import clamps


class XespvLayers:
    """See :class:`~tinysearch.firmware.packing.layer.LayerKernels`."""

    def __init__(self, ops: Mapping[str, int]) -> None:
        self._ops = ops

    def convolution(self, window: Window, products: Products) -> LayerKernel | None:
        if not _fits(products):
            return None
        return LayerKernel(
            op=self._ops["conv_s8"],
            block=convolution.convolution_block(window, products),
            scratch_bytes=convolution.window_scratch(window),
        )

    def depthwise(self, window: Window, products: Products) -> LayerKernel | None:
        if not _fits(products):
            return None
        return LayerKernel(
            op=self._ops["depthwise_s8"],
            block=depthwise.depthwise_block(window, products),
            scratch_bytes=depthwise.rows_scratch(window),
        )

    def fully_connected(self, products: Products) -> LayerKernel | None:
        outputs, inputs = products.weights.shape
        return self.convolution(point(inputs, outputs), products)

    def addition(
        self, tables: tuple[Int64, Int64], factor: tuple[int, int], *, count: int, zero: int, low: int, high: int
    ) -> LayerKernel | None:
        if factor[1] < 1:
            return None
        clamp = clamps(zero=zero, low=low, high=high)
        block = elementwise.addition_block(tables, factor, clamp, count=count)
        return LayerKernel(op=self._ops["add_s8"], block=block, scratch_bytes=0, in_place=True)

    def max_pool(self, source: Shape, out: Shape, *, pool: int, low: int, high: int) -> LayerKernel | None:
        if high < INT8_HIGH:
            return None
        block = pools.max_pool_block(source, out, pool=pool, low=low)
        return LayerKernel(op=self._ops["max_pool_s8"], block=block, scratch_bytes=0)

    def average(self, source: Shape, *, low: int, high: int) -> LayerKernel | None:
        if high < INT8_HIGH or source.height * source.width >= pools.MOST_PIXELS:
            return None
        block = pools.average_block(source, low=low)
        return LayerKernel(op=self._ops["average_s8"], block=block, scratch_bytes=pools.AVERAGE_SCRATCH_BYTES)


def _fits(products: Products) -> bool:
    return sums_fit(products) and shifts_within(products, 1)
