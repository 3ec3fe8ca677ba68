"""From real parameters and ranges to integers, and their exact emulation in torch.

:func:`quantize_program` decides every integer of a frozen network. The quantized modules run :func:`emulate` in
evaluation mode: accumulators are exact (float64 convolutions of integers) and both roundings of a requantization are
done as the runtime does them, but with real factors, so that freezing them to multiplier and shift is checked and not
assumed.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from tinysearch.core.network import INPUT
from tinysearch.core.program import Element, Program
from tinysearch.core.quantization import INPUT_SCALE, INT8_HIGH, INT8_LOW, XNOR_FRACTION_BITS
from tinysearch.operators import record_of
from tinysearch.training.folding import FoldedStep
from tinysearch.training.operators import PRODUCTS, trained_operator
from tinysearch.training.quantized_program import IntegerStep, QuantizedProgram, flatten_nhwc

LARGEST_MULTIPLIER = 0.49
"""Output scales grow until no requantization multiplier exceeds this; the runtime needs less than one half."""

LARGEST_BIAS = 1 << 24
"""|bias| of an int8 step in units of its accumulator; a channel whose weights are nearly zero gets a coarser scale."""

LARGEST_BINARY_BIAS = 1 << 30
"""|bias| of a binary step, whose accumulator has :data:`XNOR_FRACTION_BITS` fraction bits."""


def scale_owner(program: Program, name: str) -> str:
    """The tensor whose scale and zero point a tensor shares: pools and averages keep those of their input."""
    producers = {step.output: step for step in program.steps}
    while name in producers and record_of(producers[name]).keeps_scale:
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
        if step.operator not in PRODUCTS:
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


@torch.no_grad()
def emulate(quantized: QuantizedProgram, inputs: Tensor) -> Tensor:
    """Embedding integers [N, E] (float64) of inputs [N, C, H, W] (int8 / 128)."""
    program = quantized.program
    values = {INPUT: torch.round(inputs.double() / INPUT_SCALE)}
    for step in program.steps:
        sources = [values[name] for name in step.inputs]
        values[step.output] = trained_operator(step.operator).emulate(quantized, step, sources)
    return flatten_nhwc(values[program.output.name])
