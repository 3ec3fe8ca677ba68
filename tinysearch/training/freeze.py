"""Trained parameters to the arrays that the oracle executes and the emitter writes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from tinysearch.core.program import Array, Element, FrozenNetwork, Operator, Program, Step
from tinysearch.core.quantization import XNOR_FRACTION_BITS, quantize_multiplier
from tinysearch.training.folding import FoldedStep
from tinysearch.training.integer import ADD_LEFT_SHIFT, QuantizedProgram, thresholds, to_numpy

ONE_HALF = (1 << 30, 0)
"""Multiplier and right shift of exactly one half, the factor of an addition's coarser input: m / 2^31 / 2^0."""


def freeze_float(program: Program, folded: Mapping[str, FoldedStep], *, seed: int, trained: bool) -> FrozenNetwork:
    """The float32 network with batch normalizations folded into weights and biases."""
    parameters = {}
    for step in program.steps:
        if step.name in folded:
            part = folded[step.name]
            weights = _layout(program, step, part.folded_weight).astype(np.float32)
            parameters[step.name] = {"weights": weights, "bias": to_numpy(part.shift).astype(np.float32)}
    return FrozenNetwork(program=program, parameters=parameters, trained=trained, seed=seed)


def freeze_integer(quantized: QuantizedProgram, *, seed: int, trained: bool) -> FrozenNetwork:
    """The int8 or XNOR network: weights, biases, multipliers, shifts and thresholds in integers."""
    program = quantized.program
    parameters: dict[str, Mapping[str, Array]] = {}
    for step in program.steps:
        match step.operator:
            case Operator.ADD:
                parameters[step.name] = _addition(quantized, step)
            case Operator.PACK:
                parameters[step.name] = {"thresholds": _pack_thresholds(quantized, step)}
            case Operator.AVERAGE | Operator.MAX_POOL:
                pass
            case _:
                parameters[step.name] = _weighted(quantized, step)
    return FrozenNetwork(
        program=program,
        parameters=parameters,
        scales=dict(quantized.scales),
        zero_points={
            name: zero
            for name, zero in quantized.zero_points.items()
            if program.tensors[name].element is not Element.BITS
        },
        trained=trained,
        seed=seed,
    )


def _layout(program: Program, step: Step, weight: Tensor) -> Array:
    """[O, I, k, k] to [O, k, k, I]; [C, 1, k, k] to [C, k, k]; [O, F] as it is."""
    array = to_numpy(weight)
    if step.operator is Operator.CONV:
        array = array.transpose(0, 2, 3, 1)
    return np.ascontiguousarray(array.reshape(program.weight_shape(step)))


def _weighted(quantized: QuantizedProgram, step: Step) -> dict[str, Array]:
    program, integer = quantized.program, quantized.steps[step.name]
    weights = _layout(program, step, integer.levels).astype(np.int8)
    unit, shift = to_numpy(integer.unit), to_numpy(integer.shift)
    out = step.output
    if program.tensors[out].element is Element.BITS:
        top = program.precision.levels
        reached = to_numpy(thresholds(integer.unit, integer.shift, level=quantized.scales[out], top=top))
        most = np.abs(weights.astype(np.int64)).reshape(len(weights), -1).sum(1)[:, None] * top
        return {"weights": weights, "thresholds": np.clip(reached, -most, most + 1).astype(np.int32)}
    fraction = 1 << XNOR_FRACTION_BITS if program.binary(step) else 1
    multiplier, right = _multipliers(unit / fraction / quantized.scales[out])
    bias = np.rint(shift / unit * fraction).astype(np.int32)
    return {"weights": weights, "bias": bias, "multiplier": multiplier, "shift": right}


def _multipliers(factors: np.ndarray) -> tuple[Array, Array]:
    pairs = np.array([quantize_multiplier(float(factor)) for factor in factors], np.int32)
    return pairs[:, 0].copy(), pairs[:, 1].copy()


def _pack_thresholds(quantized: QuantizedProgram, step: Step) -> Array:
    source, top = step.inputs[0], quantized.program.precision.levels
    middles = quantized.scales[step.output] * (np.arange(1, top + 1) - 0.5)
    reached = np.ceil(middles / quantized.scales[source]) + quantized.zero_points[source]
    return np.clip(reached, -(1 << 15), 1 << 15).astype(np.int32)


def _addition(quantized: QuantizedProgram, step: Step) -> dict[str, Array]:
    scales = quantized.scales
    twice_max = 2 * max(scales[name] for name in step.inputs)
    pairs = [
        ONE_HALF if 2 * scales[name] >= twice_max else quantize_multiplier(scales[name] / twice_max)
        for name in step.inputs
    ]
    pairs.append(quantize_multiplier(twice_max / (1 << ADD_LEFT_SHIFT) / scales[step.output]))
    table = np.array(pairs, np.int32)
    return {"multiplier": table[:, 0].copy(), "shift": table[:, 1].copy()}
