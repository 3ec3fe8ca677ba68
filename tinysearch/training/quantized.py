"""The quantized networks: int8 over the steps of its program, XNOR over units with live batch normalization.

Both start from a trained :class:`FloatNetwork`, train with fake quantization, and in evaluation mode compute the
embedding's integers as the runtime will (:func:`tinysearch.training.integer.emulate`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from tinysearch.core.network import INPUT, Operator, Unit
from tinysearch.core.program import Element, Program, Step
from tinysearch.operators import record_of
from tinysearch.training.folding import FoldedStep, execute, fold, real_parameters
from tinysearch.training.integer import emulate, is_signed, owned_tensors, quantize_program, scale_owner
from tinysearch.training.modules import Modules
from tinysearch.training.network import FloatNetwork, build_units
from tinysearch.training.quantized_program import QuantizedProgram, flatten_nhwc
from tinysearch.training.quantizers import (
    LevelQuantizer,
    RangeQuantizer,
    binarize,
    fake_quantize,
    fake_quantize_weight,
    weight_levels,
)


class QuantizedNetwork(nn.Module, ABC):
    """What int8 and XNOR networks share: ranges of int8 tensors, and evaluation in integers."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self.program = program
        self.ranges: Modules[RangeQuantizer] = Modules(
            {name: RangeQuantizer(signed=is_signed(program, name)) for name in owned_tensors(program)}
        )
        self._emulated: QuantizedProgram | None = None

    @abstractmethod
    def quantized(self) -> QuantizedProgram:
        """Every integer of the network as it is now."""

    def observe_ranges(self, *, observing: bool) -> None:
        """Let ranges follow the data, or hold them."""
        for quantizer in self.ranges.values():
            quantizer.observing = observing

    def train(self, mode: bool = True) -> QuantizedNetwork:  # noqa: FBT001, FBT002
        """Switch between fake quantization and integers."""
        self._emulated = None
        super().train(mode)
        return self

    def forward(self, inputs: Tensor) -> Tensor:
        """Embeddings [N, E] of inputs [N, C, H, W] (int8 / 128): real in training, integers (float64) in evaluation."""
        if self.training:
            return self.fake_quantized(inputs)
        if self._emulated is None:
            self._emulated = self.quantized()
        return emulate(self._emulated, inputs)

    @abstractmethod
    def fake_quantized(self, inputs: Tensor) -> Tensor:
        """Embeddings with fake quantization and gradients."""

    def _highs(self) -> dict[str, float]:
        return {name: float(quantizer.high) for name, quantizer in self.ranges.items()}


class Int8Network(QuantizedNetwork):
    """int8 weights and activations; batch normalizations are folded, their gains stay as fixed factors of the weights.

    Training the unfolded weights under a fixed gain keeps the float network's proportions between channels, which
    Adam's steps of one size need.

    Args:
        program: of precision int8.
        start: trained float network of the same spec.
        calibration: inputs [N, C, H, W] that set the first ranges.
    """

    def __init__(self, program: Program, start: FloatNetwork, calibration: list[Tensor]) -> None:
        super().__init__(program)
        folded = fold(program, start.units)
        self.weights, self.biases = nn.ParameterDict(), nn.ParameterDict()
        for name, step in folded.items():
            weight = step.weight.float()
            weight = weight.contiguous(memory_format=torch.channels_last) if weight.dim() == 4 else weight
            self.weights[name] = nn.Parameter(weight.clone())
            self.biases[name] = nn.Parameter(step.shift.float())
            self.register_buffer(f"gain_{name}", step.gain.float())
        _observe(program, folded, calibration, self.ranges, Modules())

    def _gain(self, name: str) -> Tensor:
        return self.get_buffer(f"gain_{name}").view(-1, *[1] * (self.weights[name].dim() - 1))

    def fake_quantized(self, inputs: Tensor) -> Tensor:
        parameters = {
            name: (fake_quantize_weight(weight, self._gain(name)), self.biases[name])
            for name, weight in self.weights.items()
        }
        return execute(self.program, parameters, inputs, self._after)

    def _after(self, step: Step, value: Tensor) -> Tensor:
        if record_of(step).selects:
            return value
        quantizer = self.ranges[scale_owner(self.program, step.output)]
        if step.output in self.ranges:
            return quantizer.forward(value)
        held = fake_quantize(value, quantizer.scale, quantizer.zero_point)
        return F.relu(held) if step.relu else held

    @torch.no_grad()
    def quantized(self) -> QuantizedProgram:
        folded = {
            name: FoldedStep(
                weight=weight.double(),
                gain=self.get_buffer(f"gain_{name}").double(),
                shift=self.biases[name].double(),
            )
            for name, weight in self.weights.items()
        }
        return quantize_program(self.program, folded, ranges=self._highs(), clips={}, levels={})


class XnorNetwork(QuantizedNetwork):
    """A-bit activations and B-bit weights; batch normalization uses batch statistics in training.

    Args:
        program: of an XNOR precision.
        start: trained float network of the same spec.
        calibration: inputs [N, C, H, W] that set the first ranges and activation levels.
    """

    def __init__(self, program: Program, start: FloatNetwork, calibration: list[Tensor]) -> None:
        super().__init__(program)
        self.units = build_units(program.network)
        self.units.load_state_dict(start.units.state_dict())
        bits = program.precision.activation_bits
        planes = [name for name, tensor in program.tensors.items() if tensor.element is Element.BITS]
        self.levels: Modules[LevelQuantizer] = Modules({name: LevelQuantizer(bits=bits) for name in planes})
        self._few_bits = frozenset(step.unit for step in program.steps if 0 < step.weight_bits < 8)
        _observe(program, fold(program, start.units), calibration, self.ranges, self.levels)

    def fake_quantized(self, inputs: Tensor) -> Tensor:
        values = {INPUT: inputs}
        planes: dict[str, Tensor] = {}
        for unit in self.program.network.units:
            values[unit.name] = self._unit(unit, values, planes)
        return flatten_nhwc(values[self.program.network.units[-1].name])

    def _unit(self, unit: Unit, values: Mapping[str, Tensor], planes: dict[str, Tensor]) -> Tensor:
        module = self.units[unit.name]
        sources: list[Tensor] = [values[name] for name in unit.inputs]
        weight: Tensor | None = module.weight
        if unit.name in self._few_bits:
            sources = [self._packed(unit, sources[0], planes)]
            weight = binarize(module.weights, bits=self.program.precision.weight_bits)
        elif weight is not None:
            weight = fake_quantize_weight(weight)
        value = module.real(sources, weight)
        if module.norm is not None:
            value = module.norm(value)
        if unit.name in self.levels:
            return self.levels[unit.name].forward(value)
        return self.ranges[unit.name].forward(value) if unit.relu and unit.name in self.ranges else value

    def _packed(self, unit: Unit, value: Tensor, planes: dict[str, Tensor]) -> Tensor:
        source = unit.inputs[0]
        if source == INPUT or source in self.levels:
            return value
        if source not in planes:
            planes[source] = self.levels[f"{source}_bits"](value)
        return planes[source]

    def _folded(self) -> tuple[dict[str, FoldedStep], dict[str, Tensor]]:
        bits = self.program.precision.weight_bits
        weights, levels = {}, {}
        for step in self.program.steps:
            if step.operator in (Operator.CONV, Operator.FULLY_CONNECTED) and step.unit in self._few_bits:
                level, scale = weight_levels(self.units[step.unit].weights, bits=bits)
                weights[step.unit], levels[step.name] = level.double() * scale.double(), level
        return fold(self.program, self.units, weights), levels

    @torch.no_grad()
    def calibrate(self, batches: list[Tensor]) -> None:
        """Set the ranges of all int8 tensors from the folded network; those inside a block exist only there."""
        folded, _ = self._folded()
        for quantizer in self.ranges.values():
            quantizer.high.zero_()
        _observe(self.program, folded, batches, self.ranges, self.levels)
        self._emulated = None

    @torch.no_grad()
    def quantized(self) -> QuantizedProgram:
        folded, levels = self._folded()
        clips = {name: float(quantizer.step.clamp_min(1e-6)) for name, quantizer in self.levels.items()}
        return quantize_program(self.program, folded, ranges=self._highs(), clips=clips, levels=levels)


@torch.no_grad()
def _observe(
    program: Program,
    folded: Mapping[str, FoldedStep],
    batches: list[Tensor],
    ranges: Modules[RangeQuantizer],
    levels: Modules[LevelQuantizer],
) -> None:
    """Widen ranges to hold every tensor of the folded network over some batches, with bit planes quantized."""

    def after(step: Step, value: Tensor) -> Tensor:
        value = F.relu(value) if step.relu else value
        if step.output in levels:
            return levels[step.output].forward(value)
        if step.output in ranges:
            ranges[step.output].observe(value, widen=True)
        return value

    parameters = real_parameters(folded)
    for batch in batches:
        execute(program, parameters, batch, after)
