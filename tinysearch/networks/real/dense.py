"""Fully connected layers and softmax."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tinysearch.networks.graph import Quantization
from tinysearch.networks.operators.kind import require
from tinysearch.networks.options import Activation, ActivationOptions, SoftmaxOptions, WindowOptions
from tinysearch.networks.real.builder import Value, channels_last
from tinysearch.networks.real.nodes import Array
from tinysearch.networks.real.step import AGAIN, Operand, Step, axis_of


def _gemm(step: Step) -> list[Operand]:
    require(not step.integer("transA", 0), "transposes its input", "use a plain matrix product")
    known = step.known(1, "weights")
    weights = np.asarray(known.values, np.float32)
    require(weights.ndim == 2, f"has weights of {weights.ndim} axes", AGAIN)
    transposed = step.integer("transB", 0)
    scales = known.quantization if step.real("alpha", 1.0) == 1 else None
    if scales is not None and scales.axis == (0 if transposed else 1):
        scales = Quantization(scales=scales.scales, zero_points=scales.zero_points, axis=0)
    rows = step.real("alpha", 1.0) * (weights if transposed else weights.T)
    bias = np.zeros(len(rows))
    if step.operand(2) is not None:
        added = step.reals(2, "biases")
        require(added.size in (1, len(rows)), f"has {added.size} biases for {len(rows)} outputs", AGAIN)
        bias = step.real("beta", 1.0) * np.broadcast_to(added.reshape(-1), (len(rows),))
    return [_dense(step, rows, bias, scales)]


def _product(step: Step) -> list[Operand]:
    known = step.known(1, "right factors")
    weights = np.asarray(known.values, np.float32)
    require(weights.ndim == 2, f"has weights of {weights.ndim} axes", "multiply with a matrix")
    scales = known.quantization
    if scales is not None and scales.axis == 1:
        scales = Quantization(scales=scales.scales, zero_points=scales.zero_points, axis=0)
    return [_dense(step, weights.T, np.zeros(weights.shape[1]), scales)]


def _dense(step: Step, rows: Array, bias: Array, scales: Quantization | None) -> Value:
    """Weights [outputs, inputs] on the last axis; those of a flattened image in the order of its memory."""
    build, value = step.build, step.value()
    columns = build.columns(value)
    if columns is not None:
        require(len(columns) == rows.shape[1], f"has {len(columns)} inputs for {rows.shape[1]}", AGAIN)
        tensor, rows = value.tensor, rows[:, columns]
    else:
        tensor = build.plain(value, step.name)
    shape = build.tensors[tensor].shape
    require(bool(shape) and shape[-1] == rows.shape[1], f"has {list(shape)} for {rows.shape[1]} columns", AGAIN)
    inputs = (
        tensor,
        build.constant(rows.astype(np.float32), f"{step.name} weights", quantization=scales),
        build.constant(np.asarray(bias, np.float32), f"{step.name} bias"),
    )
    options = ActivationOptions(activation=Activation.NONE)
    return build.plain_value(build.emit("FULLY_CONNECTED", inputs, (*shape[:-1], len(rows)), step.name, options))


def _softmax(step: Step) -> list[Operand]:
    build, value = step.build, step.value()
    rank = len(value.order)
    default = 1 if step.opset < 13 else -1
    axis = step.axis("axis", default, rank)
    shape = build.shape(value)
    if step.opset < 13 and math.prod(shape[axis + 1 :]) != 1:  # over all axes from this one on
        tensor = build.plain(value, step.name)
        flat = build.reshaped(tensor, (math.prod(shape[:axis]), math.prod(shape[axis:])), step.name)
        found = build.plain_value(build.reshaped(_row_softmax(step, flat), shape, step.name))
    else:
        order = (*(place for place in _wish(rank) if place != axis), axis)
        found = Value(tensor=_row_softmax(step, build.ordered(value, order, step.name)), order=order)
    if step.node.operator == "LogSoftmax":
        return [build.pointwise(found, "Log", lambda x: np.log(np.maximum(x, 1 / 512)), step.name)]
    return [found]


def _wish(rank: int) -> tuple[int, ...]:
    return channels_last(rank)


def _row_softmax(step: Step, tensor: int) -> int:
    shape = step.build.tensors[tensor].shape
    return step.build.emit("SOFTMAX", (tensor,), shape, step.name, SoftmaxOptions(beta=1.0))


def _mean(step: Step) -> list[Operand]:
    build, value = step.build, step.value()
    rank = len(value.order)
    given = step.integers("axes", 1)
    axes = sorted({axis_of(axis, rank) for axis in given}) if given else list(range(rank))
    if given == () and step.integer("noop_with_empty_axes", 0):
        return [value]
    if value.view is not None:
        value = build.plain_value(build.plain(value, step.name))
    shape = build.tensors[value.tensor].shape
    places = [place for place, axis in enumerate(value.order) if axis in axes]
    reduced = [1 if place in places else side for place, side in enumerate(shape)]
    constant = build.constant(np.array(places, np.int32), f"{step.name} axes")
    tensor = build.emit("MEAN", (value.tensor, constant), reduced, step.name)
    found = Value(tensor=tensor, order=value.order)
    if step.node.operator == "ReduceSum":
        count = math.prod(shape[place] for place in places)
        found = build.pointwise(found, "Sum", lambda x: x * count, step.name)
    return [found if step.integer("keepdims", 1) else _without(step, found, axes)]


def _without(step: Step, value: Value, axes: Sequence[int]) -> Value:
    """A value without some of the author's axes, which are 1 long."""
    shape = step.build.tensors[value.tensor].shape
    left = [axis for axis in value.order if axis not in axes]
    sides = [side for side, axis in zip(shape, value.order, strict=True) if axis not in axes]
    names = {axis: number for number, axis in enumerate(sorted(left))}
    tensor = step.build.reshaped(value.tensor, sides, step.name)
    return Value(tensor=tensor, order=tuple(names[axis] for axis in left))


def _maximum(step: Step) -> list[Operand]:
    """Over axes between the first and the last in memory: a pool."""
    build, value = step.build, step.value()
    rank = len(value.order)
    given = step.integers("axes", 1) or tuple(range(rank))
    axes = sorted({axis_of(axis, rank) for axis in given})
    inner = [value.order.index(axis) in range(1, rank - 1) for axis in axes]
    order = value.order if all(inner) and value.view is None else channels_last(rank)
    places = [order.index(axis) for axis in axes]
    fits = rank in (3, 4) and all(place in range(1, rank - 1) for place in places)
    require(fits, f"reduces the axes {axes} of {rank}", "reduce sides of an image")
    tensor = build.ordered(value, order, step.name)
    shape = build.tensors[tensor].shape
    whole = (*shape[:1], *(1,) * (4 - rank), *shape[1:])
    filters = [whole[place] if place + rank - 4 in places else 1 for place in (1, 2)]
    outputs = [1 if place + rank - 4 in places else whole[place] for place in (1, 2)]
    options = WindowOptions(same=False, stride=(1, 1), filter=(filters[0], filters[1]))
    source = build.reshaped(tensor, whole, step.name)
    found = build.emit("MAX_POOL_2D", (source,), (whole[0], *outputs, whole[3]), step.name, options)
    sides = [1 if place in places else side for place, side in enumerate(shape)]
    result = Value(tensor=build.reshaped(found, sides, step.name), order=order)
    return [result if step.integer("keepdims", 1) else _without(step, result, axes)]


DENSE: Mapping[str, Callable[[Step], list[Operand]]] = {
    "Gemm": _gemm,
    "MatMul": _product,
    "Softmax": _softmax,
    "LogSoftmax": _softmax,
    "ReduceMean": _mean,
    "ReduceSum": _mean,
    "ReduceMax": _maximum,
}
