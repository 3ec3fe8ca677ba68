"""QUANTIZE and DEQUANTIZE: where floats enter and leave a network whose inside is int8."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinysearch.networks.arithmetic import round_away
from tinysearch.networks.call import APART, Call
from tinysearch.networks.graph import Array, Element, Graph, Node
from tinysearch.networks.operators.kind import INSTEAD_INT8, OperatorKind, given, int8, int8_tensor, require, shape_is
from tinysearch.networks.operators.pointwise import REQUANTIZE


def _from_float(graph: Graph, node: Node) -> bool:
    return graph.tensors[node.inputs[0]].element is Element.FLOAT32


def _check_quantize(graph: Graph, node: Node) -> None:
    if not _from_float(graph, node):
        REQUANTIZE.check(graph, node)
        return
    shape_is(int8_tensor(graph.result(node), "output"), graph.tensors[node.inputs[0]].shape)


def _run_quantize(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    if not _from_float(graph, node):
        return REQUANTIZE.run(graph, node, values)
    result = graph.result(node).quantized
    quotients = np.clip(given(values) / result.scales[0], -1000, 1000).astype(np.float64)
    return [int8(round_away(quotients) + result.zero_point, -128, 127)]


def _lower_quantize(graph: Graph, node: Node) -> tuple[Call, ...]:
    if not _from_float(graph, node):
        lowered = REQUANTIZE.lower(graph, node)
        if not isinstance(lowered, tuple):
            raise TypeError("a table is a call")
        return lowered
    result = graph.result(node)
    return (
        Call(
            name=node.name,
            operator=node.operator,
            function="ts_tfl_quantize_f32",
            inputs=node.inputs[:1],
            output=node.outputs[0],
            fields={"count": result.elements, "scale": result.quantized.scale, "zero": result.quantized.zero_point},
            sharing=(APART,),
            kernel_class="quantize",
            features={"outputs": result.elements, "steps": 1},
        ),
    )


def _check_dequantize(graph: Graph, node: Node) -> None:
    source, result = int8_tensor(graph.source(node, 0), "input"), graph.result(node)
    require(result.element is Element.FLOAT32, f"has {result.element} output", INSTEAD_INT8)
    shape_is(result, source.shape)


def _reals(graph: Graph, node: Node) -> Array:
    """float32 [256] by stored value + 128."""
    found = graph.tensors[node.inputs[0]].quantized
    return (found.scale * (np.arange(-128, 128) - found.zero_point)).astype(np.float32)


def _run_dequantize(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    source = given(values)
    found: Array = _reals(graph, node)[source.astype(np.int64) + 128]
    return [found]


def _lower_dequantize(graph: Graph, node: Node) -> tuple[Call, ...]:
    count = graph.result(node).elements
    return (
        Call(
            name=node.name,
            operator=node.operator,
            function="ts_tfl_dequantize_s8",
            inputs=node.inputs[:1],
            output=node.outputs[0],
            fields={"count": count},
            arrays={"reals": np.roll(_reals(graph, node), -128)},  # by unsigned byte
            sharing=(APART,),
            kernel_class="table",
            features={"outputs": count, "steps": 1},
        ),
    )


QUANTIZE = OperatorKind(operator="QUANTIZE", check=_check_quantize, run=_run_quantize, lower=_lower_quantize)
DEQUANTIZE = OperatorKind(operator="DEQUANTIZE", check=_check_dequantize, run=_run_dequantize, lower=_lower_dequantize)
