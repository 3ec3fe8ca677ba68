"""The oracle: executes a frozen network in NumPy exactly as the C runtime does.

int8 and XNOR networks are exact: products and sums are integers below 2^24 or 2^53, computed by the floating point
matrix product of a BLAS that cannot round them, then requantized in int64. float32 networks are computed in float32;
the C runtime adds in another order, so these agree within rounding.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from tinysearch.core.network import INPUT, Shape
from tinysearch.core.program import Array, Element, FrozenNetwork, Operator, Program, Step
from tinysearch.core.quantization import (
    INPUT_SCALE,
    INT8_LOW,
    XNOR_FRACTION_BITS,
    doubling_high_multiply,
    requantize,
    rounding_shift_right,
)

ADD_LEFT_SHIFT = 20
"""Fraction bits that both inputs of an int8 addition gain before they are scaled (TFLite)."""

_EXACT_FLOAT32 = 1 << 24
_BATCH = 64


def run(frozen: FrozenNetwork, inputs: npt.NDArray[np.int8]) -> npt.NDArray[np.int8] | npt.NDArray[np.float32]:
    """Embeddings of a batch.

    Args:
        frozen: the network.
        inputs: int8 [N, height, width, channels] (byte - 128).

    Returns:
        [N, E], int8 for int8 and XNOR networks, float32 for float32.
    """
    output = frozen.program.output.name
    parts = [trace(frozen, inputs[start : start + _BATCH])[output] for start in range(0, len(inputs), _BATCH)]
    return np.concatenate([part.reshape(len(part), -1) for part in parts])  # type: ignore[return-value]


def trace(frozen: FrozenNetwork, inputs: npt.NDArray[np.int8]) -> dict[str, Array]:
    """Every tensor by name for a small batch: [N, height, width, channels].

    Tensors of bit planes are given as levels (int8, 0 .. 2^A - 1), one a channel, not packed.
    """
    program = frozen.program
    tensors: dict[str, Array] = {INPUT: np.ascontiguousarray(inputs)}
    for step in program.steps:
        tensors[step.output] = execute(frozen, step, [tensors[name] for name in step.inputs])
    return tensors


def execute(frozen: FrozenNetwork, step: Step, sources: list[Array]) -> Array:
    """Output of one step for a small batch, from its inputs as :func:`trace` gives them."""
    parameters = frozen.parameters.get(step.name, {})
    if frozen.program.precision.kind == "float32":
        return _float_step(frozen.program, step, sources, parameters)
    return _integer_step(frozen, step, sources, parameters)


def sums(frozen: FrozenNetwork, step: Step, source: Array) -> Array:
    """What the thresholds of a step to bit planes are held against: its sums of products, or the values it packs."""
    if step.operator is Operator.PACK:
        return source
    return _accumulate(frozen.program, step, source, frozen.parameters[step.name]["weights"], 0)


def _integer_step(frozen: FrozenNetwork, step: Step, sources: list[Array], parameters: Mapping[str, Array]) -> Array:
    program = frozen.program
    to_bits = program.tensors[step.output].element is Element.BITS
    out_zero = 0 if to_bits else frozen.zero_points[step.output]
    low = out_zero if step.relu else INT8_LOW
    match step.operator:
        case Operator.PACK:
            return _levels(sources[0], parameters["thresholds"])
        case Operator.ADD:
            zeros = [frozen.zero_points[name] for name in step.inputs]
            return _add(sources, zeros, parameters, zero_point=out_zero, low=low)
        case Operator.MAX_POOL:
            return _max_pool(sources[0], step.pool)
        case Operator.AVERAGE:
            return np.maximum(_average(sources[0]), low).astype(np.int8)
        case _:
            pass
    binary = program.binary(step)
    zero = 0 if binary else frozen.zero_points.get(step.inputs[0], 0)
    accumulator = _accumulate(program, step, sources[0], parameters["weights"], zero)
    if step.pool > 1:
        accumulator = _max_pool(accumulator, step.pool)
    if to_bits:
        return _levels(accumulator, parameters["thresholds"])
    wide = accumulator.astype(np.int64)
    wide = (wide << XNOR_FRACTION_BITS if binary else wide) + parameters["bias"]
    return requantize(wide, parameters["multiplier"], parameters["shift"], zero_point=out_zero, low=low)


def _float_step(program: Program, step: Step, sources: list[Array], parameters: Mapping[str, Array]) -> Array:
    values = [source * np.float32(INPUT_SCALE) if source.dtype == np.int8 else source for source in sources]
    match step.operator:
        case Operator.ADD:
            result = values[0] + values[1]
        case Operator.MAX_POOL:
            result = _max_pool(values[0], step.pool)
        case Operator.AVERAGE:
            result = values[0].mean(axis=(1, 2), keepdims=True, dtype=np.float32)
        case _:
            result = _accumulate(program, step, values[0], parameters["weights"], 0.0)
            result = (_max_pool(result, step.pool) if step.pool > 1 else result) + parameters["bias"]
    return np.maximum(result, np.float32(0)) if step.relu else result


def _accumulate(program: Program, step: Step, source: Array, weights: Array, zero_point: float) -> Array:
    """Sums of products of a weighted step, before pool, bias and requantization: [N, height, width, O]."""
    if step.operator is Operator.FULLY_CONNECTED:
        flat = source.reshape(len(source), 1, 1, -1)
        return _product(flat, weights.reshape(len(weights), -1), zero_point)
    if step.operator in (Operator.DEPTHWISE, Operator.SCALE):
        return _depthwise(step, source, weights, zero_point)
    windows = _windows(step, source, zero_point, used=_used_sides(step, program.tensors[step.output].shape))
    return _product(windows, weights.reshape(len(weights), -1), zero_point)


def _used_sides(step: Step, out: Shape) -> tuple[int, int]:
    """Rows and columns of a convolution that survive its fused pool."""
    return out.height * step.pool, out.width * step.pool


def _windows(step: Step, source: Array, zero_point: float, *, used: tuple[int, int]) -> Array:
    """im2col: [N, rows, columns, kernel * kernel * channels] in the order kY, kX, channel."""
    pad = ((0, 0), (step.padding, step.padding), (step.padding, step.padding), (0, 0))
    padded = np.pad(source, pad, constant_values=source.dtype.type(zero_point)) if step.padding else source
    views = np.lib.stride_tricks.sliding_window_view(padded, (step.kernel, step.kernel), axis=(1, 2))
    views = views[:, :: step.stride, :: step.stride][:, : used[0], : used[1]]
    columns = np.moveaxis(views, 3, 5)
    return columns.reshape(*columns.shape[:3], -1)


def _product(columns: Array, weights: Array, zero_point: float) -> Array:
    """``(columns - zero_point) @ weights.T``, exact for integers."""
    if columns.dtype == np.float32:
        return (columns @ weights.T).astype(np.float32)
    bound = columns.shape[-1] * 256 * int(np.abs(weights.astype(np.int32)).max(initial=1))
    kind = np.float32 if bound < _EXACT_FLOAT32 else np.float64
    shifted = columns.astype(kind) - kind(zero_point)
    return np.rint(shifted @ weights.T.astype(kind)).astype(np.int64)


def _depthwise(step: Step, source: Array, weights: Array, zero_point: float) -> Array:
    kind: type = np.float32 if source.dtype == np.float32 else np.int64
    shifted = source.astype(kind) - kind(zero_point)
    pad = ((0, 0), (step.padding, step.padding), (step.padding, step.padding), (0, 0))
    views = np.lib.stride_tricks.sliding_window_view(np.pad(shifted, pad), (step.kernel, step.kernel), axis=(1, 2))
    views = views[:, :: step.stride, :: step.stride]
    return np.einsum("nhwcyx,cyx->nhwc", views, weights.astype(kind), dtype=kind)


def _levels(values: Array, thresholds: Array) -> npt.NDArray[np.int8]:
    """Number of thresholds that each value reaches; thresholds [.., levels], shared or one row a channel."""
    reached = values[..., None].astype(np.int64) >= thresholds.astype(np.int64)
    return reached.sum(-1).astype(np.int8)


def _add(
    sources: list[Array], zeros: list[int], parameters: Mapping[str, Array], *, zero_point: int, low: int
) -> npt.NDArray[np.int8]:
    multipliers, shifts = parameters["multiplier"], parameters["shift"]
    total = np.zeros(sources[0].shape, np.int64)
    for index, (source, zero) in enumerate(zip(sources, zeros, strict=True)):
        raised = (source.astype(np.int64) - zero) << ADD_LEFT_SHIFT
        total += rounding_shift_right(doubling_high_multiply(raised, multipliers[index]), shifts[index])
    return requantize(total, multipliers[2], shifts[2], zero_point=zero_point, low=low)


def _max_pool(source: Array, pool: int) -> Array:
    count, height, width, channels = source.shape
    rows, columns = height // pool, width // pool
    cropped = source[:, : rows * pool, : columns * pool].reshape(count, rows, pool, columns, pool, channels)
    return cropped.max(axis=(2, 4))


def _average(source: Array) -> npt.NDArray[np.int64]:
    """Mean over height and width, halves away from zero, as TFLite's average pool."""
    count = source.shape[1] * source.shape[2]
    total = source.astype(np.int64).sum(axis=(1, 2), keepdims=True)
    return np.sign(total) * ((np.abs(total) + count // 2) // count)
