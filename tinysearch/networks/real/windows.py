"""Convolutions, pools and normalizations: what sees channels."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tinysearch.networks.graph import Node, Quantization
from tinysearch.networks.operators.kind import Unfit, require
from tinysearch.networks.operators.window import window_of
from tinysearch.networks.options import Activation, ActivationOptions, Sides, WindowOptions
from tinysearch.networks.real.builder import Builder, Known, Value, channels_last
from tinysearch.networks.real.nodes import Array
from tinysearch.networks.real.step import AGAIN, Operand, Step

_NO_PADDING = ((0, 0), (0, 0))


def image(step: Step, position: int = 0) -> tuple[int, Value]:
    """An input of 3 or 4 axes as [1, height, width, channels]."""
    value = step.value(position)
    rank = len(value.order)
    require(rank in (3, 4), f"has an input of {rank} axes", "use one or two spatial axes")
    tensor = step.build.last(value, step.name)
    shape = step.build.tensors[tensor].shape
    require(shape[0] == 1, f"has a batch of {shape[0]}", "use a batch of 1")
    if rank == 3:
        tensor = step.build.reshaped(tensor, (shape[0], 1, *shape[1:]), step.name)
    return tensor, value


def back(step: Step, tensor: int, like: Value) -> Value:
    """An image as a value of as many axes as the input had."""
    rank = len(like.order)
    shape = step.build.tensors[tensor].shape
    if rank == 3:
        tensor = step.build.reshaped(tensor, (shape[0], *shape[2:]), step.name)
    return Value(tensor=tensor, order=channels_last(rank))


def sides_of(values: Sequence[int] | None, default: int) -> Sides:
    """One or two numbers as (vertical, horizontal)."""
    if values is None:
        return default, default
    if len(values) == 1:
        return default, values[0]
    require(len(values) == 2, f"has {len(values)} spatial axes", "use one or two")
    return values[0], values[1]


def padding_of(step: Step, inputs: Sides, kernel: Sides, stride: Sides, dilation: Sides) -> tuple[Sides, Sides]:
    """Rows and columns before and after."""
    automatic = step.text("auto_pad", "NOTSET")
    if automatic in ("SAME_UPPER", "SAME_LOWER"):
        missing = [
            max((-(-side // s) - 1) * s + (k - 1) * d + 1 - side, 0)
            for side, k, s, d in zip(inputs, kernel, stride, dilation, strict=True)
        ]
        less, more = [count // 2 for count in missing], [count - count // 2 for count in missing]
        before, after = (less, more) if automatic == "SAME_UPPER" else (more, less)
        return (before[0], before[1]), (after[0], after[1])
    pads = step.integers("pads")
    if pads is None or automatic == "VALID":
        return _NO_PADDING
    require(len(pads) in (2, 4), f"has {len(pads)} paddings", AGAIN)
    half = len(pads) // 2
    return sides_of(pads[:half], 0), sides_of(pads[half:], 0)


def _padded_before(step: Step, tensor: int) -> tuple[int, tuple[Sides, Sides]]:
    """An input without the rows and columns of zeros that an operator of its own put around it, and these."""
    node = step.build.producer(tensor)
    if node is None or node.operator != "PAD" or not step.alone():
        return tensor, _NO_PADDING
    pairs = step.build.tensors[node.inputs[1]].data
    if pairs is None or pairs.shape != (4, 2) or pairs[0].any() or pairs[3].any():
        return tensor, _NO_PADDING
    (top, bottom), (left, right) = pairs[1].tolist(), pairs[2].tolist()
    return node.inputs[0], ((top, left), (bottom, right))


def _sum(left: tuple[Sides, Sides], right: tuple[Sides, Sides]) -> tuple[Sides, Sides]:
    (a, b), (c, d) = left, right
    return (a[0] + c[0], a[1] + c[1]), (b[0] + d[0], b[1] + d[1])


def _moved_scales(quantization: Quantization | None, axis: int) -> Quantization | None:
    """Scales of output channels whose axis moved."""
    return None if quantization is None else dataclasses.replace(quantization, axis=axis)


def bias_of(step: Step, position: int, channels: int) -> Array:
    """Constant biases, zeros where there are none."""
    if step.operand(position) is None:
        return np.zeros(channels)
    return np.broadcast_to(step.reals(position, "biases").reshape(-1), (channels,))


def _convolution(step: Step) -> list[Operand]:
    build = step.build
    known = step.known(1, "weights")
    weights = np.asarray(known.values)
    require(weights.ndim in (3, 4), f"has weights of {weights.ndim} axes", "use one or two spatial axes")
    if weights.ndim == 3:
        weights = weights[:, :, None, :]
    tensor, like = image(step)
    tensor, more = _padded_before(step, tensor)
    _, height, width, channels = build.tensors[tensor].shape
    out, inner, *kernel_sides = weights.shape
    kernel = (kernel_sides[0], kernel_sides[1])
    groups = step.integer("group", 1)
    require(groups > 0 and inner * groups == channels and out % groups == 0, f"has {groups} groups", AGAIN)
    stride, dilation = sides_of(step.integers("strides"), 1), sides_of(step.integers("dilations"), 1)
    require(min(*stride, *dilation) > 0, "has a stride or dilation of 0", AGAIN)
    (top, left), (bottom, right) = more
    padded = (top + height + bottom, left + width + right)
    padding = _sum(more, padding_of(step, padded, kernel, stride, dilation))
    options = WindowOptions(same=False, padding=padding, stride=stride, dilation=dilation)
    depthwise = groups == channels and groups > 1
    moved = weights.transpose(1, 2, 3, 0) if depthwise else weights.transpose(0, 2, 3, 1)
    scales = _moved_scales(known.quantization, 3 if depthwise else 0)
    constants = (
        build.constant(moved.astype(np.float32), f"{step.name} weights", quantization=scales),
        build.constant(bias_of(step, 2, out).astype(np.float32), f"{step.name} bias"),
    )
    shape = (1, *window_of(build.tensors[tensor], options, kernel).outputs, out)
    operator = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
    return [back(step, build.emit(operator, (tensor, *constants), shape, step.name, options), like)]


def _pool(step: Step) -> list[Operand]:
    build = step.build
    average = step.node.operator == "AveragePool"
    tensor, like = image(step)
    _, height, width, channels = build.tensors[tensor].shape
    kernel = sides_of(step.integers("kernel_shape"), 1)
    stride, dilation = sides_of(step.integers("strides"), 1), sides_of(step.integers("dilations"), 1)
    require(dilation == (1, 1), "has a dilation", "use windows without gaps")
    require(min(*stride, *kernel) > 0, "has an empty window", AGAIN)
    before, after = padding_of(step, (height, width), kernel, stride, dilation)
    over = (0, 0)
    if step.integer("ceil_mode", 0):
        sides = zip((height, width), before, after, kernel, stride, strict=True)
        over = sides_of([_ceiling(side, low, high, k, s) for side, low, high, k, s in sides], 0)
    if average and step.integer("count_include_pad", 0) and any((*before, *after)):
        tensor = _with_zeros(step, tensor, before, after)
        before, after = _NO_PADDING
    after = (after[0] + over[0], after[1] + over[1])
    options = WindowOptions(same=False, padding=(before, after), stride=stride, filter=kernel)
    shape = (1, *window_of(build.tensors[tensor], options, kernel).outputs, channels)
    operator = "AVERAGE_POOL_2D" if average else "MAX_POOL_2D"
    return [back(step, build.emit(operator, (tensor,), shape, step.name, options), like)]


def _ceiling(side: int, low: int, high: int, kernel: int, stride: int) -> int:
    """Padding that the last window, which may hang over, needs besides; it must begin inside."""
    count = -(-(side + low + high - kernel) // stride) + 1
    if (count - 1) * stride >= side + low:
        count -= 1
    return max((count - 1) * stride + kernel - side - low - high, 0)


def _with_zeros(step: Step, tensor: int, before: Sides, after: Sides) -> int:
    build = step.build
    pairs = np.array([(0, 0), *zip(before, after, strict=True), (0, 0)], np.int32)
    shape = [side + sum(pair) for side, pair in zip(build.tensors[tensor].shape, pairs.tolist(), strict=True)]
    return build.emit("PAD", (tensor, build.constant(pairs, f"{step.name} pads")), shape, f"{step.name} padded")


def _global(step: Step) -> list[Operand]:
    """Over all spatial axes; they stay, 1 long."""
    build = step.build
    tensor, like = image(step)
    _, height, width, channels = build.tensors[tensor].shape
    shape = (1, 1, 1, channels)
    if step.node.operator == "GlobalMaxPool":
        options = WindowOptions(same=False, stride=(1, 1), filter=(height, width))
        return [back(step, build.emit("MAX_POOL_2D", (tensor,), shape, step.name, options), like)]
    axes = build.constant(np.array([1, 2], np.int32), f"{step.name} axes")
    return [back(step, build.emit("MEAN", (tensor, axes), shape, step.name), like)]


def _normalization(step: Step) -> list[Operand]:
    require(not step.integer("training_mode", 0), "is in training", "export the network for inference")
    scale, bias, mean, variance = (step.reals(position, "statistics") for position in (1, 2, 3, 4))
    factor = scale / np.sqrt(variance + step.real("epsilon", 1e-5))
    return [affine(step, step.value(), factor, bias - mean * factor)]


def affine(step: Step, value: Value, factor: Array, shift: Array) -> Value:
    """``value * factor + shift`` with one of each a channel (the author's axis 1, or the last of two)."""
    build = step.build
    node = build.producer(value.tensor)
    if node is not None and step.alone() and _absorb(build, node, factor, shift):
        return value
    rank = len(value.order)
    if rank <= 2:
        tensor = build.plain(value, step.name)
        shape = build.tensors[tensor].shape
        row = build.reshaped(tensor, (1, 1, math.prod(shape[:-1]), shape[-1]), step.name)
        return build.plain_value(build.reshaped(_scaled(step, row, factor, shift), shape, step.name))
    tensor, like = image(step) if step.operand(0) is value else _image_of(step, value)
    return back(step, _scaled(step, tensor, factor, shift), like)


def _image_of(step: Step, value: Value) -> tuple[int, Value]:
    return image(dataclasses.replace(step, operands=[value], lonely=[False]))


def _scaled(step: Step, tensor: int, factor: Array, shift: Array) -> int:
    """A depthwise convolution that sees one pixel."""
    build = step.build
    shape = build.tensors[tensor].shape
    weights = np.broadcast_to(factor.reshape(-1), (shape[3],)).astype(np.float32)
    bias = np.broadcast_to(shift.reshape(-1), (shape[3],)).astype(np.float32)
    inputs = (
        tensor,
        build.constant(weights.reshape(1, 1, 1, -1), f"{step.name} weights"),
        build.constant(bias, f"{step.name} bias"),
    )
    options = WindowOptions(same=False, stride=(1, 1))
    return build.emit("DEPTHWISE_CONV_2D", inputs, shape, step.name, options)


_CHANNEL_AXIS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}


def _absorb(build: Builder, node: Node, factor: Array, shift: Array) -> bool:
    """Multiply the weights of a layer whose outputs nothing has seen yet; False where it is no such layer."""
    axis = _CHANNEL_AXIS.get(node.operator)
    if axis is None or build.tensors[node.outputs[0]].quantization is not None:
        return False
    options = node.options
    if not isinstance(options, WindowOptions | ActivationOptions) or options.activation is not Activation.NONE:
        return False
    weights, bias = (build.tensors[index] for index in node.inputs[1:])
    if weights.data is None or bias.data is None or weights.quantization is not None:
        return False
    channels = bias.data.size
    factor, shift = (np.broadcast_to(values.reshape(-1), (channels,)) for values in (factor, shift))
    shape = [channels if place == axis else 1 for place in range(weights.data.ndim)]
    inputs = (
        node.inputs[0],
        build.constant((weights.data * factor.reshape(shape)).astype(np.float32), weights.name),
        build.constant((bias.data * factor + shift).astype(np.float32), bias.name),
    )
    build.change(node, inputs=inputs)
    return True


def known_reals(known: Known) -> Array:
    """A constant as float64."""
    return np.asarray(known.values, np.float64)


WINDOWS: Mapping[str, Callable[[Step], list[Operand]]] = {
    "Conv": _convolution,
    "MaxPool": _pool,
    "AveragePool": _pool,
    "GlobalAveragePool": _global,
    "GlobalMaxPool": _global,
    "BatchNormalization": _normalization,
}

__all__ = ["WINDOWS", "Unfit", "affine", "known_reals"]
