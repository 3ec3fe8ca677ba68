"""MEAN over any axes; another arithmetic than AVERAGE_POOL_2D, for it requantizes the sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinysearch.core.quantization import Int64
from tinysearch.networks.arithmetic import factor_in, quantize_multiplier, scaled
from tinysearch.networks.call import APART, Call, Field
from tinysearch.networks.graph import Array, Element, Graph, Node, Rounding
from tinysearch.networks.halves import MOST_VALUES, Halves, halves_of, sum_of_row
from tinysearch.networks.once import Once, Staircase, once
from tinysearch.networks.operators.kind import OperatorKind, activations, constant, given, int8, offset, require


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    """The input as [outer, blocks, kept, reduced, inner], whose blocks and reduced values one output stands for."""

    outer: int
    blocks: int
    kept: int
    reduced: int
    inner: int

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        return self.outer, self.blocks, self.kept, self.reduced, self.inner

    @property
    def count(self) -> int:
        """Values of one output."""
        return self.blocks * self.reduced

    @property
    def results(self) -> int:
        return self.outer * self.kept * self.inner


def _sides(graph: Graph, node: Node) -> _Sides:
    source, _ = activations(graph, node, inputs=1)
    given = constant(graph.source(node, 1), Element.INT32, "axes").reshape(-1).tolist()
    rank = len(source.shape)
    require(all(-rank <= axis < rank for axis in given), "has axes that its input has not", "convert it again")
    axes = {axis % rank for axis in given}
    require(bool(axes), "reduces no axis", "leave it out")
    merged: list[tuple[bool, int]] = []
    for reduces, side in ((axis in axes, side) for axis, side in enumerate(source.shape) if side > 1):
        if merged and merged[-1][0] == reduces:
            merged[-1] = (reduces, merged[-1][1] * side)
        else:
            merged.append((reduces, side))
    if not merged or not merged[0][0]:
        outer, *merged = merged or [(False, 1)]
    else:
        outer = (False, 1)
    reduced = [side for reduces, side in merged if reduces]
    kept = [side for reduces, side in merged if not reduces]
    require(len(reduced) <= 2, f"reduces the axes {sorted(axes)}", "reduce neighbors alone")
    if len(reduced) == 2:
        inner = kept[1] if len(kept) == 2 else 1
        return _Sides(outer=outer[1], blocks=reduced[0], kept=kept[0], reduced=reduced[1], inner=inner)
    inner = kept[0] if kept else 1
    return _Sides(outer=outer[1], blocks=1, kept=1, reduced=reduced[0] if reduced else 1, inner=inner)


def _scale(graph: Graph, node: Node, count: int) -> tuple[int, int]:
    """Multiplier of the sum and shift to the left: TensorFlow Lite rounds its part of one over the count down."""
    ratio = graph.tensors[node.inputs[0]].quantized.scale / graph.result(node).quantized.scale
    if graph.rounding is not Rounding.TWICE:
        return factor_in(graph, ratio / count)
    multiplier, shift = quantize_multiplier(ratio)
    bits = min(count.bit_length() - 1, 32, 31 + shift)
    return (multiplier << bits) // count, shift - bits


_RAISED = 3
"""Bits by which sums are raised: a mean of two values of one scale has a factor of one half, which is too large."""


def _once(graph: Graph, node: Node, count: int) -> Once | None:
    """The rounding of raised sums in a network that is rounded once."""
    if not graph.rounds_once:
        return None
    source, result = graph.tensors[node.inputs[0]].quantized, graph.result(node).quantized
    return once(
        Staircase(
            product=np.array([source.scale]),
            addend=np.zeros(1),
            result=result.scale,
            count=count << _RAISED,
            lowest=np.array([(-128 - source.zero_point) * count << _RAISED]),
            highest=np.array([(127 - source.zero_point) * count << _RAISED]),
            low=-128 - result.zero_point,
            high=127 - result.zero_point,
        )
    )


def _check(graph: Graph, node: Node) -> None:
    sides, result = _sides(graph, node), graph.result(node)
    require(result.elements == sides.results, f"has output {list(result.shape)}", "convert the network again")
    _, shift = _scale(graph, node, sides.count)
    raised = max(shift, _RAISED if graph.rounds_once else 0)
    require(sides.count * 256 << raised < 1 << 31, "has sums that may leave 32 bits", "reduce fewer values")


def _run(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    source = given(values)
    sides, result = _sides(graph, node), graph.result(node)
    exact = _once(graph, node, sides.count)
    if exact is not None:
        steps = _rounded_once(graph, node, sides, exact, source)
    else:
        sums = source.reshape(len(source), *sides.shape).astype(np.int64).sum((2, 4))
        centered = sums - sides.count * offset(graph.tensors[node.inputs[0]])
        steps = scaled(centered, *_scale(graph, node, sides.count))
    return [int8(steps + offset(result), -128, 127).reshape(len(source), *result.shape)]


def _halves(graph: Graph, node: Node, sides: _Sides) -> Halves:
    """How halves fall: PyTorch's order is known for means over the last axes of an image, or of anything."""
    if sides.blocks > 1 or sides.kept > 1 or sides.reduced >= MOST_VALUES:
        return Halves()
    image = sides.outer == 1 and len(graph.tensors[node.inputs[0]].shape) == 4
    if not image and sides.inner > 1:
        return Halves()
    return halves_of(graph, graph.tensors[node.inputs[0]].quantized, graph.result(node).quantized)


def _rounded_once(graph: Graph, node: Node, sides: _Sides, exact: Once, source: Array) -> Int64:
    """Steps of means, less the zero point."""
    in_zero = offset(graph.tensors[node.inputs[0]])
    centered = source.reshape(len(source), *sides.shape).astype(np.int64) - in_zero
    raised = centered.sum((2, 4))[..., None] << _RAISED
    steps, halves = exact.rounded(raised)[..., 0], _halves(graph, node, sides)
    if halves.inverse:
        tied = exact.tied(raised)[..., 0]
        rows = np.moveaxis(centered[:, :, 0], -2, -1)  # one block, whose last axis is what is reduced
        steps[tied] = halves.rounded(sum_of_row(halves.reals(rows[tied])), np.array(sides.reduced))
    return steps


def _has_halves(graph: Graph, node: Node, sides: _Sides) -> bool:
    """Whether one of ``count`` means is a half, whose values are then added up again: one value a mean."""
    source, result = graph.tensors[node.inputs[0]].quantized, graph.result(node).quantized
    same = source.scale == result.scale and sides.count % 2 == 0
    return same and _halves(graph, node, sides).inverse > 0


def _lower(graph: Graph, node: Node) -> tuple[Call, ...]:
    sides = _sides(graph, node)
    multiplier, shift = _scale(graph, node, sides.count)
    exact = _once(graph, node, sides.count)
    in_zero = offset(graph.tensors[node.inputs[0]])
    zero = {"offset": sides.count * in_zero} if exact is None else {"in_zero": in_zero}
    rounding: dict[str, Field] = {"multiplier": multiplier, "shift": -shift}
    if exact is not None:
        rounding = {"raised": _RAISED, "rounding": exact.fields(), **_halves(graph, node, sides).fields}
    return (
        Call(
            name=node.name,
            operator=node.operator,
            function="ts_tfl_mean_s8" if exact is None else "ts_once_mean_s8",
            inputs=node.inputs[:1],
            output=node.outputs[0],
            fields={
                "outer": sides.outer,
                "blocks": sides.blocks,
                "kept": sides.kept,
                "reduced": sides.reduced,
                "inner": sides.inner,
                **zero,
                **rounding,
                "range": (offset(graph.result(node)), -128, 127),
            },
            sharing=(APART,),
            kernel_class="mean" if exact is None else "mean_once",
            passes=sides.inner,
            features={
                "outputs": sides.count * sides.results,
                "sums": sides.results,
                "moved": sides.results if exact is not None and _has_halves(graph, node, sides) else 0,
                "steps": 1,
            },
        ),
    )


MEAN = OperatorKind(operator="MEAN", check=_check, run=_run, lower=_lower)
