"""PRELU: a slope below zero for every channel, or for every place; one slope for all becomes a table elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinysearch.networks.arithmetic import quantize_multiplier, scaled
from tinysearch.networks.call import Call, Overlap, Sharing
from tinysearch.networks.graph import Array, Element, Graph, Node, Tensor
from tinysearch.networks.operators.kind import (
    OperatorKind,
    activations,
    constant,
    given,
    int8,
    offset,
    repeats,
    require,
    shape_is,
)

_Factor = tuple[int, int]


def _tensors(graph: Graph, node: Node) -> tuple[Tensor, Tensor, Tensor]:
    """Input, slopes and output."""
    source, slopes, result = activations(graph, node, inputs=2)
    constant(slopes, Element.INT8, "slopes")
    return source, slopes, result


def _factors(graph: Graph, node: Node) -> tuple[_Factor, _Factor]:
    """Multiplier and left shift of positive values, and of products with a slope."""
    source, slopes, result = _tensors(graph, node)
    ratio = source.quantized.scale / result.quantized.scale
    above, below = quantize_multiplier(ratio), quantize_multiplier(ratio * slopes.quantized.scale)
    require(max(above[1], below[1]) < 15, "has an output scale far below its input's", "quantize it again")
    return above, below


def _check(graph: Graph, node: Node) -> None:
    source, slopes, result = _tensors(graph, node)
    shape_is(result, source.shape)
    repeats(source.shape, slopes.shape)
    _factors(graph, node)


def _run(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    source, slopes, result = _tensors(graph, node)
    above, below = _factors(graph, node)
    stored = given(values)
    rows = stored.reshape(len(stored), -1, slopes.elements).astype(np.int64) - offset(source)
    products = rows * (given(values, 1).reshape(-1).astype(np.int64) - offset(slopes))
    found = np.where(rows >= 0, scaled(rows, *above), scaled(products, *below)) + offset(result)
    return [int8(found, -128, 127).reshape(stored.shape)]


def _lower(graph: Graph, node: Node) -> tuple[Call, ...]:
    source, slopes, result = _tensors(graph, node)
    factors = _factors(graph, node)
    return (
        Call(
            name=node.name,
            operator=node.operator,
            function="ts_tfl_prelu_s8",
            inputs=node.inputs[:1],
            output=node.outputs[0],
            fields={
                "count": source.elements,
                "period": slopes.elements,
                "zero": (offset(source), offset(slopes)),
                "multiplier": tuple(multiplier for multiplier, _ in factors),
                "shift": tuple(-shift for _, shift in factors),
                "out_zero": offset(result),
            },
            arrays={"slopes": constant(slopes, Element.INT8, "slopes").reshape(-1)},
            sharing=(Sharing(overlap=Overlap.BEHIND),),
            kernel_class="prelu",
            features={"outputs": source.elements, "rows": source.elements // slopes.elements, "steps": 1},
        ),
    )


PRELU = OperatorKind(operator="PRELU", check=_check, run=_run, lower=_lower)
