"""A quantized network before it is frozen, and the roundings that its emulation shares with the runtime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tinysearch.core.program import Array, Program, Step
from tinysearch.core.quantization import INT8_HIGH, INT8_LOW


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegerStep:
    """A weighted step in integers and one real number a channel.

    Attributes:
        levels: integer weights in float64, [O, I, k, k], [C, 1, k, k] or [O, F].
        unit: float64 [O], real value of one count of the accumulator, positive.
        shift: float64 [O], real value that is added.
    """

    levels: Tensor
    unit: Tensor
    shift: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizedProgram:
    """Every number of a quantized network before it is frozen.

    Attributes:
        steps: weighted steps by name.
        scales: real value of one step of every tensor; of one level for bit planes.
        zero_points: of the int8 tensors.
    """

    program: Program
    steps: Mapping[str, IntegerStep]
    scales: Mapping[str, float]
    zero_points: Mapping[str, int]

    def lowest(self, step: Step) -> int:
        """Lower clamp of an int8 output."""
        return self.zero_points[step.output] if step.relu else INT8_LOW


def flatten_nhwc(value: Tensor) -> Tensor:
    """[N, C, H, W] to [N, H * W * C] in the order of the firmware."""
    return value.flatten(1) if value.shape[2] * value.shape[3] == 1 else value.permute(0, 2, 3, 1).flatten(1)


def thresholds(unit: Tensor, shift: Tensor, *, level: float, top: int) -> Tensor:
    """Smallest accumulators at which ``unit * accumulator + shift`` rounds up to level 1 .. top: float64 [O, top]."""
    middles = level * (torch.arange(1, top + 1, dtype=torch.float64, device=unit.device) - 0.5)
    return torch.ceil((middles - shift[:, None]) / unit[:, None])


def round_half_up(value: Tensor) -> Tensor:
    """Rounding of a doubling high multiply."""
    return torch.floor(value + 0.5)


def requantized(accumulator: Tensor, factor: Tensor, *, zero_point: int, low: int) -> Tensor:
    """Integers of an int8 output, rounded twice as the runtime rounds.

    Args:
        accumulator: integers in float64, [N, C, H, W].
        factor: real multiplier, scalar or [C].
    """
    _, exponent = torch.frexp(factor)
    shift = torch.clamp(-exponent, min=1).double()
    power = torch.exp2(shift)
    first = round_half_up(accumulator * (factor * power).view(1, -1, 1, 1))
    power = power.view(1, -1, 1, 1)
    second = torch.sign(first) * torch.floor(first.abs() / power + 0.5)
    return (second + zero_point).clamp(low, INT8_HIGH)


def to_numpy(value: Tensor) -> Array:
    """A tensor as a NumPy array on the host."""
    return np.asarray(value.detach().cpu().numpy())
