"""ADD, SUB and MUL of two tensors of one shape, or of a tensor and a shorter one that repeats (one a channel)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinysearch.core.quantization import Int64
from tinysearch.networks.arithmetic import activation_range, quantize_multiplier, scaled
from tinysearch.networks.call import APART, Call, Field, Overlap, Sharing
from tinysearch.networks.graph import Array, Graph, Node, Rounding, Tensor
from tinysearch.networks.once import Once, Staircase, once
from tinysearch.networks.operators.kind import (
    OperatorKind,
    activations,
    given,
    int8,
    known_activation,
    offset,
    repeats,
    require,
    shape_is,
    values_by_rows,
)
from tinysearch.networks.options import ActivationOptions
from tinysearch.networks.sum_tables import Operands, SumTables, sum_tables

LEFT_SHIFT = 20
"""Fraction bits that both inputs of an addition gain before they are scaled."""

_STORED = np.arange(-128, 128)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pair:
    """Operands of a node, the longer first, and the clamp of its output.

    Attributes:
        signs: of the operands in a sum.
    """

    long: int
    short: int
    tensors: tuple[Tensor, Tensor]
    result: Tensor
    low: int
    high: int
    signs: tuple[int, int]

    @property
    def range(self) -> tuple[int, int, int]:
        return offset(self.result), self.low, self.high


def _pair(graph: Graph, node: Node) -> _Pair:
    if not isinstance(node.options, ActivationOptions):
        raise TypeError(f"{node.name} has no activation")
    known_activation(node.options.activation)
    left, right, result = activations(graph, node, inputs=2)
    long, short = (0, 1) if left.elements >= right.elements else (1, 0)
    tensors = (left, right)
    low, high = activation_range(node.options.activation, result.quantized)
    signs = (1, -1 if node.operator == "SUB" else 1)
    return _Pair(
        long=long,
        short=short,
        tensors=(tensors[long], tensors[short]),
        result=result,
        low=low,
        high=high,
        signs=(signs[long], signs[short]),
    )


def _check(graph: Graph, node: Node) -> None:
    pair = _pair(graph, node)
    long, short = pair.tensors
    shape_is(pair.result, long.shape)
    repeats(long.shape, short.shape)
    require(not all(tensor.data is not None for tensor in pair.tensors), "has constant inputs only", "fold it")
    if node.operator == "MUL":
        _product(pair)
    elif graph.rounds_once:
        _sum_tables(graph, pair)
    else:
        _addition(pair)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Addition:
    """Scaled values of both operands by stored value + 128, and the requantization of their sum."""

    tables: tuple[Int64, Int64]
    multiplier: int
    shift: int


def _addition(pair: _Pair) -> _Addition:
    scales = [tensor.quantized.scale for tensor in pair.tensors]
    twice = 2 * max(scales)
    multiplier, shift = quantize_multiplier(twice / ((1 << LEFT_SHIFT) * pair.result.quantized.scale))
    require(multiplier > 0 and shift <= 0, "has an output scale far below its inputs'", "quantize it again")
    tables = [
        sign * scaled((_STORED - offset(tensor)) << LEFT_SHIFT, *quantize_multiplier(scale / twice))
        for tensor, scale, sign in zip(pair.tensors, scales, pair.signs, strict=True)
    ]
    return _Addition(tables=(tables[0], tables[1]), multiplier=multiplier, shift=shift)


def _sum_tables(graph: Graph, pair: _Pair) -> SumTables:
    left, right = (tensor.quantized for tensor in pair.tensors)
    zero, result = offset(pair.result), pair.result.quantized.scale
    largest = max(left.scale, right.scale)
    require(largest < result * 1e4, "has an output scale far below its inputs'", "quantize it again")
    return sum_tables(
        Operands(
            scales=(left.scale, right.scale),
            zeros=(left.zero_point, right.zero_point),
            signs=pair.signs,
            result=result,
            low=pair.low - zero,
            high=pair.high - zero,
            singles=graph.rounding is Rounding.TORCH,
        )
    )


_RAISED = 3
"""Bits by which products are raised where they are rounded once: factors up to 4 are small enough then."""


def _product_once(graph: Graph, pair: _Pair) -> Once | None:
    """The rounding of raised products in a network that is rounded once; None where it is not, or none is exact."""
    if not graph.rounds_once:
        return None
    left, right = (tensor.quantized for tensor in pair.tensors)
    corners = [(a - left.zero_point) * (b - right.zero_point) for a in (-128, 127) for b in (-128, 127)]
    zero = offset(pair.result)
    return once(
        Staircase(
            product=np.array([left.scale * right.scale]),
            addend=np.zeros(1),
            result=pair.result.quantized.scale,
            count=1 << _RAISED,
            lowest=np.array([min(corners) << _RAISED]),
            highest=np.array([max(corners) << _RAISED]),
            low=pair.low - zero,
            high=pair.high - zero,
        )
    )


def _product(pair: _Pair) -> tuple[int, int]:
    left, right = (tensor.quantized.scale for tensor in pair.tensors)
    multiplier, shift = quantize_multiplier(left * right / pair.result.quantized.scale)
    require(shift < 15, "has an output scale far below its inputs'", "quantize it again")
    return multiplier, shift


_Function = Callable[[Graph, _Pair, list[Array]], Array]
_Run = Callable[[Graph, Node, Sequence[Array | None]], list[Array]]


def _run(function: _Function) -> _Run:
    def run(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
        pair = _pair(graph, node)
        long, short = given(values, pair.long), given(values, pair.short)
        count = max(len(long), len(short))
        rows = long.reshape(len(long), -1, short[0].size)
        result = function(graph, pair, [rows, short.reshape(len(short), 1, -1)])
        return [result.reshape(count, *pair.result.shape)]

    return run


def _add(graph: Graph, pair: _Pair, operands: list[Array]) -> Array:
    if graph.rounds_once:
        return int8(_sum_tables(graph, pair).summed(*operands) + offset(pair.result), pair.low, pair.high)
    addition = _addition(pair)
    left, right = (
        table[operand.astype(np.int64) + 128] for table, operand in zip(addition.tables, operands, strict=True)
    )
    return int8(scaled(left + right, addition.multiplier, addition.shift) + offset(pair.result), pair.low, pair.high)


def _multiply(graph: Graph, pair: _Pair, operands: list[Array]) -> Array:
    left, right = (
        operand.astype(np.int64) - offset(tensor) for tensor, operand in zip(pair.tensors, operands, strict=True)
    )
    exact = _product_once(graph, pair)
    if exact is not None:
        steps = exact.rounded((left * right)[..., None] << _RAISED)[..., 0]
    else:
        steps = scaled(left * right, *_product(pair))
    return int8(steps + offset(pair.result), pair.low, pair.high)


def _call(node: Node, pair: _Pair, function: str, fields: dict[str, Field], arrays: dict[str, Array]) -> Call:
    long, short = pair.tensors
    behind = Sharing(overlap=Overlap.BEHIND)
    return Call(
        name=node.name,
        operator=node.operator,
        function=function,
        inputs=(node.inputs[pair.long], node.inputs[pair.short]),
        output=node.outputs[0],
        fields={"count": long.elements, "period": short.elements, **fields, "range": pair.range},
        arrays=arrays,
        sharing=(behind, behind if short.elements == long.elements else APART),
        kernel_class=("mul" if node.operator == "MUL" else "add") + ("_once" if "_once_" in function else ""),
        features={"outputs": long.elements, "steps": 1},
    )


def _lower_addition(graph: Graph, node: Node) -> tuple[Call, ...]:
    pair = _pair(graph, node)
    if graph.rounds_once:
        tables = _sum_tables(graph, pair)
        pairs = (("left", tables.left), ("right", tables.right))
        by_byte: dict[str, Array] = {name: np.roll(table, -128).astype(np.int32) for name, table in pairs}
        return (_call(node, pair, "ts_once_add_s8", {"fraction": tables.fraction}, by_byte),)
    addition = _addition(pair)
    left, right = (np.roll(table, -128).astype(np.int32) for table in addition.tables)  # by unsigned byte
    fields: dict[str, Field] = {"multiplier": addition.multiplier, "shift": -addition.shift}
    return (_call(node, pair, "ts_tfl_add_s8", fields, {"left": left, "right": right}),)


def _lower_product(graph: Graph, node: Node) -> tuple[Call, ...]:
    pair = _pair(graph, node)
    zeros = tuple(offset(tensor) for tensor in pair.tensors)
    exact = _product_once(graph, pair)
    if exact is not None:
        rounding: dict[str, Field] = {"zero": zeros, "raised": _RAISED, "rounding": exact.fields()}
        return (_call(node, pair, "ts_once_mul_s8", rounding, {}),)
    multiplier, shift = _product(pair)
    return (_call(node, pair, "ts_tfl_mul_s8", {"zero": zeros, "multiplier": multiplier, "shift": -shift}, {}),)


ADDITION, DIFFERENCE = (
    OperatorKind(operator=name, check=_check, run=_run(_add), lower=_lower_addition, by_rows=values_by_rows)
    for name in ("ADD", "SUB")
)
PRODUCT = OperatorKind(operator="MUL", check=_check, run=_run(_multiply), lower=_lower_product, by_rows=values_by_rows)
