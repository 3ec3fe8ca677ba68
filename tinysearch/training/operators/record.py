"""What training knows of an operator: real numbers with gradients, the integers to come, and freezing them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor

from tinysearch.core.network import Unit
from tinysearch.core.program import Array, Step
from tinysearch.training.quantized_program import QuantizedProgram

Layer = Unit | Step
"""A unit of the float network, or a step of a program; both have the fields of their operator."""

Parameters = tuple[Tensor, Tensor | None] | None
"""Weight and bias of a layer, None for one without weights."""


class TrainedOperator(ABC):
    """The torch side of an :class:`~tinysearch.operators.record.OperatorRecord`. Activations are [N, C, H, W]."""

    @abstractmethod
    def real(self, layer: Layer, sources: Sequence[Tensor], parameters: Parameters) -> Tensor:
        """The layer in real numbers, before batch normalization and ReLU, with gradients."""

    @abstractmethod
    def emulate(self, quantized: QuantizedProgram, step: Step, sources: Sequence[Tensor]) -> Tensor:
        """The step in integers (float64), exactly as the oracle computes it."""

    def freeze(self, quantized: QuantizedProgram, step: Step) -> dict[str, Array]:
        """Arrays of the step for the oracle and the emitter; none for a step without parameters."""
        del quantized, step
        return {}
