"""The oracle: executes a graph in NumPy as tflite-micro's reference kernels do, bit for bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tinysearch.core.errors import UserError
from tinysearch.networks.graph import ABSENT, Array, Graph
from tinysearch.networks.operators import KINDS


def run(graph: Graph, inputs: Sequence[Array]) -> list[Array]:
    """Outputs of a batch.

    Args:
        graph: that :func:`~tinysearch.networks.checking.check` let through.
        inputs: one array [N, *shape] for every input of the graph, in its element type; a graph with states takes them
            one after the other.

    Returns:
        One array [N, *shape] for every output.

    Raises:
        UserError: an input of another shape or type.
    """
    if not graph.states:
        tensors = trace(graph, inputs)
        return [tensors[index] for index in graph.outputs]
    states = first_states(graph)
    rows: list[list[Array]] = [[] for _ in graph.outputs]
    for sample in range(len(inputs[0]) if inputs else 0):
        tensors = trace(graph, [values[sample : sample + 1] for values in inputs], states=states)
        states = {state.tensor: tensors[state.tensor] for state in graph.states}
        for row, index in zip(rows, graph.outputs, strict=True):
            row.append(tensors[index])
    return [np.concatenate(row) for row in rows]


def first_states(graph: Graph) -> dict[int, Array]:
    """What states hold before the first run: [1, *shape] by tensor."""
    found: dict[int, Array] = {}
    for state in graph.states:
        data = graph.tensors[state.first].data
        if data is None:
            raise TypeError("a state starts from a constant")
        found[state.tensor] = data[None]
    return found


def trace(graph: Graph, inputs: Sequence[Array], *, states: Mapping[int, Array] | None = None) -> Mapping[int, Array]:
    """Every computed tensor by index: [N, *shape].

    Args:
        states: what a graph with states holds before the run, which is of one sample then.
    """
    values: dict[int, Array] = dict(states or {})
    if len(inputs) != len(graph.inputs):
        raise UserError("every input must be given", value=len(inputs), remedy=f"give {len(graph.inputs)} arrays")
    for index, sample in zip(graph.inputs, inputs, strict=True):
        tensor = graph.tensors[index]
        if sample.shape[1:] != tensor.shape or sample.dtype != tensor.element.dtype:
            raise UserError(
                "an input must have the shape and type of its tensor",
                value=f"{sample.dtype} {list(sample.shape[1:])}",
                remedy=f"give {tensor.element} {list(tensor.shape)}",
            )
        values[index] = sample
    for node in graph.nodes:
        sources = [_value(graph, values, index) for index in node.inputs]
        kind = KINDS[node.operator]
        for index, result in zip(kind.written(node), kind.run(graph, node, sources), strict=True):
            values[index] = result
    return values


def _value(graph: Graph, values: Mapping[int, Array], index: int) -> Array | None:
    if index == ABSENT:
        return None
    data = graph.tensors[index].data
    return values[index] if data is None else data[None]
