"""Which calls of a network of one's own the vector unit of a chip computes, and how it is told.

The unit's kernels have square depthwise windows, no dilation, and pools of squares side by side. What is left out of a
kernel's reach is filled up with weights of zero, which changes no sum; what cannot be is left to the portable kernels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from tinysearch.analytic.entries import WeightedStep
from tinysearch.analytic.features import FEATURES
from tinysearch.core.network import Shape
from tinysearch.core.quantization import INT8_HIGH, INT8_LOW
from tinysearch.firmware.backends import VectorBackend
from tinysearch.firmware.packing import PackedStep
from tinysearch.firmware.packing.block import LINE
from tinysearch.firmware.packing.layer import LayerKernel, LayerKernels
from tinysearch.firmware.packing.window import Products, Window
from tinysearch.networks.accelerated import Accelerated
from tinysearch.networks.arena import ALIGNMENT, plan
from tinysearch.networks.arithmetic import scaled
from tinysearch.networks.call import APART, Call, Overlap, Sharing
from tinysearch.networks.graph import Graph, Node
from tinysearch.networks.lowering import LoweredNetwork
from tinysearch.networks.operators import convolution, depthwise, fully_connected, pooling
from tinysearch.networks.operators.weighted import Weighted
from tinysearch.networks.operators.window import Window as OwnWindow

SCRATCH_SLACK = LINE - ALIGNMENT
"""Bytes by which scratch is longer, so that a multiple of 16 lies in it."""

_MOST_FILLED = 4
"""Times its weights that a layer may grow by zeros: beyond that a unit gains little."""

_EXTREMES = ((INT8_HIGH, INT8_LOW), (INT8_LOW, INT8_HIGH))
"""Values of an input under negative and positive weights that make a sum least, and largest."""

_QUARTERS = 4
"""A sum times 2^30 / 2^31 / 2^1 is a quarter of it, without rounding where it is a multiple of four."""

_CLASSES: Mapping[str, str] = {"pointwise": "conv", "depthwise_general": "depthwise", "depthwise_strided": "depthwise"}
"""Kernel classes of the portable kernels as latency tables of backends call them, where the names differ."""

Int64 = npt.NDArray[np.int64]


def accelerated(network: LoweredNetwork, backends: Iterable[VectorBackend]) -> dict[str, Accelerated]:
    """The network with the vector units of backends, by processor; of those that have a kernel for a call."""
    found: dict[str, Accelerated] = {}
    for backend in backends:
        layers = backend.unit.layers
        every = ((number, _kernel(network.graph, call, layers)) for number, call in enumerate(network.calls))
        kernels = {number: kernel for number, kernel in every if kernel is not None}
        if kernels:
            found |= dict.fromkeys(backend.processors, _with(network, backend.unit.name, kernels))
    return found


def _with(network: LoweredNetwork, name: str, kernels: Mapping[int, LayerKernel]) -> Accelerated:
    calls = list(network.calls)
    for number, kernel in kernels.items():
        calls[number] = _call_of_both(network, calls[number], kernel)
    lowered = replace(network, calls=tuple(calls))
    return Accelerated(
        backend=name,
        lowered=lowered,
        memory=plan(lowered),
        packed={number: _packed(name, kernel) for number, kernel in kernels.items()},
        costs={number: _costs(network.calls[number], name) for number in kernels},
        streamed=tuple(_streamed(network, number, name) for number in kernels if network.calls[number].macs),
    )


def _packed(unit: str, kernel: LayerKernel) -> PackedStep:
    return PackedStep(
        function=f"ts_{unit}_step",
        layer_type=f"ts_{unit}_layer",
        header=f"ts_{unit}.h",
        fields={"op": kernel.op},
        arrays={"block": kernel.block},
        aligned=LINE,
    )


def _call_of_both(network: LoweredNetwork, call: Call, kernel: LayerKernel) -> Call:
    """The call with the needs of both kernels: the larger scratch, and outputs that both may write where they lie."""
    scratch = max(call.scratch_bytes, kernel.scratch_bytes + SCRATCH_SLACK)
    return replace(
        call,
        scratch_bytes=scratch,
        sharing=tuple(_of_both(network, call, kernel, sharing) for sharing in call.sharing),
    )


def _of_both(network: LoweredNetwork, call: Call, kernel: LayerKernel, sharing: Sharing) -> Sharing:
    if sharing.overlap is Overlap.NONE:
        return APART
    if kernel.in_place and (sharing.overlap is Overlap.SAME or sharing.distance <= 0):
        return Sharing(overlap=Overlap.SAME)
    if kernel.reads_by_rows and sharing.overlap is Overlap.BEHIND:
        return Sharing(overlap=Overlap.BEHIND, distance=max(sharing.distance, _row_distance(network, call)))
    return APART


def _row_distance(network: LoweredNetwork, call: Call) -> int:
    """Bytes by which the input must start after the output where rows under a row of the output are copied first."""
    window, layer = convolution.layer_of(network.graph, _node(network.graph, call))
    rows = np.arange(1, window.outputs[0])
    written = rows * window.outputs[1] * len(layer.weights)
    read = np.maximum(rows * window.stride[0] - window.before[0], 0) * window.inputs[1] * window.channels
    return int((written - read).max(initial=0))


def _node(graph: Graph, call: Call) -> Node:
    return next(node for node in graph.nodes if call.output in node.outputs)


def _kernel(graph: Graph, call: Call, layers: LayerKernels) -> LayerKernel | None:
    """The unit's kernel for a call, None where it has none."""
    match call.function:
        case "ts_tfl_conv_s8":
            window, layer = convolution.layer_of(graph, _node(graph, call))
            return _convolution(window, layer, layers)
        case "ts_tfl_depthwise_s8":
            window, layer, multiples = depthwise.layer_of(graph, _node(graph, call))
            return _depthwise(window, layer, multiples, layers)
        case "ts_tfl_fully_connected_s8":
            layer, _, rows = fully_connected.layer_of(graph, _node(graph, call))
            return layers.fully_connected(_products(layer, layer.weights)) if rows == 1 else None
        case "ts_tfl_add_s8":
            return _addition(call, layers)
        case "ts_tfl_max_pool_s8" | "ts_tfl_average_pool_s8":
            return _pool(graph, call, layers)
    return None


def _products(layer: Weighted, weights: npt.NDArray[np.generic]) -> Products:
    """Constants of a layer; a channel whose output is always the same gets numbers that are small.

    Converters give channels that are dead biases of 2^30 and scales to match, which vector units do not compute.
    """
    rows = weights.reshape(len(weights), -1).astype(np.int64)
    bias = layer.folded_bias()
    ends = [
        bias + np.where(rows > 0, rows * under_positive, rows * under_negative).sum(1)
        for under_negative, under_positive in _EXTREMES
    ]
    lowest, highest = (
        np.clip(scaled(sums, layer.multiplier, layer.shift) + layer.out_zero, layer.low, layer.high) for sums in ends
    )
    still = lowest == highest
    return Products(
        weights=np.where(still[:, None], 0, rows).reshape(weights.shape),
        bias=np.where(still, _QUARTERS * (lowest - layer.out_zero), bias),
        multiplier=np.where(still, 1 << 30, layer.multiplier),
        shift=np.where(still, 1, -layer.shift),
        in_zero=layer.in_zero,
        zero=layer.out_zero,
        low=layer.low,
        high=layer.high,
    )


def _window(window: OwnWindow, kernel: Sequence[int], out_channels: int) -> Window:
    return Window(
        source=Shape(height=window.inputs[0], width=window.inputs[1], channels=window.channels),
        out=Shape(height=window.outputs[0], width=window.outputs[1], channels=out_channels),
        kernel=(kernel[0], kernel[1]),
        stride=window.stride,
        before=window.before,
    )


def _spread(weights: npt.NDArray[np.int8], window: OwnWindow) -> npt.NDArray[np.int8]:
    """Weights [O, height, width, I] of a dilated kernel as those of one that is not, with zeros between."""
    (rows, columns), (down, across) = window.kernel, window.dilation
    reach = (rows - 1) * down + 1, (columns - 1) * across + 1
    spread = np.zeros((len(weights), *reach, weights.shape[3]), np.int8)
    spread[:, ::down, ::across] = weights
    return spread


def _convolution(window: OwnWindow, layer: Weighted, layers: LayerKernels) -> LayerKernel | None:
    weights = _spread(layer.weights, window)
    if weights.size > _MOST_FILLED * layer.weights.size:
        return None
    return layers.convolution(_window(window, weights.shape[1:3], len(weights)), _products(layer, weights))


def _depthwise(window: OwnWindow, layer: Weighted, multiples: int, layers: LayerKernels) -> LayerKernel | None:
    """A depthwise convolution; one of one channel is a convolution."""
    weights = _spread(np.moveaxis(layer.weights, 1, 3), window)  # [O, height, width, 1]
    if window.channels == 1:
        return layers.convolution(_window(window, weights.shape[1:3], len(weights)), _products(layer, weights))
    side = max(weights.shape[1:3])
    if multiples != 1 or len(weights) * side**2 > _MOST_FILLED * layer.weights.size:
        return None
    square = np.pad(weights[..., 0], ((0, 0), (0, side - weights.shape[1]), (0, side - weights.shape[2])))
    return layers.depthwise(_window(window, (side, side), len(weights)), _products(layer, square))


def _addition(call: Call, layers: LayerKernels) -> LayerKernel | None:
    fields = call.fields
    count, period, shift, multiplier = (fields[name] for name in ("count", "period", "shift", "multiplier"))
    clamp = fields["range"]
    if not isinstance(clamp, tuple) or period != count:
        return None
    zero, low, high = clamp
    tables = call.arrays["left"].astype(np.int64), call.arrays["right"].astype(np.int64)
    return layers.addition(
        tables,
        (int(_number(multiplier)), int(_number(shift))),
        count=int(_number(count)),
        zero=zero,
        low=low,
        high=high,
    )


def _number(value: float | tuple[int, ...]) -> float:
    if isinstance(value, tuple):
        raise TypeError(f"{value} is no number")
    return value


def _pool(graph: Graph, call: Call, layers: LayerKernels) -> LayerKernel | None:
    """Squares side by side; a mean of the whole map."""
    window, low, high = pooling.window_of_pool(graph, _node(graph, call))
    shape = _window(window, window.kernel, window.channels)
    sides = zip(window.outputs, window.kernel, window.inputs, strict=True)
    inside = all(outputs * kernel <= inputs for outputs, kernel, inputs in sides)
    if window.before != (0, 0) or window.dilation != (1, 1) or not inside:
        return None
    if call.function == "ts_tfl_average_pool_s8":
        return layers.average(shape.source, low=low, high=high) if window.kernel == window.inputs else None
    side = window.kernel[0]
    if window.kernel != (side, side) or window.stride != (side, side):
        return None
    return layers.max_pool(shape.source, shape.out, pool=side, low=max(low, INT8_LOW), high=high)


def _costs(call: Call, unit: str) -> tuple[tuple[str, str], Mapping[str, float]]:
    """Arithmetic, kernel class and features as latency tables of backends have them."""
    name = _CLASSES.get(call.kernel_class, call.kernel_class)
    found = dict.fromkeys(FEATURES, 0.0) | dict(call.features)
    if name == "depthwise":
        found["lane_macs"] = found["macs"]
    return (f"int8@{unit}", name), found


def _streamed(network: LoweredNetwork, number: int, unit: str) -> WeightedStep:
    call = network.calls[number]
    key, features = _costs(call, unit)
    shape = network.graph.tensors[call.output].shape
    channels = shape[-1]
    return WeightedStep(
        key=key,
        features=features,
        weights=call.macs * channels // math.prod(shape),
        channels=channels,
        pixels=math.prod(shape) // channels,
    )
