"""DEPTHWISE_CONV_2D: filters that see one channel each, ``multiplier`` of them a channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tinysearch.networks.call import APART, Call, Overlap, RowParts, Sharing
from tinysearch.networks.graph import Array, Graph, Node
from tinysearch.networks.operators.kind import OperatorKind, given, require, shape_is
from tinysearch.networks.operators.weighted import Weighted, weighted
from tinysearch.networks.operators.window import Window, flat, window_of
from tinysearch.networks.options import WindowOptions


def layer_of(graph: Graph, node: Node) -> tuple[Window, Weighted, int]:
    """Windows, constants and outputs a channel."""
    options = node.options
    if not isinstance(options, WindowOptions):
        raise TypeError(f"{node.name} has no options of a window")
    layer = weighted(graph, node, activation=options.activation, axis=3)
    shape = layer.weights.shape  # [O, 1, height, width], for output channels come first
    require(len(shape) == 4 and shape[1] == 1, f"has weights of {list(shape)}", "convert the network again")
    window = window_of(graph.tensors[node.inputs[0]], options, (shape[2], shape[3]))
    require(
        len(layer.weights) % window.channels == 0,
        f"has {len(layer.weights)} filters for {window.channels} channels",
        "give every channel as many filters",
    )
    return window, layer, len(layer.weights) // window.channels


def _check(graph: Graph, node: Node) -> None:
    window, layer, _ = layer_of(graph, node)
    batch = graph.tensors[node.inputs[0]].shape[0]
    shape_is(graph.result(node), (batch, *window.outputs, len(layer.weights)))
    require(batch == 1, f"has a batch of {batch}", "convert the network with a batch of 1")


def _run(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    window, layer, multiplier = layer_of(graph, node)
    source = given(values)
    views = window.views(flat(source), layer.in_zero)
    weights = layer.weights.astype(np.int32)[:, 0]
    sums = np.zeros((*views.shape[:3], len(weights)), np.int32)
    for y in range(window.kernel[0]):
        for x in range(window.kernel[1]):
            shifted = views[..., y, x].astype(np.int32) - layer.in_zero
            sums += np.repeat(shifted, multiplier, axis=3) * weights[:, y, x]
    return [layer.requantized(sums)[:, None]]


def _lower(graph: Graph, node: Node) -> tuple[Call, ...]:
    window, layer, multiplier = layer_of(graph, node)
    arrays = {"weights": np.ascontiguousarray(layer.weights).reshape(-1), **layer.constants(tile=1)}
    return (_call(node, window, layer, multiplier, arrays),)


def _by_rows(graph: Graph, node: Node, whole: Call) -> RowParts:
    window, layer, multiplier = layer_of(graph, node)
    return RowParts(
        span=window.span, part=lambda first, end: _call(node, window.part(first, end), layer, multiplier, whole.arrays)
    )


def _call(node: Node, window: Window, layer: Weighted, multiplier: int, arrays: Mapping[str, Array]) -> Call:
    outputs = window.outputs[0] * window.outputs[1] * len(layer.weights)
    kernel = window.kernel[0] * window.kernel[1]
    function, kernel_class, fields = layer.call("depthwise", _kernel_class(window))
    return Call(
        name=node.name,
        operator=node.operator,
        function=function,
        inputs=node.inputs[:1],
        output=node.outputs[0],
        fields={
            "window": window.fields(len(layer.weights)),
            "multiples": multiplier,
            "in_zero": layer.in_zero,
            "range": layer.range,
            **fields,
        },
        arrays=arrays,
        sharing=(Sharing(overlap=Overlap.SAME) if multiplier == 1 else APART,),
        scratch_bytes=window.reach[0] * window.reach[1],
        macs=outputs * kernel,
        kernel_class=kernel_class,
        features=_features(window, len(layer.weights), multiplier),
        passes=len(layer.weights),
    )


def _kernel_class(window: Window) -> str:
    """The loop that the kernel takes."""
    if not _is_3x3(window):
        return "depthwise_general"
    return "depthwise" if window.stride == (1, 1) else "depthwise_strided"


def _is_3x3(window: Window) -> bool:
    """Whether the kernel has a loop written out."""
    return window.kernel == (3, 3) and window.dilation == (1, 1)


def _features(window: Window, channels: int, multiplier: int) -> dict[str, float]:
    """A channel's plane is copied with its padding, then convolved; 3x3 without dilation is written out."""
    (height, width), (rows, columns) = window.reach, window.outputs
    outputs = rows * columns * channels
    counted: dict[str, float] = {
        "macs": outputs * window.kernel[0] * window.kernel[1],
        "patch": height * width * channels // multiplier,
        "rows": height * channels // multiplier,
        "outputs": outputs,
        "steps": 1,
    }
    if _is_3x3(window):
        strided = window.stride != (1, 1)
        return counted | {"moved": outputs * 3 if strided else height * columns * channels}
    return counted | {"moved": outputs * window.kernel[0], "sums": channels}


DEPTHWISE = OperatorKind(operator="DEPTHWISE_CONV_2D", check=_check, run=_run, lower=_lower, by_rows=_by_rows)
