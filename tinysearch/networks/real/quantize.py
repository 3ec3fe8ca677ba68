"""Post-training quantization: a float graph as the int8 graph whose scales hold what samples made of it.

Activations get one scale and a zero point each, from the least and largest value that samples gave; weights one scale
an output channel, symmetric; biases 32 bits. Tensors that an operator may only move keep one scale, softmax has the one
that its kernel knows. Scales that the author stated stand.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tinysearch.core.errors import UserError
from tinysearch.core.quantization import INT8_HIGH, INT8_LOW
from tinysearch.networks.graph import Element, Graph, Node, Quantization, Rounding, Tensor
from tinysearch.networks.operators.lstm import BIASES, RECURRENT, WEIGHTS
from tinysearch.networks.operators.lstm import NAME as LSTM
from tinysearch.networks.options import LstmOptions, PointwiseOptions
from tinysearch.networks.real.execute import trace_reals
from tinysearch.networks.real.memory import cell_scale
from tinysearch.networks.real.nodes import Array

_STEPS = INT8_HIGH - INT8_LOW
_MOST_BIAS = 1 << 29
"""Of a bias in steps: sums with it stay in 32 bits."""

_LEAST_RANGE = 1e-6
_KEEP_SCALE = frozenset(
    {"AVERAGE_POOL_2D", "MAX_POOL_2D", "PAD", "RESHAPE", "TRANSPOSE", "STRIDED_SLICE", "CONCATENATION"}
    | {"RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR", "SPREAD"}
)
"""Operators whose inputs and output have one scale."""

_CHANNEL_AXIS: Mapping[str, int] = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}
_PROBABILITY = Quantization(scales=np.array([1 / 256], np.float32), zero_points=np.array([-128], np.int64))


@dataclass(frozen=True, slots=True)
class Span:
    """Least and largest value of a tensor."""

    low: float
    high: float

    def joined(self, other: Span) -> Span:
        """The span of both."""
        return Span(min(self.low, other.low), max(self.high, other.high))


def spans(graph: Graph, inputs: Sequence[Array], *, batch: int) -> dict[int, Span]:
    """Spans of all computed tensors over samples [N, *shape].

    Raises:
        UserError: samples that make the network's values infinite or no numbers.
    """
    found: dict[int, Span] = {}
    for start in range(0, len(inputs[0]), batch):
        part = [values[start : start + batch] for values in inputs]
        for index, values in trace_reals(graph, part):
            span = Span(float(values.min()), float(values.max()))
            if not np.isfinite([span.low, span.high]).all():
                raise UserError(
                    "values inside of a network must stay finite on the samples",
                    value=graph.tensors[index].name[:60],
                    remedy="give calibration samples that are prepared as for training",
                )
            found[index] = span.joined(found.get(index, span))
    return found


def has_all_scales(graph: Graph) -> bool:
    """Whether every tensor has a scale that its author stated, or that follows from these."""
    stated = {index for index, tensor in enumerate(graph.tensors) if tensor.quantization is not None}
    stated |= {node.outputs[0] for node in graph.nodes if node.operator == "SOFTMAX"}
    if any(node.operator == LSTM for node in graph.nodes):
        return False  # samples tell how large its cell becomes
    groups = _groups(graph)
    known = {groups[index] for index in stated if index in groups}
    for node in graph.nodes:
        if node.operator == "POINTWISE" and groups[node.inputs[0]] in known:
            known.add(groups[node.outputs[0]])
    return all(group in known for group in groups.values())


def states_scales(graph: Graph) -> bool:
    """Whether the author chose scales of computed tensors: these networks stand as they are."""
    return any(tensor.data is None and tensor.quantization is not None for tensor in graph.tensors)


def quantize(graph: Graph, seen: Mapping[int, Span]) -> Graph:
    """The int8 graph.

    Args:
        seen: of :func:`spans`.
    """
    scales = _scales(graph, seen)
    tensors = [
        dataclasses.replace(tensor, element=Element.INT8, quantization=scales[index]) if index in scales else tensor
        for index, tensor in enumerate(graph.tensors)
    ]
    nodes, rounding = [], graph.rounding if states_scales(graph) else Rounding.TWICE
    for node in graph.nodes:
        axis = _CHANNEL_AXIS.get(node.operator)
        if axis is not None:
            node = _with_weights(graph, node, tensors, scales, axis, real_bias=rounding is not Rounding.TWICE)  # noqa: PLW2901
        elif node.operator == LSTM:
            node = _with_memory(node, tensors, scales, seen)  # noqa: PLW2901
        elif node.operator in ("ADD", "SUB", "MUL", "CONCATENATION", "PRELU"):
            _quantize_constants(node, tensors, scales)
        nodes.append(node)
    return dataclasses.replace(graph, tensors=tuple(tensors), nodes=tuple(nodes), rounding=rounding)


def _scales(graph: Graph, seen: Mapping[int, Span]) -> dict[int, Quantization]:
    """Scale and zero point of every computed tensor."""
    groups = _groups(graph)
    fixed: dict[int, Quantization] = {}
    joined: dict[int, Span] = {}
    for node in graph.nodes:
        if node.operator == "SOFTMAX":
            fixed[groups[node.outputs[0]]] = _PROBABILITY
    for index, group in groups.items():
        stated = graph.tensors[index].quantization
        if stated is not None and graph.tensors[index].data is None:
            fixed.setdefault(group, stated)
        span = seen.get(index) or _span(graph.tensors[index])
        if span is not None:
            joined[group] = span.joined(joined.get(group, span))
    for node in graph.nodes:
        source, result = groups.get(node.inputs[0]), groups[node.outputs[0]]
        if node.operator == "POINTWISE" and source in fixed and not {result} & {*fixed, *joined}:
            fixed[result] = of_span(span_of_function(node, fixed[source]))
    missing = sorted({group for group in groups.values() if group not in fixed and group not in joined})
    if missing:
        raise UserError(
            "every tensor of a quantized network must have a scale, or samples must tell it",
            value=", ".join(graph.tensors[index].name[:40] for index in missing[:4]),
            remedy="add calibration=FILE.npz",
        )
    return {index: fixed[group] if group in fixed else of_span(joined[group]) for index, group in groups.items()}


def span_of_function(node: Node, source: Quantization) -> Span:
    """What a function makes of all values that its input can have."""
    if not isinstance(node.options, PointwiseOptions):
        raise TypeError(f"{node.name} has no function")
    stored = np.arange(INT8_LOW, INT8_HIGH + 1) - source.zero_point
    with np.errstate(all="ignore"):
        reals = node.options.function(np.asarray(stored * source.scale, np.float64))
    finite = reals[np.isfinite(reals)]
    return Span(float(finite.min(initial=0.0)), float(finite.max(initial=0.0)))


def _span(tensor: Tensor) -> Span | None:
    return None if tensor.data is None else Span(float(tensor.data.min()), float(tensor.data.max()))


def _groups(graph: Graph) -> dict[int, int]:
    """For every tensor that has a scale, the one that stands for all that share it."""
    parents: dict[int, int] = {}

    def top(index: int) -> int:
        while parents.setdefault(index, index) != index:
            index = parents[index]
        return index

    for index in graph.inputs:
        top(index)
    for node in graph.nodes:
        out = top(node.outputs[0])
        if node.operator in _KEEP_SCALE:
            moved = node.inputs if node.operator == "CONCATENATION" else node.inputs[:1]
            for index in moved:
                parents[top(index)] = out
    return {index: top(index) for index in list(parents)}


def of_span(span: Span) -> Quantization:
    """The scale that holds a span and has an exact zero."""
    low, high = min(span.low, 0.0), max(span.high, 0.0)
    scale = np.float32(max(high - low, _LEAST_RANGE) / _STEPS)
    zero = int(np.clip(round(INT8_LOW - low / float(scale)), INT8_LOW, INT8_HIGH))
    return Quantization(scales=np.array([scale], np.float32), zero_points=np.array([zero], np.int64))


def _with_weights(
    graph: Graph,
    node: Node,
    tensors: list[Tensor],
    scales: Mapping[int, Quantization],
    axis: int,
    *,
    real_bias: bool,
) -> Node:
    """A node with int8 weights of its own and int32 biases, or the author's real ones."""
    weights, bias = (graph.tensors[index] for index in node.inputs[1:])
    _finite(weights, node)
    _finite(bias, node)
    if weights.data is None:
        raise TypeError(f"{node.name} has computed weights")
    source = scales[node.inputs[0]].scale
    rows = np.moveaxis(weights.data, axis, 0).reshape(weights.data.shape[axis], -1).astype(np.float64)
    stated = weights.quantization
    if stated is not None and len(stated.scales) in (1, len(rows)):
        found = np.broadcast_to(stated.scales.astype(np.float64), (len(rows),))
    else:
        found = np.maximum(np.abs(rows).max(1) / INT8_HIGH, np.abs(_reals(bias)) / (source * _MOST_BIAS))
        found = np.clip(found, 1e-12, 1e30)
    per_channel = found.astype(np.float32)
    shape = [len(rows) if place == axis else 1 for place in range(weights.data.ndim)]
    exact = per_channel.astype(np.float64)
    stored = np.clip(np.rint(_reals(weights) / exact.reshape(shape)), -INT8_HIGH - (stated is not None), INT8_HIGH)
    steps = np.clip(np.rint(_reals(bias) / (source * exact)), -(1 << 31), (1 << 31) - 1)
    zeros = np.zeros(len(per_channel), np.int64)
    tensors.append(
        dataclasses.replace(
            weights,
            element=Element.INT8,
            data=stored.astype(np.int8),
            quantization=Quantization(scales=per_channel, zero_points=zeros, axis=axis),
        )
    )
    whole = dataclasses.replace(bias, element=Element.INT32, data=steps.astype(np.int32))
    tensors.append(bias if real_bias else whole)
    return dataclasses.replace(node, inputs=(node.inputs[0], len(tensors) - 2, len(tensors) - 1))


def _with_memory(
    node: Node, tensors: list[Tensor], scales: Mapping[int, Quantization], seen: Mapping[int, Span]
) -> Node:
    """An LSTM with int8 weights of one scale a gate, int32 biases, and a scale that holds the samples' cells."""
    source, inputs = scales[node.inputs[0]].scale, list(node.inputs)
    for positions in (WEIGHTS, RECURRENT):
        for position in positions:
            tensor = tensors[node.inputs[position]]
            _finite(tensor, node)
            most = float(np.abs(_reals(tensor)).max(initial=0.0))
            scale = np.float32(max(most / INT8_HIGH, 1e-9))
            stored = np.clip(np.rint(_reals(tensor) / float(scale)), -INT8_HIGH, INT8_HIGH).astype(np.int8)
            found = Quantization(scales=np.array([scale], np.float32), zero_points=np.zeros(1, np.int64))
            tensors.append(dataclasses.replace(tensor, element=Element.INT8, data=stored, quantization=found))
            inputs[position] = len(tensors) - 1
    for position, of in zip(BIASES, WEIGHTS, strict=True):
        tensor = tensors[node.inputs[position]]
        _finite(tensor, node)
        steps = np.rint(_reals(tensor) / (source * tensors[inputs[of]].quantized.scale))
        limited = np.clip(steps, -_MOST_BIAS, _MOST_BIAS).astype(np.int32)
        tensors.append(dataclasses.replace(tensor, element=Element.INT32, data=limited))
        inputs[position] = len(tensors) - 1
    if not isinstance(node.options, LstmOptions):
        raise TypeError(f"{node.name} has no options of an LSTM")
    span = seen[node.outputs[1]]
    options = dataclasses.replace(node.options, cell_scale=cell_scale(max(-span.low, span.high)))
    return dataclasses.replace(node, inputs=tuple(inputs), outputs=node.outputs[:1], options=options)


def _finite(tensor: Tensor, node: Node) -> None:
    if tensor.data is None:
        raise TypeError(f"{node.name} has computed weights")
    if not np.isfinite(tensor.data).all():
        raise UserError("weights must be finite", value=node.name[:60], remedy="train or export the network again")


def _reals(tensor: Tensor) -> Array:
    """Values of a float constant as float64."""
    return np.asarray(tensor.data, np.float64)


def _quantize_constants(node: Node, tensors: list[Tensor], scales: Mapping[int, Quantization]) -> None:
    """Constant operands of sums and products, slopes, and constant parts of a concatenation."""
    for index in node.inputs:
        tensor = tensors[index]
        if tensor.data is None or not np.issubdtype(tensor.data.dtype, np.floating):
            continue
        span = _span(tensor)
        found = scales.get(index) or (of_span(span) if span is not None else _PROBABILITY)
        stored = np.rint(_reals(tensor) / found.scale) + found.zero_point
        tensors[index] = dataclasses.replace(
            tensor,
            element=Element.INT8,
            quantization=found,
            data=np.clip(stored, INT8_LOW, INT8_HIGH).astype(np.int8),
        )
