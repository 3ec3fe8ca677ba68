"""From real parameters and ranges to integers, and their exact emulation in torch.

:func:`quantize_program` decides every integer of a frozen network. The quantized modules run :func:`emulate` in
evaluation mode: accumulators are exact (float64 convolutions of integers) and both roundings of a requantization are
done as the runtime does them, but with real factors, so that freezing them to multiplier and shift is checked and not
assumed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from tinysearch.core.network import INPUT
from tinysearch.core.program import Element, Operator, Program, Step
from tinysearch.core.quantization import INPUT_SCALE, INT8_HIGH, INT8_LOW, XNOR_FRACTION_BITS
from tinysearch.training.folding import WEIGHTED, FoldedStep, apply_step
from tinysearch.training.network import flatten_nhwc

LARGEST_MULTIPLIER = 0.49
"""Output scales grow until no requantization multiplier exceeds this; the runtime needs less than one half."""

LARGEST_BIAS = 1 << 24
"""|bias| of an int8 step in units of its accumulator; a channel whose weights are nearly zero gets a coarser scale."""

LARGEST_BINARY_BIAS = 1 << 30
"""|bias| of a binary step, whose accumulator has :data:`XNOR_FRACTION_BITS` fraction bits."""

ADD_LEFT_SHIFT = 20

EXACT_FLOAT32 = 1 << 24
"""Sums of integers below this are exact in single precision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegerStep:
    """A weighted step in integers and one real number a channel.

    Attributes:
        levels: integer weights in float64, [O, I, k, k], [C, 1, k, k] or [O, F].
        unit: float64 [O], real value of one count of the accumulator, positive.
        shift: float64 [O], real value that is added.
    """

    levels: Tensor
    unit: Tensor
    shift: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizedProgram:
    """Every number of a quantized network before it is frozen.

    Attributes:
        steps: weighted steps by name.
        scales: real value of one step of every tensor; of one level for bit planes.
        zero_points: of the int8 tensors.
    """

    program: Program
    steps: Mapping[str, IntegerStep]
    scales: Mapping[str, float]
    zero_points: Mapping[str, int]


def scale_owner(program: Program, name: str) -> str:
    """The tensor whose scale and zero point a tensor shares: pools and averages keep those of their input."""
    producers = {step.output: step for step in program.steps}
    while name in producers and producers[name].operator in (Operator.AVERAGE, Operator.MAX_POOL):
        name = producers[name].inputs[0]
    return name


def is_signed(program: Program, name: str) -> bool:
    """Whether a tensor's range is symmetric: the input, and everything without a ReLU."""
    owner = scale_owner(program, name)
    return owner == INPUT or not next(step for step in program.steps if step.output == owner).relu


def owned_tensors(program: Program) -> list[str]:
    """int8 tensors that have a range of their own, in order of execution."""
    return [
        step.output
        for step in program.steps
        if program.tensors[step.output].element is Element.INT8 and scale_owner(program, step.output) == step.output
    ]


@torch.no_grad()
def quantize_program(
    program: Program,
    folded: Mapping[str, FoldedStep],
    *,
    ranges: Mapping[str, float],
    clips: Mapping[str, float],
    levels: Mapping[str, Tensor],
) -> QuantizedProgram:
    """Integers of every step.

    Args:
        program: of an int8 or XNOR precision.
        folded: real parameters by step; the weights of few-bit steps hold ``levels`` times a scale a channel.
        ranges: largest magnitude of every int8 tensor with a range of its own.
        clips: real value of one level of every tensor of bit planes.
        levels: few-bit weights by step, for steps whose weights are not int8.
    """
    scales, zero_points, steps = {INPUT: INPUT_SCALE}, {INPUT: 0}, {}
    for step in program.steps:
        source, out = step.inputs[0], step.output
        if program.tensors[out].element is Element.BITS:
            scales[out], zero_points[out] = float(clips[out]), 0
        elif scale_owner(program, out) != out:
            scales[out], zero_points[out] = scales[source], zero_points[source]
        else:
            signed = is_signed(program, out)
            scales[out] = max(float(ranges[out]), 1e-6) / (INT8_HIGH if signed else INT8_HIGH - INT8_LOW)
            zero_points[out] = 0 if signed else INT8_LOW
        if step.operator not in WEIGHTED:
            continue
        steps[step.name] = _integer_step(
            folded[step.name], scales[source], levels.get(step.name), binary=program.binary(step)
        )
        if program.tensors[out].element is Element.INT8:
            fraction = 1 << XNOR_FRACTION_BITS if program.binary(step) else 1
            scales[out] = max(scales[out], float(steps[step.name].unit.max()) / fraction / LARGEST_MULTIPLIER)
    return QuantizedProgram(program=program, steps=steps, scales=scales, zero_points=zero_points)


def _integer_step(folded: FoldedStep, in_scale: float, levels: Tensor | None, *, binary: bool) -> IntegerStep:
    if levels is None:
        weight = folded.folded_weight
        largest = weight.abs().flatten(1).amax(1)
        floor = folded.shift.abs() / (in_scale * LARGEST_BIAS)
        scale = torch.maximum(largest / INT8_HIGH, floor).clamp_min(1e-12)
        shaped = scale.view(-1, *[1] * (weight.dim() - 1))
        rounded = torch.round(weight / shaped).clamp(-INT8_HIGH, INT8_HIGH)
        return IntegerStep(levels=rounded, unit=scale * in_scale, shift=folded.shift)
    levels = levels.double()
    per_level = (folded.weight.abs().flatten(1).sum(1) / levels.abs().flatten(1).sum(1)) * folded.gain
    sign = torch.where(per_level < 0, -1.0, 1.0).to(levels.dtype)
    largest_bias = LARGEST_BINARY_BIAS >> XNOR_FRACTION_BITS if binary else LARGEST_BIAS
    floor = folded.shift.abs() / largest_bias
    unit = torch.maximum(per_level.abs() * in_scale, floor).clamp_min(1e-12)
    return IntegerStep(levels=levels * sign.view(-1, *[1] * (levels.dim() - 1)), unit=unit, shift=folded.shift)


def thresholds(unit: Tensor, shift: Tensor, *, level: float, top: int) -> Tensor:
    """Smallest accumulators at which ``unit * accumulator + shift`` rounds up to level 1 .. top: float64 [O, top]."""
    middles = level * (torch.arange(1, top + 1, dtype=torch.float64, device=unit.device) - 0.5)
    return torch.ceil((middles - shift[:, None]) / unit[:, None])


def round_half_up(value: Tensor) -> Tensor:
    """Rounding of a doubling high multiply."""
    return torch.floor(value + 0.5)


def requantized(accumulator: Tensor, factor: Tensor, *, zero_point: int, low: int) -> Tensor:
    """Integers of an int8 output, rounded twice as the runtime rounds.

    Args:
        accumulator: integers in float64, [N, C, H, W].
        factor: real multiplier, scalar or [C].
    """
    _, exponent = torch.frexp(factor)
    shift = torch.clamp(-exponent, min=1).double()
    power = torch.exp2(shift)
    first = round_half_up(accumulator * (factor * power).view(1, -1, 1, 1))
    power = power.view(1, -1, 1, 1)
    second = torch.sign(first) * torch.floor(first.abs() / power + 0.5)
    return (second + zero_point).clamp(low, INT8_HIGH)


@torch.no_grad()
def emulate(quantized: QuantizedProgram, inputs: Tensor) -> Tensor:
    """Embedding integers [N, E] (float64) of inputs [N, C, H, W] (int8 / 128)."""
    program = quantized.program
    values = {INPUT: torch.round(inputs.double() / INPUT_SCALE)}
    for step in program.steps:
        if step.operator is Operator.ADD:
            values[step.output] = _add(quantized, step, values)
        elif step.operator is Operator.AVERAGE:
            values[step.output] = _average(quantized, step, values[step.inputs[0]])
        elif step.operator is Operator.MAX_POOL:
            values[step.output] = F.max_pool2d(values[step.inputs[0]], step.pool)
        elif step.operator is Operator.PACK:
            values[step.output] = _pack(quantized, step, values[step.inputs[0]])
        else:
            values[step.output] = _weighted(quantized, step, values)
    return flatten_nhwc(values[program.output.name])


def _weighted(quantized: QuantizedProgram, step: Step, values: Mapping[str, Tensor]) -> Tensor:
    program, integer = quantized.program, quantized.steps[step.name]
    binary = program.binary(step)
    centered = values[step.inputs[0]] - quantized.zero_points[step.inputs[0]]
    bound = float(centered.abs().amax()) * float(integer.levels.abs().flatten(1).sum(1).amax())
    kind = torch.float32 if bound < EXACT_FLOAT32 else torch.float64
    exact = {step.name: (integer.levels.to(kind), None)}
    accumulator = apply_step(step, centered.to(kind), values, exact).double()
    out = step.output
    if program.tensors[out].element is Element.BITS:
        real = accumulator * integer.unit.view(1, -1, 1, 1) + integer.shift.view(1, -1, 1, 1)
        return round_half_up(real / quantized.scales[out]).clamp(0, program.precision.levels)
    fraction = 1 << XNOR_FRACTION_BITS if binary else 1
    bias = torch.round(integer.shift / integer.unit * fraction).view(1, -1, 1, 1)
    factor = integer.unit / fraction / quantized.scales[out]
    zero_point = quantized.zero_points[out]
    low = zero_point if step.relu else INT8_LOW
    return requantized(accumulator * fraction + bias, factor, zero_point=zero_point, low=low)


def _pack(quantized: QuantizedProgram, step: Step, value: Tensor) -> Tensor:
    source = step.inputs[0]
    real = (value - quantized.zero_points[source]) * quantized.scales[source]
    return round_half_up(real / quantized.scales[step.output]).clamp(0, quantized.program.precision.levels)


def _add(quantized: QuantizedProgram, step: Step, values: Mapping[str, Tensor]) -> Tensor:
    scales, zero_points = quantized.scales, quantized.zero_points
    twice_max = 2 * max(scales[name] for name in step.inputs)
    total = torch.zeros_like(values[step.inputs[0]])
    for name in step.inputs:
        ratio = scales[name] / twice_max
        shift = max(0, -math.frexp(ratio)[1])
        raised = (values[name] - zero_points[name]) * (1 << ADD_LEFT_SHIFT)
        first = round_half_up(raised * (ratio * 2.0**shift))
        total += torch.sign(first) * torch.floor(first.abs() / 2.0**shift + 0.5)
    zero_point = zero_points[step.output]
    factor = torch.tensor([twice_max / (1 << ADD_LEFT_SHIFT) / scales[step.output]], dtype=torch.float64)
    low = zero_point if step.relu else INT8_LOW
    return requantized(total, factor.to(total.device), zero_point=zero_point, low=low)


def _average(quantized: QuantizedProgram, step: Step, value: Tensor) -> Tensor:
    count = value.shape[2] * value.shape[3]
    total = value.sum((2, 3), keepdim=True)
    mean = torch.sign(total) * torch.floor((total.abs() + count // 2) / count)
    return mean.clamp_min(quantized.zero_points[step.output]) if step.relu else mean


def to_numpy(value: Tensor) -> np.ndarray:
    """A tensor as a NumPy array on the host."""
    return value.detach().cpu().numpy()
