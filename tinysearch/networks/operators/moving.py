"""Operators that only move values: PAD, CONCATENATION, STRIDED_SLICE, SPLIT, TRANSPOSE: copies of boxes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tinysearch.networks.call import APART, Call, Field
from tinysearch.networks.graph import Array, Element, Graph, Node, Tensor
from tinysearch.networks.operators.kind import (
    OperatorKind,
    activations,
    constant,
    given,
    int8_tensor,
    offset,
    require,
    same_quantization,
    shape_is,
)
from tinysearch.networks.options import Activation, ConcatenationOptions, StridedSliceOptions

_AXES = 4
"""Axes of a box that ``ts_tfl_copy_s8`` copies."""

_FEWER = "reshape it to 4 axes or fewer"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Box:
    """So many values along every axis of a source, from a start on with a step, to a place of a result."""

    counts: tuple[int, ...]
    source: tuple[int, ...]
    result: tuple[int, ...]
    start: tuple[int, ...]
    step: tuple[int, ...]
    place: tuple[int, ...]

    def fields(self) -> dict[str, Field]:
        """Members of the kernel's layer: four axes, the first ones of length 1 where there are fewer."""
        inner, outer = _pitches(self.source), _pitches(self.result)
        return {
            "counts": _padded(self.counts, 1),
            "in_steps": _padded([pitch * step for pitch, step in zip(inner, self.step, strict=True)], 0),
            "out_steps": _padded(outer, 0),
            "in_first": sum(pitch * at for pitch, at in zip(inner, self.start, strict=True)),
            "out_first": sum(pitch * at for pitch, at in zip(outer, self.place, strict=True)),
        }


def _pitches(shape: Sequence[int]) -> tuple[int, ...]:
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def _padded(values: Sequence[int], filler: int) -> tuple[int, ...]:
    return (*[filler] * (_AXES - len(values)), *(int(value) for value in values))


def _call(node: Node, source: int, box: _Box, *, fill: tuple[int, int] = (0, 0)) -> Call:
    """A copy into the node's output, after so many of its values were set to one: (count, value)."""
    return _copy(node, source, box.fields(), box.counts, fill=fill)


def strided_copy(
    node: Node,
    source: int,
    *,
    counts: Sequence[int],
    source_steps: Sequence[int],
    result_steps: Sequence[int],
    first: tuple[int, int],
    fill: tuple[int, int] = (0, 0),
) -> Call:
    """A copy of values along up to four axes whose neighbors lie any distances apart, in the input and in the output.

    Args:
        first: where the first one lies in each.
        fill: (count, value), see :func:`_call`.
    """
    fields: dict[str, Field] = {
        "counts": _padded(counts, 1),
        "in_steps": _padded(source_steps, 0),
        "out_steps": _padded(result_steps, 0),
        "in_first": first[0],
        "out_first": first[1],
    }
    return _copy(node, source, fields, counts, fill=fill)


def _copy(
    node: Node, source: int, fields: Mapping[str, Field], counts: Sequence[int], *, fill: tuple[int, int] = (0, 0)
) -> Call:
    count = math.prod(counts)
    return Call(
        name=node.name,
        operator=node.operator,
        function="ts_tfl_copy_s8",
        inputs=(source,),
        output=node.outputs[0],
        fields={**fields, "fill_count": fill[0], "fill_value": fill[1]},
        sharing=(APART,),
        kernel_class="copy",
        features={
            **{"outputs": count, "moved": fill[0], "rows": count // counts[-1], "steps": 1},
            "sums": count // math.prod(counts[-2:]),
        },
    )


# PAD


def _paddings(graph: Graph, node: Node) -> list[tuple[int, int]]:
    source, result = activations(graph, node, inputs=1)
    same_quantization(source, result, "input and output")
    require(len(source.shape) <= _AXES, f"has {len(source.shape)} axes", _FEWER)
    require(len(node.inputs) == 2, "has a padding value of its own", "pad with zeros")
    pairs = constant(graph.source(node, 1), Element.INT32, "paddings")
    require(
        pairs.shape == (len(source.shape), 2) and min(pairs.reshape(-1).tolist(), default=-1) >= 0,
        "has odd paddings",
        "convert it again",
    )
    return [(int(before), int(after)) for before, after in pairs.tolist()]


def _check_pad(graph: Graph, node: Node) -> None:
    pairs = _paddings(graph, node)
    source = graph.tensors[node.inputs[0]]
    shape_is(graph.result(node), [side + sum(pair) for side, pair in zip(source.shape, pairs, strict=True)])


def _run_pad(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    value = np.int8(offset(graph.result(node)))
    return [np.pad(given(values), [(0, 0), *_paddings(graph, node)], constant_values=value)]


def _lower_pad(graph: Graph, node: Node) -> tuple[Call, ...]:
    pairs, source, result = _paddings(graph, node), graph.tensors[node.inputs[0]], graph.result(node)
    ones = tuple(1 for _ in source.shape)
    box = _Box(
        counts=source.shape,
        source=source.shape,
        result=result.shape,
        start=tuple(0 for _ in source.shape),
        step=ones,
        place=tuple(before for before, _ in pairs),
    )
    return (_call(node, node.inputs[0], box, fill=(result.elements, offset(result))),)


# CONCATENATION


def _parts(graph: Graph, node: Node) -> tuple[list[Tensor], int]:
    """Inputs and the axis along which they stand side by side."""
    if not isinstance(node.options, ConcatenationOptions):
        raise TypeError(f"{node.name} has no axis")
    result = int8_tensor(graph.result(node), "output")
    parts = [int8_tensor(graph.source(node, position), "input") for position in range(len(node.inputs))]
    require(node.options.activation is Activation.NONE, "has a fused activation", "use an operator of its own")
    require(0 < len(result.shape) <= _AXES, f"has {len(result.shape)} axes", _FEWER)
    for part in parts:
        same_quantization(part, result, "inputs and output")
    axis = node.options.axis % len(result.shape)
    return parts, axis


def _check_concatenation(graph: Graph, node: Node) -> None:
    parts, axis = _parts(graph, node)
    shapes = [part.shape for part in parts]
    others = {shape[:axis] + shape[axis + 1 :] for shape in shapes}
    require(len(others) == 1 and all(len(s) > axis for s in shapes), "joins shapes that do not fit", "convert it again")
    total = sum(shape[axis] for shape in shapes)
    shape_is(graph.result(node), (*shapes[0][:axis], total, *shapes[0][axis + 1 :]))


def _run_concatenation(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    _, axis = _parts(graph, node)
    present = [value for value in values if value is not None]
    count = max(len(value) for value in present)
    wide = [np.broadcast_to(value, (count, *value.shape[1:])) for value in present]
    return [np.concatenate(wide, axis=axis + 1)]


def _lower_concatenation(graph: Graph, node: Node) -> tuple[Call, ...]:
    parts, axis = _parts(graph, node)
    shape, calls, at = graph.result(node).shape, [], 0
    zeros, ones = tuple(0 for _ in shape), tuple(1 for _ in shape)
    for index, part in zip(node.inputs, parts, strict=True):
        place = tuple(at if position == axis else 0 for position in range(len(shape)))
        box = _Box(counts=part.shape, source=part.shape, result=shape, start=zeros, step=ones, place=place)
        calls.append(_call(node, index, box))
        at += part.shape[axis]
    return tuple(calls)


# STRIDED_SLICE


def _slices(graph: Graph, node: Node) -> tuple[list[slice], list[bool]]:
    """Slices of every axis with start, stop and step, and which axes are dropped."""
    options = node.options
    if not isinstance(options, StridedSliceOptions):
        raise TypeError(f"{node.name} has no masks")
    source, result = activations(graph, node, inputs=1)
    same_quantization(source, result, "input and output")
    require(0 < len(source.shape) <= _AXES, f"has {len(source.shape)} axes", _FEWER)
    require(not options.ellipsis_mask and not options.new_axis_mask, "has an ellipsis or new axis", "spell all axes")
    given = [constant(graph.source(node, position), Element.INT32, "bounds").tolist() for position in (1, 2, 3)]
    require(all(len(row) == len(source.shape) for row in given), "has bounds for some axes only", "spell all axes")
    found, dropped = [], []
    for axis, (begin, end, step) in enumerate(zip(*given, strict=True)):
        drops = bool(options.shrink_axis_mask >> axis & 1)
        require(step != 0, "has the step 0", "convert it again")
        first = None if options.begin_mask >> axis & 1 else begin
        last = None if options.end_mask >> axis & 1 else end
        bounds = slice(begin, begin + 1 or None, 1) if drops else slice(first, last, step)
        start, stop, stride = bounds.indices(source.shape[axis])
        require(len(range(start, stop, stride)) > 0, "has an empty slice", "convert it again")
        found.append(slice(start, None if stop < 0 else stop, stride))
        dropped.append(drops)
    return found, dropped


def bounds_of(shape: Sequence[int], slices: Sequence[slice]) -> tuple[tuple[int, ...], Array]:
    """Sides of a part of a tensor, and its begins, ends and steps as constants of STRIDED_SLICE: int32 [3, axes].

    An end before the first value, as of a part that runs backwards, is counted from behind.
    """
    found = [bounds.indices(side) for bounds, side in zip(slices, shape, strict=True)]
    ends = [(start, end if end >= 0 else -side - 1, by) for (start, end, by), side in zip(found, shape, strict=True)]
    return tuple(len(range(*entry)) for entry in found), np.array(ends, np.int32).reshape(-1, 3).T


def _counts(slices: Sequence[slice]) -> tuple[int, ...]:
    """Values along every axis; one that runs back to the first has no end."""
    ends = (-1 if bounds.stop is None else bounds.stop for bounds in slices)
    return tuple(len(range(bounds.start, end, bounds.step)) for bounds, end in zip(slices, ends, strict=True))


def _check_slice(graph: Graph, node: Node) -> None:
    slices, dropped = _slices(graph, node)
    kept = [count for count, drops in zip(_counts(slices), dropped, strict=True) if not drops]
    shape_is(graph.result(node), kept)


def _run_slice(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    slices, _ = _slices(graph, node)
    source = given(values)
    return [source[(slice(None), *slices)].reshape(len(source), *graph.result(node).shape)]


def _lower_slice(graph: Graph, node: Node) -> tuple[Call, ...]:
    slices, _ = _slices(graph, node)
    counts = _counts(slices)
    box = _Box(
        counts=counts,
        source=graph.tensors[node.inputs[0]].shape,
        result=counts,
        start=tuple(bounds.start for bounds in slices),
        step=tuple(bounds.step for bounds in slices),
        place=tuple(0 for _ in counts),
    )
    return (_call(node, node.inputs[0], box),)


# SPLIT and SPLIT_V


def _cuts(graph: Graph, node: Node) -> tuple[int, int, list[slice]]:
    """Position of the input, the axis, and the part of every output."""
    at = 1 if node.operator == "SPLIT" else 0
    source = int8_tensor(graph.source(node, at), "input")
    axes = constant(graph.source(node, 0 if at else 2), Element.INT32, "an axis").reshape(-1).tolist()
    rank = len(source.shape)
    require(0 < rank <= _AXES, f"has {rank} axes", _FEWER)
    require(len(axes) == 1 and -rank <= axes[0] < rank, f"has the axes {axes}", "convert it again")
    axis, start, found = axes[0] % rank, 0, []
    for index in node.outputs:
        part = int8_tensor(graph.tensors[index], "output")
        same_quantization(source, part, "input and outputs")
        require(len(part.shape) == rank, f"gives {len(part.shape)} axes", "convert it again")
        shape_is(part, [part.shape[axis] if place == axis else side for place, side in enumerate(source.shape)])
        found.append(slice(start, start + part.shape[axis]))
        start += part.shape[axis]
    require(start == source.shape[axis], f"splits {source.shape[axis]} into {start}", "convert it again")
    return at, axis, found


def _check_split(graph: Graph, node: Node) -> None:
    _cuts(graph, node)


def _run_split(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    at, axis, parts = _cuts(graph, node)
    source = given(values, at)
    return [source[(*[slice(None)] * (axis + 1), part)] for part in parts]


def _lower_split(graph: Graph, node: Node) -> tuple[Call, ...]:
    at, axis, parts = _cuts(graph, node)
    calls = []
    for index, part in zip(node.outputs, parts, strict=True):
        result = graph.tensors[index]
        zeros, ones = tuple(0 for _ in result.shape), tuple(1 for _ in result.shape)
        start = tuple(part.start if place == axis else 0 for place in range(len(result.shape)))
        source = graph.tensors[node.inputs[at]].shape
        box = _Box(counts=result.shape, source=source, result=result.shape, start=start, step=ones, place=zeros)
        named = dataclasses.replace(node, name=result.name, outputs=(index,))
        calls.append(_call(named, node.inputs[at], box))
    return tuple(calls)


# TRANSPOSE


def _permutation(graph: Graph, node: Node) -> tuple[int, ...]:
    """Axis of the input for every axis of the output."""
    source, result = activations(graph, node, inputs=1)
    same_quantization(source, result, "input and output")
    axes = constant(graph.source(node, 1), Element.INT32, "axes").reshape(-1).tolist()
    rank = len(source.shape)
    require(sorted(axes) == list(range(rank)), f"has the axes {axes} for {rank}", "convert it again")
    return tuple(axes)


def _check_transpose(graph: Graph, node: Node) -> None:
    axes, source = _permutation(graph, node), graph.tensors[node.inputs[0]]
    shape_is(graph.result(node), [source.shape[axis] for axis in axes])
    runs = _runs(axes, source.shape)
    require(len(runs) <= _AXES, f"permutes {len(runs)} axes", "permute fewer axes")


def _runs(axes: Sequence[int], shape: Sequence[int]) -> list[tuple[int, int]]:
    """Axes that stay neighbors are one: (values, distance of two in the input), in the order of the output."""
    pitches, runs = _pitches(shape), list[tuple[int, int]]()
    for axis in axes:
        if shape[axis] == 1:
            continue
        if runs and runs[-1][1] == pitches[axis] * shape[axis]:
            runs[-1] = (runs[-1][0] * shape[axis], pitches[axis])
        else:
            runs.append((shape[axis], pitches[axis]))
    return runs or [(1, 1)]


def _run_transpose(graph: Graph, node: Node, values: Sequence[Array | None]) -> list[Array]:
    return [given(values).transpose(0, *(1 + axis for axis in _permutation(graph, node)))]


def _lower_transpose(graph: Graph, node: Node) -> tuple[Call, ...]:
    runs = _runs(_permutation(graph, node), graph.tensors[node.inputs[0]].shape)
    counts, steps = zip(*runs, strict=True)
    return (
        strided_copy(
            node, node.inputs[0], counts=counts, source_steps=steps, result_steps=_pitches(counts), first=(0, 0)
        ),
    )


PAD = OperatorKind(operator="PAD", check=_check_pad, run=_run_pad, lower=_lower_pad)
CONCATENATION = OperatorKind(
    operator="CONCATENATION", check=_check_concatenation, run=_run_concatenation, lower=_lower_concatenation
)
STRIDED_SLICE = OperatorKind(operator="STRIDED_SLICE", check=_check_slice, run=_run_slice, lower=_lower_slice)
TRANSPOSE = OperatorKind(operator="TRANSPOSE", check=_check_transpose, run=_run_transpose, lower=_lower_transpose)
SPLIT, SPLIT_V = (
    OperatorKind(operator=name, check=_check_split, run=_run_split, lower=_lower_split) for name in ("SPLIT", "SPLIT_V")
)
