"""Functions of one value, and sums and products of two tensors."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from tinysearch.networks.operators.kind import Unfit, require
from tinysearch.networks.options import Activation, ActivationOptions, PointwiseOptions, RealFunction, WindowOptions
from tinysearch.networks.real.builder import Known, Value
from tinysearch.networks.real.step import Operand, Step
from tinysearch.networks.real.windows import affine, known_reals

Reals = npt.NDArray[np.float64]

_FUSES = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "SUB", "MUL")


def sigmoid(x: Reals) -> Reals:
    """1 / (1 + exp(-x))."""
    with np.errstate(over="ignore"):
        found: Reals = 1 / (1 + np.exp(-x))
    return found


def _softplus(x: Reals) -> Reals:
    return np.logaddexp(0, x)


def _error_function(x: Reals) -> Reals:
    from scipy.special import erf

    found: Reals = erf(x)
    return found


def _gelu(step: Step) -> RealFunction:
    if step.text("approximate", "none") == "tanh":
        return lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return lambda x: 0.5 * x * (1 + _error_function(x / math.sqrt(2)))


def _elu(alpha: float, gamma: float = 1.0) -> RealFunction:
    return lambda x: gamma * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _hard_sigmoid(step: Step) -> RealFunction:
    alpha, beta = step.real("alpha", 0.2), step.real("beta", 0.5)
    return lambda x: np.clip(alpha * x + beta, 0, 1)


def _leaky(slope: float) -> RealFunction:
    return lambda x: np.where(x < 0, slope * x, x)


FUNCTIONS: Mapping[str, Callable[[Step], RealFunction]] = {
    "Sigmoid": lambda _: sigmoid,
    "Tanh": lambda _: np.tanh,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": lambda _: lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "Elu": lambda step: _elu(step.real("alpha", 1.0)),
    "Selu": lambda step: _elu(step.real("alpha", 1.6732632), step.real("gamma", 1.0507010)),
    "Celu": lambda step: (
        lambda x: (
            np.maximum(x, 0)
            + np.minimum(0, step.real("alpha", 1.0) * np.expm1(np.minimum(x, 0) / step.real("alpha", 1.0)))
        )
    ),
    "LeakyRelu": lambda step: _leaky(step.real("alpha", 0.01)),
    "Softplus": lambda _: _softplus,
    "Softsign": lambda _: lambda x: x / (1 + np.abs(x)),
    "Mish": lambda _: lambda x: x * np.tanh(_softplus(x)),
    "Swish": lambda step: lambda x: x * sigmoid(step.real("alpha", 1.0) * x),
    "Gelu": _gelu,
    "Erf": lambda _: _error_function,
    "Exp": lambda _: np.exp,
    "Log": lambda _: np.log,
    "Sqrt": lambda _: np.sqrt,
    "Reciprocal": lambda _: lambda x: 1 / x,
    "Abs": lambda _: np.abs,
    "Neg": lambda _: np.negative,
    "Floor": lambda _: np.floor,
    "Ceil": lambda _: np.ceil,
    "Round": lambda _: np.round,
    "Sign": lambda _: np.sign,
    "Sin": lambda _: np.sin,
    "Cos": lambda _: np.cos,
}
"""By ONNX's name; each becomes one table of 256 values."""


def _unary(step: Step) -> list[Operand]:
    function = FUNCTIONS[step.node.operator](step)
    return [step.build.pointwise(step.value(), step.node.operator, function, step.name)]


def _parametric(step: Step) -> list[Operand]:
    """One slope below zero is a table, several are an operator of their own."""
    build, value, slopes = step.build, step.value(), step.reals(1, "slopes")
    if slopes.size == 1:
        return [build.pointwise(value, "PRelu", _leaky(float(slopes.reshape(-1)[0])), step.name)]
    rank = len(value.order)
    require(slopes.ndim <= rank, f"has slopes of {slopes.ndim} axes", "use one slope a channel")
    order = build.channels_order(value)
    tensor = build.ordered(value, order, step.name)
    moved = slopes.reshape((1,) * (rank - slopes.ndim) + slopes.shape).transpose(order)
    shape = build.tensors[tensor].shape
    if any(side not in (1, whole) for side, whole in zip(moved.shape, shape, strict=True)):
        raise Unfit(f"repeats slopes {list(slopes.shape)} over {list(build.shape(value))}", "use one slope a channel")
    if moved.size != moved.shape[-1]:
        moved = np.broadcast_to(moved, shape)
    constant = build.constant(moved.astype(np.float32), f"{step.name} slopes")
    return [Value(tensor=build.emit("PRELU", (tensor, constant), shape, step.name), order=order)]


def _bound(step: Step, name: str, position: int, default: float) -> float:
    if step.operand(position) is None:
        return step.real(name, default)
    return float(step.reals(position, f"the bound {name}").reshape(-1)[0])


def _clip(step: Step) -> list[Operand]:
    if step.node.operator == "Relu":
        return [clamped(step, 0.0, math.inf)]
    return [clamped(step, _bound(step, "min", 1, -math.inf), _bound(step, "max", 2, math.inf))]


_CLAMPS = {(0.0, math.inf): Activation.RELU, (0.0, 6.0): Activation.RELU6, (-1.0, 1.0): Activation.RELU_N1_TO_1}


def clamped(step: Step, low: float, high: float) -> Value:
    """A clamp, in the operator before it where that has none yet."""
    value, activation = step.value(), _CLAMPS.get((low, high))
    tensor = _behind_shapes(step, value.tensor)
    node = step.build.producer(tensor)
    if node is not None and activation is not None and step.alone() and node.operator in _FUSES:
        options, unseen = node.options, step.build.tensors[value.tensor].quantization is None
        if isinstance(options, WindowOptions | ActivationOptions) and options.activation is Activation.NONE and unseen:
            step.build.change(node, options=dataclasses.replace(options, activation=activation))
            return value
    return step.build.pointwise(value, step.node.operator, lambda x: np.clip(x, low, high), step.name)


def _behind_shapes(step: Step, tensor: int) -> int:
    """The tensor that was only given another shape, as those of one spatial axis are, if nobody else reads it."""
    build, node = step.build, step.build.producer(tensor)
    while node is not None and node.operator == "RESHAPE" and build.tensors[tensor].quantization is None:
        source = node.inputs[0]
        if sum(source in other.inputs for other in build.nodes) > 1 or build.tensors[source].quantization is not None:
            break
        tensor, node = source, build.producer(source)
    return tensor


_BINARY: Mapping[str, Callable[[Reals, Reals], Reals]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    "Pow": np.power,
    "Max": np.maximum,
    "Min": np.minimum,
}
_KERNELS = {"Add": "ADD", "Sub": "SUB", "Mul": "MUL"}


def _binary(step: Step) -> list[Operand]:
    require(len(step.operands) == 2, f"has {len(step.operands)} inputs", "use operators of two inputs")
    left, right = step.operands
    if isinstance(left, Value) and isinstance(right, Known):
        return [_with_constant(step, left, right, swapped=False)]
    if isinstance(left, Known) and isinstance(right, Value):
        return [_with_constant(step, right, left, swapped=True)]
    if isinstance(left, Value) and isinstance(right, Value):
        return [_of_two(step, left, right)]
    raise Unfit("has an absent input", "export the network again")


def _with_constant(step: Step, value: Value, known: Known, *, swapped: bool) -> Value:
    operator, constant = step.node.operator, known_reals(known)
    function = _BINARY[operator]
    if constant.size == 1:
        number = float(constant.reshape(-1)[0])
        neutral = (operator in ("Mul", "Div") and number == 1) or (operator in ("Add", "Sub") and number == 0)
        if neutral and not (swapped and operator in ("Div", "Sub")):
            return value
        if operator == "Max" and math.isfinite(number):
            return clamped(dataclasses.replace(step, operands=[value], lonely=[step.lonely[swapped]]), number, math.inf)
        lone = constant.reshape(-1)[:1]
        fixed: RealFunction = (lambda x: function(lone, x)) if swapped else (lambda x: function(x, lone))
        return step.build.pointwise(value, operator, fixed, step.name)
    rank = len(value.order)
    require(constant.ndim <= rank, "repeats its tensor over a constant", "reshape the constant")
    aligned = constant.reshape((1,) * (rank - constant.ndim) + constant.shape)
    channel = 1 if rank > 2 else rank - 1
    per_channel = all(side == 1 for axis, side in enumerate(aligned.shape) if axis != channel)
    if aligned.size == aligned.shape[-1] and _dense_before(step, value):
        per_channel = True  # the last axis holds the outputs of a dense layer
    if per_channel and operator in ("Add", "Sub", "Mul", "Div") and not (swapped and operator == "Div"):
        return _affine(step, value, aligned.reshape(-1), swapped=swapped)
    require(operator in _KERNELS or (operator == "Div" and not swapped), "has a constant tensor", "use one value")
    wide = np.broadcast_to(aligned, np.broadcast_shapes(aligned.shape, step.build.shape(value)))
    require(wide.shape == step.build.shape(value), "repeats its tensor over a constant", "reshape the constant")
    if operator == "Div":
        operator, wide = "Mul", 1 / wide
    tensor = step.build.last(value, step.name) if rank > 2 else step.build.plain(value, step.name)
    order = step.build.channels_order(value)
    moved = step.build.constant(wide.transpose(order).astype(np.float32), f"{step.name} constant")
    inputs = (moved, tensor) if swapped else (tensor, moved)
    options = ActivationOptions(activation=Activation.NONE)
    shape = step.build.tensors[tensor].shape
    return Value(tensor=step.build.emit(_KERNELS[operator], inputs, shape, step.name, options), order=order)


def _dense_before(step: Step, value: Value) -> bool:
    """Whether a layer whose outputs are the last axis may still be changed."""
    node = step.build.producer(value.tensor)
    if node is None or node.operator != "FULLY_CONNECTED" or value.order != tuple(range(len(value.order))):
        return False
    position = 0 if step.operand(0) is value else 1
    options, unseen = node.options, step.build.tensors[value.tensor].quantization is None
    free = isinstance(options, ActivationOptions) and options.activation is Activation.NONE
    return free and unseen and step.alone(position)


def _affine(step: Step, value: Value, constant: Reals, *, swapped: bool) -> Value:
    """One factor or summand a channel."""
    operator = step.node.operator
    ones, zeros = np.ones_like(constant), np.zeros_like(constant)
    factor, shift = {
        "Add": (ones, constant),
        "Sub": (-ones, constant) if swapped else (ones, -constant),
        "Mul": (constant, zeros),
        "Div": (1 / constant if operator == "Div" else ones, zeros),
    }[operator]
    position = 1 if swapped else 0
    return affine(dataclasses.replace(step, operands=[value], lonely=[step.lonely[position]]), value, factor, shift)


def _of_two(step: Step, left: Value, right: Value) -> Value:
    build, operator = step.build, step.node.operator
    (a, first), (b, second) = build.root(left.tensor), build.root(right.tensor)
    if a == b and left.order == right.order and left.view == right.view:
        return _of_one(step, left, a, (first, second))
    require(operator in _KERNELS, "has two computed tensors", "use Add, Sub or Mul")
    rank = max(len(left.order), len(right.order))
    order = _wider(step, left, right).order if len(left.order) == len(right.order) else tuple(range(rank))
    tensors = [_raised(step, value, order) for value in (left, right)]
    shapes = [build.tensors[tensor].shape for tensor in tensors]
    shape = np.broadcast_shapes(*shapes)
    options = ActivationOptions(activation=Activation.NONE)
    result = build.emit(_KERNELS[operator], tensors, shape, step.name, options)
    view = left.view if left.view == right.view and left.order == right.order else None
    return Value(tensor=result, order=order, view=view)


def _wider(step: Step, left: Value, right: Value) -> Value:
    sizes = [step.build.tensors[value.tensor].elements for value in (left, right)]
    return left if sizes[0] >= sizes[1] else right


def _raised(step: Step, value: Value, order: tuple[int, ...]) -> int:
    """A tensor with as many axes as the order has, the new ones first."""
    build, rank = step.build, len(order)
    if len(value.order) == rank:
        if value.view is not None and all(
            isinstance(other, Value) and other.view == value.view for other in step.operands
        ):
            return value.tensor
        return build.ordered(value, order, step.name)
    tensor = build.plain(value, step.name)
    return build.reshaped(tensor, (1,) * (rank - len(value.order)) + build.tensors[tensor].shape, step.name)


def _of_one(
    step: Step, value: Value, root: int, options: tuple[PointwiseOptions | None, PointwiseOptions | None]
) -> Value:
    """A function of two functions of one value."""
    combine = _BINARY[step.node.operator]
    first, second = (None if found is None else found.function for found in options)

    def both(x: Reals) -> Reals:
        return combine(x if first is None else first(x), x if second is None else second(x))

    parts = 1 + sum(found.parts for found in options if found is not None)
    source = dataclasses.replace(value, tensor=root)
    return step.build.pointwise(source, step.node.operator, both, step.name, parts=parts)


_OF_SEVERAL = {"Sum": "Add", "Max": "Max", "Min": "Min"}


def _several(step: Step) -> list[Operand]:
    """One operator of two inputs after another."""
    operator = _OF_SEVERAL[step.node.operator]
    left, alone = step.operands[0], step.lonely[0]
    if len(step.operands) == 1:
        return [step.value()]
    for right, lonely in zip(step.operands[1:], step.lonely[1:], strict=True):
        node = dataclasses.replace(step.node, operator=operator)
        pair = dataclasses.replace(step, node=node, operands=[left, right], lonely=[alone, lonely])
        (left,), alone = _binary(pair), True
    return [left] if left is not None else []


POINTWISE: Mapping[str, Callable[[Step], list[Operand]]] = {
    **dict.fromkeys(FUNCTIONS, _unary),
    **dict.fromkeys(_BINARY, _binary),
    **dict.fromkeys(_OF_SEVERAL, _several),
    "PRelu": _parametric,
    "Relu": _clip,
    "Clip": _clip,
}
