"""RESIZE_BILINEAR to any size: weights of 10 fraction bits, as TensorFlow Lite's integer reference has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinysearch.core.quantization import Int64
from tinysearch.networks.call import APART, Call
from tinysearch.networks.graph import Array, Graph, Node
from tinysearch.networks.operators.kind import OperatorKind, given, require
from tinysearch.networks.operators.resizing import places, sizes_of
from tinysearch.networks.options import ResizeOptions

_BITS = 10
_ONE = 1 << _BITS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    """Members of ``ts_tfl_bilinear_axis``: the first place on the input and the distance of two, 10 fraction bits."""

    inputs: int
    outputs: int
    first: int
    step: int

    def neighbors(self) -> tuple[Int64, Int64, Int64]:
        """For every output: both neighbors, and the weight of the second of 1024."""
        at = self.first + np.arange(self.outputs, dtype=np.int64) * self.step
        low = np.maximum(at >> _BITS, 0)
        return low, np.minimum(-(-at >> _BITS), self.inputs - 1), at - _ONE * low


def neighbors(inputs: int, outputs: int, options: ResizeOptions) -> tuple[Int64, Int64, npt.NDArray[np.float64]]:
    """For every output along an axis: both neighbors, and the weight of the second, as floats place them."""
    found = np.clip(places(inputs, outputs, options), 0, inputs - 1)
    low = np.floor(found).astype(np.int64)
    return low, np.minimum(low + 1, inputs - 1), found - low


def _axis(inputs: int, outputs: int, options: ResizeOptions) -> _Axis:
    corners = options.align_corners and outputs > 1
    spaces, parts = (inputs - 1, outputs - 1) if corners else (inputs, outputs)
    step = (_ONE * spaces + parts // 2) // parts
    first = step // 2 - _ONE // 2 if options.half_pixel_centers else 0
    return _Axis(inputs=inputs, outputs=outputs, first=first, step=step)


def _axes(graph: Graph, node: Node) -> tuple[_Axis, _Axis]:
    """Rows and columns."""
    options, (rows, columns) = sizes_of(graph, node)
    both = options.align_corners and options.half_pixel_centers
    require(not both, "has aligned corners and half pixel centers", "convert it with one of them")
    _, height, width, _ = graph.tensors[node.inputs[0]].shape
    return _axis(height, rows, options), _axis(width, columns, options)


def _check(graph: Graph, node: Node) -> None:
    _axes(graph, node)


def _run(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    (top, bottom, down), (left, right, across) = (axis.neighbors() for axis in _axes(graph, node))
    source = given(values)[:, 0].astype(np.int64)
    columns = across[:, None]
    rows = source[:, top] * (_ONE - down)[:, None, None] + source[:, bottom] * down[:, None, None]
    sums = rows[:, :, left] * (_ONE - columns) + rows[:, :, right] * columns
    half = np.where(sums > 0, _ONE * _ONE // 2, -_ONE * _ONE // 2)
    found = np.sign(sums + half) * (np.abs(sums + half) >> 2 * _BITS)
    return [found.astype(np.int8)[:, None]]


def _lower(graph: Graph, node: Node) -> tuple[Call, ...]:
    vertical, horizontal = _axes(graph, node)
    channels = graph.result(node).shape[3]
    pixels = vertical.outputs * horizontal.outputs
    return (
        Call(
            name=node.name,
            operator=node.operator,
            function="ts_tfl_bilinear_s8",
            inputs=node.inputs[:1],
            output=node.outputs[0],
            fields={
                "channels": channels,
                "vertical": (vertical.inputs, vertical.outputs, vertical.first, vertical.step),
                "horizontal": (horizontal.inputs, horizontal.outputs, horizontal.first, horizontal.step),
            },
            sharing=(APART,),
            kernel_class="bilinear",
            features={"outputs": pixels * channels, "rows": vertical.outputs, "sums": pixels, "steps": 1},
        ),
    )


RESIZE_BILINEAR = OperatorKind(operator="RESIZE_BILINEAR", check=_check, run=_run, lower=_lower)
