"""FULLY_CONNECTED: int8 weights that are constants, over the last axis or the whole of its input."""

from __future__ import annotations

from collections.abc import Sequence

from tinysearch.networks.call import APART, Call
from tinysearch.networks.graph import Array, Graph, Node
from tinysearch.networks.operators.kind import OperatorKind, given, require
from tinysearch.networks.operators.weighted import Weighted, weighted
from tinysearch.networks.options import ActivationOptions
from tinysearch.operators.counts import padded
from tinysearch.operators.products import interleave

TILE_OUTPUTS = 8
"""Outputs that ``ts_tfl_fully_connected_s8`` works on at a time."""


def layer_of(graph: Graph, node: Node) -> tuple[Weighted, int, int]:
    """Constants, values of one row, and rows."""
    if not isinstance(node.options, ActivationOptions):
        raise TypeError(f"{node.name} has no activation")
    layer = weighted(graph, node, activation=node.options.activation, axis=0)
    require(layer.weights.ndim == 2, f"has weights of {layer.weights.ndim} axes", "convert the network again")
    depth, count = layer.weights.shape[1], graph.tensors[node.inputs[0]].elements
    require(count % depth == 0, f"has {count} inputs for weights of {depth}", "convert the network again")
    return layer, depth, count // depth


def _check(graph: Graph, node: Node) -> None:
    layer, _, rows = layer_of(graph, node)
    found = graph.result(node)
    require(
        found.elements == rows * len(layer.weights) and found.shape[-1:] == (len(layer.weights),),
        f"has output {list(found.shape)} for {rows} x {len(layer.weights)} values",
        "convert the network again",
    )


def _run(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    layer, depth, rows = layer_of(graph, node)
    source = given(values)
    outputs = layer.requantized(layer.products(source.reshape(len(source), rows, depth)))
    return [outputs.reshape(len(source), *graph.result(node).shape)]


def _lower(graph: Graph, node: Node) -> tuple[Call, ...]:
    layer, depth, rows = layer_of(graph, node)
    outputs = len(layer.weights)
    function, kernel_class, fields = layer.call("fully_connected", "fully_connected")
    return (
        Call(
            name=node.name,
            operator=node.operator,
            function=function,
            inputs=node.inputs[:1],
            output=node.outputs[0],
            fields={"rows": rows, "in_count": depth, "out_count": outputs, "range": layer.range, **fields},
            arrays={"weights": interleave(layer.weights, TILE_OUTPUTS), **layer.constants(tile=TILE_OUTPUTS)},
            sharing=(APART,),
            macs=rows * depth * outputs,
            kernel_class=kernel_class,
            features={
                "macs": rows * depth * outputs,
                "lane_macs": rows * depth * padded(outputs, TILE_OUTPUTS),
                "outputs": rows * outputs,
                "steps": rows,
            },
        ),
    )


FULLY_CONNECTED = OperatorKind(operator="FULLY_CONNECTED", check=_check, run=_run, lower=_lower)
