"""AVERAGE_POOL_2D and MAX_POOL_2D: padding takes no part; averages round halves away from zero."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinysearch.networks.arithmetic import activation_range
from tinysearch.networks.call import Call, Overlap, RowParts, Sharing
from tinysearch.networks.graph import Array, Graph, Node
from tinysearch.networks.operators.kind import (
    OperatorKind,
    activations,
    given,
    int8,
    known_activation,
    require,
    same_quantization,
    shape_is,
)
from tinysearch.networks.operators.window import Window, flat, window_of
from tinysearch.networks.options import WindowOptions


def window_of_pool(graph: Graph, node: Node) -> tuple[Window, int, int]:
    """Windows and clamp."""
    if not isinstance(node.options, WindowOptions):
        raise TypeError(f"{node.name} has no options of a window")
    known_activation(node.options.activation)
    source, result = activations(graph, node, inputs=1)
    same_quantization(source, result, "input and output")
    window = window_of(source, node.options, node.options.filter)
    return window, *activation_range(node.options.activation, result.quantized)


def _check(graph: Graph, node: Node) -> None:
    window, _, _ = window_of_pool(graph, node)
    batch = graph.tensors[node.inputs[0]].shape[0]
    shape_is(graph.result(node), (batch, *window.outputs, window.channels))
    require(batch == 1, f"has a batch of {batch}", "convert the network with a batch of 1")


def _counts(window: Window) -> Array:
    """Values under every window: [rows, columns]."""
    rows, columns = (window.inside(axis).sum(1) for axis in (0, 1))
    counts: Array = np.multiply.outer(rows, columns)
    return counts


def _run_average(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    window, low, high = window_of_pool(graph, node)
    sums = window.views(flat(given(values)).astype(np.int64), 0).sum((-2, -1))
    counts = _counts(window)[..., None]
    means = np.sign(sums) * ((np.abs(sums) + counts // 2) // counts)
    return [int8(means, low, high)[:, None]]


def _run_maximum(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    window, low, high = window_of_pool(graph, node)
    return [int8(window.views(flat(given(values)), -128).max((-2, -1)), low, high)[:, None]]


def _lower(graph: Graph, node: Node) -> tuple[Call, ...]:
    window, low, high = window_of_pool(graph, node)
    return (_call(node, window, low, high),)


def _by_rows(graph: Graph, node: Node, whole: Call) -> RowParts:
    del whole  # no arrays
    window, low, high = window_of_pool(graph, node)
    return RowParts(span=window.span, part=lambda first, end: _call(node, window.part(first, end), low, high))


def _call(node: Node, window: Window, low: int, high: int) -> Call:
    average = node.operator == "AVERAGE_POOL_2D"
    channels = window.channels
    reads = window.lowest_reads()[:-1] * channels
    ends = np.arange(1, len(reads) + 1) * channels  # a pixel is written while its own window is still read
    values = float(_counts(window).sum() * channels)
    places = len(reads)
    return Call(
        name=node.name,
        operator=node.operator,
        function="ts_tfl_average_pool_s8" if average else "ts_tfl_max_pool_s8",
        inputs=node.inputs[:1],
        output=node.outputs[0],
        fields={"window": window.fields(channels), "low": low, "high": high},
        sharing=(Sharing(overlap=Overlap.BEHIND, distance=int((ends - reads).max())),),
        kernel_class="average" if average else "max_pool",
        features={"outputs": values, "sums": places * channels, "steps": 1}
        if average
        else {"outputs": places * channels, "sums": places, "patch": values, "rows": places * window.kernel[0]},
    )


AVERAGE_POOL = OperatorKind(operator="AVERAGE_POOL_2D", check=_check, run=_run_average, lower=_lower, by_rows=_by_rows)
MAX_POOL = OperatorKind(operator="MAX_POOL_2D", check=_check, run=_run_maximum, lower=_lower, by_rows=_by_rows)
