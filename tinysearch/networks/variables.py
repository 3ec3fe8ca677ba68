"""Variables of a ``.tflite`` file, as streaming networks keep them between runs, as states of a graph.

A file names a variable by handles in every subgraph; the subgraph of CALL_ONCE, which runs before the first inference,
assigns its first values. Here a variable is a tensor that outlives a run.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from tinysearch.core.errors import UserError
from tinysearch.networks.file import MOST_ELEMENTS
from tinysearch.networks.graph import ABSENT, Element, Graph, Node, State, Tensor
from tinysearch.networks.operators.lstm import LSTM
from tinysearch.networks.options import CallOnceOptions, VariableOptions

_RANKS = 6

ASSIGN, READ, HANDLE, ONCE = "ASSIGN_VARIABLE", "READ_VARIABLE", "VAR_HANDLE", "CALL_ONCE"


def with_states(graph: Graph, others: Sequence[Graph]) -> Graph:
    """The graph with its variables as states; handles and what runs once are gone.

    Args:
        others: the file's other subgraphs, in order from 1 on.

    Raises:
        ValueError: what runs once does anything but assign constants, or a handle leads nowhere.
    """
    graph = _with_own_states(graph)
    if not any(node.operator in (ASSIGN, READ, HANDLE, ONCE) for node in graph.nodes):
        return graph
    handles = _handles(graph)
    first = _first_values(graph, others)
    tensors, states = list(graph.tensors), dict[str, State]()
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.operator in (HANDLE, ONCE):
            continue
        if node.operator in (READ, ASSIGN):
            name = handles[node.inputs[0]]
            like = tensors[node.outputs[0] if node.operator == READ else node.inputs[1]]
            if name not in states:
                states[name] = _state(name, like, first.get(name), tensors)
            node = dataclasses.replace(node, inputs=(states[name].tensor, *node.inputs[1:]))  # noqa: PLW2901
        nodes.append(node)
    return dataclasses.replace(
        graph, tensors=tuple(tensors), nodes=tuple(nodes), states=(*graph.states, *states.values())
    )


_OWN: Mapping[str, tuple[int, ...]] = {LSTM.operator: LSTM.states}
"""Positions of inputs that an operator keeps itself, as tensors that nothing else writes."""


def _with_own_states(graph: Graph) -> Graph:
    """What operators keep in tensors of theirs, as states that start from zero."""
    tensors, states, nodes = list(graph.tensors), list(graph.states), list[Node]()
    for node in graph.nodes:
        inputs = list(node.inputs)
        for position in _OWN.get(node.operator, ()):
            index = inputs[position] if position < len(inputs) else ABSENT
            integer = index != ABSENT and tensors[index].element in (Element.INT8, Element.INT16)
            if integer and tensors[index].data is None:
                states.append(_state(f"{position} of {node.name}", tensors[index], None, tensors))
                inputs[position] = states[-1].tensor
        nodes.append(dataclasses.replace(node, inputs=tuple(inputs)))
    return dataclasses.replace(graph, tensors=tuple(tensors), nodes=tuple(nodes), states=tuple(states))


def _handles(graph: Graph) -> Mapping[int, str]:
    """Name of the variable by the tensor that holds its handle."""
    return {
        node.outputs[0]: node.options.name
        for node in graph.nodes
        if node.operator == HANDLE and isinstance(node.options, VariableOptions)
    }


def _first_values(graph: Graph, others: Sequence[Graph]) -> Mapping[str, Tensor]:
    """Constants that what runs once assigns, by variable."""
    found: dict[str, Tensor] = {}
    for once in graph.nodes:
        if not isinstance(once.options, CallOnceOptions):
            continue
        if not 1 <= once.options.subgraph <= len(others):
            raise ValueError(f"subgraph {once.options.subgraph} of {len(others) + 1}")
        other = others[once.options.subgraph - 1]
        handles = _handles(other)
        for node in other.nodes:
            if node.operator == HANDLE:
                continue
            value = other.tensors[node.inputs[1]] if node.operator == ASSIGN else None
            if value is None or value.data is None:
                raise ValueError(f"{node.operator} in what runs once, which may assign constants alone")
            found[handles[node.inputs[0]]] = value
    return found


def check_size(tensor: Tensor) -> None:
    """Refuse a tensor that no board holds, before anything is made of its size.

    Raises:
        UserError: too many axes or values, or sides that are none.
    """
    if len(tensor.shape) > _RANKS or any(side < 1 for side in tensor.shape) or tensor.elements > MOST_ELEMENTS:
        raise UserError(
            f"a tensor must have at most {_RANKS} axes, each at least 1 long, and {MOST_ELEMENTS} values",
            value=f"{tensor.name[:60]}: {list(tensor.shape)}",
            remedy="convert the network with fixed, smaller shapes",
        )


def _state(name: str, like: Tensor, first: Tensor | None, tensors: list[Tensor]) -> State:
    """A new tensor that outlives a run, and the constant that it starts from: zeros where nothing is assigned."""
    data = None if first is None else first.data
    if data is None:
        check_size(like)
        zero = 0 if like.quantization is None else like.quantization.zero_point
        data = np.full(like.shape, zero, np.int8 if like.element is Element.OTHER else like.element.dtype)
    if data.shape != like.shape or data.dtype != like.element.dtype:
        raise ValueError(f"the variable {name} has first values of another shape or type")
    tensors.append(dataclasses.replace(like, name=f"state {name}", data=None))
    tensors.append(dataclasses.replace(like, name=f"first values of {name}", data=data))
    return State(tensor=len(tensors) - 2, first=len(tensors) - 1)


def read_in_place(graph: Graph) -> frozenset[int]:
    """Tensors of READ_VARIABLE that may be the variable's own memory: all who read them come before it is assigned."""
    assigned: dict[int, int] = {}
    for position, node in enumerate(graph.nodes):
        if node.operator == ASSIGN:
            assigned.setdefault(node.inputs[0], position)
    never = len(graph.nodes)
    return frozenset(
        node.outputs[0]
        for position, node in enumerate(graph.nodes)
        if node.operator == READ
        and _last_reader(graph, node.outputs[0]) < assigned.get(node.inputs[0], never) > position
        and node.outputs[0] not in graph.outputs
    )


def written_in_place(graph: Graph, reads_in_place: frozenset[int]) -> Mapping[int, int]:
    """Variables by the tensor whose kernel may write them at once: nobody reads what was there any more by then.

    Args:
        reads_in_place: of :func:`read_in_place`; other reads are copies.
    """
    producers = {index: position for position, node in enumerate(graph.nodes) for index in node.outputs}
    reads: dict[int, int] = {}
    assigns: dict[int, list[Node]] = {}
    for position, node in enumerate(graph.nodes):
        if node.operator == READ:
            last = _last_reader(graph, node.outputs[0]) if node.outputs[0] in reads_in_place else position
            reads[node.inputs[0]] = max(reads.get(node.inputs[0], -1), position, last)
        elif node.operator == ASSIGN:
            assigns.setdefault(node.inputs[0], []).append(node)
    found: dict[int, int] = {}
    for state, nodes in assigns.items():
        value = nodes[0].inputs[1]
        position = producers.get(value, -1)
        if len(nodes) == 1 and value not in found and position > reads.get(state, -1):
            found[value] = state
    return found


def _last_reader(graph: Graph, tensor: int) -> int:
    """Position of the last node that reads a tensor, or what only gives it another shape."""
    last, same = -1, {tensor}
    for position, node in enumerate(graph.nodes):
        if same.intersection(node.inputs):
            last = position
            if node.operator in ("RESHAPE", "SQUEEZE", "EXPAND_DIMS"):
                same.update(node.outputs)
    return len(graph.nodes) if same.intersection(graph.outputs) else last
