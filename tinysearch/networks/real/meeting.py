"""Scales that meet at operators which only move values: what the author's quantizer means where they differ.

Operators that move values keep the scale of their input, and take the one that their output is given where nobody
stated another before. Between two stated ones that differ stands a table. An average has rounded nothing yet when its
output is quantized, so one whose scales differ becomes a mean or a depthwise convolution, which are rounded once.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable

import numpy as np

from tinysearch.networks.graph import Array, Element, Graph, Node, Quantization, Tensor
from tinysearch.networks.operators.window import window_of
from tinysearch.networks.options import PointwiseOptions, WindowOptions
from tinysearch.networks.real.quantize import of_span, span_of_function, states_scales

_MOVERS = frozenset({"MAX_POOL_2D", "PAD", "RESHAPE", "TRANSPOSE", "STRIDED_SLICE", "CONCATENATION", "SPREAD"})
"""Quantizing what they read or what they give is the same."""

_AVERAGE = "AVERAGE_POOL_2D"


def with_meeting_scales(graph: Graph) -> Graph:
    """A float graph in which no two scales meet in an operator that keeps its scale; others are left as they are."""
    return _Meeting(graph).graph() if states_scales(graph) else graph


class _Meeting:
    """One pass over one graph."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._tensors = list(graph.tensors)
        self._readers = Counter(index for node in graph.nodes for index in node.inputs)
        self._scales = {
            index: tensor.quantization
            for index, tensor in enumerate(graph.tensors)
            if tensor.quantization is not None and tensor.data is None
        }

    def graph(self) -> Graph:
        self._backward()
        self._forward()
        nodes = [made for node in self._graph.nodes for made in self._made(node)]
        for index, found in self._scales.items():
            self._tensors[index] = dataclasses.replace(self._tensors[index], quantization=found)
        return dataclasses.replace(self._graph, tensors=tuple(self._tensors), nodes=tuple(nodes))

    def _moved(self, node: Node) -> list[int]:
        """Computed inputs that have the output's values."""
        inputs = node.inputs if node.operator == "CONCATENATION" else node.inputs[:1]
        return [index for index in inputs if self._graph.tensors[index].data is None]

    def _backward(self) -> None:
        """Values that are only moved until they are quantized have that scale where they are computed."""
        for node in reversed(self._graph.nodes):
            found = self._scales.get(node.outputs[0])
            if node.operator in _MOVERS and found is not None:
                for index in self._moved(node):
                    if self._readers[index] == 1:
                        self._scales.setdefault(index, found)

    def _forward(self) -> None:
        for node in self._graph.nodes:
            source = self._scales.get(node.inputs[0])
            if node.operator == "POINTWISE" and source is not None and node.outputs[0] not in self._scales:
                self._scales[node.outputs[0]] = of_span(span_of_function(node, source))  # kept in floats by the author
            found = [self._scales[index] for index in self._moved(node) if index in self._scales]
            if node.operator in (*_MOVERS, _AVERAGE) and found:
                self._scales.setdefault(node.outputs[0], found[0])

    def _made(self, node: Node) -> Iterable[Node]:
        """Nodes in place of one."""
        out = self._scales.get(node.outputs[0])
        if node.operator not in (*_MOVERS, _AVERAGE) or out is None:
            return [node]
        known = [index for index in self._moved(node) if index in self._scales]
        apart = [index for index in known if not _same(self._scales[index], out)]
        if not apart:
            return [node]
        if node.operator == _AVERAGE:
            return self._average(node)
        tables = {index: self._table(node, index, out) for index in apart}
        inputs = tuple(tables[index].outputs[0] if index in tables else index for index in node.inputs)
        return [*tables.values(), dataclasses.replace(node, inputs=inputs)]

    def _table(self, node: Node, index: int, scale: Quantization) -> Node:
        """A tensor with another scale."""
        name = f"{node.name} input"
        found = self._add(dataclasses.replace(self._tensors[index], name=name), scale)
        options = PointwiseOptions(text="Quantize", function=lambda x: x, parts=1)
        return Node(name=name, operator="POINTWISE", inputs=(index,), outputs=(found,), options=options)

    def _average(self, node: Node) -> list[Node]:
        options, source = node.options, self._tensors[node.inputs[0]]
        if not isinstance(options, WindowOptions):
            raise TypeError(f"{node.name} has no options of a window")
        window = window_of(source, options, options.filter)
        if window.outputs == (1, 1) and window.kernel == window.inputs:
            axes = self._constant(np.array([1, 2], np.int32), f"{node.name} axes")
            return [Node(name=node.name, operator="MEAN", inputs=(node.inputs[0], axes), outputs=node.outputs)]
        if not (window.inside(0).all() and window.inside(1).all()):
            return self._average_then_table(node)  # its divisors differ
        weights = np.full((1, *window.kernel, window.channels), 1 / np.prod(window.kernel), np.float32)
        scale = Quantization(scales=weights.reshape(-1)[:1], zero_points=np.zeros(1, np.int64), axis=3)
        constants = (
            self._constant(weights, f"{node.name} weights", scale),
            self._constant(np.zeros(window.channels, np.float32), f"{node.name} bias"),
        )
        return [dataclasses.replace(node, operator="DEPTHWISE_CONV_2D", inputs=(node.inputs[0], *constants))]

    def _average_then_table(self, node: Node) -> list[Node]:
        found = self._scales[node.inputs[0]]
        inside = self._add(dataclasses.replace(self._tensors[node.outputs[0]], name=f"{node.name} inside"), found)
        options = PointwiseOptions(text="Quantize", function=lambda x: x, parts=1)
        table = Node(name=node.name, operator="POINTWISE", inputs=(inside,), outputs=node.outputs, options=options)
        return [dataclasses.replace(node, outputs=(inside,)), table]

    def _add(self, tensor: Tensor, scale: Quantization) -> int:
        self._tensors.append(dataclasses.replace(tensor, quantization=scale))
        return len(self._tensors) - 1

    def _constant(self, values: Array, name: str, scale: Quantization | None = None) -> int:
        element = Element.INT32 if np.issubdtype(values.dtype, np.integer) else Element.FLOAT32
        self._tensors.append(Tensor(name=name, shape=values.shape, element=element, data=values, quantization=scale))
        return len(self._tensors) - 1


def _same(left: Quantization, right: Quantization) -> bool:
    return left.scale == right.scale and left.zero_point == right.zero_point
