"""Footprints of the int8 kernels, mirroring ``ts_*_s8_scratch_bytes`` and :mod:`tinysearch.firmware.packing.int8`."""

from __future__ import annotations

from tinysearch.analytic.kernels import KernelFootprint
from tinysearch.core.errors import UnsupportedLayerError
from tinysearch.core.program import Operator, Program, Step

_CONV_TILE, _TILE_PIXELS, _FULLY_CONNECTED_TILE = 4, 4, 8
_SIGNS, _SECTION, _TABLE_BYTES = 4, 20, 2 * 16 * 4
_ADD_TABLES_BYTES = 2 * 256 * 4
_CHANNEL_BYTES = 4 + 1
"""Multiplier and shift of one output channel."""


def footprint(program: Program, step: Step) -> KernelFootprint:
    """Footprint of one int8 step.

    Raises:
        UnsupportedLayerError: no kernel computes this step.
    """
    match step.operator:
        case Operator.CONV:
            return _conv(program, step)
        case Operator.DEPTHWISE | Operator.SCALE:
            return _depthwise(program, step)
        case Operator.FULLY_CONNECTED:
            outputs, inputs = program.weight_shape(step)
            rows = _padded(outputs, _FULLY_CONNECTED_TILE)
            parameter_bytes = rows * inputs + rows * 4 + outputs * _CHANNEL_BYTES
            return KernelFootprint(kernel="ts_fully_connected_s8", scratch_bytes=0, parameter_bytes=parameter_bytes)
        case Operator.ADD:
            return KernelFootprint(kernel="ts_add_s8", scratch_bytes=_ADD_TABLES_BYTES, parameter_bytes=0, in_place=0)
        case Operator.MAX_POOL:
            return KernelFootprint(kernel="ts_max_pool_s8", scratch_bytes=0, parameter_bytes=0, in_place=0)
        case Operator.AVERAGE:
            return KernelFootprint(kernel="ts_average_s8", scratch_bytes=0, parameter_bytes=0, in_place=0)
        case _:
            raise UnsupportedLayerError(
                "every step must have an int8 kernel", value=step.operator, remedy="add it to the runtime"
            )


def _padded(count: int, tile: int) -> int:
    return -(-count // tile) * tile


def _conv(program: Program, step: Step) -> KernelFootprint:
    outputs, height, width, inputs = program.weight_shape(step)
    depth = height * width * inputs
    pointwise = step.kernel == 1 and step.padding == 0 and step.pool == 1 and outputs <= inputs
    in_place = 0 if pointwise else None
    if step.weight_bits < 8:
        scratch, weights = _sign_bytes(step, depth, outputs)
        parameter_bytes = weights + outputs * (4 + _CHANNEL_BYTES)
        return KernelFootprint(
            kernel="ts_conv_bwn_s8", scratch_bytes=scratch, parameter_bytes=parameter_bytes, in_place=in_place
        )
    rows = _padded(outputs, _CONV_TILE)
    return KernelFootprint(
        kernel="ts_conv_s8",
        scratch_bytes=depth * _TILE_PIXELS + (rows * 4 if step.pool > 1 else 0),
        parameter_bytes=rows * (depth + 4) + outputs * _CHANNEL_BYTES,
        in_place=in_place,
    )


def _sign_bytes(step: Step, depth: int, outputs: int) -> tuple[int, int]:
    """Scratch and weights of a first convolution with binary weights, which are looked up four at a time."""
    groups = _padded(depth, _SIGNS) // _SIGNS
    codes = step.weight_bits * outputs * groups
    sums = outputs * 4 * (_TILE_PIXELS + (1 if step.pool > 1 else 0))
    tables = min(groups, _SECTION) * _TABLE_BYTES
    return sums + tables + groups * _SIGNS * _TILE_PIXELS + codes, -(-codes // 2)


def _depthwise(program: Program, step: Step) -> KernelFootprint:
    channels, height, width = program.weight_shape(step)
    source, out = program.tensors[step.inputs[0]].shape, program.tensors[step.output].shape
    rows, columns = ((side * step.pool - 1) * step.stride + step.kernel for side in (out.height, out.width))
    scale = step.kernel == 1 and step.stride == 1 and step.padding == 0 and step.pool == 1
    return KernelFootprint(
        kernel="ts_depthwise_s8",
        scratch_bytes=0 if scale else rows * columns,
        parameter_bytes=channels * (height * width + 4 + _CHANNEL_BYTES),
        in_place=0 if out.elements <= source.elements else None,
    )
