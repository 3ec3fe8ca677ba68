"""READ_VARIABLE and ASSIGN_VARIABLE: states of a graph, which ``lowering`` copies only where it must."""

from __future__ import annotations

from collections.abc import Sequence

from tinysearch.networks.call import APART, Call
from tinysearch.networks.graph import Array, Graph, Node
from tinysearch.networks.operators.kind import OperatorKind, given, int8_tensor, require, shape_is


def _check_read(graph: Graph, node: Node) -> None:
    state, result = int8_tensor(graph.source(node, 0), "state"), int8_tensor(graph.result(node), "output")
    shape_is(result, state.shape)


def _check_assign(graph: Graph, node: Node) -> None:
    state, value = int8_tensor(graph.source(node, 0), "state"), int8_tensor(graph.source(node, 1), "input")
    require(value.shape == state.shape, f"gives {list(value.shape)} to a state of {list(state.shape)}", "convert again")


def _run_read(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    del graph, node
    return [given(values)]


def _run_assign(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    del graph, node
    return [given(values, 1)]


def _lower_read(graph: Graph, node: Node) -> tuple[Call, ...]:
    return (_copied(graph, node, node.inputs[0], node.outputs[0]),)


def _lower_assign(graph: Graph, node: Node) -> tuple[Call, ...]:
    return (_copied(graph, node, node.inputs[1], node.inputs[0]),)


def _copied(graph: Graph, node: Node, source: int, result: int) -> Call:
    count = graph.tensors[result].elements
    return Call(
        name=node.name,
        operator=node.operator,
        function="ts_tfl_copy_s8",
        inputs=(source,),
        output=result,
        fields={
            "counts": (1, 1, 1, count),
            "in_steps": (0, 0, 0, 1),
            "out_steps": (0, 0, 0, 1),
            "in_first": 0,
            "out_first": 0,
            "fill_count": 0,
            "fill_value": 0,
        },
        sharing=(APART,),
        kernel_class="copy",
        features={"outputs": count, "moved": 0, "rows": 1, "steps": 1},
    )


READ_VARIABLE = OperatorKind(operator="READ_VARIABLE", check=_check_read, run=_run_read, lower=_lower_read)
ASSIGN_VARIABLE = OperatorKind(
    operator="ASSIGN_VARIABLE", check=_check_assign, run=_run_assign, lower=_lower_assign, states=(0,)
)
