"""Max pool and mean: their output has the scale of their input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from tinysearch.core.network import MaxPool as MaxPoolUnit
from tinysearch.core.program import Step
from tinysearch.training.operators.record import Layer, Parameters, TrainedOperator
from tinysearch.training.quantized_program import QuantizedProgram


class MaxPool(TrainedOperator):
    """See :class:`tinysearch.operators.max_pool.MaxPool`."""

    def real(self, layer: Layer, sources: Sequence[Tensor], parameters: Parameters) -> Tensor:
        del parameters
        return F.max_pool2d(sources[0], cast("MaxPoolUnit | Step", layer).pool)

    def emulate(self, quantized: QuantizedProgram, step: Step, sources: Sequence[Tensor]) -> Tensor:
        del quantized
        return F.max_pool2d(sources[0], step.pool)


class Average(TrainedOperator):
    """See :class:`tinysearch.operators.average.Average`."""

    def real(self, layer: Layer, sources: Sequence[Tensor], parameters: Parameters) -> Tensor:
        del layer, parameters
        return sources[0].mean((2, 3), keepdim=True)

    def emulate(self, quantized: QuantizedProgram, step: Step, sources: Sequence[Tensor]) -> Tensor:
        value = sources[0]
        count = value.shape[2] * value.shape[3]
        total = value.sum((2, 3), keepdim=True)
        mean = torch.sign(total) * torch.floor((total.abs() + count // 2) / count)
        return mean.clamp_min(quantized.zero_points[step.output]) if step.relu else mean
