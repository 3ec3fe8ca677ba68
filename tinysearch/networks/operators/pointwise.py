"""Operators that look at one int8 value at a time: all of them are one table of 256 values.

RELU, RELU6, LEAKY_RELU, LOGISTIC, TANH, HARD_SWISH: the tables hold what the reference kernels compute for every stored
value. POINTWISE is any other function, of networks that were quantized here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tinysearch.core.quantization import Int64, rounding_shift_right
from tinysearch.networks.arithmetic import (
    INT32_HIGH,
    exp_on_negative,
    quantize_multiplier,
    quantized,
    ratio_of_one_plus,
    reciprocal_of_one_plus,
    round_away,
    scaled,
)
from tinysearch.networks.call import Call, Overlap, Sharing
from tinysearch.networks.graph import Array, Graph, Node, Quantization, Rounding
from tinysearch.networks.operators.kind import OperatorKind, activations, given, int8, require, shape_is, values_by_rows
from tinysearch.networks.options import LeakyReluOptions, PointwiseOptions

_STORED = np.arange(-128, 128)
_INTEGER_BITS = 4
"""Of the fixed point numbers that logistic and tangent work on."""

_Function = Callable[[Node, Quantization, Quantization], Int64]
"""Stored outputs, not clamped yet, of the stored inputs -128 .. 127."""


def _ratio(source: Quantization, result: Quantization, factor: float = 1.0) -> float:
    """Quotient of scales."""
    return source.scale * factor / result.scale


def rescaled(source: Quantization, result: Quantization) -> Int64:
    """Stored outputs, not clamped yet, of the stored inputs -128 .. 127 with another scale and zero point."""
    multiplier, shift = quantize_multiplier(_ratio(source, result))
    return scaled(_STORED - source.zero_point, multiplier, shift) + result.zero_point


def _relu(node: Node, source: Quantization, result: Quantization) -> Int64:
    del node
    return np.maximum(rescaled(source, result), result.zero_point)


def _relu6(node: Node, source: Quantization, result: Quantization) -> Int64:
    """A clamp of what is stored: the scale of the output is not looked at."""
    del node, result
    six = quantized(6.0, source)
    require(-128 <= six <= 127, "has an input whose scale cannot hold 6", "use RELU")
    return np.clip(_STORED, source.zero_point, six).astype(np.int64)


def _leaky_relu(node: Node, source: Quantization, result: Quantization) -> Int64:
    if not isinstance(node.options, LeakyReluOptions):
        raise TypeError(f"{node.name} has no alpha")
    values, alpha = _STORED - source.zero_point, node.options.alpha
    above = scaled(values, *quantize_multiplier(_ratio(source, result)))
    below = scaled(values, *quantize_multiplier(_ratio(source, result, abs(alpha)))) * (-1 if alpha < 0 else 1)
    return np.where(values >= 0, above, below) + result.zero_point


def _fixed_point(source: Quantization) -> tuple[Int64, Int64]:
    """Inputs with 4 integer bits, and -1, 0 or 1 for those below, within and above what these can hold."""
    fraction, shift = math.frexp(source.scale * (1 << (31 - _INTEGER_BITS)))
    multiplier = int(round_away(np.asarray(fraction * (1 << 31))))
    most = math.floor(((1 << _INTEGER_BITS) - 1) * (1 << (31 - _INTEGER_BITS)) / 2.0**shift)
    values = _STORED - source.zero_point
    inside = np.clip(values, -max(most - 1, 0), max(most - 1, 0))
    beyond = np.where(values <= -most, -1, np.where(values >= most, 1, 0))
    return scaled(inside, multiplier, shift), beyond.astype(np.int64)


def _logistic(node: Node, source: Quantization, result: Quantization) -> Int64:
    del node
    require(result.zero_point == -128, "has an output whose zero point is not -128", "quantize it again")
    values, beyond = _fixed_point(source)
    positive = reciprocal_of_one_plus(exp_on_negative(-np.abs(values), _INTEGER_BITS))
    found = np.where(values > 0, positive, INT32_HIGH - positive)
    found = np.where(values == 0, 1 << 30, found)
    return np.where(beyond == 0, rounding_shift_right(found, 31 - 8) - 128, np.where(beyond < 0, -128, 127))


def _tanh(node: Node, source: Quantization, result: Quantization) -> Int64:
    del node
    require(result.zero_point == 0, "has an output whose zero point is not 0", "quantize it again")
    values, beyond = _fixed_point(source)
    size = ratio_of_one_plus(exp_on_negative(-np.abs(values), _INTEGER_BITS + 1))
    found = np.sign(values) * size
    return np.where(beyond == 0, rounding_shift_right(found, 31 - 7), np.where(beyond < 0, -128, 127))


def _hard_swish(node: Node, source: Quantization, result: Quantization) -> Int64:
    """X * relu6(x + 3) / 6 in 16 bits."""
    del node
    fine = source.scale / 128
    out_multiplier, out_shift = quantize_multiplier(fine / result.scale)
    multiplier, shift = quantize_multiplier(fine / float(np.float32(3 / 32768)))
    require(out_shift <= 0, "has an output scale far below its input's", "quantize it again")
    values = (_STORED - source.zero_point) * (1 << 7)
    outputs = _high_multiply_16(values, _in_16_bits(out_multiplier))
    gate = _saturated_16(values << max(shift - 1, 0))
    gate = _high_multiply_16(gate, _in_16_bits(multiplier))
    gate = _saturated_16(gate << 1) if shift > 0 else rounding_shift_right(gate, max(-shift, 0))
    gate = (gate + (1 << 15)) >> 1
    product = gate * outputs
    high = np.sign(product) * (np.abs(product) >> 15)
    return rounding_shift_right(high, -out_shift) + result.zero_point


def _real_function(node: Node, source: Quantization, result: Quantization) -> Int64:
    """Any function of one value, rounded once: half away from zero."""
    if not isinstance(node.options, PointwiseOptions):
        raise TypeError(f"{node.name} has no function")
    with np.errstate(all="ignore"):
        reals = node.options.function(np.asarray((_STORED - source.zero_point) * source.scale, np.float64))
        steps = np.nan_to_num(reals / result.scale, nan=0.0, posinf=1e3, neginf=-1e3)
    return round_away(np.clip(steps, -1e3, 1e3)) + result.zero_point


def _rounded_once(node: Node, source: Quantization, result: Quantization, rounding: Rounding) -> Int64:
    """Any function of one value, rounded once, halves to even, in float32 but for the function itself."""
    if not isinstance(node.options, PointwiseOptions):
        raise TypeError(f"{node.name} has no function")
    reals = (_STORED - source.zero_point).astype(np.float32) * np.float32(source.scale)
    with np.errstate(all="ignore"):
        found = node.options.function(reals.astype(np.float64)).astype(np.float32)
        scale = np.float32(result.scale)
        steps = found * np.float32(1 / result.scale) if rounding is Rounding.TORCH else found / scale
        steps = np.nan_to_num(steps, nan=0.0, posinf=1e3, neginf=-1e3)
    nearest: Int64 = np.rint(np.clip(steps, -1e3, 1e3)).astype(np.int64)
    return nearest + result.zero_point


def _in_16_bits(multiplier: int) -> int:
    return (1 << 15) - 1 if multiplier >= INT32_HIGH - (1 << 15) else (multiplier + (1 << 15)) >> 16


def _high_multiply_16(values: Int64, multiplier: int) -> Int64:
    return _saturated_16((values * multiplier + (1 << 14)) >> 15)


def _saturated_16(values: Int64) -> Int64:
    return np.clip(values, -(1 << 15), (1 << 15) - 1)


_FUNCTIONS: Mapping[str, _Function] = {
    "RELU": _relu,
    "RELU6": _relu6,
    "LEAKY_RELU": _leaky_relu,
    "LOGISTIC": _logistic,
    "TANH": _tanh,
    "HARD_SWISH": _hard_swish,
    "POINTWISE": _real_function,
}


def table(graph: Graph, node: Node) -> Array:
    """Outputs by stored input + 128: int8 [256]."""
    source, result = graph.tensors[node.inputs[0]].quantized, graph.result(node).quantized
    if node.operator == "POINTWISE" and graph.rounds_once:
        return int8(_rounded_once(node, source, result, graph.rounding), -128, 127)
    return int8(_FUNCTIONS[node.operator](node, source, result), -128, 127)


def _check(graph: Graph, node: Node) -> None:
    source, result = activations(graph, node, inputs=1)
    shape_is(result, source.shape)
    table(graph, node)


def _run(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    source = given(values)
    found: Array = table(graph, node)[source.astype(np.int64) + 128]
    return [found]


def table_call(node: Node, count: int, by_byte: Array) -> Call:
    """A look-up of ``count`` bytes in int8 [256] by unsigned byte."""
    return Call(
        name=node.name,
        operator=node.operator,
        function="ts_tfl_table_s8",
        inputs=node.inputs[:1],
        output=node.outputs[0],
        fields={"count": count},
        arrays={"table": by_byte},
        sharing=(Sharing(overlap=Overlap.BEHIND),),
        kernel_class="table",
        features={"outputs": count, "steps": 1},
    )


def _lower(graph: Graph, node: Node) -> tuple[Call, ...]:
    return (table_call(node, graph.result(node).elements, np.roll(table(graph, node), -128)),)


POINTWISE = tuple(
    OperatorKind(operator=name, check=_check, run=_run, lower=_lower, by_rows=values_by_rows) for name in _FUNCTIONS
)
