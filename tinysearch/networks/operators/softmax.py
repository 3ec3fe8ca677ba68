"""SOFTMAX over the last axis in fixed point; the exponential of all 256 differences is tabulated."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tinysearch.core.quantization import Int64, doubling_high_multiply, rounding_shift_right
from tinysearch.networks.arithmetic import (
    INT32_HIGH,
    exp_on_negative,
    quantize_multiplier,
    reciprocal_of_one_plus,
    scaled,
)
from tinysearch.networks.call import Call, Overlap, Sharing
from tinysearch.networks.graph import Array, Graph, Node
from tinysearch.networks.operators.kind import OperatorKind, activations, given, int8, require, shape_is
from tinysearch.networks.options import SoftmaxOptions

_DIFFERENCE_BITS, _SUM_BITS = 5, 12
"""Integer bits of a scaled difference and of the sum of exponentials."""

_LONGEST = 1 << _SUM_BITS


def _check(graph: Graph, node: Node) -> None:
    source, result = activations(graph, node, inputs=1)
    shape_is(result, source.shape)
    quantization = result.quantized
    require(
        quantization.scale == 1 / 256 and quantization.zero_point == -128,
        f"has the output scale {quantization.scale:.6g}, not 1/256",
        "quantize it again",
    )
    require(len(source.shape) > 0 and source.shape[-1] < _LONGEST, "has rows of 4096 values or more", "split it")
    _exponentials(graph, node)


def _exponentials(graph: Graph, node: Node) -> Int64:
    """exp(-difference), without integer bits, for differences 0 .. 255; 0 where it does not count any more."""
    if not isinstance(node.options, SoftmaxOptions):
        raise TypeError(f"{node.name} has no beta")
    scale = graph.tensors[node.inputs[0]].quantized.scale
    real = min(node.options.beta * scale * (1 << (31 - _DIFFERENCE_BITS)), float(INT32_HIGH))
    require(real > 1.0, f"has beta * scale = {node.options.beta * scale:.3g}", "quantize it again")
    multiplier, shift = quantize_multiplier(real)
    most = math.floor(((1 << _DIFFERENCE_BITS) - 1) * (1 << (31 - _DIFFERENCE_BITS)) / (1 << shift))
    differences = np.arange(256)
    counted = np.minimum(differences, most)
    found = exp_on_negative(scaled(-counted, multiplier, shift), _DIFFERENCE_BITS)
    return np.where(differences <= most, found, 0)


def _run(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    source = given(values)
    table = _exponentials(graph, node)
    wide = source.astype(np.int64)
    exponentials = table[wide.max(-1, keepdims=True) - wide]
    sums = rounding_shift_right(exponentials, _SUM_BITS).sum(-1, keepdims=True)
    zeros = 31 - np.floor(np.log2(sums.astype(np.float64))).astype(np.int64)  # leading ones' place: headroom
    inverse = reciprocal_of_one_plus((sums << zeros) - (1 << 31))
    exponent = _SUM_BITS - zeros + 31 - 8
    outputs = rounding_shift_right(doubling_high_multiply(inverse, exponentials), exponent) - 128
    return [int8(np.where(exponentials > 0, outputs, -128), -128, 127)]


def _lower(graph: Graph, node: Node) -> tuple[Call, ...]:
    source = graph.tensors[node.inputs[0]]
    depth = source.shape[-1]
    return (
        Call(
            name=node.name,
            operator=node.operator,
            function="ts_tfl_softmax_s8",
            inputs=node.inputs[:1],
            output=node.outputs[0],
            fields={"rows": source.elements // depth, "depth": depth},
            arrays={"exponentials": _exponentials(graph, node).astype(np.int32)},
            sharing=(Sharing(overlap=Overlap.BEHIND),),
            kernel_class="softmax",
            features={"outputs": source.elements, "steps": source.elements // depth},
        ),
    )


SOFTMAX = OperatorKind(operator="SOFTMAX", check=_check, run=_run, lower=_lower)
