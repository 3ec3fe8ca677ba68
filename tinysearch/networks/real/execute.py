"""A float graph on samples, in single precision: what calibration sees, and what int8 is compared with."""

# ruff: noqa: ARG001 - one signature for all operators

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from tinysearch.networks.graph import Graph, Node
from tinysearch.networks.operators.bilinear import neighbors
from tinysearch.networks.operators.kind import given
from tinysearch.networks.operators.lstm import NAME as LSTM
from tinysearch.networks.operators.resizing import nearest
from tinysearch.networks.operators.window import Window, flat, window_of
from tinysearch.networks.options import (
    Activation,
    ActivationOptions,
    ConcatenationOptions,
    PointwiseOptions,
    ResizeOptions,
    SoftmaxOptions,
    SpreadOptions,
    WindowOptions,
)
from tinysearch.networks.real.memory import run_lstm
from tinysearch.networks.real.nodes import Array

Inputs = Sequence[Array | None]
_Run = Callable[[Graph, Node, Inputs], Array | tuple[Array, Array]]

_BOUNDS: Mapping[Activation, tuple[float, float]] = {
    Activation.NONE: (-np.inf, np.inf),
    Activation.RELU: (0.0, np.inf),
    Activation.RELU6: (0.0, 6.0),
    Activation.RELU_N1_TO_1: (-1.0, 1.0),
}


def trace_reals(graph: Graph, inputs: Sequence[Array]) -> Iterator[tuple[int, Array]]:
    """Every computed tensor [N, *shape] with its index, each dropped after its last reader."""
    values: dict[int, Array] = dict(zip(graph.inputs, inputs, strict=True))
    last = {index: position for position, node in enumerate(graph.nodes) for index in node.inputs}
    last.update(dict.fromkeys(graph.outputs, len(graph.nodes)))
    yield from values.items()
    for position, node in enumerate(graph.nodes):
        sources = [_value(graph, values, index) for index in node.inputs]
        with np.errstate(all="ignore"):  # what is not finite is told by whoever looks at it
            found = RUNS[node.operator](graph, node, sources)
        results = found if isinstance(found, tuple) else (found,)
        for index, result in zip(node.outputs, results, strict=True):
            values[index] = result.astype(np.float32, copy=False)
            yield index, values[index]
        for index in {*node.inputs, *node.outputs}:
            if last.get(index, -1) <= position:
                values.pop(index, None)


def run_reals(graph: Graph, inputs: Sequence[Array]) -> list[Array]:
    """Outputs [N, *shape] of float32 samples [N, *shape]."""
    found = {index: value for index, value in trace_reals(graph, inputs) if index in graph.outputs}
    return [found[index] for index in graph.outputs]


def _value(graph: Graph, values: Mapping[int, Array], index: int) -> Array | None:
    if index < 0:
        return None
    data = graph.tensors[index].data
    return values[index] if data is None else data[None]


def _clamped(values: Array, activation: Activation) -> Array:
    low, high = _BOUNDS[activation]
    return values if activation is Activation.NONE else np.clip(values, np.float32(low), np.float32(high))


def _window(graph: Graph, node: Node, kernel: tuple[int, int]) -> tuple[Window, WindowOptions]:
    if not isinstance(node.options, WindowOptions):
        raise TypeError(f"{node.name} has no options of a window")
    return window_of(graph.tensors[node.inputs[0]], node.options, kernel), node.options


def _convolution(graph: Graph, node: Node, values: Inputs) -> Array:
    weights, bias = given(values, 1)[0], given(values, 2)[0]
    window, options = _window(graph, node, weights.shape[1:3])
    views = window.views(flat(given(values)), 0)
    groups = window.channels // weights.shape[3]
    parts = []
    for group, kernels in enumerate(np.split(weights, groups)):
        inner = weights.shape[3]
        part = np.moveaxis(views[..., group * inner : (group + 1) * inner, :, :], 3, 5)
        columns = part.reshape(*part.shape[:3], -1)
        parts.append(columns @ kernels.reshape(len(kernels), -1).T)
    return _clamped(np.concatenate(parts, axis=-1) + bias, options.activation)[:, None]


def _depthwise(graph: Graph, node: Node, values: Inputs) -> Array:
    weights, bias = given(values, 1)[0, 0], given(values, 2)[0]
    window, options = _window(graph, node, weights.shape[:2])
    views = window.views(flat(given(values)), 0)
    multiplier = weights.shape[2] // window.channels
    sums = np.zeros((*views.shape[:3], weights.shape[2]), np.float32)
    for y in range(window.kernel[0]):
        for x in range(window.kernel[1]):
            sums += np.repeat(views[..., y, x], multiplier, axis=3) * weights[y, x]
    return _clamped(sums + bias, options.activation)[:, None]


def _dense(graph: Graph, node: Node, values: Inputs) -> Array:
    weights, source = given(values, 1)[0], given(values)
    rows = source.reshape(len(source), -1, weights.shape[1])
    bias = 0 if len(values) < 3 or values[2] is None else values[2][0]
    found = _clamped(rows @ weights.T + bias, _activation(node))
    return found.reshape(len(source), *graph.result(node).shape)


def _activation(node: Node) -> Activation:
    if not isinstance(node.options, ActivationOptions):
        raise TypeError(f"{node.name} has no activation")
    return node.options.activation


def _of_two(function: Callable[[Array, Array], Array]) -> _Run:
    def run(graph: Graph, node: Node, values: Inputs) -> Array:
        left, right = (_raised(value, len(graph.result(node).shape)) for value in (given(values), given(values, 1)))
        return _clamped(function(left, right), _activation(node))

    return run


def _raised(values: Array, rank: int) -> Array:
    return values.reshape(len(values), *(1,) * (rank + 1 - values.ndim), *values.shape[1:])


def _average(graph: Graph, node: Node, values: Inputs) -> Array:
    window, options = _pool_window(graph, node)
    sums = window.views(flat(given(values)), 0).sum((-2, -1))
    rows, columns = (window.inside(axis).sum(1) for axis in (0, 1))
    return _clamped(sums / np.multiply.outer(rows, columns)[..., None].astype(np.float32), options.activation)[:, None]


def _maximum(graph: Graph, node: Node, values: Inputs) -> Array:
    window, options = _pool_window(graph, node)
    lowest = np.finfo(np.float32).min
    source = flat(given(values))
    sides = [
        (before, max(reach - before - side, 0))
        for reach, before, side in zip(window.reach, window.before, window.inputs, strict=True)
    ]
    whole = np.pad(source, ((0, 0), *sides, (0, 0)), constant_values=lowest)
    views = np.lib.stride_tricks.sliding_window_view(whole, window.kernel, axis=(1, 2))
    found: Array = views[:, :: window.stride[0], :: window.stride[1]].max((-2, -1))
    found = found[:, : window.outputs[0], : window.outputs[1]]
    return _clamped(found, options.activation)[:, None]


def _pool_window(graph: Graph, node: Node) -> tuple[Window, WindowOptions]:
    if not isinstance(node.options, WindowOptions):
        raise TypeError(f"{node.name} has no options of a window")
    return _window(graph, node, node.options.filter)


def _mean(graph: Graph, node: Node, values: Inputs) -> Array:
    rank = len(graph.tensors[node.inputs[0]].shape)
    axes = tuple(1 + int(axis) % rank for axis in given(values, 1).reshape(-1))
    source = given(values)
    found: Array = source.mean(axis=axes)
    return found.reshape(len(source), *graph.result(node).shape)


def _softmax(graph: Graph, node: Node, values: Inputs) -> Array:
    if not isinstance(node.options, SoftmaxOptions):
        raise TypeError(f"{node.name} has no beta")
    logits: Array = given(values)
    source = logits * np.float32(node.options.beta)
    raised = np.exp(source - source.max(-1, keepdims=True))
    found: Array = raised / raised.sum(-1, keepdims=True)
    return found


def _pointwise(graph: Graph, node: Node, values: Inputs) -> Array:
    if not isinstance(node.options, PointwiseOptions):
        raise TypeError(f"{node.name} has no function")
    with np.errstate(all="ignore"):
        return np.asarray(node.options.function(given(values).astype(np.float64)))


def _slopes(graph: Graph, node: Node, values: Inputs) -> Array:
    source: Array = given(values)
    slopes: Array = given(values, 1)
    return np.where(source < 0, source * slopes, source)


def _nearest(graph: Graph, node: Node, values: Inputs) -> Array:
    options, sizes = _resized(node, values)
    source = given(values)
    rows, columns = (nearest(side, size, options) for side, size in zip(source.shape[2:4], sizes, strict=True))
    return source[:, :, rows][:, :, :, columns]


def _bilinear(graph: Graph, node: Node, values: Inputs) -> Array:
    options, sizes = _resized(node, values)
    found: Array = given(values)
    for axis, size in zip((2, 3), sizes, strict=True):
        low, high, weights = neighbors(found.shape[axis], size, options)
        shaped = weights.astype(np.float32).reshape(-1, *(1,) * (4 - axis))
        found = np.take(found, low, axis) * (1 - shaped) + np.take(found, high, axis) * shaped
    return found


def _resized(node: Node, values: Inputs) -> tuple[ResizeOptions, list[int]]:
    if not isinstance(node.options, ResizeOptions):
        raise TypeError(f"{node.name} has no options of a resize")
    return node.options, given(values, 1).reshape(-1).tolist()


def _spread(graph: Graph, node: Node, values: Inputs) -> Array:
    if not isinstance(node.options, SpreadOptions):
        raise TypeError(f"{node.name} has no stride")
    source, (down, across) = given(values), node.options.stride
    found = np.zeros((len(source), *graph.result(node).shape), np.float32)
    found[:, :, ::down, ::across] = source
    return found


def _reshape(graph: Graph, node: Node, values: Inputs) -> Array:
    source = given(values)
    return source.reshape(len(source), *graph.result(node).shape)


def _transpose(graph: Graph, node: Node, values: Inputs) -> Array:
    return given(values).transpose(0, *(1 + int(axis) for axis in given(values, 1).reshape(-1)))


def _pad(graph: Graph, node: Node, values: Inputs) -> Array:
    return np.pad(given(values), [(0, 0), *((int(a), int(b)) for a, b in given(values, 1)[0])])


def _concatenation(graph: Graph, node: Node, values: Inputs) -> Array:
    if not isinstance(node.options, ConcatenationOptions):
        raise TypeError(f"{node.name} has no axis")
    present = [value for value in values if value is not None]
    count = max(len(value) for value in present)
    wide = [np.broadcast_to(value, (count, *value.shape[1:])) for value in present]
    axis = node.options.axis % len(graph.result(node).shape)
    return np.concatenate(wide, axis=1 + axis)


def _slice(graph: Graph, node: Node, values: Inputs) -> Array:
    begin, end, by = (given(values, position).reshape(-1).tolist() for position in (1, 2, 3))
    bounds = (slice(*row) for row in zip(begin, end, by, strict=True))
    return given(values)[(slice(None), *bounds)]


RUNS: Mapping[str, _Run] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    "ADD": _of_two(np.add),
    "SUB": _of_two(np.subtract),
    "MUL": _of_two(np.multiply),
    "AVERAGE_POOL_2D": _average,
    "MAX_POOL_2D": _maximum,
    "MEAN": _mean,
    "SOFTMAX": _softmax,
    "POINTWISE": _pointwise,
    "RESHAPE": _reshape,
    "TRANSPOSE": _transpose,
    "PAD": _pad,
    "CONCATENATION": _concatenation,
    "STRIDED_SLICE": _slice,
    "PRELU": _slopes,
    "RESIZE_NEAREST_NEIGHBOR": _nearest,
    "RESIZE_BILINEAR": _bilinear,
    "SPREAD": _spread,
    LSTM: lambda _, node, values: run_lstm(node, values),
}
"""By operator of a float graph."""
