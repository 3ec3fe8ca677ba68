"""RESIZE_NEAREST_NEIGHBOR by whole factors: every pixel a few times, or one out of a few."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tinysearch.networks.call import Call
from tinysearch.networks.graph import Array, Element, Graph, Node
from tinysearch.networks.operators.kind import (
    OperatorKind,
    activations,
    constant,
    given,
    require,
    same_quantization,
    shape_is,
)
from tinysearch.networks.operators.moving import strided_copy
from tinysearch.networks.options import ResizeOptions

_MOST_COPIES = 64
_INSTEAD = "resize by a whole factor, or outside of the network"


def nearest(count: int, outputs: int, options: ResizeOptions) -> npt.NDArray[np.int64]:
    """Which of ``count`` rows each of so many outputs is, in single precision as TensorFlow Lite's reference."""
    corners = options.align_corners and outputs > 1
    scale = np.float32(count - 1) / np.float32(outputs - 1) if corners else np.float32(count) / np.float32(outputs)
    half = np.float32(0.5 if options.half_pixel_centers else 0.0)
    places = (np.arange(outputs, dtype=np.float32) + half) * scale
    whole = np.floor(places + np.float32(0.5)) if options.align_corners else np.floor(places)
    found: npt.NDArray[np.int64] = np.clip(whole.astype(np.int64), 0, count - 1)
    return found


def places(
    inputs: int, outputs: int, options: ResizeOptions, *, reached: float | None = None
) -> npt.NDArray[np.float64]:
    """Where so many outputs along an axis lie on its inputs, in real numbers.

    Args:
        inputs: rows or columns.
        outputs: rows or columns.
        options: of the resize.
        reached: how many outputs all inputs cover where that is no whole number; as many as there are when left out.
    """
    at = np.arange(outputs, dtype=np.float64)
    if options.align_corners and outputs > 1:
        return at * (inputs - 1) / (outputs - 1)
    ratio = inputs / (reached or outputs)
    return (at + 0.5) * ratio - 0.5 if options.half_pixel_centers else at * ratio


def sizes_of(graph: Graph, node: Node) -> tuple[ResizeOptions, tuple[int, int]]:
    """Options of a resize, and rows and columns of its output.

    Raises:
        Unfit: its tensors are not those of one.
    """
    if not isinstance(node.options, ResizeOptions):
        raise TypeError(f"{node.name} has no options of a resize")
    source, result = activations(graph, node, inputs=1)
    same_quantization(source, result, "input and output")
    require(len(source.shape) == 4 and source.shape[0] == 1, f"has an input of {list(source.shape)}", _INSTEAD)
    sizes = constant(graph.source(node, 1), Element.INT32, "sizes").reshape(-1).tolist()
    require(len(sizes) == 2 and min(sizes) > 0, f"has the sizes {sizes[:4]}", "convert it again")
    shape_is(result, (1, *sizes, source.shape[3]))
    for side, size in zip(source.shape[1:3], sizes, strict=True):
        require(size <= _MOST_COPIES * side, f"makes {size} rows or columns of {side}", "resize in two steps")
    return node.options, (sizes[0], sizes[1])


def _rows(graph: Graph, node: Node) -> list[npt.NDArray[np.int64]]:
    """Rows and columns of the input that those of the output are."""
    options, sizes = sizes_of(graph, node)
    sides = graph.tensors[node.inputs[0]].shape[1:3]
    return [nearest(side, size, options) for side, size in zip(sides, sizes, strict=True)]


def _step(rows: npt.NDArray[np.int64], count: int) -> tuple[int, int, int]:
    """Along one axis: how often each row stands there, else which is the first, and how far the next is from it."""
    repeats = max(len(rows) // count, 1)
    if np.array_equal(rows, np.repeat(np.arange(count), repeats)):
        return repeats, 0, 1
    distance = count // len(rows)
    strided = distance > 0 and np.array_equal(rows, rows[0] + distance * np.arange(len(rows)))
    require(strided, f"makes {len(rows)} rows or columns of {count}", _INSTEAD)
    return 1, int(rows[0]), distance


def _steps(graph: Graph, node: Node) -> list[tuple[int, int, int]]:
    sides = graph.tensors[node.inputs[0]].shape[1:3]
    steps = [_step(rows, side) for rows, side in zip(_rows(graph, node), sides, strict=True)]
    copies = steps[0][0] * steps[1][0]
    require(copies <= _MOST_COPIES, f"repeats every pixel {copies} times", "resize in two steps")
    return steps


def _check(graph: Graph, node: Node) -> None:
    _steps(graph, node)


def _run(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    rows, columns = _rows(graph, node)
    return [given(values)[:, :, rows][:, :, :, columns]]


def _lower(graph: Graph, node: Node) -> tuple[Call, ...]:
    """A copy of all pixels for each place that a pixel has in its group."""
    (down, top, below), (across, left, beside) = _steps(graph, node)
    (_, _, width, channels), (_, rows, columns, _) = graph.tensors[node.inputs[0]].shape, graph.result(node).shape
    return tuple(
        strided_copy(
            node,
            node.inputs[0],
            counts=(rows // down, columns // across, channels),
            source_steps=(below * width * channels, beside * channels, 1),
            result_steps=(down * columns * channels, across * channels, 1),
            first=((top * width + left) * channels, (y * columns + x) * channels),
        )
        for y in range(down)
        for x in range(across)
    )


RESIZE_NEAREST = OperatorKind(operator="RESIZE_NEAREST_NEIGHBOR", check=_check, run=_run, lower=_lower)
