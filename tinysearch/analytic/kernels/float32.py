"""Footprints of the float kernels, mirroring ``ts_*_f32_scratch_bytes`` and the packing of float32."""

from __future__ import annotations

from tinysearch.analytic.kernels import KernelFootprint
from tinysearch.core.errors import UnsupportedLayerError
from tinysearch.core.program import Element, Operator, Program, Step

_FLOAT_BYTES, _TILE, _PIXELS = 4, 4, 2


def footprint(program: Program, step: Step) -> KernelFootprint:
    """Footprint of one float32 step.

    Raises:
        UnsupportedLayerError: no kernel computes this step.
    """
    in_float = all(program.tensors[name].element is Element.FLOAT32 for name in step.inputs)
    match step.operator:
        case Operator.CONV:
            outputs, height, width, inputs = program.weight_shape(step)
            depth, rows = height * width * inputs, _padded(outputs)
            pointwise = in_float and step.kernel == 1 and step.padding == 0 and step.pool == 1 and outputs <= inputs
            return KernelFootprint(
                kernel="ts_conv_f32",
                scratch_bytes=depth * _PIXELS * _FLOAT_BYTES,
                parameter_bytes=(rows * depth + rows) * _FLOAT_BYTES,
                in_place=0 if pointwise else None,
            )
        case Operator.DEPTHWISE | Operator.SCALE:
            channels, height, width = program.weight_shape(step)
            scale = in_float and step.kernel == 1 and step.stride == 1 and step.padding == 0 and step.pool == 1
            return KernelFootprint(
                kernel="ts_depthwise_f32",
                scratch_bytes=0,
                parameter_bytes=channels * (height * width + 1) * _FLOAT_BYTES,
                in_place=0 if scale else None,
            )
        case Operator.FULLY_CONNECTED:
            outputs, inputs = program.weight_shape(step)
            rows = _padded(outputs)
            return KernelFootprint(
                kernel="ts_fully_connected_f32", scratch_bytes=0, parameter_bytes=rows * (inputs + 1) * _FLOAT_BYTES
            )
        case Operator.ADD | Operator.MAX_POOL | Operator.AVERAGE if in_float:
            kernel = f"ts_{step.operator}_f32"
            return KernelFootprint(kernel=kernel, scratch_bytes=0, parameter_bytes=0, in_place=0)
        case _:
            raise UnsupportedLayerError(
                "every step must have a float32 kernel, and only layers with weights may read a network's int8 input",
                value=f"{step.name}: {step.operator}",
                remedy="start the network with a convolution",
            )


def _padded(count: int) -> int:
    return -(-count // _TILE) * _TILE
