"""float32 kernels: on RV32IMC every product and sum is a call of the C library, which bounds the figure from below."""

from __future__ import annotations

import numpy as np
from random_networks import program_of, random_inputs, randomized, step_cases

from kernel_cases import Row
from tinysearch.core.network import INPUT, Convolution, Linear, Unit

_TOLERANCE = 1e-5


def rows(rng: np.random.Generator) -> list[Row]:
    """Rows of the table."""
    first = Convolution(name="first", input=INPUT, out_channels=16, kernel=1, relu=False)
    return [
        _row(rng, "float conv 3x3 16->16", (8, 8, 3), first, _convolution("first", 16, 3, 1)),
        _row(rng, "float conv 7x7 3->16 of int8", (16, 16, 3), _convolution(INPUT, 16, 7, 0)),
        _row(rng, "float depthwise 3x3 16", (8, 8, 3), first, _depthwise("first", 16)),
        _row(rng, "float fully connected 128x64 of int8", (1, 1, 128), Linear(name="x", input=INPUT, out_features=64)),
    ]


def _convolution(source: str, outputs: int, kernel: int, padding: int) -> Convolution:
    return Convolution(name="x", input=source, out_channels=outputs, kernel=kernel, padding=padding, relu=False)


def _depthwise(source: str, channels: int) -> Convolution:
    return Convolution(name="x", input=source, out_channels=channels, kernel=3, padding=1, depthwise=True, relu=False)


def _row(rng: np.random.Generator, label: str, shape: tuple[int, int, int], *units: Unit) -> Row:
    program = program_of(*units, input_shape=shape, precision="float32")
    last = program.steps[-1]
    steps = step_cases(randomized(program, rng), random_inputs(program, 1, rng))
    step = next(step for step in reversed(steps) if step.case.in_place is None)
    return Row(
        key=None,
        label=label,
        unit="MAC",
        divisor=last.macs,
        target=None,
        peers="",
        case=step.case,
        expected=step.expected,
        tolerance=_TOLERANCE,
    )
