"""A graph as one that computes the same bytes by fewer calls, or by kernels that exist.

Zeros that an operator of its own puts around an image become padding of the convolution that reads it; a convolution in
groups becomes one convolution a group between slices and a concatenation, a transposed one a convolution of pixels that
were set apart.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator

import numpy as np

from tinysearch.networks.graph import Element, Graph, Node, Quantization, Tensor
from tinysearch.networks.operators.transposed import apart
from tinysearch.networks.options import (
    Activation,
    ConcatenationOptions,
    Sides,
    StridedSliceOptions,
    WindowOptions,
)


def rewritten(graph: Graph) -> Graph:
    """The same function of the same inputs; tensors keep their indices, new ones follow."""
    return _without_groups(_without_paddings(_without_transposed(graph)))


def _without_transposed(graph: Graph) -> Graph:
    nodes = list[Node]()
    for node in graph.nodes:
        found: tuple[Node, ...] = (node,)
        if node.operator == "TRANSPOSE_CONV":
            graph, found = apart(graph, node)
        nodes += found
    return dataclasses.replace(graph, nodes=tuple(nodes))


def without_dead_nodes(graph: Graph) -> Graph:
    """Without what no output and no state depends on, and what only computes shapes, which are known."""
    needed, kept = {*graph.outputs, *(state.tensor for state in graph.states)}, list[Node]()
    for node in reversed(graph.nodes):
        if node.operator == "RESHAPE":
            node = dataclasses.replace(node, inputs=node.inputs[:1])  # noqa: PLW2901
        if needed.intersection(node.outputs) or node.operator == "ASSIGN_VARIABLE" or not node.outputs:
            needed.update(node.inputs)
            kept.append(node)
    return dataclasses.replace(graph, nodes=tuple(reversed(kept)))


def _without_paddings(graph: Graph) -> Graph:
    readers = Counter(index for node in graph.nodes for index in node.inputs)
    readers.update(graph.outputs)
    pads = {node.outputs[0]: node for node in graph.nodes if node.operator == "PAD" and readers[node.outputs[0]] == 1}
    nodes, dropped = [], set[int]()
    for node in graph.nodes:
        padding = pads.get(node.inputs[0]) if node.operator in ("CONV_2D", "DEPTHWISE_CONV_2D") else None
        options = None if padding is None else _padded_options(graph, node, padding)
        if padding is not None and options is not None:
            dropped.update(padding.outputs)
            node = dataclasses.replace(node, inputs=(padding.inputs[0], *node.inputs[1:]), options=options)  # noqa: PLW2901
        nodes.append(node)
    kept = tuple(node for node in nodes if not dropped.intersection(node.outputs))
    return dataclasses.replace(graph, nodes=kept)


def _padded_options(graph: Graph, node: Node, padding: Node) -> WindowOptions | None:
    """Options with the padding of another node besides; None where it pads other axes, or adds to SAME."""
    options, pairs = node.options, graph.tensors[padding.inputs[1]].data
    if not isinstance(options, WindowOptions) or options.same or pairs is None or pairs.shape != (4, 2):
        return None
    if pairs[0].any() or pairs[3].any():
        return None
    before, after = options.padding or ((0, 0), (0, 0))
    (top, bottom), (left, right) = pairs[1].tolist(), pairs[2].tolist()
    whole: tuple[Sides, Sides] = ((before[0] + top, before[1] + left), (after[0] + bottom, after[1] + right))
    return dataclasses.replace(options, padding=whole)


def _without_groups(graph: Graph) -> Graph:
    tensors, nodes = list(graph.tensors), list[Node]()
    for node in graph.nodes:
        groups = _groups(graph, node)
        nodes += [node] if groups == 1 else _split(node, tensors, groups)
    return dataclasses.replace(graph, tensors=tuple(tensors), nodes=tuple(nodes))


def _groups(graph: Graph, node: Node) -> int:
    if node.operator != "CONV_2D":
        return 1
    return graph.tensors[node.inputs[0]].shape[3] // graph.tensors[node.inputs[1]].shape[3]


def _split(node: Node, tensors: list[Tensor], groups: int) -> Iterator[Node]:
    """Slices, convolutions and a concatenation in place of one node; their tensors are added."""
    source, weights, result = (tensors[index] for index in (*node.inputs[:2], node.outputs[0]))
    depth, count = weights.shape[3], weights.shape[0] // groups

    def add(tensor: Tensor) -> int:
        tensors.append(tensor)
        return len(tensors) - 1

    def bounds(*values: int) -> int:
        data = np.array(values, np.int32)
        return add(Tensor(name=f"{node.name} bounds", shape=data.shape, element=Element.INT32, data=data))

    parts = []
    for group in range(groups):
        name = f"{node.name} group {group}"
        shape = (*source.shape[:3], depth)
        first, last = (0, 0, 0, group * depth), (*source.shape[:3], (group + 1) * depth)
        cut = add(dataclasses.replace(source, name=f"{name} input", shape=shape, data=None))
        places = (bounds(*first), bounds(*last), bounds(1, 1, 1, 1))
        yield Node(
            name=tensors[cut].name,
            operator="STRIDED_SLICE",
            inputs=(node.inputs[0], *places),
            outputs=(cut,),
            options=StridedSliceOptions(),
        )
        rows = slice(group * count, (group + 1) * count)
        constants = [add(_rows(tensors[index], rows, name)) for index in node.inputs[1:] if index >= 0]
        part = add(dataclasses.replace(result, name=name, shape=(*result.shape[:3], count)))
        yield dataclasses.replace(node, name=name, inputs=(cut, *constants), outputs=(part,))
        parts.append(part)
    options = ConcatenationOptions(axis=3, activation=Activation.NONE)
    yield Node(name=node.name, operator="CONCATENATION", inputs=tuple(parts), outputs=node.outputs, options=options)


def _rows(tensor: Tensor, rows: slice, name: str) -> Tensor:
    """Some output channels of weights or biases."""
    if tensor.data is None:
        raise TypeError(f"{name} has computed weights")
    data = np.ascontiguousarray(tensor.data[rows])
    found = tensor.quantization
    if found is not None and len(found.scales) > 1:
        found = Quantization(scales=found.scales[rows], zero_points=found.zero_points[rows], axis=found.axis)
    return dataclasses.replace(tensor, name=name, shape=data.shape, data=data, quantization=found)
