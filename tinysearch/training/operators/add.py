"""Addition of two tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from tinysearch.core.program import Array, Step
from tinysearch.operators.add import LEFT_SHIFT, factors
from tinysearch.training.operators.record import Layer, Parameters, TrainedOperator
from tinysearch.training.quantized_program import QuantizedProgram, requantized, round_half_up


class Add(TrainedOperator):
    """See :class:`tinysearch.operators.add.Add`."""

    def real(self, layer: Layer, sources: Sequence[Tensor], parameters: Parameters) -> Tensor:
        del layer, parameters
        left, right = sources
        return left + right

    def emulate(self, quantized: QuantizedProgram, step: Step, sources: Sequence[Tensor]) -> Tensor:
        scales, zero_points = quantized.scales, quantized.zero_points
        twice_max = 2 * max(scales[name] for name in step.inputs)
        total = torch.zeros_like(sources[0])
        for name, value in zip(step.inputs, sources, strict=True):
            ratio = scales[name] / twice_max
            shift = max(0, -math.frexp(ratio)[1])
            raised = (value - zero_points[name]) * (1 << LEFT_SHIFT)
            first = round_half_up(raised * (ratio * 2.0**shift))
            total += torch.sign(first) * torch.floor(first.abs() / 2.0**shift + 0.5)
        factor = torch.tensor([twice_max / (1 << LEFT_SHIFT) / scales[step.output]], dtype=torch.float64)
        zero_point, low = zero_points[step.output], quantized.lowest(step)
        return requantized(total, factor.to(total.device), zero_point=zero_point, low=low)

    def freeze(self, quantized: QuantizedProgram, step: Step) -> dict[str, Array]:
        left, right = (quantized.scales[name] for name in step.inputs)
        return factors(left, right, quantized.scales[step.output])
