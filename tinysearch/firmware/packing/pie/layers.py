"""The ESP32-S3's kernels for layers of networks of one's own; none of them clamps from above but at 127."""

from __future__ import annotations

from collections.abc import Mapping

from tinysearch.core.network import Shape
from tinysearch.core.quantization import INT8_HIGH
from tinysearch.firmware.packing.block import LINE
from tinysearch.firmware.packing.layer import LayerKernel, shifts_within, sums_fit
from tinysearch.firmware.packing.pie import int8, pools
from tinysearch.firmware.packing.window import Int64, Products, Window, point


class PieLayers:
    """See :class:`~tinysearch.firmware.packing.layer.LayerKernels`."""

    def __init__(self, ops: Mapping[str, int]) -> None:
        self._ops = ops

    def convolution(self, window: Window, products: Products) -> LayerKernel | None:
        if not _fits(products):
            return None
        whole = int8.part_channels(window) == window.out.channels
        return LayerKernel(
            op=self._ops["conv_s8"],
            block=int8.convolution_block(window, products),
            scratch_bytes=int8.window_scratch(window),
            reads_by_rows=whole and not int8.reads_directly(window),
        )

    def depthwise(self, window: Window, products: Products) -> LayerKernel | None:
        if not _fits(products) or window.kernel[0] ** 2 > int8.MOST_PLACES:
            return None
        return LayerKernel(
            op=self._ops["depthwise_s8"],
            block=int8.depthwise_block(window, products),
            scratch_bytes=int8.rows_scratch(window),
            in_place=int8.rows_stay_ahead(window),
        )

    def fully_connected(self, products: Products) -> LayerKernel | None:
        outputs, inputs = products.weights.shape
        if not shifts_within(products, 1):  # the kernel of its own shifts once more
            return self.convolution(point(inputs, outputs), products)
        if not _fits(products):
            return None
        return LayerKernel(
            op=self._ops["fully_connected_s8"],
            block=int8.fully_connected_block(products),
            scratch_bytes=int8.connected_scratch(outputs, inputs),
        )

    def addition(
        self, tables: tuple[Int64, Int64], factor: tuple[int, int], *, count: int, zero: int, low: int, high: int
    ) -> LayerKernel | None:
        if high < INT8_HIGH:
            return None
        return LayerKernel(
            op=self._ops["add_s8"],
            block=int8.addition_block(tables, factor, count=count, zero=zero, low=low),
            scratch_bytes=int8.ADDITION_SCRATCH_BYTES,
            in_place=True,
        )

    def max_pool(self, source: Shape, out: Shape, *, pool: int, low: int, high: int) -> LayerKernel | None:
        if high < INT8_HIGH:
            return None
        block = pools.max_pool_block(source, out, pool=pool, low=low)
        return LayerKernel(op=self._ops["max_pool_s8"], block=block, scratch_bytes=LINE, in_place=True)

    def average(self, source: Shape, *, low: int, high: int) -> LayerKernel | None:
        if high < INT8_HIGH or source.height * source.width > pools.MOST_PIXELS:
            return None
        block = pools.average_block(source, low=low)
        scratch = pools.AVERAGE_SCRATCH_BYTES
        return LayerKernel(op=self._ops["average_s8"], block=block, scratch_bytes=scratch, in_place=True)


def _fits(products: Products) -> bool:
    return products.high == INT8_HIGH and sums_fit(products) and shifts_within(products, 0)
