"""Addition of two tensors of one shape."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinysearch.core.network import Addition, Operator, Shape, Unit
from tinysearch.core.program import Array, FrozenNetwork, Program, Step
from tinysearch.core.quantization import doubling_high_multiply, quantize_multiplier, requantize, rounding_shift_right
from tinysearch.operators.draw import Draw
from tinysearch.operators.record import (
    KernelFootprint,
    OperatorRecord,
    PackedStep,
    is_float,
    lowest,
    output_fields,
    packed,
    require_values,
    without_parameters,
)

LEFT_SHIFT = 20
"""Fraction bits that both inputs of an int8 addition gain before they are scaled (TFLite)."""

ONE_HALF = (1 << 30, 0)
"""Multiplier and right shift of exactly one half, the factor of an addition's coarser input: m / 2^31 / 2^0."""

_TABLES_BYTES = 2 * 256 * 4


class Add(OperatorRecord):
    """See :class:`~tinysearch.core.layers.Addition`."""

    name = Operator.ADD
    by_rows = True
    elementwise = True

    def integer(self, frozen: FrozenNetwork, step: Step, sources: Sequence[Array]) -> Array:
        parameters = frozen.parameters[step.name]
        multipliers, shifts = parameters["multiplier"], parameters["shift"]
        total = np.zeros(sources[0].shape, np.int64)
        for index, (source, name) in enumerate(zip(sources, step.inputs, strict=True)):
            raised = (source.astype(np.int64) - frozen.zero_points[name]) << LEFT_SHIFT
            total += rounding_shift_right(doubling_high_multiply(raised, multipliers[index]), shifts[index])
        zero, low = frozen.zero_points[step.output], lowest(frozen, step)
        return requantize(total, multipliers[2], shifts[2], zero_point=zero, low=low)

    def real(self, frozen: FrozenNetwork, step: Step, sources: Sequence[Array]) -> Array:
        del frozen, step
        left, right = sources
        return np.add(left, right)

    def footprint(self, program: Program, step: Step) -> KernelFootprint:
        require_values(program, step)
        if is_float(program, step):
            return without_parameters("ts_add_f32")
        return without_parameters("ts_add_s8", scratch_bytes=_TABLES_BYTES)

    def pack(self, frozen: FrozenNetwork, step: Step) -> PackedStep:
        require_values(frozen.program, step)
        count = frozen.program.tensors[step.output].shape.elements
        if is_float(frozen.program, step):
            return packed("ts_add_f32", {"count": count, "relu": int(step.relu)})
        parameters = frozen.parameters[step.name]
        left, right = (frozen.zero_points[name] for name in step.inputs)
        fields = {
            "count": count,
            "zero": (left, right),
            "multiplier": tuple(int(value) for value in parameters["multiplier"]),
            "shift": tuple(int(value) for value in parameters["shift"]),
            **output_fields(frozen, step),
        }
        return packed("ts_add_s8", fields)

    def draw_integer(self, draw: Draw, step: Step) -> dict[str, Array]:
        draw.stream(step)
        left, right = (draw.scales[name] for name in step.inputs)
        return factors(left, right, draw.scales[step.output])

    def example(self, source: str, shape: Shape, random: np.random.Generator) -> tuple[Unit, ...]:
        del shape
        return (Addition(name="sum", left=source, right=source, relu=bool(random.integers(2))),)


def factors(left: float, right: float, output: float) -> dict[str, Array]:
    """Multipliers and shifts of an int8 addition from the scales of its inputs and of its output."""
    twice_max = 2 * max(left, right)
    pairs = [ONE_HALF if 2 * scale >= twice_max else quantize_multiplier(scale / twice_max) for scale in (left, right)]
    pairs.append(quantize_multiplier(twice_max / (1 << LEFT_SHIFT) / output))
    table = np.array(pairs, np.int32)
    return {"multiplier": table[:, 0].copy(), "shift": table[:, 1].copy()}
