"""QUANTIZE and DEQUANTIZE: where floats and uint8 enter and leave a network whose inside is int8."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinysearch.networks.arithmetic import quantize_multiplier, round_away, scaled
from tinysearch.networks.call import APART, Call
from tinysearch.networks.graph import Array, Element, Graph, Node, Tensor
from tinysearch.networks.operators.kind import (
    INSTEAD_INT8,
    OperatorKind,
    given,
    int8_tensor,
    offset,
    require,
    shape_is,
    values_by_rows,
)
from tinysearch.networks.operators.pointwise import table_call


def _from_float(graph: Graph, node: Node) -> bool:
    return graph.tensors[node.inputs[0]].element is Element.FLOAT32


_LIMITS = {Element.INT8: (-128, 127), Element.UINT8: (0, 255)}


def _byte_tensor(tensor: Tensor | None, what: str) -> Tensor:
    """An int8 or uint8 tensor with one scale.

    Raises:
        Unfit: it is another one.
    """
    if tensor is None or tensor.element is not Element.UINT8:
        return int8_tensor(tensor, what)
    found = tensor.quantization
    one = found is not None and len(found.scales) == 1 and 0 <= found.zero_point <= 255
    require(one, f"has {what} without one scale and a uint8 zero point", INSTEAD_INT8)
    return tensor


def _check_quantize(graph: Graph, node: Node) -> None:
    source = graph.tensors[node.inputs[0]]
    if not _from_float(graph, node):
        _byte_tensor(source, "input")
    shape_is(_byte_tensor(graph.result(node), "output"), source.shape)


def _requantized(graph: Graph, node: Node) -> Array:
    """Stored outputs by stored input less the least one: int8 or uint8 [256]."""
    source, result = graph.tensors[node.inputs[0]], graph.result(node)
    least, most = _LIMITS[source.element]
    multiplier, shift = quantize_multiplier(source.quantized.scale / result.quantized.scale)
    values = scaled(np.arange(least, most + 1) - offset(source), multiplier, shift) + offset(result)
    return np.clip(values, *_LIMITS[result.element]).astype(result.element.dtype)


def _run_quantize(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    result = graph.result(node)
    if not _from_float(graph, node):
        least, _ = _LIMITS[graph.tensors[node.inputs[0]].element]
        found: Array = _requantized(graph, node)[given(values).astype(np.int64) - least]
        return [found]
    quotients = np.clip(given(values) / result.quantized.scales[0], -1000, 1000).astype(np.float64)
    steps = np.clip(round_away(quotients) + offset(result), *_LIMITS[result.element])
    return [steps.astype(result.element.dtype)]


def _lower_quantize(graph: Graph, node: Node) -> tuple[Call, ...]:
    if not _from_float(graph, node):
        source = graph.tensors[node.inputs[0]]
        table = _requantized(graph, node).view(np.int8)
        by_byte = np.roll(table, -128) if source.element is Element.INT8 else table
        return (table_call(node, source.elements, by_byte),)
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


QUANTIZE = OperatorKind(
    operator="QUANTIZE", check=_check_quantize, run=_run_quantize, lower=_lower_quantize, by_rows=values_by_rows
)
DEQUANTIZE = OperatorKind(
    operator="DEQUANTIZE", check=_check_dequantize, run=_run_dequantize, lower=_lower_dequantize, by_rows=values_by_rows
)
