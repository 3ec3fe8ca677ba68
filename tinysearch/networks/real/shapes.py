"""Operators that give values another shape or place."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tinysearch.networks.operators.kind import Unfit, require
from tinysearch.networks.operators.moving import bounds_of
from tinysearch.networks.options import Activation, ConcatenationOptions, StridedSliceOptions
from tinysearch.networks.real.builder import Known, Value, View, channels_last
from tinysearch.networks.real.step import AGAIN, Operand, Step, axis_of


def _same(step: Step) -> list[Operand]:
    return [step.value()]


def _reshape(step: Step) -> list[Operand]:
    shape, value = step.build.shape(step.value()), step.value()
    asked = step.integers("shape", 1)
    require(asked is not None, "has no shape", AGAIN)
    wished = list(asked or ())
    if not step.integer("allowzero", 0):
        wished = [shape[place] if side == 0 and place < len(shape) else side for place, side in enumerate(wished)]
    if wished.count(-1) == 1:
        others = math.prod(side for side in wished if side != -1)
        require(others > 0, "has a shape of no values", AGAIN)
        wished[wished.index(-1)] = math.prod(shape) // others
    return [reshaped(step, value, wished)]


def _flatten(step: Step) -> list[Operand]:
    value = step.value()
    shape = step.build.shape(value)
    axis = step.integer("axis", 1)
    axis = axis if axis == len(shape) else axis_of(axis, len(shape))
    return [reshaped(step, value, (math.prod(shape[:axis]), math.prod(shape[axis:])))]


def reshaped(step: Step, value: Value, shape: Sequence[int]) -> Value:
    """The values in the author's order under another shape; moved only where memory has another order for good."""
    build = step.build
    before, after = build.shape(value), tuple(int(side) for side in shape)
    require(math.prod(before) == math.prod(after) and min(after, default=1) > 0, f"turns {before} into {after}", AGAIN)
    if before == after:
        return value
    if value.view is not None:
        value = build.plain_value(build.plain(value, step.name))
    kept = _in_place(step, value, before, after)
    if kept is not None:
        return kept
    if len(after) == 2 and after[0] == 1:
        view = View(shape=build.tensors[value.tensor].shape, order=value.order)
        return Value(tensor=build.reshaped(value.tensor, after, step.name), order=(0, 1), view=view)
    gathered = _gathered(step, value, _groups(before, after))
    found = _in_place(step, gathered, before, after)
    if found is None:
        raise Unfit(f"turns {before} into {after}", AGAIN)
    return found


def _gathered(step: Step, value: Value, groups: Sequence[tuple[list[int], list[int]]]) -> Value:
    """Axes that are to be merged moved to each other, where the first of them lies in memory."""
    places = {axis: place for place, axis in enumerate(value.order)}
    rows = sorted((min(places[axis] for axis in old), old) for old, _ in groups if old)
    order = tuple(axis for _, old in rows for axis in old)
    return Value(tensor=step.build.ordered(value, order, step.name), order=order)


def _groups(before: Sequence[int], after: Sequence[int]) -> list[tuple[list[int], list[int]]]:
    """Axes of both shapes that hold the same values, the fewest at a time."""
    found: list[tuple[list[int], list[int]]] = []
    left, right = 0, 0
    while left < len(before) or right < len(after):
        a, b = ([left], before[left]) if left < len(before) else ([], 1)
        c, d = ([right], after[right]) if right < len(after) else ([], 1)
        while b != d:
            if b < d:
                a.append(a[-1] + 1 if a else left)
                b *= before[a[-1]]
            else:
                c.append(c[-1] + 1 if c else right)
                d *= after[c[-1]]
        left, right = (a[-1] + 1 if a else left), (c[-1] + 1 if c else right)
        found.append((a, c))
    return found


def _in_place(step: Step, value: Value, before: Sequence[int], after: Sequence[int]) -> Value | None:
    """Split or merge axes that are neighbors in memory, None where they are not."""
    places = {axis: place for place, axis in enumerate(value.order)}
    order: list[tuple[float, list[int]]] = []
    for number, (old, new) in enumerate(_groups(before, after)):
        at = [places[axis] for axis in old if before[axis] > 1]
        if at != list(range(at[0], at[0] + len(at))) if at else False:
            return None
        order.append((float(at[0]) if at else number - len(before), new))
    axes = [axis for _, new in sorted(order, key=lambda pair: pair[0]) for axis in new]
    tensor = step.build.reshaped(value.tensor, [after[axis] for axis in axes], step.name)
    return Value(tensor=tensor, order=tuple(axes))


def _squeeze(step: Step) -> list[Operand]:
    value = step.value()
    shape = step.build.shape(value)
    given = step.integers("axes", 1)
    dropped = (
        {axis_of(axis, len(shape)) for axis in given}
        if given is not None
        else {axis for axis, side in enumerate(shape) if side == 1}
    )
    require(all(shape[axis] == 1 for axis in dropped), "drops an axis that is longer than 1", AGAIN)
    return [reshaped(step, value, [side for axis, side in enumerate(shape) if axis not in dropped])]


def _unsqueeze(step: Step) -> list[Operand]:
    value = step.value()
    shape = list(step.build.shape(value))
    given = step.integers("axes", 1) or ()
    rank = len(shape) + len(given)
    for axis in sorted(axis_of(axis, rank) for axis in given):
        shape.insert(axis, 1)
    return [reshaped(step, value, shape)]


def _transpose(step: Step) -> list[Operand]:
    """Only a new name for the axes; whoever needs them in another order moves them."""
    build, value = step.build, step.value()
    if value.view is not None:
        value = build.plain_value(build.plain(value, step.name))
    rank = len(value.order)
    axes = step.integers("perm") or tuple(reversed(range(rank)))
    require(sorted(axes) == list(range(rank)), f"has the axes {axes} for {rank}", AGAIN)
    return [Value(tensor=value.tensor, order=tuple(axes.index(axis) for axis in value.order))]


def _concatenation(step: Step) -> list[Operand]:
    build = step.build
    first = next((value for value in step.operands if isinstance(value, Value)), None)
    if first is None:
        raise Unfit("joins no computed tensor", AGAIN)
    rank = len(first.order)
    axis = step.axis("axis", 0, rank)
    order = first.order if first.view is None else tuple(range(rank))
    tensors = []
    for operand in step.operands:
        if isinstance(operand, Known):
            values = np.asarray(operand.values, np.float32)
            require(values.ndim == rank, "joins tensors of several ranks", AGAIN)
            tensors.append(build.constant(values.transpose(order), f"{step.name} constant"))
        elif operand is not None:
            require(len(operand.order) == rank, "joins tensors of several ranks", AGAIN)
            tensors.append(build.ordered(operand, order, step.name))
    place = order.index(axis)
    shapes = [build.tensors[tensor].shape for tensor in tensors]
    others = {sides[:place] + sides[place + 1 :] for sides in shapes}
    require(len(others) == 1, f"joins {[list(sides) for sides in shapes][:4]}", AGAIN)
    shape = list(shapes[0])
    shape[place] = sum(sides[place] for sides in shapes)
    options = ConcatenationOptions(axis=place, activation=Activation.NONE)
    return [Value(tensor=build.emit("CONCATENATION", tensors, shape, step.name, options), order=order)]


def _cut(step: Step, value: Value, bounds: Mapping[int, slice], name: str) -> Value:
    """A part of a tensor, by the author's axes."""
    build = step.build
    if value.view is not None:
        value = build.plain_value(build.plain(value, step.name))
    shape = build.tensors[value.tensor].shape
    sides, rows = bounds_of(shape, [bounds.get(axis, slice(None)) for axis in value.order])
    require(min(sides, default=1) > 0, "has an empty slice", AGAIN)
    if sides == shape and (rows[2] > 0).all():
        return value
    inputs = (value.tensor, *(build.constant(row, f"{name} bounds") for row in rows))
    found = build.emit("STRIDED_SLICE", inputs, sides, name, StridedSliceOptions())
    return Value(tensor=found, order=value.order)


def _slice(step: Step) -> list[Operand]:
    value = step.value()
    shape = step.build.shape(value)
    starts, ends = step.integers("starts", 1), step.integers("ends", 2)
    if starts is None or ends is None:
        raise Unfit("has no bounds", AGAIN)
    axes = step.integers("axes", 3) or tuple(range(len(starts)))
    steps = step.integers("steps", 4) or (1,) * len(starts)
    require(len(starts) == len(ends) == len(axes) == len(steps), "has bounds that do not fit", AGAIN)
    bounds = {
        axis_of(axis, len(shape)): slice(start, end, by)
        for axis, start, end, by in zip(axes, starts, ends, steps, strict=True)
    }
    require(0 not in steps, "has the step 0", AGAIN)
    return [_cut(step, value, bounds, step.name)]


def _split(step: Step) -> list[Operand]:
    value, count = step.value(), len(step.node.outputs)
    shape = step.build.shape(value)
    axis = step.axis("axis", 0, len(shape))
    sizes = step.integers("split", 1)
    if sizes is None:
        size = -(-shape[axis] // count)
        sizes = (*[size] * (count - 1), shape[axis] - size * (count - 1))
    require(len(sizes) == count and sum(sizes) == shape[axis] and min(sizes) > 0, f"splits into {list(sizes)}", AGAIN)
    found: list[Operand] = []
    start = 0
    for number, size in enumerate(sizes):
        found.append(_cut(step, value, {axis: slice(start, start + size)}, f"{step.name} {number}"))
        start += size
    return found


def _gather(step: Step) -> list[Operand]:
    """One index: a slice whose axis is dropped."""
    value = step.value()
    shape = step.build.shape(value)
    axis = step.axis("axis", 0, len(shape))
    indices = step.known(1, "indices").values
    require(indices.ndim == 0 and np.issubdtype(indices.dtype, np.integer), "takes several", "use slices")
    index = axis_of(int(indices), shape[axis])
    cut = _cut(step, value, {axis: slice(index, index + 1)}, step.name)
    return [reshaped(step, cut, [*shape[:axis], *shape[axis + 1 :]])]


def _pad(step: Step) -> list[Operand]:
    build, value = step.build, step.value()
    mode = step.text("mode", "constant")
    require(mode in ("constant", *_COPIES), f"pads by {mode}", "pad with zeros")
    if mode == "constant" and step.operand(2) is not None:
        require(float(step.reals(2, "values").reshape(-1)[0]) == 0.0, "pads with other than zeros", "pad with zeros")
    require(step.real("value", 0.0) == 0.0, "pads with other than zeros", "pad with zeros")
    if value.view is not None:
        value = build.plain_value(build.plain(value, step.name))
    rank = len(value.order)
    pads = step.integers("pads", 1) or step.integers("paddings") or ()
    axes = step.integers("axes", 3) or tuple(range(rank))
    require(len(pads) == 2 * len(axes), f"has {len(pads)} paddings", AGAIN)
    require(min(pads, default=0) >= 0, "has negative paddings", "use a slice")
    both = {axis_of(a, rank): pair for a, pair in zip(axes, _pairs(pads), strict=True)}
    if not any(pads):
        return [value]
    if mode != "constant":
        for axis, counts in both.items():
            value = _copied_around(step, value, axis, counts, mode)
        return [value]
    order = channels_last(rank) if rank > 2 else value.order
    tensor = build.ordered(value, order, step.name)
    pairs = np.array([both.get(axis, (0, 0)) for axis in order], np.int32)
    shape = [side + sum(pair) for side, pair in zip(build.tensors[tensor].shape, pairs.tolist(), strict=True)]
    constant = build.constant(pairs, f"{step.name} pads")
    return [Value(tensor=build.emit("PAD", (tensor, constant), shape, step.name), order=order)]


_Rows = Callable[[int, int], slice]

_COPIES: Mapping[str, tuple[_Rows, _Rows]] = {
    "reflect": (lambda count, _: slice(count, 0, -1), lambda count, _: slice(-2, -2 - count, -1)),
    "wrap": (lambda count, side: slice(side - count, side), lambda count, _: slice(0, count)),
}
"""Which rows of an axis stand before and after it, by their number and the axis's length."""


def _copied_around(step: Step, value: Value, axis: int, counts: tuple[int, int], mode: str) -> Value:
    """An axis with copies of so many of its own rows before and after it."""
    build, (before, after), rows = step.build, counts, _COPIES[mode]
    side = build.shape(value)[axis]
    require(max(before, after) < side, f"pads {side} rows by {max(before, after)}", "pad by fewer")
    parts = [value]
    if before:
        parts.insert(0, _cut(step, value, {axis: rows[0](before, side)}, f"{step.name} before"))
    if after:
        parts.append(_cut(step, value, {axis: rows[1](after, side)}, f"{step.name} after"))
    if len(parts) == 1:
        return value
    place = value.order.index(axis)
    shape = list(build.tensors[value.tensor].shape)
    shape[place] = side + before + after
    options = ConcatenationOptions(axis=place, activation=Activation.NONE)
    tensors = [part.tensor for part in parts]
    return Value(tensor=build.emit("CONCATENATION", tensors, shape, f"{step.name} {axis}", options), order=value.order)


def _pairs(pads: Sequence[int]) -> list[tuple[int, int]]:
    half = len(pads) // 2
    return list(zip(pads[:half], pads[half:], strict=True))


SHAPES: Mapping[str, Callable[[Step], list[Operand]]] = {
    "Identity": _same,
    "Dropout": _same,
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "Concat": _concatenation,
    "Slice": _slice,
    "Split": _split,
    "Gather": _gather,
    "Pad": _pad,
}
