"""Constants of the int8 kernels: weights in the order of their inner loops, zero points folded into the bias.

Also the first convolution of an XNOR network (weights of 1 or 2 bits), and every other int8 step of one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinysearch.core.errors import UnsupportedLayerError
from tinysearch.core.program import Array, FrozenNetwork, Operator, Step
from tinysearch.core.quantization import INT8_LOW
from tinysearch.firmware.packing import PackedStep

CONV_TILE = 4
"""Output channels that ``ts_conv_s8`` computes together; its weights are padded to a multiple."""

FULLY_CONNECTED_TILE = 8
"""The same for ``ts_fully_connected_s8``."""

SIGNS = 4
"""Weights of a binary first convolution that are looked up together."""

SUM_LIMIT = 1 << 30
"""Sums of products must stay below this in magnitude."""

Fields = dict[str, int | float | tuple[int, ...]]


def pack(frozen: FrozenNetwork, step: Step) -> PackedStep:
    """Constants of one int8 step.

    Raises:
        UnsupportedLayerError: no kernel computes this step, or its sums may overflow.
    """
    match step.operator:
        case Operator.CONV:
            return _conv(frozen, step)
        case Operator.DEPTHWISE | Operator.SCALE:
            return _depthwise(frozen, step)
        case Operator.FULLY_CONNECTED:
            return _fully_connected(frozen, step)
        case Operator.ADD:
            return _add(frozen, step)
        case Operator.MAX_POOL:
            return _max_pool(frozen, step)
        case Operator.AVERAGE:
            return _average(frozen, step)
        case _:
            raise UnsupportedLayerError(
                "every step must have an int8 kernel", value=step.operator, remedy="add it to the runtime"
            )


def interleave(weights: Array, tile: int) -> Array:
    """[O, ...] to [ceil(O / tile)][...][tile], flat, channels beyond O zero."""
    rows = weights.reshape(len(weights), -1)
    rows = np.pad(rows, ((0, -len(rows) % tile), (0, 0)))
    return np.ascontiguousarray(rows.reshape(-1, tile, rows.shape[1]).transpose(0, 2, 1)).reshape(-1)


def pack_signs(weights: Array, bits: int) -> npt.NDArray[np.uint8]:
    """Weights -1, 1 or -3, -1, 1, 3 as signs, one plane for the ones and, with two bits, one for the twos.

    Args:
        weights: [O, ...].
        bits: 1 or 2.

    Returns:
        [bits, O, ceil(weights a channel / 4)] codes of four signs, bit i of a code being 1 where weight i is positive;
        flat, two codes a byte, the first in the low bits.
    """
    rows = weights.reshape(len(weights), -1).astype(np.int16)
    codes = (rows + (1 << bits) - 1) // 2
    planes = np.stack([codes >> bit & 1 for bit in range(bits)])
    planes = np.pad(planes, ((0, 0), (0, 0), (0, -planes.shape[2] % SIGNS))).reshape(-1)
    return np.packbits(planes.astype(np.uint8), bitorder="little")


def _conv(frozen: FrozenNetwork, step: Step) -> PackedStep:
    weights = frozen.parameters[step.name]["weights"]
    binary = step.weight_bits < 8
    name = "ts_conv_bwn_s8" if binary else "ts_conv_s8"
    source, out = frozen.program.tensors[step.inputs[0]].shape, frozen.program.tensors[step.output].shape
    fields: Fields = {
        "in_height": source.height,
        "in_width": source.width,
        "in_channels": source.channels,
        "out_height": out.height,
        "out_width": out.width,
        "out_channels": out.channels,
        **_window(frozen, step),
    }
    if binary:
        fields["weight_bits"] = step.weight_bits
    return PackedStep(
        function=name,
        layer_type=f"{name}_layer",
        header=f"{name}.h",
        fields=fields,
        arrays={
            "weights": pack_signs(weights, step.weight_bits) if binary else interleave(weights, CONV_TILE),
            **_output_arrays(frozen, step, tile=1 if binary else CONV_TILE),
        },
    )


def _depthwise(frozen: FrozenNetwork, step: Step) -> PackedStep:
    source, out = frozen.program.tensors[step.inputs[0]].shape, frozen.program.tensors[step.output].shape
    weights = np.ascontiguousarray(frozen.parameters[step.name]["weights"]).reshape(-1)
    return PackedStep(
        function="ts_depthwise_s8",
        layer_type="ts_depthwise_s8_layer",
        header="ts_depthwise_s8.h",
        fields={
            "in_height": source.height,
            "in_width": source.width,
            "channels": source.channels,
            "out_height": out.height,
            "out_width": out.width,
            **_window(frozen, step),
        },
        arrays={"weights": weights, **_output_arrays(frozen, step, tile=1)},
    )


def _fully_connected(frozen: FrozenNetwork, step: Step) -> PackedStep:
    source, out = frozen.program.tensors[step.inputs[0]].shape, frozen.program.tensors[step.output].shape
    return PackedStep(
        function="ts_fully_connected_s8",
        layer_type="ts_fully_connected_s8_layer",
        header="ts_fully_connected_s8.h",
        fields={"in_count": source.elements, "out_count": out.channels, **_output_fields(frozen, step)},
        arrays={
            "weights": interleave(frozen.parameters[step.name]["weights"], FULLY_CONNECTED_TILE),
            **_output_arrays(frozen, step, tile=FULLY_CONNECTED_TILE),
        },
    )


def _add(frozen: FrozenNetwork, step: Step) -> PackedStep:
    parameters = frozen.parameters[step.name]
    left, right = (frozen.zero_points[name] for name in step.inputs)
    return PackedStep(
        function="ts_add_s8",
        layer_type="ts_add_s8_layer",
        header="ts_add_s8.h",
        fields={
            "count": frozen.program.tensors[step.output].shape.elements,
            "zero": (left, right),
            "multiplier": tuple(int(value) for value in parameters["multiplier"]),
            "shift": tuple(int(value) for value in parameters["shift"]),
            **_output_fields(frozen, step),
        },
        arrays={},
    )


def _max_pool(frozen: FrozenNetwork, step: Step) -> PackedStep:
    source = frozen.program.tensors[step.inputs[0]].shape
    return PackedStep(
        function="ts_max_pool_s8",
        layer_type="ts_max_pool_s8_layer",
        header="ts_max_pool_s8.h",
        fields={
            "in_height": source.height,
            "in_width": source.width,
            "channels": source.channels,
            "pool": step.pool,
            "low": _low(frozen, step),
        },
        arrays={},
    )


def _average(frozen: FrozenNetwork, step: Step) -> PackedStep:
    source = frozen.program.tensors[step.inputs[0]].shape
    return PackedStep(
        function="ts_average_s8",
        layer_type="ts_average_s8_layer",
        header="ts_average_s8.h",
        fields={"pixels": source.height * source.width, "channels": source.channels, "low": _low(frozen, step)},
        arrays={},
    )


def _low(frozen: FrozenNetwork, step: Step) -> int:
    return frozen.zero_points[step.output] if step.relu else INT8_LOW


def _output_fields(frozen: FrozenNetwork, step: Step) -> Fields:
    return {"out_zero": frozen.zero_points[step.output], "low": _low(frozen, step)}


def _window(frozen: FrozenNetwork, step: Step) -> Fields:
    return {
        "kernel": step.kernel,
        "stride": step.stride,
        "padding": step.padding,
        "pool": step.pool,
        "in_zero": frozen.zero_points.get(step.inputs[0], 0),
        **_output_fields(frozen, step),
    }


def _output_arrays(frozen: FrozenNetwork, step: Step, *, tile: int) -> dict[str, Array]:
    """Bias with the input's zero point folded in, padded to whole tiles; multipliers and shifts."""
    parameters = frozen.parameters[step.name]
    rows = parameters["weights"].reshape(len(parameters["weights"]), -1).astype(np.int64)
    zero = frozen.zero_points.get(step.inputs[0], 0)
    bias = parameters["bias"].astype(np.int64) - zero * rows.sum(1)
    largest = int((np.abs(bias) + 128 * np.abs(rows).sum(1)).max())
    if largest >= SUM_LIMIT:
        raise UnsupportedLayerError(
            f"sums of products must stay below {SUM_LIMIT} in an int8 layer",
            value=f"{step.name}: up to {largest}",
            remedy="use fewer inputs to the layer",
        )
    return {
        "bias": np.pad(bias, (0, -len(bias) % tile)).astype(np.int32),
        "multiplier": parameters["multiplier"].astype(np.int32),
        "shift": parameters["shift"].astype(np.uint8),
    }
