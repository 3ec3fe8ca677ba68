"""Constants of the steps that the vector unit of the ESP32-P4 computes: one block of bytes a layer.

The layouts are those of ``firmware_templates/esp_idf/components/backend_xespv/include/ts_xespv_layout.h``.
"""

from __future__ import annotations

from collections.abc import Mapping

from tinysearch.core.network import Operator
from tinysearch.core.program import Program, Step
from tinysearch.firmware.packing.unit import Kernel, VectorUnit, fixed, never
from tinysearch.firmware.packing.xespv import convolution, depthwise, elementwise, pools, xnor
from tinysearch.firmware.packing.xespv.layers import XespvLayers

_INT8: Mapping[str, str] = {
    Operator.CONV: "conv_s8",
    Operator.FULLY_CONNECTED: "conv_s8",
    Operator.DEPTHWISE: "depthwise_s8",
    Operator.SCALE: "depthwise_s8",
    Operator.ADD: "add_s8",
    Operator.MAX_POOL: "max_pool_s8",
    Operator.AVERAGE: "average_s8",
}


def wins(program: Program, step: Step) -> bool:
    """Whether a step that has a kernel is better computed by it than by the portable one."""
    return not program.binary(step) or xnor.wins(step)


UNIT = VectorUnit(
    name="xespv",
    kernels=(
        Kernel(
            name="conv_s8",
            block=convolution.convolution,
            block_bytes=convolution.convolution_bytes,
            scratch=convolution.convolution_scratch,
            overwrites=never,
        ),
        Kernel(
            name="depthwise_s8",
            block=depthwise.depthwise,
            block_bytes=depthwise.depthwise_bytes,
            scratch=depthwise.depthwise_scratch,
            supports=depthwise.depthwise_supported,
            overwrites=never,
        ),
        Kernel(
            name="max_pool_s8",
            block=pools.max_pool,
            block_bytes=fixed(pools.MAX_POOL_BYTES),
            scratch=fixed(0),
            overwrites=never,
        ),
        Kernel(
            name="average_s8",
            block=pools.average,
            block_bytes=fixed(pools.AVERAGE_BYTES),
            scratch=fixed(pools.AVERAGE_SCRATCH_BYTES),
            supports=pools.averages,
            overwrites=never,
        ),
        Kernel(
            name="xnor_conv",
            block=xnor.convolution,
            block_bytes=xnor.convolution_bytes,
            scratch=xnor.scratch,
            supports=xnor.supported,
            overwrites=never,
        ),
        Kernel(
            name="add_s8",
            block=elementwise.addition,
            block_bytes=fixed(elementwise.ADDITION_BYTES),
            scratch=fixed(0),
        ),
        Kernel(
            name="pack_s8",
            block=elementwise.packing,
            block_bytes=elementwise.packing_bytes,
            scratch=fixed(0),
            overwrites=never,
        ),
    ),
    int8=_INT8,
    wins=wins,
    own=XespvLayers,
)
KERNELS = UNIT.names
"""In the order of ``ts_xespv_operator``."""
