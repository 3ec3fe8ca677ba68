"""AVERAGE_POOL_2D and MAX_POOL_2D: padding takes no part; averages round halves away from zero."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinysearch.networks.arithmetic import activation_range
from tinysearch.networks.call import Call, Field, Overlap, RowParts, Sharing
from tinysearch.networks.graph import Array, Graph, Node
from tinysearch.networks.halves import Halves, halves_of, sum_in_order
from tinysearch.networks.operators.kind import (
    OperatorKind,
    activations,
    given,
    int8,
    known_activation,
    offset,
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
    counts = _counts(window)[..., None]
    if graph.rounds_once:
        return [int8(_means_once(graph, node, given(values), window), low, high)[:, None]]
    sums = window.views(flat(given(values)).astype(np.int64), 0).sum((-2, -1))
    means = np.sign(sums) * ((np.abs(sums) + counts // 2) // counts)
    return [int8(means, low, high)[:, None]]


def _means_once(graph: Graph, node: Node, values: Array, window: Window) -> Array:
    """Means of values less their zero point, rounded once; not clamped."""
    zero = offset(graph.tensors[node.inputs[0]])
    views = window.views(flat(values).astype(np.int64) - zero, 0)  # padding, 0, takes no part
    counts = np.broadcast_to(_counts(window)[..., None], views.shape[:-2])
    sums = views.sum((-2, -1))
    steps = np.floor_divide(2 * sums + counts, 2 * counts)
    tied = (2 * sums + counts) % (2 * counts) == 0
    halves = _halves(graph, node)
    if halves.inverse:
        reals = halves.reals(views.reshape(*counts.shape, -1)[tied])
        steps[tied] = halves.rounded(sum_in_order(reals), counts[tied])
    else:
        steps -= tied & (steps % 2 == 1)
    return np.asarray(steps + zero)


def _halves(graph: Graph, node: Node) -> Halves:
    return halves_of(graph, graph.tensors[node.inputs[0]].quantized, graph.result(node).quantized)


def _halved(graph: Graph, node: Node, window: Window) -> int:
    """Values that are expected to be added up again: of means of an even count, one a mean."""
    return int((_counts(window) % 2 == 0).sum()) * window.channels if _halves(graph, node).inverse else 0


def _run_maximum(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    window, low, high = window_of_pool(graph, node)
    return [int8(window.views(flat(given(values)), -128).max((-2, -1)), low, high)[:, None]]


def _lower(graph: Graph, node: Node) -> tuple[Call, ...]:
    window, low, high = window_of_pool(graph, node)
    return (_call(graph, node, window, (low, high)),)


def _by_rows(graph: Graph, node: Node, whole: Call) -> RowParts:
    del whole  # no arrays
    window, low, high = window_of_pool(graph, node)
    clamp = (low, high)
    return RowParts(span=window.span, part=lambda first, end: _call(graph, node, window.part(first, end), clamp))


def _call(graph: Graph, node: Node, window: Window, clamp: tuple[int, int]) -> Call:
    average = node.operator == "AVERAGE_POOL_2D"
    channels = window.channels
    reads = window.lowest_reads()[:-1] * channels
    ends = np.arange(1, len(reads) + 1) * channels  # a pixel is written while its own window is still read
    values = float(_counts(window).sum() * channels)
    places = len(reads)
    fields: dict[str, Field] = {"window": window.fields(channels), "low": clamp[0], "high": clamp[1]}
    kernel, kernel_class = ("tfl_average", "average") if average else ("tfl_max", "max_pool")
    features: dict[str, float] = {"outputs": places * channels, "sums": places, "patch": values}
    features |= {"rows": places * window.kernel[0]}
    if average:
        features = {"outputs": values, "sums": places * channels, "steps": 1}
    if average and graph.rounds_once:
        kernel, kernel_class = "once_average", "average_once"
        fields |= {"zero": offset(graph.result(node)), **_halves(graph, node).fields}
        features |= {"rows": places, "moved": _halved(graph, node, window)}
    return Call(
        name=node.name,
        operator=node.operator,
        function=f"ts_{kernel}_pool_s8",
        inputs=node.inputs[:1],
        output=node.outputs[0],
        fields=fields,
        sharing=(Sharing(overlap=Overlap.BEHIND, distance=int((ends - reads).max())),),
        kernel_class=kernel_class,
        features=features,
    )


AVERAGE_POOL = OperatorKind(operator="AVERAGE_POOL_2D", check=_check, run=_run_average, lower=_lower, by_rows=_by_rows)
MAX_POOL = OperatorKind(operator="MAX_POOL_2D", check=_check, run=_run_maximum, lower=_lower, by_rows=_by_rows)
