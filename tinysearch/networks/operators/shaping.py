"""RESHAPE, SQUEEZE and EXPAND_DIMS: the same bytes under another shape, so no kernel runs."""

from __future__ import annotations

from collections.abc import Sequence

from tinysearch.networks.call import Alias
from tinysearch.networks.graph import Array, Graph, Node
from tinysearch.networks.operators.kind import OperatorKind, given, require


def _check(graph: Graph, node: Node) -> None:
    source, result = graph.tensors[node.inputs[0]], graph.result(node)
    require(
        source.elements == result.elements and source.element is result.element,
        f"turns {list(source.shape)} into {list(result.shape)}",
        "convert the network with fixed shapes",
    )


def _run(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    source = given(values)
    return [source.reshape(len(source), *graph.result(node).shape)]


def _lower(graph: Graph, node: Node) -> Alias:
    del graph
    return Alias(source=node.inputs[0], result=node.outputs[0])


RESHAPE, SQUEEZE, EXPAND_DIMS = (
    OperatorKind(operator=name, check=_check, run=_run, lower=_lower) for name in ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
)
