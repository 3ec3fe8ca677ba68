"""CONV_2D: any kernel, stride, dilation and padding; one scale a channel.

Groups, whose weights see a part of the channels each, are known to the check and the oracle; ``rewriting`` takes them
apart before anything is lowered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tinysearch.networks.call import Call, Overlap, RowParts, Sharing
from tinysearch.networks.graph import Array, Graph, Node, Tensor
from tinysearch.networks.operators.kind import OperatorKind, given, require, shape_is
from tinysearch.networks.operators.weighted import Weighted, weighted
from tinysearch.networks.operators.window import Window, flat, window_of
from tinysearch.networks.options import WindowOptions
from tinysearch.operators.counts import padded
from tinysearch.operators.products import interleave, product

TILE_PIXELS = 4
"""Pixels that ``ts_tfl_conv_s8`` gathers before it writes them."""

TILE_CHANNELS = 4
"""Output channels that it works on at a time."""


def _options(node: Node) -> WindowOptions:
    if not isinstance(node.options, WindowOptions):
        raise TypeError(f"{node.name} has no options of a window")
    return node.options


def layer_of(graph: Graph, node: Node) -> tuple[Window, Weighted]:
    """Windows and constants."""
    options = _options(node)
    layer = weighted(graph, node, activation=options.activation, axis=0)
    shape = layer.weights.shape
    require(len(shape) == 4, f"has weights of {len(shape)} axes", "convert the network again")
    window = window_of(_tensor(graph, node), options, (shape[1], shape[2]))
    groups = window.channels // shape[3]
    require(
        groups * shape[3] == window.channels and groups > 0 and shape[0] % groups == 0,
        f"has {window.channels} input channels in groups of {shape[3]} for {shape[0]} output channels",
        "convert the network again",
    )
    return window, layer


def _tensor(graph: Graph, node: Node) -> Tensor:
    return graph.tensors[node.inputs[0]]


def _check(graph: Graph, node: Node) -> None:
    window, layer = layer_of(graph, node)
    batch = _tensor(graph, node).shape[0]
    shape_is(graph.result(node), (batch, *window.outputs, len(layer.weights)))
    require(batch == 1, f"has a batch of {batch}", "convert the network with a batch of 1")


def _run(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    window, layer = layer_of(graph, node)
    source = given(values)
    views = window.views(flat(source), layer.in_zero)
    depth = layer.weights.shape[3]
    groups = window.channels // depth
    sums = []
    for group, weights in enumerate(np.split(layer.weights, groups)):
        part = views[..., group * depth : (group + 1) * depth, :, :]
        columns = np.moveaxis(part, 3, 5).reshape(*part.shape[:3], -1)
        sums.append(product(columns, weights.reshape(len(weights), -1), layer.in_zero))
    return [layer.requantized(np.concatenate(sums, axis=-1))[:, None]]


def distance(window: Window, out_channels: int) -> int:
    """Bytes by which the input must start after the output, so that no tile is written over what a later one reads."""
    reads = window.lowest_reads() * window.channels
    ends = np.arange(TILE_PIXELS, len(reads) - 1, TILE_PIXELS)  # but the last tile's, behind which nothing is read
    return int((ends * out_channels - reads[ends]).max(initial=-reads[-1]))


def distance_backward(window: Window, out_channels: int) -> int:
    """Bytes by which the output must start after the input, so that the same holds from the last tile to the first."""
    reads = window.highest_reads() * window.channels
    starts = np.arange(TILE_PIXELS, len(reads), TILE_PIXELS)
    return int((reads[starts - 1] - starts * out_channels).max(initial=-len(reads) * out_channels))


def _lower(graph: Graph, node: Node) -> tuple[Call, ...]:
    window, layer = layer_of(graph, node)
    arrays = {"weights": interleave(layer.weights, TILE_CHANNELS), **layer.constants(tile=TILE_CHANNELS)}
    return (_call(node, window, layer, arrays),)


def _by_rows(graph: Graph, node: Node, whole: Call) -> RowParts:
    window, layer = layer_of(graph, node)
    return RowParts(span=window.span, part=lambda first, end: _call(node, window.part(first, end), layer, whole.arrays))


def _call(node: Node, window: Window, layer: Weighted, arrays: Mapping[str, Array]) -> Call:
    out_channels, depth = len(layer.weights), layer.weights[0].size
    places = window.outputs[0] * window.outputs[1]
    pixels, channels = padded(places, TILE_PIXELS), padded(out_channels, TILE_CHANNELS)
    function, kernel_class, fields = layer.call("conv", "pointwise" if window.is_point else "conv")
    return Call(
        name=node.name,
        operator=node.operator,
        function=function,
        inputs=node.inputs[:1],
        output=node.outputs[0],
        fields={
            "window": window.fields(out_channels),
            "in_zero": layer.in_zero,
            "range": layer.range,
            "backward": 0,
            **fields,
        },
        arrays=arrays,
        sharing=(
            Sharing(
                overlap=Overlap.BEHIND,
                distance=distance(window, out_channels),
                backward=distance_backward(window, out_channels),
            ),
        ),
        scratch_bytes=depth * TILE_PIXELS,
        macs=places * out_channels * depth,
        kernel_class=kernel_class,
        features={
            "macs": places * out_channels * depth,
            "lane_macs": depth * pixels * channels,
            "patch": depth * pixels,
            "rows": pixels if window.is_point else window.kernel[0] * pixels,
            "sums": pixels * channels,
            "outputs": places * out_channels,
            "steps": 1,
        },
    )


CONVOLUTION = OperatorKind(operator="CONV_2D", check=_check, run=_run, lower=_lower, by_rows=_by_rows)
