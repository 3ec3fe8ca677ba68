"""Fake quantization with straight-through gradients: int8 ranges, levels with a learned step, few-bit weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tinysearch.core.quantization import INT8_HIGH, INT8_LOW

RANGE_MOMENTUM = 0.05
"""Weight of the newest batch in the moving average of an int8 range."""


class _Rounded(torch.autograd.Function):
    """Grid values ``low .. high`` times a scale, in four vectorized passes; torch's own operator is scalar on CPUs."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, scale: float, low: int, high: int) -> Tensor:
        ctx.save_for_backward(value)
        ctx.bounds = ((low - 0.5) * scale if low < 0 else 0.0, (high + 0.5) * scale)
        return torch.mul(value, 1 / scale).round_().clamp_(low, high).mul_(scale)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (value,) = ctx.saved_tensors
        return torch.ops.aten.hardtanh_backward(gradients[0], value, *ctx.bounds), None, None, None


def fake_quantize(value: Tensor, scale: Tensor, zero_point: int) -> Tensor:
    """Values on the int8 grid; no gradient outside of it.

    Args:
        value: any shape.
        scale: scalar tensor.
        zero_point: -128 (only positive values are representable) .. 127.
    """
    value = value.float()
    if value.is_cuda:  # one fused kernel, and no wait for the scale
        zero = torch.full((), zero_point, dtype=torch.int32, device=value.device)
        return torch.fake_quantize_per_tensor_affine(value, scale, zero, INT8_LOW, INT8_HIGH)
    held: Tensor = _Rounded.apply(value, float(scale), INT8_LOW - zero_point, INT8_HIGH - zero_point)
    return held


class RangeQuantizer(nn.Module):
    """int8 values with a range that follows a moving average of the batches' maxima.

    Tensors after a ReLU use all 256 values (zero point -128), others are symmetric (zero point 0).
    """

    high: Tensor

    def __init__(self, *, signed: bool) -> None:
        super().__init__()
        self.signed = signed
        self.observing = True
        self.register_buffer("high", torch.zeros(()))
        self.zero_point = 0 if signed else INT8_LOW

    @property
    def scale(self) -> Tensor:
        """Real value of one step, scalar tensor."""
        return (self.high / (INT8_HIGH if self.signed else INT8_HIGH - INT8_LOW)).clamp_min(1e-8)

    @torch.no_grad()
    def observe(self, value: Tensor, *, widen: bool = False) -> None:
        """Move the range towards this batch, or widen it to hold the batch."""
        value = value.detach()
        high = torch.maximum(-value.amin(), value.amax()) if self.signed else value.amax().clamp_min(0)
        if widen:
            self.high.copy_(torch.maximum(self.high, high))
        else:
            self.high.add_(RANGE_MOMENTUM * (high - self.high))

    def forward(self, value: Tensor) -> Tensor:
        """Values on the grid; what lies outside the range is clamped and gets no gradient (this is the ReLU, too)."""
        if self.training and self.observing:
            self.observe(value)
        return fake_quantize(value, self.scale, self.zero_point)


class _LearnedStep(torch.autograd.Function):
    """Uniform levels 0 .. top with a learned step (learned step size quantization, arXiv 1902.08153)."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, step: Tensor, top: int) -> Tensor:
        quantized = torch.div(value, step).round_().clamp_(0, top).mul_(step)
        ctx.save_for_backward(value, quantized, step)
        ctx.top = top
        return quantized

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        value, quantized, step = ctx.saved_tensors
        (gradient,) = gradients
        reach = (ctx.top + 0.5) * step
        if value.is_cuda:
            passed = gradient * ((value > 0) & (value < reach))
        else:
            passed = torch.ops.aten.hardtanh_backward(gradient, value, 0.0, float(reach))
        weight = torch.vdot(_flat(gradient), _flat(quantized)) - torch.vdot(_flat(passed), _flat(value))
        return passed, weight / step / (value.numel() * ctx.top) ** 0.5, None


def _flat(value: Tensor) -> Tensor:
    """All values in one order for every memory format."""
    return value.permute(0, 2, 3, 1).reshape(-1)


class LevelQuantizer(nn.Module):
    """Unsigned A-bit levels times a learned step; negative values become level 0, so this is the ReLU, too."""

    ready: Tensor

    def __init__(self, *, bits: int) -> None:
        super().__init__()
        self.top = (1 << bits) - 1
        self.step = nn.Parameter(torch.zeros(()))
        self.register_buffer("ready", torch.zeros((), dtype=torch.bool))

    @torch.no_grad()
    def initialize(self, value: Tensor) -> None:
        """Choose the step with the least squared error on one batch."""
        positive = value.detach().clamp_min(0).flatten()
        positive = positive[:: max(1, positive.numel() // 20000)]
        reach = positive.amax().clamp_min(1e-6)
        candidates = reach * torch.linspace(0.05, 1.2, 47, device=value.device) / self.top
        levels = torch.clamp(torch.round(positive / candidates[:, None]), 0, self.top)
        errors = ((levels * candidates[:, None] - positive) ** 2).mean(1)
        self.step.copy_(candidates[errors.argmin()])
        self.ready.fill_(value=True)

    def forward(self, value: Tensor) -> Tensor:
        """Values on the grid of levels."""
        value = value.float()
        if not self.ready:
            self.initialize(value)
        held: Tensor = _LearnedStep.apply(value, self.step.clamp_min(1e-6), self.top)
        return held


@torch.no_grad()
def weight_levels(weight: Tensor, *, bits: int) -> tuple[Tensor, Tensor]:
    """Levels and scale of few-bit weights.

    Args:
        weight: [O, ...].
        bits: 1 for sign times the mean magnitude (XNOR-Net, arXiv 1603.05279); 2 for -3, -1, 1, 3 times the scale that
            has the least squared error for normal weights (half a standard deviation, 0.624 mean magnitudes).

    Returns:
        levels (as floats, shape of the weight), scale [O, 1, ...], positive.
    """
    mean = weight.abs().mean(tuple(range(1, weight.dim())), keepdim=True).clamp_min_(1e-8)
    if bits == 1:  # compared in place: masks of bool and torch.where are many times slower on CPUs
        return weight.clone().ge_(0).mul_(2).sub_(1), mean
    scale = 0.624 * mean
    return torch.div(weight, 2 * scale).floor_().mul_(2).add_(1).clamp_(-3, 3), scale


class _FewBitWeight(torch.autograd.Function):
    """A weight's levels times their scale; gradients pass where the weight is inside the outermost level's reach."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, bits: int) -> Tensor:
        levels, scale = weight_levels(weight, bits=bits)
        ctx.save_for_backward(weight.abs().le_(6 * scale))
        return levels.mul_(scale)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (inside,) = ctx.saved_tensors
        return gradients[0] * inside, None


def binarize(weight: Tensor, *, bits: int) -> Tensor:
    """Few-bit weights in real numbers with clipped straight-through gradients."""
    few: Tensor = _FewBitWeight.apply(weight, bits)
    return few


class _RoundedWeight(torch.autograd.Function):
    """Weights times a gain on the grid of their channel; no weight lies outside of it, so that all get gradients."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, gain: Tensor | None) -> Tensor:
        ctx.save_for_backward(gain)
        value = weight.clone() if gain is None else weight * gain
        axes = tuple(range(1, value.dim()))
        scale = value.abs().amax(axes, keepdim=True).div_(INT8_HIGH).clamp_min_(1e-12)
        return value.mul_(scale.reciprocal()).round_().mul_(scale)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (gain,) = ctx.saved_tensors
        return gradients[0] if gain is None else gradients[0] * gain, None


def fake_quantize_weight(weight: Tensor, gain: Tensor | None = None) -> Tensor:
    """int8 weights in [-127, 127] with one symmetric scale an output channel, straight-through gradients.

    Args:
        weight: [O, ...].
        gain: fixed factors, [O, 1, ...]; None for none.
    """
    held: Tensor = _RoundedWeight.apply(weight, gain)
    return held
