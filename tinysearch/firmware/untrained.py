"""Seeded random networks with plausible scales: what ``emit trainer=none`` puts on a board, marked as untrained.

Weights are drawn uniformly; multipliers and biases follow from the spread that sums of so many products have, so that
activations neither vanish nor saturate and every branch of the arithmetic is exercised. Thresholds of binary layers are
put where random inputs set as many bits as in trained networks, because the time of these kernels follows the bits.
Each operator's record draws its own parameters.
"""

from __future__ import annotations

import numpy as np

from tinysearch.core.network import INPUT, Operator
from tinysearch.core.program import Array, Element, FrozenNetwork, Program
from tinysearch.core.quantization import INT8_HIGH, INT8_LOW
from tinysearch.firmware.integer_network import execute
from tinysearch.operators import record_of
from tinysearch.operators.draw import REACHED, Draw

_SETTLING_INPUTS = 2


def untrained(program: Program, seed: int) -> FrozenNetwork:
    """A frozen network with random parameters; the same program and seed give the same bytes.

    Args:
        program: a lowered network.
        seed: of the generator.

    Returns:
        A network with ``trained`` false.
    """
    draw = Draw(program=program, random=np.random.default_rng(seed))
    if program.precision.kind == "float32":
        reals = {step.name: record_of(step).draw_real(draw, step) for step in program.steps}
        parameters = {name: arrays for name, arrays in reals.items() if arrays}
        return FrozenNetwork(program=program, parameters=parameters, trained=False, seed=seed)
    drawn = {step.name: record_of(step).draw_integer(draw, step) for step in program.steps}
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
            values = record_of(step).sums(frozen, step, sources[0])
            axes = None if step.operator == Operator.PACK else (0, 1, 2)
            places = np.floor(np.quantile(values, shares, axis=axes)) + 1
            drawn[step.name]["thresholds"] = places.T.astype(np.int32)
        tensors[step.output] = execute(frozen, step, sources)
