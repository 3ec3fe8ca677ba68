"""MEAN over axes that stand side by side; another arithmetic than AVERAGE_POOL_2D, for it requantizes the sum."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tinysearch.networks.arithmetic import quantize_multiplier, scaled
from tinysearch.networks.call import APART, Call
from tinysearch.networks.graph import Array, Element, Graph, Node
from tinysearch.networks.operators.kind import OperatorKind, activations, constant, given, int8, offset, require


def _sides(graph: Graph, node: Node) -> tuple[int, int, int]:
    """The input as [outer, reduced, inner]."""
    source, _ = activations(graph, node, inputs=1)
    given = constant(graph.source(node, 1), Element.INT32, "axes").reshape(-1).tolist()
    rank = len(source.shape)
    require(all(-rank <= axis < rank for axis in given), "has axes that its input has not", "convert it again")
    axes = sorted({axis % rank for axis in given})
    require(bool(axes) and axes[-1] - axes[0] + 1 == len(axes), f"reduces the axes {axes}", "reduce neighbors alone")
    first, last = axes[0], axes[-1] + 1
    return math.prod(source.shape[:first]), math.prod(source.shape[first:last]), math.prod(source.shape[last:])


def _scale(graph: Graph, node: Node, count: int) -> tuple[int, int]:
    """Multiplier of the sum and shift to the left: one over the count is part of the multiplier, rounded down."""
    ratio = graph.tensors[node.inputs[0]].quantized.scale / graph.result(node).quantized.scale
    multiplier, shift = quantize_multiplier(ratio)
    bits = min(count.bit_length() - 1, 32, 31 + shift)
    return (multiplier << bits) // count, shift - bits


def _check(graph: Graph, node: Node) -> None:
    outer, reduced, inner = _sides(graph, node)
    result = graph.result(node)
    require(result.elements == outer * inner, f"has output {list(result.shape)}", "convert the network again")
    _, shift = _scale(graph, node, reduced)
    require(reduced * 256 << max(shift, 0) < 1 << 31, "has sums that may leave 32 bits", "reduce fewer values")


def _run(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    source = given(values)
    outer, reduced, inner = _sides(graph, node)
    sums = source.reshape(len(source), outer, reduced, inner).astype(np.int64).sum(2)
    centered = sums - reduced * offset(graph.tensors[node.inputs[0]])
    result = graph.result(node)
    found = int8(scaled(centered, *_scale(graph, node, reduced)) + offset(result), -128, 127)
    return [found.reshape(len(source), *result.shape)]


def _lower(graph: Graph, node: Node) -> tuple[Call, ...]:
    outer, reduced, inner = _sides(graph, node)
    multiplier, shift = _scale(graph, node, reduced)
    return (
        Call(
            name=node.name,
            operator=node.operator,
            function="ts_tfl_mean_s8",
            inputs=node.inputs[:1],
            output=node.outputs[0],
            fields={
                "outer": outer,
                "reduced": reduced,
                "inner": inner,
                "offset": reduced * offset(graph.tensors[node.inputs[0]]),
                "multiplier": multiplier,
                "shift": -shift,
                "range": (offset(graph.result(node)), -128, 127),
            },
            sharing=(APART,),
            kernel_class="mean",
            features={"outputs": outer * reduced * inner, "sums": outer * inner, "steps": 1},
        ),
    )


MEAN = OperatorKind(operator="MEAN", check=_check, run=_run, lower=_lower)
