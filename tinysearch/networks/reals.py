"""A network whose output is int8, continued to floats."""

from __future__ import annotations

from dataclasses import replace

from tinysearch.networks.graph import Element, Graph, Node, Tensor


def with_real_output(graph: Graph) -> Graph:
    """The same network with its first output, where that is int8, as floats."""
    index = graph.outputs[0]
    tensor = graph.tensors[index]
    if tensor.element is not Element.INT8:
        return graph
    real = Tensor(name=f"{tensor.name} as floats", shape=tensor.shape, element=Element.FLOAT32)
    node = Node(name=real.name, operator="DEQUANTIZE", inputs=(index,), outputs=(len(graph.tensors),))
    return replace(
        graph,
        tensors=(*graph.tensors, real),
        nodes=(*graph.nodes, node),
        outputs=(len(graph.tensors), *graph.outputs[1:]),
    )
