"""What follows from constants and shapes alone, as exporters write it: computed while reading."""

# ruff: noqa: ARG001 - one signature for all operators

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tinysearch.networks.file import MOST_ELEMENTS
from tinysearch.networks.graph import Quantization
from tinysearch.networks.operators.kind import Unfit, require
from tinysearch.networks.real.builder import Known, Value
from tinysearch.networks.real.nodes import Array, RealNode
from tinysearch.networks.real.step import AGAIN, Operand, Step, axis_of

_CAST = {1: np.float32, 6: np.int32, 7: np.int64, 9: np.bool_, 10: np.float32, 11: np.float32, 2: np.uint8, 3: np.int8}
"""ONNX's numbers of element types; floats of any width become float32."""


def fold(step: Step) -> list[Operand] | None:
    """The outputs of a node that reads constants only, or a shape; None for all others."""
    node = step.node
    if node.operator == "Constant":
        return [Known(values=_constant(node))]
    if node.operator in ("Shape", "Size") and isinstance(step.operand(0), Value):
        return [Known(values=_shape(step, step.build.shape(step.value())))]
    if not step.operands or any(isinstance(operand, Value) for operand in step.operands):
        return None
    function = _FOLDS.get(node.operator)
    if function is None:
        return None
    with np.errstate(all="ignore"):
        found = function(step, [None if value is None else value.values for value in _all_known(step)])
    if isinstance(found, Known):
        return [found]
    return [Known(values=np.asarray(array)) for array in (found if isinstance(found, list) else [found])]


def _all_known(step: Step) -> list[Known | None]:
    return [operand if isinstance(operand, Known) else None for operand in step.operands]


def _constant(node: RealNode) -> Array:
    for name in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        found = node.attributes.get(name)
        if found is not None:
            values = np.asarray(found)
            return values.astype(np.float32) if values.dtype == np.float64 and name != "value" else values
    raise Unfit("is no number", AGAIN)


def _shape(step: Step, shape: Sequence[int]) -> Array:
    if step.node.operator == "Size":
        return np.array(math.prod(shape), np.int64)
    end = step.integer("end", len(shape))
    return np.array(shape[step.integer("start", 0) : end], np.int64)


Inputs = Sequence[Array | None]
_Fold = Callable[[Step, Inputs], Array | list[Array] | Known]


def _one(values: Inputs, position: int = 0) -> Array:
    found = values[position] if position < len(values) else None
    if found is None:
        raise Unfit(f"has no input {position}", AGAIN)
    return found


def _bounded(shape: Sequence[int]) -> tuple[int, ...]:
    sides = tuple(int(side) for side in shape)
    require(all(side >= 0 for side in sides) and math.prod(sides) <= MOST_ELEMENTS, f"gives {list(sides)}", AGAIN)
    return sides


def _axes(step: Step, position: int = 1) -> tuple[int, ...]:
    return step.integers("axes", position) or ()


def _squeeze(step: Step, values: Inputs) -> Array:
    source, axes = _one(values), step.integers("axes", 1)
    found: Array = np.squeeze(source, axis=None if axes is None else axes)
    return found


def _unsqueeze(step: Step, values: Inputs) -> Array:
    return np.expand_dims(_one(values), axis=_axes(step))


def _reshape(step: Step, values: Inputs) -> Array:
    source, shape = _one(values), step.integers("shape", 1) or ()
    return source.reshape([source.shape[at] if side == 0 else side for at, side in enumerate(shape)])


def _slice(step: Step, values: Inputs) -> Array:
    source = _one(values)
    starts, ends = step.integers("starts", 1) or (), step.integers("ends", 2) or ()
    axes = step.integers("axes", 3) or tuple(range(len(starts)))
    steps = step.integers("steps", 4) or (1,) * len(starts)
    bounds = [slice(None)] * source.ndim
    for axis, start, end, by in zip(axes, starts, ends, steps, strict=True):
        bounds[axis_of(axis, source.ndim)] = slice(start, end if end >= -source.shape[axis] else None, by)
    return source[tuple(bounds)]


def _filled(step: Step, values: Inputs) -> Array:
    found = step.node.attributes.get("value")
    value = np.asarray(0.0 if found is None else found, np.float32 if found is None else None).reshape(-1)
    return np.full(_bounded(_one(values).tolist()), value[0])


def _expand(step: Step, values: Inputs) -> Array:
    shape = np.broadcast_shapes(_one(values).shape, tuple(int(side) for side in _one(values, 1)))
    return np.broadcast_to(_one(values), _bounded(shape))


def _range(step: Step, values: Inputs) -> Array:
    start, end, by = (_one(values, position).item() for position in range(3))
    _bounded([max(int((end - start) / by) + 1, 0)])
    return np.arange(start, end, by)


def _cast(step: Step, values: Inputs) -> Array:
    kind = _CAST.get(step.integer("to", 1))
    if kind is None:
        raise Unfit("casts to an odd type", "use floats")
    return _one(values).astype(kind)


def _division(step: Step, values: Inputs) -> Array:
    left, right = _one(values), _one(values, 1)
    if np.issubdtype(left.dtype, np.integer) and np.issubdtype(right.dtype, np.integer):
        quotient = np.sign(left) * np.sign(right) * (np.abs(left) // np.maximum(np.abs(right), 1))
        return np.asarray(quotient, left.dtype)
    return np.asarray(left / right)


def _split(step: Step, values: Inputs) -> list[Array]:
    source = _one(values)
    axis = step.axis("axis", 0, source.ndim)
    sizes = step.integers("split", 1)
    if sizes is None:
        return list(np.array_split(source, len(step.node.outputs), axis=axis))
    return list(np.split(source, np.cumsum(sizes)[:-1].tolist(), axis=axis))


def _reduced(function: Callable[..., Array]) -> _Fold:
    def fold_reduction(step: Step, values: Inputs) -> Array:
        return np.asarray(function(_one(values), axis=_axes(step) or None, keepdims=bool(step.integer("keepdims", 1))))

    return fold_reduction


def _binary(function: Callable[[Array, Array], Array]) -> _Fold:
    return lambda _, values: np.asarray(function(_one(values), _one(values, 1)))


def _unary(function: Callable[[Array], Array]) -> _Fold:
    return lambda _, values: np.asarray(function(_one(values)))


def _same(step: Step, values: Inputs) -> Known:
    found = step.operand(0)
    if not isinstance(found, Known):
        raise Unfit("has no input", AGAIN)
    return found


def _transpose(step: Step, values: Inputs) -> Known:
    source = step.known(0, "values")
    axes = step.integers("perm") or tuple(reversed(range(source.values.ndim)))
    scales = source.quantization
    if scales is not None and len(scales.scales) > 1:
        scales = dataclasses.replace(scales, axis=axes.index(scales.axis))
    return Known(values=source.values.transpose(axes), quantization=scales)


def dequantized(step: Step, stored: Array) -> Known:
    """Floats of quantized constants, with their scales."""
    scales = step.known(1, "scales").values.astype(np.float32)
    zero = step.operand(2)
    zeros = np.zeros(scales.shape, np.int64) if not isinstance(zero, Known) else zero.values.astype(np.int64)
    axis = step.axis("axis", 1, max(stored.ndim, 1)) if scales.size > 1 else 0
    require(scales.ndim <= 1 and zeros.size in (1, scales.size), "has scales of blocks", "use one scale a channel")
    require(bool(np.all(np.isfinite(scales) & (scales > 0))), "has a scale that is not positive", AGAIN)
    shape = [scales.size if place == axis else 1 for place in range(stored.ndim)]
    wide = (values.reshape(-1) if scales.size == 1 else values.reshape(shape) for values in (scales, zeros))
    scale, offset = wide
    reals = (stored.astype(np.int64) - offset) * scale.astype(np.float64)
    if stored.dtype != np.int8 or zeros.any():
        return Known(values=reals.astype(np.float32))
    flat = np.broadcast_to(zeros.reshape(-1), scales.reshape(-1).shape)
    return Known(
        values=reals.astype(np.float32),
        quantization=Quantization(scales=scales.reshape(-1), zero_points=flat, axis=axis),
    )


def _dequantize(step: Step, values: Inputs) -> Known:
    return dequantized(step, _one(values))


def _quantize(step: Step, values: Inputs) -> Array:
    source, scale = _one(values), _one(values, 1)
    zero = values[2] if len(values) > 2 and values[2] is not None else np.zeros(scale.shape, np.uint8)
    axis = step.axis("axis", 1, max(source.ndim, 1))
    shape = [scale.size if place == axis else 1 for place in range(source.ndim)]
    wide = [(x.reshape(-1)[0] if x.size == 1 else x.reshape(shape)) for x in (scale, zero)]
    limits = np.iinfo(zero.dtype)
    return np.asarray(np.clip(np.rint(source / wide[0]) + wide[1], limits.min, limits.max), zero.dtype)


_FOLDS: Mapping[str, _Fold] = {
    "Identity": _same,
    "Dropout": _same,
    "Transpose": _transpose,
    "DequantizeLinear": _dequantize,
    "QuantizeLinear": _quantize,
    "Shape": lambda step, values: _shape(step, _one(values).shape),
    "Size": lambda step, values: _shape(step, _one(values).shape),
    "Gather": lambda step, values: np.take(_one(values), _one(values, 1), axis=step.integer("axis", 0)),
    "Concat": lambda step, values: np.concatenate([_one([v]) for v in values], axis=step.integer("axis", 0)),
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Reshape": _reshape,
    "Flatten": lambda step, values: _one(values).reshape(math.prod(_one(values).shape[: step.integer("axis", 1)]), -1),
    "Slice": _slice,
    "Split": _split,
    "ConstantOfShape": _filled,
    "Expand": _expand,
    "Range": _range,
    "Cast": _cast,
    "Where": lambda _, values: np.where(_one(values), _one(values, 1), _one(values, 2)),
    "ReduceProd": _reduced(np.prod),
    "ReduceSum": _reduced(np.sum),
    "ReduceMean": _reduced(np.mean),
    "ReduceMax": _reduced(np.max),
    "ReduceMin": _reduced(np.min),
    "Add": _binary(np.add),
    "Sub": _binary(np.subtract),
    "Mul": _binary(np.multiply),
    "Div": _division,
    "Mod": _binary(np.mod),
    "Pow": _binary(np.power),
    "Max": _binary(np.maximum),
    "Min": _binary(np.minimum),
    "Equal": _binary(np.equal),
    "Less": _binary(np.less),
    "Greater": _binary(np.greater),
    "And": _binary(np.logical_and),
    "Or": _binary(np.logical_or),
    "Not": _unary(np.logical_not),
    "MatMul": _binary(np.matmul),
    "Neg": _unary(np.negative),
    "Abs": _unary(np.abs),
    "Sqrt": _unary(np.sqrt),
    "Exp": _unary(np.exp),
    "Reciprocal": _unary(np.reciprocal),
    "Floor": _unary(np.floor),
    "Ceil": _unary(np.ceil),
}
