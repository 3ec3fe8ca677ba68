"""A network spec as a torch module in single precision: one module a unit, named as the unit.

Activations are ``[N, C, H, W]`` in channels-last memory; the input is what the firmware feeds, int8 / 128.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from tinysearch.core.network import INPUT, Convolution, Linear, NetworkSpec, Unit
from tinysearch.training.modules import Modules
from tinysearch.training.operators import trained_operator
from tinysearch.training.quantized_program import flatten_nhwc


class BatchNorm(nn.BatchNorm2d):
    """Batch normalization whose scale may be held positive, so that it commutes with the max pool before it."""

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, channels: int, *, positive: bool = False) -> None:
        super().__init__(channels)
        self.positive = positive

    @property
    def scale(self) -> Tensor:
        """The learned scale as it is applied, [C]."""
        return self.weight.abs() if self.positive else self.weight

    def forward(self, value: Tensor) -> Tensor:
        """Normalize [N, C, H, W]."""
        factor = self.momentum
        if factor is None:  # a plain average of all batches
            self.num_batches_tracked.add_(1)
            factor = 1.0 / float(self.num_batches_tracked)
        return F.batch_norm(
            value, self.running_mean, self.running_var, self.scale, self.bias, self.training, factor, self.eps
        )

    def gain_and_shift(self) -> tuple[Tensor, Tensor]:
        """Gain and shift of the normalization with its running statistics, float64 [C] each."""
        gain = self.scale.detach().double() / torch.sqrt(self.running_var.double() + self.eps)
        return gain, self.bias.detach().double() - self.running_mean.double() * gain


class UnitModule(nn.Module):
    """Weights and batch normalization of one unit; the arithmetic between them is its operator's.

    Attributes:
        unit: the spec.
        weight: conv [O, I, k, k], depthwise [C, 1, k, k], linear [O, H * W * C]; absent for units without weights.
        norm: absent where the unit has none.
    """

    weight: nn.Parameter | None

    def __init__(self, unit: Unit, *, in_channels: int, out_channels: int, in_elements: int) -> None:
        super().__init__()
        self.unit = unit
        match unit:
            case Convolution():
                depth = 1 if unit.depthwise else in_channels
                weight = torch.empty(unit.out_channels, depth, unit.kernel, unit.columns)
                nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu")
                self.weight = nn.Parameter(weight.contiguous(memory_format=torch.channels_last))
            case Linear():
                weight = torch.empty(unit.out_features, in_elements)
                nn.init.normal_(weight, std=in_elements**-0.5)
                self.weight = nn.Parameter(weight)
            case _:
                self.weight = None
        pooled = isinstance(unit, Convolution) and unit.pool > 1
        self.norm = BatchNorm(out_channels, positive=pooled) if unit.batch_norm else None

    @property
    def weights(self) -> nn.Parameter:
        """The weights of a unit that has some.

        Raises:
            ValueError: it has none.
        """
        if self.weight is None:
            raise ValueError(f"{self.unit.name} must have weights")
        return self.weight

    def real(self, sources: Sequence[Tensor], weight: Tensor | None) -> Tensor:
        """The unit's arithmetic with the given weights, before normalization and ReLU."""
        return trained_operator(self.unit.operator).real(self.unit, sources, None if weight is None else (weight, None))


def build_units(network: NetworkSpec) -> Modules[UnitModule]:
    """One initialized :class:`UnitModule` a unit, by name."""
    shapes = network.shapes()
    return Modules(
        {
            unit.name: UnitModule(
                unit,
                in_channels=shapes[unit.inputs[0]].channels,
                out_channels=shapes[unit.name].channels,
                in_elements=shapes[unit.inputs[0]].elements,
            )
            for unit in network.units
        }
    )


class FloatNetwork(nn.Module):
    """The network in single precision with live batch normalization.

    Args:
        network: the spec; weights are drawn from torch's global generator.
    """

    def __init__(self, network: NetworkSpec) -> None:
        super().__init__()
        self.network = network
        self.units = build_units(network)

    def forward(self, inputs: Tensor) -> Tensor:
        """Embeddings [N, E] of inputs [N, C, H, W] (int8 / 128)."""
        values = {INPUT: inputs}
        for unit in self.network.units:
            module = self.units[unit.name]
            value = module.real([values[name] for name in unit.inputs], module.weight)
            if module.norm is not None:
                value = module.norm(value)
            values[unit.name] = F.relu(value, inplace=module.norm is not None) if unit.relu else value
        return flatten_nhwc(values[self.network.units[-1].name])


def reestimate_statistics(module: nn.Module, batches: list[Tensor]) -> None:
    """Replace running statistics by plain averages over batches, so that inference normalizes with settled weights."""
    norms = [norm for norm in module.modules() if isinstance(norm, BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    module.train()
    with torch.no_grad():
        for batch in batches:
            module(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    module.eval()
