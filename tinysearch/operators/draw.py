"""A random network while it is drawn: how far values spread decides multipliers, biases and thresholds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from tinysearch.core.network import INPUT
from tinysearch.core.program import Program, Step
from tinysearch.core.quantization import INPUT_SCALE, INT8_LOW

INPUT_SPREAD = 74.0
"""Standard deviation of uniform int8 values."""

SPREAD = 36.0
"""Standard deviation aimed at for int8 activations before they are clamped."""

REACHED = {1: (0.27,), 3: (0.37, 0.14, 0.05), 7: (0.41, 0.26, 0.15, 0.085, 0.045, 0.025, 0.01)}
"""Shares of activations that reach each level, by number of levels: means over the binary layers of branches trained on
the embedded data (November 2026). Time of the binary kernels follows these shares."""

BINARY_SPREAD = {
    levels: math.sqrt(sum((2 * i + 1) * p for i, p in enumerate(shares))) for levels, shares in REACHED.items()
}
"""Root mean square of a level under these shares."""


@dataclass(slots=True)
class Draw:
    """Spread of every tensor about its zero point, in levels, and what the network says of it so far."""

    program: Program
    random: np.random.Generator
    spread: dict[str, float] = field(default_factory=lambda: {INPUT: INPUT_SPREAD})
    scales: dict[str, float] = field(default_factory=lambda: {INPUT: INPUT_SCALE})
    zero_points: dict[str, int] = field(default_factory=lambda: {INPUT: 0})

    def stream(self, step: Step) -> None:
        """An int8 output of its own scale: all of the range is for positive values after a ReLU."""
        self.scales[step.output] = 1.0 / 32
        self.zero_points[step.output] = INT8_LOW if step.relu else int(self.random.integers(-8, 8))
        self.spread[step.output] = SPREAD

    def keep(self, step: Step) -> None:
        """An int8 output of its input's scale."""
        source, output = step.inputs[0], step.output
        self.spread[output], self.scales[output] = self.spread[source], self.scales[source]
        self.zero_points[output] = self.zero_points[source]

    def levels(self, step: Step) -> None:
        """Bit planes."""
        spread = BINARY_SPREAD[self.program.precision.levels]
        self.spread[step.output], self.scales[step.output] = spread, 1.0
