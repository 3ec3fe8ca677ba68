"""TRANSPOSE_CONV as two operators that there are: pixels are set apart by its stride, then a convolution reads them.

Between the pixels lies the zero point, whose products are nothing: the sums are those of TensorFlow Lite's reference,
which adds every product where it belongs, and so are the outputs. SPREAD stands in no file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from tinysearch.networks.call import Call
from tinysearch.networks.graph import ABSENT, Array, Graph, Node
from tinysearch.networks.operators.convolution import CONVOLUTION
from tinysearch.networks.operators.kind import (
    OperatorKind,
    Unfit,
    given,
    int8_tensor,
    offset,
    require,
    shape_is,
)
from tinysearch.networks.operators.moving import strided_copy
from tinysearch.networks.options import Activation, Sides, SpreadOptions, WindowOptions

_AGAIN = "convert the network again"


def apart(graph: Graph, node: Node) -> tuple[Graph, tuple[Node, ...]]:
    """The graph with tensors for both operators, int8 or float, and these in place of the node.

    Raises:
        Unfit: a transposed convolution that is none.
    """
    options = node.options
    if not isinstance(options, WindowOptions):
        raise TypeError(f"{node.name} has no options of a window")
    require(len(node.inputs) > 2, "has no input", _AGAIN)
    require(options.activation is Activation.NONE, "has a fused activation", "use an operator of its own")
    source, weights, result = graph.source(node, 2), graph.source(node, 1), graph.result(node)
    if source is None or weights is None or weights.data is None:
        raise Unfit("has no input, or computed weights", _AGAIN)
    values = weights.data
    require(
        len(source.shape) == len(result.shape) == values.ndim == 4 and source.shape[0] == 1,
        f"has an input of {list(source.shape)}",
        "convert the network with a batch of 1",
    )
    require(min(options.stride) > 0, f"has the stride {options.stride}", _AGAIN)
    kernel, tensors = (values.shape[1], values.shape[2]), list(graph.tensors)
    spread = tuple((side - 1) * step + 1 for side, step in zip(source.shape[1:3], options.stride, strict=True))
    padding = _padding((result.shape[1], result.shape[2]), (spread[0], spread[1]), kernel, options)
    turned = np.ascontiguousarray(values[:, ::-1, ::-1])
    tensors.append(dataclasses.replace(source, name=f"{node.name} apart", shape=(1, *spread, source.shape[3])))
    tensors.append(dataclasses.replace(weights, name=f"{node.name} turned", data=turned))
    added, bias = (len(tensors) - 2, len(tensors) - 1), node.inputs[3] if len(node.inputs) > 3 else ABSENT
    first = Node(
        name=tensors[added[0]].name,
        operator=SPREAD.operator,
        inputs=(node.inputs[2],),
        outputs=added[:1],
        options=SpreadOptions(stride=options.stride),
    )
    second = dataclasses.replace(
        node,
        operator="CONV_2D",
        inputs=(*added, bias),
        options=WindowOptions(same=False, stride=(1, 1), padding=padding),
    )
    return dataclasses.replace(graph, tensors=tuple(tensors)), (first, second)


def _padding(outputs: Sides, spread: Sides, kernel: Sides, options: WindowOptions) -> tuple[Sides, Sides]:
    """Rows and columns before and after the pixels that were set apart."""
    before, after = [], []
    for side, count, reach, step in zip(outputs, spread, kernel, options.stride, strict=True):
        forward = -(-side // step) if options.same else (side - reach) // step + 1
        cut = max((forward - 1) * step + reach - side, 0) // 2
        before.append(reach - 1 - cut)
        after.append(side + cut - count)
    require(min(*before, *after) >= 0, f"gives {outputs[0]}x{outputs[1]} outputs, fewer than its input reaches", _AGAIN)
    return (before[0], before[1]), (after[0], after[1])


def _check(graph: Graph, node: Node) -> None:
    wider, (_, second) = apart(graph, node)
    int8_tensor(wider.source(second, 0), "input")
    CONVOLUTION.check(wider, second)


def _run(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    wider, (first, second) = apart(graph, node)
    between = _run_spread(wider, first, [given(values, 2)])
    return CONVOLUTION.run(wider, second, between)


def _lower(graph: Graph, node: Node) -> tuple[Call, ...]:
    raise TypeError(f"{graph.name}: {node.name} must be rewritten before it is lowered")


def _stride(node: Node) -> Sides:
    if not isinstance(node.options, SpreadOptions):
        raise TypeError(f"{node.name} has no stride")
    return node.options.stride


def _check_spread(graph: Graph, node: Node) -> None:
    (down, across), (batch, rows, columns, channels) = _stride(node), graph.tensors[node.inputs[0]].shape
    shape_is(graph.result(node), (batch, (rows - 1) * down + 1, (columns - 1) * across + 1, channels))


def _run_spread(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    source, (down, across) = given(values), _stride(node)
    result = graph.result(node)
    found = np.full((len(source), *result.shape), offset(result), np.int8)
    found[:, :, ::down, ::across] = source
    return [found]


def _lower_spread(graph: Graph, node: Node) -> tuple[Call, ...]:
    (down, across), result = _stride(node), graph.result(node)
    (_, rows, columns, channels), wide = graph.tensors[node.inputs[0]].shape, result.shape[2]
    return (
        strided_copy(
            node,
            node.inputs[0],
            counts=(rows, columns, channels),
            source_steps=(columns * channels, channels, 1),
            result_steps=(down * wide * channels, across * channels, 1),
            first=(0, 0),
            fill=(result.elements, offset(result)),
        ),
    )


TRANSPOSE_CONV = OperatorKind(operator="TRANSPOSE_CONV", check=_check, run=_run, lower=_lower)
SPREAD = OperatorKind(operator="SPREAD", check=_check_spread, run=_run_spread, lower=_lower_spread)
