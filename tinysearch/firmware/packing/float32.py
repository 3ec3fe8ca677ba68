"""Constants of the float32 kernels: weights in the order of their inner loops.

The network's input is int8; the layer that reads it has its scale, a power of two, multiplied into the weights, which
changes no result.
"""

from __future__ import annotations

import numpy as np

from tinysearch.core.errors import UnsupportedLayerError
from tinysearch.core.program import Array, Element, FrozenNetwork, Operator, Step
from tinysearch.core.quantization import INPUT_SCALE
from tinysearch.firmware.packing import PackedStep
from tinysearch.firmware.packing.int8 import interleave

TILE = 4
"""Output channels that the convolution and the fully connected layer compute together."""


def pack(frozen: FrozenNetwork, step: Step) -> PackedStep:
    """Constants of one float32 step.

    Raises:
        UnsupportedLayerError: no kernel computes this step.
    """
    fields: dict[str, int]
    arrays: dict[str, Array] = {}
    source, out = frozen.program.tensors[step.inputs[0]].shape, frozen.program.tensors[step.output].shape
    relu = int(step.relu)
    match step.operator:
        case Operator.CONV:
            name = "ts_conv_f32"
            fields = {
                "in_height": source.height,
                "in_width": source.width,
                "in_channels": source.channels,
                "out_height": out.height,
                "out_width": out.width,
                "out_channels": out.channels,
                **_window(step),
                "input_is_s8": _reads_int8(frozen, step),
                "relu": relu,
            }
            arrays = _tiled(frozen, step)
        case Operator.DEPTHWISE | Operator.SCALE:
            name = "ts_depthwise_f32"
            fields = {
                "in_height": source.height,
                "in_width": source.width,
                "channels": source.channels,
                "out_height": out.height,
                "out_width": out.width,
                **_window(step),
                "input_is_s8": _reads_int8(frozen, step),
                "relu": relu,
            }
            weights = np.ascontiguousarray(np.moveaxis(_weights(frozen, step), 0, -1)).reshape(-1)
            arrays = {"weights": weights, "bias": frozen.parameters[step.name]["bias"].astype(np.float32)}
        case Operator.FULLY_CONNECTED:
            name = "ts_fully_connected_f32"
            fields = {
                "in_count": source.elements,
                "out_count": out.channels,
                "input_is_s8": _reads_int8(frozen, step),
                "relu": relu,
            }
            arrays = _tiled(frozen, step)
        case Operator.ADD:
            name, fields = "ts_add_f32", {"count": out.elements, "relu": relu}
        case Operator.MAX_POOL:
            name = "ts_max_pool_f32"
            fields = {
                "in_height": source.height,
                "in_width": source.width,
                "channels": source.channels,
                "pool": step.pool,
                "relu": relu,
            }
        case Operator.AVERAGE:
            name = "ts_average_f32"
            fields = {"pixels": source.height * source.width, "channels": source.channels, "relu": relu}
        case _:
            raise _unsupported(step)
    if "input_is_s8" not in fields and any(_is_int8(frozen, tensor) for tensor in step.inputs):
        raise _unsupported(step)
    return PackedStep(function=name, layer_type=f"{name}_layer", header=f"{name}.h", fields=fields, arrays=arrays)


def _unsupported(step: Step) -> UnsupportedLayerError:
    return UnsupportedLayerError(
        "every step must have a float32 kernel, and only layers with weights may read a network's int8 input",
        value=f"{step.name}: {step.operator}",
        remedy="start the network with a convolution",
    )


def _is_int8(frozen: FrozenNetwork, tensor: str) -> bool:
    return frozen.program.tensors[tensor].element is Element.INT8


def _reads_int8(frozen: FrozenNetwork, step: Step) -> int:
    return int(_is_int8(frozen, step.inputs[0]))


def _window(step: Step) -> dict[str, int]:
    return {"kernel": step.kernel, "stride": step.stride, "padding": step.padding, "pool": step.pool}


def _weights(frozen: FrozenNetwork, step: Step) -> Array:
    weights = frozen.parameters[step.name]["weights"].astype(np.float32)
    return weights * np.float32(INPUT_SCALE) if _reads_int8(frozen, step) else weights


def _tiled(frozen: FrozenNetwork, step: Step) -> dict[str, Array]:
    bias = frozen.parameters[step.name]["bias"].astype(np.float32)
    return {"weights": interleave(_weights(frozen, step), TILE), "bias": np.pad(bias, (0, -len(bias) % TILE))}
