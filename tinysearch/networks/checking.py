"""Whether a graph can be computed: all that stands in the way is said at once."""

from __future__ import annotations

from collections.abc import Iterator

from tinysearch.core.errors import UserError
from tinysearch.networks.graph import ABSENT, Element, Graph, Node
from tinysearch.networks.operators import KINDS
from tinysearch.networks.operators.kind import Unfit
from tinysearch.networks.operators.state import ASSIGN_VARIABLE
from tinysearch.networks.refusals import Refusal, refuse

_OVER_TIME = "use convolutions over time"
_ON_THE_RESULT = "take it from the output outside of the network"
_INSTEAD = {
    "UNIDIRECTIONAL_SEQUENCE_RNN": _OVER_TIME,
    "BIDIRECTIONAL_SEQUENCE_LSTM": _OVER_TIME,
    "LSTM": _OVER_TIME,
    "RNN": _OVER_TIME,
    "SVDF": _OVER_TIME,
    "WHILE": "unroll it when converting",
    "IF": "convert the network for one case",
    "LOCAL_RESPONSE_NORMALIZATION": "use batch normalization",
    "L2_NORMALIZATION": "use batch normalization inside, and divide an output by its length outside",
    "ARG_MAX": _ON_THE_RESULT,
    "TOPK_V2": _ON_THE_RESULT,
    "BATCH_MATMUL": "multiply by constant weights (FULLY_CONNECTED)",
    "MIRROR_PAD": "pad with zeros (PAD)",
    "GATHER": "use STRIDED_SLICE",
    "CAST": "convert the network with one type inside",
}


def instead_of(operator: str) -> str:
    """What could stand in the place of an operator that has no kernel."""
    return _INSTEAD.get(operator, "compute it outside of the network")


def check(graph: Graph) -> None:
    """Hold every node of a graph against its kernel, and the order of the nodes against what they read.

    Raises:
        UnsupportedLayerError: some node has no kernel; the message lists all of them.
        UserError: nodes read what nobody writes before.
    """
    refuse(refusals(graph))
    check_order(graph)


def refusals(graph: Graph) -> Iterator[Refusal]:
    """Nodes that have no kernel, with the reason and what could replace them."""
    for node in graph.nodes:
        found = _refusal(graph, node)
        if found is not None:
            yield found


def _refusal(graph: Graph, node: Node) -> Refusal | None:
    kind = KINDS.get(node.operator)
    if kind is None:
        instead = instead_of(node.operator)
        return Refusal(operator=node.operator, reason="has no kernel", instead=instead, node=node.name)
    try:
        if not node.inputs or node.inputs[0] == ABSENT or not (node.outputs or kind is ASSIGN_VARIABLE):
            raise Unfit("has no input or output", "convert the network again")
        kind.check(graph, node)
    except Unfit as unfit:
        return Refusal(operator=node.operator, reason=unfit.reason, instead=unfit.instead, node=node.name)
    return None


def check_order(graph: Graph) -> None:
    """Every tensor is known before it is read, and written once.

    Raises:
        UserError: it is not.
    """
    constants = {index for index, tensor in enumerate(graph.tensors) if tensor.data is not None}
    known = constants | set(graph.inputs) | {state.tensor for state in graph.states}
    for node in graph.nodes:
        for index in node.inputs:
            if index != ABSENT and index not in known:
                raise _disorder(f"{node.operator} {node.name[:60]} reads {graph.tensors[index].name[:60]}")
        for index in node.outputs:
            if index == ABSENT or index in known:
                raise _disorder(f"{node.operator} {node.name[:60]} writes what was there before")
        known.update(node.outputs)
    for index in graph.outputs:
        if index not in known - constants:
            raise _disorder("an output that no operator writes")
    for index in (*graph.inputs, *graph.outputs):
        if graph.tensors[index].element not in (Element.INT8, Element.UINT8, Element.FLOAT32):
            raise UserError(
                "inputs and outputs of a network must be int8, uint8 or float32",
                value=f"{graph.tensors[index].name[:60]}: {graph.tensors[index].element}",
                remedy="quantize the network to full int8",
            )
    if not graph.inputs or not graph.outputs or not graph.nodes:
        raise _disorder(f"{len(graph.inputs)} inputs, {len(graph.nodes)} operators, {len(graph.outputs)} outputs")


def _disorder(value: str) -> UserError:
    return UserError(
        "operators must read what the network's inputs, constants and earlier operators give, without a cycle",
        value=value,
        remedy="convert the network again",
    )
