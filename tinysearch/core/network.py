"""What a network is before it has weights: units in their order, shapes, parameters and MACs.

Units and shapes (:mod:`tinysearch.core.layers`) are imported from here, too: architectures of plug-ins do.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tinysearch.core.errors import UserError
from tinysearch.core.layers import (
    INPUT,
    Addition,
    Convolution,
    GlobalAveragePool,
    Linear,
    Lowering,
    MaxPool,
    OneInput,
    Operator,
    SeriesConvolution,
    Shape,
    Unit,
    Weightless,
)

__all__ = [
    "INPUT",
    "Addition",
    "Convolution",
    "GlobalAveragePool",
    "Linear",
    "Lowering",
    "MaxPool",
    "NetworkSpec",
    "OneInput",
    "Operator",
    "SeriesConvolution",
    "Shape",
    "Unit",
    "UnitCount",
    "Weightless",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCount:
    """Weights, batch normalization parameters and MACs of one unit (1 MAC = 2 operations)."""

    weights: int
    batch_norm: int
    macs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpec:
    """A network without weights: units in execution order, the last one giving the embedding.

    Raises:
        UserError: a unit reads what no earlier unit writes, or a shape is impossible.
    """

    name: str
    input_shape: Shape
    units: tuple[Unit, ...]
    _shapes: dict[str, Shape] = field(init=False, repr=False, compare=False)
    _counts: dict[str, UnitCount] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_shapes", self._connect())
        object.__setattr__(self, "_counts", {unit.name: _count(unit, self._shapes) for unit in self.units})

    def shapes(self) -> dict[str, Shape]:
        """Output shape of every unit by name, with the input under :data:`INPUT`."""
        return dict(self._shapes)

    def _connect(self) -> dict[str, Shape]:
        known = {INPUT: self.input_shape}
        for unit in self.units:
            for source in unit.inputs:
                if source not in known:
                    raise UserError(
                        "a unit must read what an earlier unit wrote",
                        value=f"{unit.name} <- {source}",
                        remedy="order the units and spell their names alike",
                    )
            if unit.name in known:
                raise UserError("names of units must differ", value=unit.name, remedy="rename one of the units")
            known[unit.name] = _checked(unit, unit.output([known[source] for source in unit.inputs]))
        return known

    def counts(self) -> dict[str, UnitCount]:
        """Parameters and MACs of every unit by name; a convolution counts all its outputs, also those a pool drops."""
        return dict(self._counts)

    @property
    def params(self) -> int:
        """Weights plus batch normalization scale and shift."""
        return sum(count.weights + count.batch_norm for count in self._counts.values())

    @property
    def macs(self) -> int:
        """MACs of one inference."""
        return sum(count.macs for count in self._counts.values())

    @property
    def embedding(self) -> int:
        """Length of the embedding."""
        return self._shapes[self.units[-1].name].elements


def _checked(unit: Unit, shape: Shape) -> Shape:
    if min(shape.height, shape.width, shape.channels) < 1:
        raise UserError(
            "every layer must have an output",
            value=f"{unit.name}: {shape.height}x{shape.width}x{shape.channels}",
            remedy="use a larger input_size or fewer stages",
        )
    return shape


def _count(unit: Unit, shapes: dict[str, Shape]) -> UnitCount:
    sources = [shapes[name] for name in unit.inputs]
    normalized = 2 * shapes[unit.name].channels if unit.batch_norm else 0
    return UnitCount(weights=unit.weights(sources), batch_norm=normalized, macs=unit.macs(sources))
