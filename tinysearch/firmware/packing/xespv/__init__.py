"""Constants of the steps that the vector unit of the ESP32-P4 computes: one block of bytes a layer.

The layouts are those of ``firmware_templates/esp_idf/components/backend_xespv/include/ts_xespv_layout.h``.
"""

from __future__ import annotations

from collections.abc import Mapping

from tinysearch.core.network import Operator
from tinysearch.core.program import Element, Program, Step
from tinysearch.firmware.packing.unit import Kernel, VectorUnit, fixed
from tinysearch.firmware.packing.xespv import convolution, depthwise, pools

_INT8: Mapping[str, str] = {
    Operator.CONV: "conv_s8",
    Operator.FULLY_CONNECTED: "conv_s8",
    Operator.DEPTHWISE: "depthwise_s8",
    Operator.SCALE: "depthwise_s8",
    Operator.MAX_POOL: "max_pool_s8",
    Operator.AVERAGE: "average_s8",
}
"""Kernels of steps from int8 to int8."""


def _chosen(program: Program, step: Step) -> str | None:
    elements = {program.tensors[name].element for name in (step.inputs[0], step.output)}
    return _INT8.get(step.operator) if elements == {Element.INT8} else None


UNIT = VectorUnit(
    name="xespv",
    kernels=(
        Kernel(
            name="conv_s8",
            block=convolution.convolution,
            block_bytes=convolution.convolution_bytes,
            scratch=convolution.convolution_scratch,
        ),
        Kernel(
            name="depthwise_s8",
            block=depthwise.depthwise,
            block_bytes=depthwise.depthwise_bytes,
            scratch=depthwise.depthwise_scratch,
            supports=depthwise.depthwise_supported,
        ),
        Kernel(name="max_pool_s8", block=pools.max_pool, block_bytes=fixed(pools.MAX_POOL_BYTES), scratch=fixed(0)),
        Kernel(
            name="average_s8",
            block=pools.average,
            block_bytes=fixed(pools.AVERAGE_BYTES),
            scratch=fixed(pools.AVERAGE_SCRATCH_BYTES),
            supports=pools.averages,
        ),
    ),
    chosen=_chosen,
    in_place=False,
)
KERNELS = UNIT.names
"""In the order of ``ts_xespv_operator``."""
