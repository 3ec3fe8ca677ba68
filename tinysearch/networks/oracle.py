"""The oracle: executes a graph in NumPy as tflite-micro's reference kernels do, bit for bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tinysearch.core.errors import UserError
from tinysearch.networks.graph import ABSENT, Array, Graph
from tinysearch.networks.operators import KINDS


def run(graph: Graph, inputs: Sequence[Array]) -> list[Array]:
    """Outputs of a batch.

    Args:
        graph: that :func:`~tinysearch.networks.checking.check` let through.
        inputs: one array [N, *shape] for every input of the graph, in its element type.

    Returns:
        One array [N, *shape] for every output.

    Raises:
        UserError: an input of another shape or type.
    """
    tensors = trace(graph, inputs)
    return [tensors[index] for index in graph.outputs]


def trace(graph: Graph, inputs: Sequence[Array]) -> Mapping[int, Array]:
    """Every computed tensor by index: [N, *shape]."""
    values: dict[int, Array] = {}
    if len(inputs) != len(graph.inputs):
        raise UserError("every input must be given", value=len(inputs), remedy=f"give {len(graph.inputs)} arrays")
    for index, given in zip(graph.inputs, inputs, strict=True):
        tensor = graph.tensors[index]
        if given.shape[1:] != tensor.shape or given.dtype != tensor.element.dtype:
            raise UserError(
                "an input must have the shape and type of its tensor",
                value=f"{given.dtype} {list(given.shape[1:])}",
                remedy=f"give {tensor.element} {list(tensor.shape)}",
            )
        values[index] = given
    for node in graph.nodes:
        sources = [_value(graph, values, index) for index in node.inputs]
        for index, result in zip(node.outputs, KINDS[node.operator].run(graph, node, sources), strict=True):
            values[index] = result
    return values


def _value(graph: Graph, values: Mapping[int, Array], index: int) -> Array | None:
    if index == ABSENT:
        return None
    data = graph.tensors[index].data
    return values[index] if data is None else data[None]
