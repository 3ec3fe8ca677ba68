"""int8 values to levels of bit planes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from tinysearch.core.program import Array, Step
from tinysearch.training.operators.record import Layer, Parameters, TrainedOperator
from tinysearch.training.quantized_program import QuantizedProgram, round_half_up


class Pack(TrainedOperator):
    """See :class:`tinysearch.operators.pack.Pack`."""

    def real(self, layer: Layer, sources: Sequence[Tensor], parameters: Parameters) -> Tensor:
        """The values themselves; their levels are set by the network's quantizers."""
        del layer, parameters
        return sources[0]

    def emulate(self, quantized: QuantizedProgram, step: Step, sources: Sequence[Tensor]) -> Tensor:
        source = step.inputs[0]
        real = (sources[0] - quantized.zero_points[source]) * quantized.scales[source]
        return round_half_up(real / quantized.scales[step.output]).clamp(0, quantized.program.precision.levels)

    def freeze(self, quantized: QuantizedProgram, step: Step) -> dict[str, Array]:
        source, top = step.inputs[0], quantized.program.precision.levels
        middles = quantized.scales[step.output] * (np.arange(1, top + 1) - 0.5)
        reached = np.ceil(middles / quantized.scales[source]) + quantized.zero_points[source]
        return {"thresholds": np.clip(reached, -(1 << 15), 1 << 15).astype(np.int32)}
