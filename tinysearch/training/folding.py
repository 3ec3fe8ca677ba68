"""Batch normalizations folded into the steps of a program, and the program executed with real numbers.

Every weighted step computes ``gain * linear(weight, x) + shift`` per channel, then pool and ReLU. The float32 network,
the quantization-aware int8 network and the calibration of ranges all run through :func:`execute`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from tinysearch.core.network import INPUT, Addition, Operator
from tinysearch.core.program import Program, Step
from tinysearch.training.modules import Modules
from tinysearch.training.network import UnitModule
from tinysearch.training.operators import PRODUCTS, trained_operator
from tinysearch.training.quantized_program import flatten_nhwc


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldedStep:
    """Real parameters of a weighted step.

    Attributes:
        weight: [O, I, k, k], depthwise and scale [C, 1, k, k], fully connected [O, F].
        gain, shift: float64 [O], applied after the linear part.
    """

    weight: Tensor
    gain: Tensor
    shift: Tensor

    @property
    def folded_weight(self) -> Tensor:
        """Weight times gain, float64."""
        return self.weight.double() * self.gain.view(-1, *[1] * (self.weight.dim() - 1))


@torch.no_grad()
def fold(
    program: Program, units: Modules[UnitModule], weights: Mapping[str, Tensor] | None = None
) -> dict[str, FoldedStep]:
    """Real parameters of every weighted step from the modules of the units.

    Args:
        program: what is executed.
        units: modules by unit name with running statistics.
        weights: by unit name, to be used instead of the modules' own (binarized levels times their scale).
    """
    additions = {unit.name for unit in program.network.units if isinstance(unit, Addition)}
    takes_shift = {step.inputs[0] for step in program.steps if step.operator == Operator.ADD}
    device = next(units.parameters()).device
    folded = {}
    for step in program.steps:
        if step.operator not in PRODUCTS:
            continue
        channels = program.tensors[step.output].shape.channels
        if step.operator == Operator.SCALE:
            weight = torch.ones(channels, 1, 1, 1, dtype=torch.float64, device=device)
        else:
            other = (weights or {}).get(step.unit)
            weight = (units[step.unit].weights if other is None else other).detach().double()
        gain = torch.ones(channels, dtype=torch.float64, device=device)
        shift = torch.zeros_like(gain)
        for name in step.folded:
            norm = units[name].norm
            assert norm is not None  # noqa: S101 - only units with one are folded
            factor, offset = norm.gain_and_shift()
            gain = gain * factor
            shift = shift * factor
            if name not in additions or step.output in takes_shift:  # an addition's shift is added once
                shift = shift + offset
        folded[step.name] = FoldedStep(weight=weight, gain=gain, shift=shift)
    return folded


After = Callable[[Step, Tensor], Tensor]
"""Called with every step and its output before ReLU; applies ReLU and quantization."""


def execute(program: Program, parameters: Mapping[str, tuple[Tensor, Tensor]], inputs: Tensor, after: After) -> Tensor:
    """Embeddings [N, E] of inputs [N, C, H, W] (int8 / 128) by the steps of a program, in real numbers.

    Args:
        parameters: weight and bias of every weighted step by name.
        after: ReLU, quantization or observation of each output.
    """
    values = {INPUT: inputs}
    for step in program.steps:
        sources = [values[name] for name in step.inputs]
        values[step.output] = after(
            step, trained_operator(step.operator).real(step, sources, parameters.get(step.name))
        )
    return flatten_nhwc(values[program.output.name])


def real_parameters(folded: Mapping[str, FoldedStep]) -> dict[str, tuple[Tensor, Tensor]]:
    """Single precision weights and biases of folded steps for :func:`execute`."""
    return {name: (step.folded_weight.float(), step.shift.float()) for name, step in folded.items()}
