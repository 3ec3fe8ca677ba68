"""What a network is before it has weights: units, shapes, parameters and MACs.

A unit is what one kernel computes: a convolution together with the pool, batch normalization and ReLU that follow it.
Training builds one module a unit, lowering (:mod:`tinysearch.core.program`) one or two steps a unit, so that all
executions of a network share one description.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tinysearch.core.errors import UserError

INPUT = "input"
"""Name by which units refer to the input of the network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Height, width and channels of one activation tensor (NHWC without the N)."""

    height: int
    width: int
    channels: int

    @property
    def elements(self) -> int:
        """Number of values."""
        return self.height * self.width * self.channels


@dataclass(frozen=True, slots=True, kw_only=True)
class Convolution:
    """Convolution, then max pool, batch normalization and ReLU where asked for, in this order.

    The scale of a batch normalization that follows a pool is kept positive in training, so that it commutes with
    the maximum and a kernel may requantize once a pooled output.

    Attributes:
        kernel, stride, padding: square, in pixels.
        pool: side and stride of the max pool, 1 for none; rows and columns left over are dropped.
        depthwise: one filter a channel; ``out_channels`` then equals the input's.
    """

    name: str
    input: str
    out_channels: int
    kernel: int
    stride: int = 1
    padding: int = 0
    pool: int = 1
    depthwise: bool = False
    batch_norm: bool = True
    relu: bool = True

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.input,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """Sum of two tensors of one shape, then batch normalization and ReLU where asked for."""

    name: str
    left: str
    right: str
    batch_norm: bool = False
    relu: bool = True

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.left, self.right)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxPool:
    """Max pool with stride equal to its side; rows and columns left over are dropped."""

    name: str
    input: str
    pool: int

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.input,)


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalAveragePool:
    """Mean over height and width, then batch normalization and ReLU where asked for."""

    name: str
    input: str
    batch_norm: bool = False
    relu: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.input,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """Fully connected layer without bias over all values of its input, then batch normalization where asked for."""

    name: str
    input: str
    out_features: int
    batch_norm: bool = False
    relu: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.input,)


Unit = Convolution | Addition | MaxPool | GlobalAveragePool | Linear


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
            known[unit.name] = _output_shape(unit, [known[source] for source in unit.inputs])
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


def _output_shape(unit: Unit, inputs: list[Shape]) -> Shape:
    first = inputs[0]
    match unit:
        case Convolution():
            height, width = (_convolved(unit, side) // unit.pool for side in (first.height, first.width))
            if unit.depthwise and unit.out_channels != first.channels:
                raise UserError(
                    "a depthwise convolution must keep its channels",
                    value=f"{unit.name}: {first.channels} -> {unit.out_channels}",
                    remedy="set out_channels to the input's channels",
                )
            return _checked(unit, Shape(height=height, width=width, channels=unit.out_channels))
        case MaxPool():
            return _checked(
                unit, Shape(height=first.height // unit.pool, width=first.width // unit.pool, channels=first.channels)
            )
        case Addition():
            if inputs[0] != inputs[1]:
                raise UserError(
                    "an addition must join tensors of one shape",
                    value=f"{unit.name}: {inputs[0]} and {inputs[1]}",
                    remedy="give the shortcut the stride and channels of its block",
                )
            return first
        case GlobalAveragePool():
            return Shape(height=1, width=1, channels=first.channels)
        case Linear():
            return _checked(unit, Shape(height=1, width=1, channels=unit.out_features))


def _convolved(unit: Convolution, side: int) -> int:
    return (side + 2 * unit.padding - unit.kernel) // unit.stride + 1


def _checked(unit: Unit, shape: Shape) -> Shape:
    if min(shape.height, shape.width, shape.channels) < 1:
        raise UserError(
            "every layer must have an output",
            value=f"{unit.name}: {shape.height}x{shape.width}x{shape.channels}",
            remedy="use a larger input_size or fewer stages",
        )
    return shape


def _count(unit: Unit, shapes: dict[str, Shape]) -> UnitCount:
    source, out = shapes[unit.inputs[0]], shapes[unit.name]
    weights = macs = 0
    normalized = False if isinstance(unit, MaxPool) else unit.batch_norm
    match unit:
        case Convolution():
            weights = unit.kernel**2 * out.channels * (1 if unit.depthwise else source.channels)
            macs = weights * _convolved(unit, source.height) * _convolved(unit, source.width)
        case Linear():
            weights = macs = source.elements * unit.out_features
        case _:
            pass
    return UnitCount(weights=weights, batch_norm=2 * out.channels if normalized else 0, macs=macs)
