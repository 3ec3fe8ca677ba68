"""What the operators of sums of products share: exact products, packing of weights and biases, one record for all.

int8 and XNOR sums are integers below 2^24 or 2^53, computed by the floating point matrix product of a BLAS that cannot
round them.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinysearch.core.errors import UnsupportedLayerError
from tinysearch.core.program import Array, Element, FrozenNetwork, Program, Step
from tinysearch.core.quantization import INPUT_SCALE, XNOR_FRACTION_BITS, quantize_multiplier, requantize
from tinysearch.operators import binary
from tinysearch.operators.draw import SPREAD, Draw
from tinysearch.operators.record import (
    ROUNDOFF,
    Fields,
    KernelFootprint,
    OperatorRecord,
    PackedStep,
    is_binary,
    is_float,
    lowest,
    output_fields,
)

SUM_LIMIT = 1 << 30
"""Sums of products must stay below this in magnitude."""

CHANNEL_BYTES = 4 + 1
"""Multiplier and shift of one output channel."""

FLOAT_BYTES, FLOAT_TILE = 4, 4
"""Bytes of a float; output channels that the float convolution and fully connected layer compute together."""

_WEIGHT_TOP = 127
_EXACT_FLOAT32 = 1 << 24


class ProductsRecord(OperatorRecord):
    """An operator that multiplies weights and adds up, with fused pool, bias and requantization.

    Attributes:
        lowest_level: of random int8 weights.
    """

    lowest_level: ClassVar[int] = -_WEIGHT_TOP

    @abstractmethod
    def accumulate(self, program: Program, step: Step, source: Array, weights: Array, zero_point: float) -> Array:
        """Sums of products before pool, bias and requantization: [N, height, width, O]."""

    @abstractmethod
    def footprint_s8(self, program: Program, step: Step) -> KernelFootprint:
        """Footprint on int8 inputs and outputs."""

    @abstractmethod
    def footprint_f32(self, program: Program, step: Step) -> KernelFootprint:
        """Footprint in a float32 network."""

    @abstractmethod
    def pack_s8(self, frozen: FrozenNetwork, step: Step) -> PackedStep:
        """Constants on int8 inputs and outputs."""

    @abstractmethod
    def pack_f32(self, frozen: FrozenNetwork, step: Step) -> PackedStep:
        """Constants in a float32 network."""

    def integer(self, frozen: FrozenNetwork, step: Step, sources: Sequence[Array]) -> Array:
        program, parameters = frozen.program, frozen.parameters[step.name]
        of_bits = program.binary(step)
        zero = 0 if of_bits else frozen.zero_points.get(step.inputs[0], 0)
        accumulator = self.accumulate(program, step, sources[0], parameters["weights"], zero)
        if step.pool > 1:
            accumulator = max_pool(accumulator, step.pool)
        if program.tensors[step.output].element is Element.BITS:
            return levels_reached(accumulator, parameters["thresholds"])
        wide = accumulator.astype(np.int64)
        wide = (wide << XNOR_FRACTION_BITS if of_bits else wide) + parameters["bias"]
        out_zero = frozen.zero_points[step.output]
        multiplier, shift = parameters["multiplier"], parameters["shift"]
        return requantize(wide, multiplier, shift, zero_point=out_zero, low=lowest(frozen, step))

    def real(self, frozen: FrozenNetwork, step: Step, sources: Sequence[Array]) -> Array:
        parameters = frozen.parameters[step.name]
        sums = self.accumulate(frozen.program, step, sources[0], parameters["weights"], 0.0)
        return (max_pool(sums, step.pool) if step.pool > 1 else sums) + parameters["bias"]

    def rounding(
        self, frozen: FrozenNetwork, step: Step, sources: Sequence[Array], variances: Sequence[Array]
    ) -> Array:
        weights, bias = (frozen.parameters[step.name][key] for key in ("weights", "bias"))
        terms = weights[0].size + 1
        magnitudes = self.accumulate(frozen.program, step, np.abs(sources[0]), np.abs(weights), 0.0) + np.abs(bias)
        carried = self.accumulate(frozen.program, step, variances[0], np.square(weights), 0.0)
        found = carried + (terms * ROUNDOFF**2) * np.square(magnitudes)
        return max_pool(found, step.pool) if step.pool > 1 else found

    def sums(self, frozen: FrozenNetwork, step: Step, source: Array) -> Array:
        return self.accumulate(frozen.program, step, source, frozen.parameters[step.name]["weights"], 0)

    def footprint(self, program: Program, step: Step) -> KernelFootprint:
        if is_binary(program, step):
            return binary.footprint(program, step)
        return self.footprint_f32(program, step) if is_float(program, step) else self.footprint_s8(program, step)

    def pack(self, frozen: FrozenNetwork, step: Step) -> PackedStep:
        if is_binary(frozen.program, step):
            return binary.pack(frozen, step)
        return self.pack_f32(frozen, step) if is_float(frozen.program, step) else self.pack_s8(frozen, step)

    def features(self, program: Program, step: Step) -> Mapping[str, float]:
        return binary.features(program, step) if program.binary(step) else self.features_of_values(program, step)

    @abstractmethod
    def features_of_values(self, program: Program, step: Step) -> Mapping[str, float]:
        """Features where the input is int8 or float32."""

    def draw_integer(self, draw: Draw, step: Step) -> dict[str, Array]:
        program = draw.program
        weights, weight_spread = self._levels(draw, step)
        channels = len(weights)
        deviation = weight_spread * draw.spread[step.inputs[0]] * math.sqrt(_fan_in(weights.shape))
        if program.tensors[step.output].element is Element.BITS:
            draw.levels(step)
            return {"weights": weights}
        fraction = 1 << XNOR_FRACTION_BITS if program.binary(step) else 1
        factors = SPREAD / (deviation * fraction) * draw.random.uniform(0.7, 1.3, channels)
        pairs = np.array([quantize_multiplier(min(float(factor), 0.49)) for factor in factors], np.int32)
        bias = np.rint(draw.random.uniform(-0.5, 0.5, channels) * deviation * fraction).astype(np.int32)
        draw.stream(step)
        return {"weights": weights, "bias": bias, "multiplier": pairs[:, 0].copy(), "shift": pairs[:, 1].copy()}

    def _levels(self, draw: Draw, step: Step) -> tuple[Array, float]:
        """Integer weights and their root mean square."""
        shape = draw.program.weight_shape(step)
        if step.weight_bits >= 8:
            weights = draw.random.integers(self.lowest_level, _WEIGHT_TOP, shape, endpoint=True)
        else:
            weights = 2 * draw.random.integers(0, 1 << step.weight_bits, shape) - ((1 << step.weight_bits) - 1)
        return weights.astype(np.int8), float(np.sqrt(np.mean(weights.astype(np.float64) ** 2)))

    def draw_real(self, draw: Draw, step: Step) -> dict[str, Array]:
        shape = draw.program.weight_shape(step)
        weights = self.real_weights(draw.random, shape)
        bias = draw.random.uniform(-0.1, 0.1, shape[0])
        return {"weights": weights.astype(np.float32), "bias": bias.astype(np.float32)}

    def real_weights(self, random: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
        """Random weights that keep the spread of values."""
        limit = math.sqrt(6.0 / _fan_in(shape))
        return random.uniform(-limit, limit, shape)


def _fan_in(shape: tuple[int, ...]) -> int:
    return math.prod(shape[1:])


def product(columns: Array, weights: Array, zero_point: float) -> Array:
    """``(columns - zero_point) @ weights.T``, exact for integers; real numbers in the type that they come in."""
    if np.issubdtype(columns.dtype, np.floating):
        return np.asarray((columns @ weights.T).astype(columns.dtype))
    shifted = centered(columns, weights, zero_point)
    return np.asarray((shifted @ weights.T.astype(shifted.dtype)).astype(np.int64))


def centered(source: Array, weights: Array, zero_point: float) -> Array:
    """int8 values less their zero point, in the shortest type in which no sum of their products with weights rounds.

    Args:
        weights: [O, ..]; a sum has as many products as one output has weights.
    """
    bound = weights[0].size * 256 * int(np.abs(weights.astype(np.int32)).max(initial=1))
    kind = np.float32 if bound < _EXACT_FLOAT32 else np.float64
    values: Array = source.astype(kind)
    values -= kind(zero_point)
    return values


def max_pool(source: Array, pool: int) -> Array:
    """Maxima of squares of side ``pool``; what is left over is dropped."""
    count, height, width, channels = source.shape
    rows, columns = height // pool, width // pool
    cropped = source[:, : rows * pool, : columns * pool].reshape(count, rows, pool, columns, pool, channels)
    return np.asarray(cropped.max(axis=(2, 4)))


def levels_reached(values: Array, thresholds: Array) -> npt.NDArray[np.int8]:
    """Number of thresholds that each value reaches; thresholds [.., levels], shared or one row a channel."""
    reached = values[..., None].astype(np.int64) >= thresholds.astype(np.int64)
    return np.asarray(reached.sum(-1).astype(np.int8))


def interleave(weights: Array, tile: int) -> Array:
    """[O, ...] to [ceil(O / tile)][...][tile], flat, channels beyond O zero."""
    rows = weights.reshape(len(weights), -1)
    rows = np.pad(rows, ((0, -len(rows) % tile), (0, 0)))
    return np.ascontiguousarray(rows.reshape(-1, tile, rows.shape[1]).transpose(0, 2, 1)).reshape(-1)


def geometry_s8(frozen: FrozenNetwork, step: Step) -> Fields:
    """Window, zero points and clamp of an int8 convolution."""
    cut = {"cut": step.cut} if step.cut else {}
    zero = frozen.zero_points.get(step.inputs[0], 0)
    return {**_window(step), **cut, "in_zero": zero, **output_fields(frozen, step)}


def geometry_f32(frozen: FrozenNetwork, step: Step) -> Fields:
    """Window of a float convolution, what it reads, and whether a ReLU follows."""
    return {**_window(step), "input_is_s8": reads_int8(frozen.program, step), "relu": int(step.relu)}


def _window(step: Step) -> Fields:
    flat = {"flat": 1} if step.flat else {}
    return {"kernel": step.kernel, "stride": step.stride, "padding": step.padding, **flat, "pool": step.pool}


def reads_int8(program: Program, step: Step) -> int:
    """1 where a float step reads the int8 input of the network, else 0."""
    return int(program.tensors[step.inputs[0]].element is Element.INT8)


def real_weights(frozen: FrozenNetwork, step: Step) -> Array:
    """Weights of a float step; the input's scale, a power of two, is multiplied in, which changes no result."""
    weights = frozen.parameters[step.name]["weights"].astype(np.float32)
    return weights * np.float32(INPUT_SCALE) if reads_int8(frozen.program, step) else weights


def tiled_f32(frozen: FrozenNetwork, step: Step) -> dict[str, Array]:
    """Weights and bias of a float step in tiles of output channels."""
    bias = frozen.parameters[step.name]["bias"].astype(np.float32)
    return {
        "weights": interleave(real_weights(frozen, step), FLOAT_TILE),
        "bias": np.pad(bias, (0, -len(bias) % FLOAT_TILE)),
    }


def output_arrays(frozen: FrozenNetwork, step: Step, *, tile: int) -> dict[str, Array]:
    """Bias with the input's zero point folded in, padded to whole tiles; multipliers and shifts.

    Raises:
        UnsupportedLayerError: sums of products that may overflow.
    """
    parameters = frozen.parameters[step.name]
    rows = parameters["weights"].reshape(len(parameters["weights"]), -1).astype(np.int64)
    zero = frozen.zero_points.get(step.inputs[0], 0)
    bias = parameters["bias"].astype(np.int64) - zero * rows.sum(1)
    largest = int((np.abs(bias) + 128 * np.abs(rows).sum(1)).max())
    if largest >= SUM_LIMIT:
        raise UnsupportedLayerError(
            f"sums of products must stay below {SUM_LIMIT} in an int8 layer",
            value=f"{step.name}: up to {largest}",
            remedy="use fewer inputs to the layer",
        )
    return {
        "bias": np.pad(bias, (0, -len(bias) % tile)).astype(np.int32),
        "multiplier": parameters["multiplier"].astype(np.int32),
        "shift": parameters["shift"].astype(np.uint8),
    }
