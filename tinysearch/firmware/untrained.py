"""Seeded random networks with plausible scales: what ``emit trainer=none`` puts on a board, marked as untrained.

Weights are drawn uniformly; multipliers and biases follow from the spread that sums of so many products have, so that
activations neither vanish nor saturate and every branch of the arithmetic is exercised. Thresholds of binary layers are
put where random inputs set as many bits as in trained networks, because the time of these kernels follows the bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from tinysearch.core.network import INPUT
from tinysearch.core.program import Array, Element, FrozenNetwork, Operator, Program, Step
from tinysearch.core.quantization import INPUT_SCALE, INT8_HIGH, INT8_LOW, XNOR_FRACTION_BITS, quantize_multiplier
from tinysearch.firmware.integer_network import ADD_LEFT_SHIFT, execute, sums

INPUT_SPREAD = 74.0
"""Standard deviation of uniform int8 values."""

SPREAD = 36.0
"""Standard deviation aimed at for int8 activations before they are clamped."""

INT8_WEIGHT_TOP = 127
ONE_HALF = (1 << 30, 0)
"""Multiplier and right shift of exactly one half, the factor of the coarser input of an addition."""

REACHED = {1: (0.27,), 3: (0.37, 0.14, 0.05), 7: (0.41, 0.26, 0.15, 0.085, 0.045, 0.025, 0.01)}
"""Shares of activations that reach each level, by number of levels: means over the binary layers of branches trained on
the embedded data (November 2026). Time of the binary kernels follows these shares."""

BINARY_SPREAD = {
    levels: math.sqrt(sum((2 * i + 1) * p for i, p in enumerate(shares))) for levels, shares in REACHED.items()
}
"""Root mean square of a level under these shares."""

_SETTLING_INPUTS = 2


@dataclass(slots=True)
class _Draw:
    """A network while it is drawn: spread of every tensor about its zero point, in levels."""

    program: Program
    random: np.random.Generator
    spread: dict[str, float] = field(default_factory=lambda: {INPUT: INPUT_SPREAD})
    scales: dict[str, float] = field(default_factory=lambda: {INPUT: INPUT_SCALE})
    zero_points: dict[str, int] = field(default_factory=lambda: {INPUT: 0})


def untrained(program: Program, seed: int) -> FrozenNetwork:
    """A frozen network with random parameters; the same program and seed give the same bytes.

    Args:
        program: a lowered network.
        seed: of the generator.

    Returns:
        A network with ``trained`` false.
    """
    draw = _Draw(program=program, random=np.random.default_rng(seed))
    if program.precision.kind == "float32":
        parameters = {step.name: _float_step(draw, step) for step in program.steps if step.has_weights}
        return FrozenNetwork(program=program, parameters=parameters, trained=False, seed=seed)
    drawn = {step.name: _integer_step(draw, step) for step in program.steps}
    frozen = FrozenNetwork(
        program=program,
        parameters={name: arrays for name, arrays in drawn.items() if arrays},
        scales=draw.scales,
        zero_points=draw.zero_points,
        trained=False,
        seed=seed,
    )
    if program.precision.kind == "xnor":
        _settle(frozen, drawn, draw.random)
    return frozen


def _settle(frozen: FrozenNetwork, drawn: dict[str, dict[str, Array]], random: np.random.Generator) -> None:
    """Put the thresholds where random inputs reach each level as often as in trained networks."""
    program = frozen.program
    shape = program.network.input_shape
    size = (_SETTLING_INPUTS, shape.height, shape.width, shape.channels)
    tensors: dict[str, Array] = {INPUT: random.integers(INT8_LOW, INT8_HIGH, size, np.int8, endpoint=True)}
    shares = 1.0 - np.array(REACHED[program.precision.levels])
    for step in program.steps:
        sources = [tensors[name] for name in step.inputs]
        if program.tensors[step.output].element is Element.BITS:
            values = sums(frozen, step, sources[0])
            axes = None if step.operator is Operator.PACK else (0, 1, 2)
            places = np.floor(np.quantile(values, shares, axis=axes)) + 1
            drawn[step.name]["thresholds"] = places.T.astype(np.int32)
        tensors[step.output] = execute(frozen, step, sources)


def _fan_in(shape: tuple[int, ...]) -> int:
    return math.prod(shape[1:])


def _float_step(draw: _Draw, step: Step) -> dict[str, Array]:
    shape = draw.program.weight_shape(step)
    if step.operator is Operator.SCALE:
        weights = draw.random.uniform(0.6, 1.2, shape)
    else:
        limit = math.sqrt(6.0 / _fan_in(shape))
        weights = draw.random.uniform(-limit, limit, shape)
    bias = draw.random.uniform(-0.1, 0.1, shape[0])
    return {"weights": weights.astype(np.float32), "bias": bias.astype(np.float32)}


def _integer_step(draw: _Draw, step: Step) -> dict[str, Array]:
    source, output = step.inputs[0], step.output
    match step.operator:
        case Operator.PACK:
            return _pack(draw, step)
        case Operator.ADD:
            return _add(draw, step)
        case Operator.AVERAGE | Operator.MAX_POOL:
            draw.spread[output], draw.scales[output] = draw.spread[source], draw.scales[source]
            draw.zero_points[output] = draw.zero_points[source]
            return {}
        case _:
            return _weighted(draw, step)


def _weights(draw: _Draw, step: Step) -> tuple[Array, float]:
    """Levels and their standard deviation."""
    shape = draw.program.weight_shape(step)
    if step.weight_bits >= 8:
        low = INT8_WEIGHT_TOP // 2 if step.operator is Operator.SCALE else -INT8_WEIGHT_TOP
        weights = draw.random.integers(low, INT8_WEIGHT_TOP, shape, endpoint=True)
    else:
        weights = 2 * draw.random.integers(0, 1 << step.weight_bits, shape) - ((1 << step.weight_bits) - 1)
    return weights.astype(np.int8), float(np.sqrt(np.mean(weights.astype(np.float64) ** 2)))


def _weighted(draw: _Draw, step: Step) -> dict[str, Array]:
    program = draw.program
    weights, weight_spread = _weights(draw, step)
    channels = len(weights)
    deviation = weight_spread * draw.spread[step.inputs[0]] * math.sqrt(_fan_in(weights.shape))
    if program.tensors[step.output].element is Element.BITS:
        draw.spread[step.output], draw.scales[step.output] = BINARY_SPREAD[program.precision.levels], 1.0
        return {"weights": weights}
    fraction = 1 << XNOR_FRACTION_BITS if program.binary(step) else 1
    factors = SPREAD / (deviation * fraction) * draw.random.uniform(0.7, 1.3, channels)
    pairs = np.array([quantize_multiplier(min(float(factor), 0.49)) for factor in factors], np.int32)
    bias = np.rint(draw.random.uniform(-0.5, 0.5, channels) * deviation * fraction).astype(np.int32)
    _stream(draw, step)
    return {"weights": weights, "bias": bias, "multiplier": pairs[:, 0].copy(), "shift": pairs[:, 1].copy()}


def _stream(draw: _Draw, step: Step) -> None:
    """An int8 output: all of the range is for positive values after a ReLU."""
    draw.scales[step.output] = 1.0 / 32
    draw.zero_points[step.output] = INT8_LOW if step.relu else int(draw.random.integers(-8, 8))
    draw.spread[step.output] = SPREAD


def _pack(draw: _Draw, step: Step) -> dict[str, Array]:
    levels = draw.program.precision.levels
    draw.spread[step.output], draw.scales[step.output] = BINARY_SPREAD[levels], 1.0
    return {"thresholds": np.zeros(levels, np.int32)}


def _add(draw: _Draw, step: Step) -> dict[str, Array]:
    scales = [draw.scales[name] for name in step.inputs]
    twice_max = 2 * max(scales)
    _stream(draw, step)
    pairs = [ONE_HALF if 2 * scale >= twice_max else quantize_multiplier(scale / twice_max) for scale in scales]
    pairs.append(quantize_multiplier(twice_max / (1 << ADD_LEFT_SHIFT) / draw.scales[step.output]))
    table = np.array(pairs, np.int32)
    return {"multiplier": table[:, 0].copy(), "shift": table[:, 1].copy()}
