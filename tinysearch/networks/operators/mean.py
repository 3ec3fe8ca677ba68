"""MEAN over any axes; another arithmetic than AVERAGE_POOL_2D, for it requantizes the sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinysearch.networks.arithmetic import factor_in, quantize_multiplier, scaled
from tinysearch.networks.call import APART, Call
from tinysearch.networks.graph import Array, Element, Graph, Node
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
    if graph.rounds_once:
        return factor_in(graph, ratio / count)
    multiplier, shift = quantize_multiplier(ratio)
    bits = min(count.bit_length() - 1, 32, 31 + shift)
    return (multiplier << bits) // count, shift - bits


def _check(graph: Graph, node: Node) -> None:
    sides, result = _sides(graph, node), graph.result(node)
    require(result.elements == sides.results, f"has output {list(result.shape)}", "convert the network again")
    _, shift = _scale(graph, node, sides.count)
    require(sides.count * 256 << max(shift, 0) < 1 << 31, "has sums that may leave 32 bits", "reduce fewer values")


def _run(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    source = given(values)
    sides = _sides(graph, node)
    sums = source.reshape(len(source), *sides.shape).astype(np.int64).sum((2, 4))
    centered = sums - sides.count * offset(graph.tensors[node.inputs[0]])
    result = graph.result(node)
    found = int8(scaled(centered, *_scale(graph, node, sides.count)) + offset(result), -128, 127)
    return [found.reshape(len(source), *result.shape)]


def _lower(graph: Graph, node: Node) -> tuple[Call, ...]:
    sides = _sides(graph, node)
    multiplier, shift = _scale(graph, node, sides.count)
    return (
        Call(
            name=node.name,
            operator=node.operator,
            function="ts_tfl_mean_s8",
            inputs=node.inputs[:1],
            output=node.outputs[0],
            fields={
                "outer": sides.outer,
                "blocks": sides.blocks,
                "kept": sides.kept,
                "reduced": sides.reduced,
                "inner": sides.inner,
                "offset": sides.count * offset(graph.tensors[node.inputs[0]]),
                "multiplier": multiplier,
                "shift": -shift,
                "range": (offset(graph.result(node)), -128, 127),
            },
            sharing=(APART,),
            kernel_class="mean",
            features={"outputs": sides.count * sides.results, "sums": sides.results, "steps": 1},
        ),
    )


MEAN = OperatorKind(operator="MEAN", check=_check, run=_run, lower=_lower)
