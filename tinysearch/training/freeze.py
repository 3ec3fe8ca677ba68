"""Trained parameters to the arrays that the oracle executes and the emitter writes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tinysearch.core.errors import DivergedError
from tinysearch.core.program import Element, FrozenNetwork, Program
from tinysearch.training.folding import FoldedStep
from tinysearch.training.operators import PRODUCTS, trained_operator
from tinysearch.training.quantized_program import QuantizedProgram, to_numpy


def freeze_float(program: Program, folded: Mapping[str, FoldedStep], *, seed: int, trained: bool) -> FrozenNetwork:
    """The float32 network with batch normalizations folded into weights and biases."""
    parameters = {}
    for step in program.steps:
        if step.name in folded:
            part = folded[step.name]
            weights = PRODUCTS[step.operator].layout(program, step, part.folded_weight).astype(np.float32)
            parameters[step.name] = {"weights": weights, "bias": to_numpy(part.shift).astype(np.float32)}
    return FrozenNetwork(program=program, parameters=parameters, trained=trained, seed=seed)


def freeze_integer(quantized: QuantizedProgram, *, seed: int, trained: bool) -> FrozenNetwork:
    """The int8 or XNOR network: weights, biases, multipliers, shifts and thresholds in integers.

    Raises:
        DivergedError: scales of two steps are so far apart that no multiplier holds their ratio.
    """
    program = quantized.program
    try:
        frozen = {step.name: trained_operator(step.operator).freeze(quantized, step) for step in program.steps}
    except ValueError as error:
        raise DivergedError(f"diverged, its scales fit no integers ({error}); lower trainer.learning_rate") from error
    return FrozenNetwork(
        program=program,
        parameters={name: arrays for name, arrays in frozen.items() if arrays},
        scales=dict(quantized.scales),
        zero_points={
            name: zero
            for name, zero in quantized.zero_points.items()
            if program.tensors[name].element is not Element.BITS
        },
        trained=trained,
        seed=seed,
    )
