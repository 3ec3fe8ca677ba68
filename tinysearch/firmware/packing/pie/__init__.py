"""Constants of the steps that the vector unit of the ESP32-S3 computes: one block of bytes a layer.

The layouts are those of ``firmware_templates/esp_idf/components/backend_pie/include/ts_pie_layout.h``.
"""

from __future__ import annotations

from collections.abc import Mapping

from tinysearch.core.network import Operator
from tinysearch.core.program import Program, Step
from tinysearch.firmware.packing.block import LINE
from tinysearch.firmware.packing.pie import bits, int8, pools, xnor
from tinysearch.firmware.packing.pie.layers import PieLayers
from tinysearch.firmware.packing.unit import Kernel, VectorUnit, fixed

_INT8: Mapping[str, str] = {
    Operator.CONV: "conv_s8",
    Operator.FULLY_CONNECTED: "fully_connected_s8",
    Operator.DEPTHWISE: "depthwise_s8",
    Operator.SCALE: "depthwise_s8",
    Operator.ADD: "add_s8",
    Operator.MAX_POOL: "max_pool_s8",
    Operator.AVERAGE: "average_s8",
}
_SCALED_WIDTH = 8
"""Pixels of a row from which on a scale is worth tiles of 16: one alone takes 104 instructions a value, portable 69."""


def wins(program: Program, step: Step) -> bool:
    """Whether a step that has a kernel is better computed by it than by the portable one."""
    if step.operator == Operator.SCALE:
        return program.tensors[step.output].shape.width >= _SCALED_WIDTH
    return not program.binary(step) or xnor.wins(program, step)


UNIT = VectorUnit(
    name="pie",
    kernels=(
        Kernel(
            name="conv_s8",
            block=int8.convolution,
            block_bytes=int8.convolution_bytes,
            scratch=int8.convolution_scratch,
            overwrites=int8.convolution_overwrites,
        ),
        Kernel(
            name="fully_connected_s8",
            block=int8.fully_connected,
            block_bytes=int8.fully_connected_bytes,
            scratch=int8.fully_connected_scratch,
        ),
        Kernel(
            name="xnor_conv",
            block=xnor.convolution,
            block_bytes=xnor.most_bytes,
            scratch=xnor.scratch,
            supports=xnor.supported,
        ),
        Kernel(
            name="depthwise_s8",
            block=int8.depthwise,
            block_bytes=int8.depthwise_bytes,
            scratch=int8.depthwise_scratch,
            supports=int8.depthwise_supported,
            overwrites=int8.depthwise_overwrites,
        ),
        Kernel(
            name="add_s8",
            block=int8.addition,
            block_bytes=int8.addition_bytes,
            scratch=fixed(int8.ADDITION_SCRATCH_BYTES),
        ),
        Kernel(name="max_pool_s8", block=pools.max_pool, block_bytes=fixed(pools.MAX_POOL_BYTES), scratch=fixed(LINE)),
        Kernel(
            name="average_s8",
            block=pools.average,
            block_bytes=fixed(pools.AVERAGE_BYTES),
            scratch=fixed(pools.AVERAGE_SCRATCH_BYTES),
            supports=pools.averages,
        ),
        Kernel(name="pack_s8", block=bits.packing, block_bytes=bits.packing_bytes, scratch=fixed(0)),
    ),
    int8=_INT8,
    wins=wins,
    own=PieLayers,
)
KERNELS = UNIT.names
"""In the order of ``ts_pie_operator``."""
