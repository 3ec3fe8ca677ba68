"""Convolution, depthwise convolution, scale and fully connected layer: weights, gain and shift a channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from tinysearch.core.network import Convolution
from tinysearch.core.program import Array, Element, Program, Step
from tinysearch.core.quantization import XNOR_FRACTION_BITS, quantize_multiplier
from tinysearch.training.operators.record import Layer, Parameters, TrainedOperator
from tinysearch.training.quantized_program import (
    QuantizedProgram,
    flatten_nhwc,
    requantized,
    round_half_up,
    thresholds,
    to_numpy,
)

_EXACT_FLOAT32 = 1 << 24
"""Sums of integers below this are exact in single precision."""


class Products(TrainedOperator):
    """Sums of products; what they are of is :meth:`real`'s."""

    def emulate(self, quantized: QuantizedProgram, step: Step, sources: Sequence[Tensor]) -> Tensor:
        program, integer = quantized.program, quantized.steps[step.name]
        centered = sources[0] - quantized.zero_points[step.inputs[0]]
        bound = float(centered.abs().amax()) * float(integer.levels.abs().flatten(1).sum(1).amax())
        kind = torch.float32 if bound < _EXACT_FLOAT32 else torch.float64
        accumulator = self.real(step, [centered.to(kind)], (integer.levels.to(kind), None)).double()
        out = step.output
        if program.tensors[out].element is Element.BITS:
            real = accumulator * integer.unit.view(1, -1, 1, 1) + integer.shift.view(1, -1, 1, 1)
            return round_half_up(real / quantized.scales[out]).clamp(0, program.precision.levels)
        fraction = 1 << XNOR_FRACTION_BITS if program.binary(step) else 1
        bias = torch.round(integer.shift / integer.unit * fraction).view(1, -1, 1, 1)
        factor = integer.unit / fraction / quantized.scales[out]
        zero_point, low = quantized.zero_points[out], quantized.lowest(step)
        return requantized(accumulator * fraction + bias, factor, zero_point=zero_point, low=low)

    def freeze(self, quantized: QuantizedProgram, step: Step) -> dict[str, Array]:
        program, integer = quantized.program, quantized.steps[step.name]
        weights = self.layout(program, step, integer.levels).astype(np.int8)
        unit, shift = to_numpy(integer.unit), to_numpy(integer.shift)
        out = step.output
        if program.tensors[out].element is Element.BITS:
            top = program.precision.levels
            reached = to_numpy(thresholds(integer.unit, integer.shift, level=quantized.scales[out], top=top))
            most = np.abs(weights.astype(np.int64)).reshape(len(weights), -1).sum(1)[:, None] * top
            return {"weights": weights, "thresholds": np.clip(reached, -most, most + 1).astype(np.int32)}
        fraction = 1 << XNOR_FRACTION_BITS if program.binary(step) else 1
        factors = unit / fraction / quantized.scales[out]
        pairs = np.array([quantize_multiplier(float(factor)) for factor in factors], np.int32)
        bias = np.rint(shift / unit * fraction).astype(np.int32)
        return {"weights": weights, "bias": bias, "multiplier": pairs[:, 0].copy(), "shift": pairs[:, 1].copy()}

    def layout(self, program: Program, step: Step, weight: Tensor) -> Array:
        """Torch's weights in the order of :meth:`~tinysearch.core.program.Program.weight_shape`."""
        return np.ascontiguousarray(to_numpy(weight).reshape(program.weight_shape(step)))


class Conv(Products):
    """Weights [O, I, k, k], of series [O, I, k, 1]."""

    def real(self, layer: Layer, sources: Sequence[Tensor], parameters: Parameters) -> Tensor:
        return _convolved(cast("Convolution | Step", layer), sources[0], parameters, groups=1)

    def layout(self, program: Program, step: Step, weight: Tensor) -> Array:
        return np.ascontiguousarray(to_numpy(weight).transpose(0, 2, 3, 1).reshape(program.weight_shape(step)))


class Depthwise(Products):
    """Weights [C, 1, k, k], of series [C, 1, k, 1]."""

    def real(self, layer: Layer, sources: Sequence[Tensor], parameters: Parameters) -> Tensor:
        return _convolved(cast("Convolution | Step", layer), sources[0], parameters, groups=sources[0].shape[1])


class Scale(Products):
    """Weights [C, 1, 1, 1]."""

    def real(self, layer: Layer, sources: Sequence[Tensor], parameters: Parameters) -> Tensor:
        weight, bias = _present(layer, parameters)
        value = sources[0] * weight.view(1, -1, 1, 1)
        return value if bias is None else value + bias.view(1, -1, 1, 1)


class FullyConnected(Products):
    """Weights [O, H * W * C]."""

    def real(self, layer: Layer, sources: Sequence[Tensor], parameters: Parameters) -> Tensor:
        return F.linear(flatten_nhwc(sources[0]), *_present(layer, parameters))[:, :, None, None]


def _convolved(layer: Convolution | Step, value: Tensor, parameters: Parameters, *, groups: int) -> Tensor:
    weight, bias = _present(layer, parameters)
    value = F.conv2d(value, weight, bias, stride=layer.stride, padding=(layer.padding, layer.beside), groups=groups)
    return F.max_pool2d(value, layer.pool) if layer.pool > 1 else value


def _present(layer: Layer, parameters: Parameters) -> tuple[Tensor, Tensor | None]:
    if parameters is None:
        raise ValueError(f"{layer.name} must have weights")
    return parameters
