"""What a layer of a network is before it has weights: what it reads, its output's shape, its parameters and MACs.

A unit is what one kernel computes: a convolution together with the pool, batch normalization and ReLU that follow it.
Training builds one module a unit, lowering (:mod:`tinysearch.core.program`) one or two steps a unit, so that all
executions of a network share one description. Here are the units of the built-in families; any object with the protocol
:class:`Unit` is one, and stands beside the record of its operator (:mod:`tinysearch.operators`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Protocol

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


class Operator(StrEnum):
    """Operators that the units below become; :data:`tinysearch.operators.RECORDS` holds all that there are."""

    CONV = "conv"
    DEPTHWISE = "depthwise"
    SCALE = "scale"
    FULLY_CONNECTED = "fully_connected"
    PACK = "pack"
    ADD = "add"
    MAX_POOL = "max_pool"
    AVERAGE = "average"


class Lowering(Protocol):
    """What units emit their steps to: a network on its way to a program (:func:`tinysearch.core.program.lower`)."""

    def emit(
        self, unit: Unit, operator: str, inputs: tuple[str, ...], output: str, *, bits: int = 0, **fields: Any
    ) -> None:
        """Add a step that writes a tensor of the unit's shape."""
        ...

    def weighted(self, unit: Convolution | Linear) -> None:
        """Add a sum of products with all that follows it in the unit."""
        ...

    def addition(self, unit: Addition) -> None:
        """Add an addition."""
        ...

    def average(self, unit: GlobalAveragePool) -> None:
        """Add a mean."""
        ...


class Unit(Protocol):
    """One layer of a network: what it reads, what it gives, what it costs, and the steps that compute it."""

    @property
    def name(self) -> str:
        """Differs from all others of the network."""
        ...

    @property
    def inputs(self) -> tuple[str, ...]:
        """Units that it reads, or :data:`INPUT`."""
        ...

    @property
    def operator(self) -> str:
        """Name of the operator that does its work, a key of :data:`tinysearch.operators.RECORDS`."""
        ...

    @property
    def batch_norm(self) -> bool:
        """Whether a batch normalization follows."""
        ...

    @property
    def relu(self) -> bool:
        """Whether a ReLU comes last."""
        ...

    def output(self, sources: Sequence[Shape]) -> Shape:
        """Shape of its output from those of its inputs.

        Raises:
            UserError: inputs that it cannot take.
        """
        ...

    def weights(self, sources: Sequence[Shape]) -> int:
        """Weights, without batch normalization."""
        ...

    def macs(self, sources: Sequence[Shape]) -> int:
        """MACs of all outputs, also of those that a pool drops."""
        ...

    def lower(self, to: Lowering) -> None:
        """Emit its steps, the last of which writes a tensor of the unit's name."""
        ...


class OneInput:
    """What units that read one tensor share."""

    __slots__ = ()

    input: str

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.input,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Convolution(OneInput):
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
    def flat(self) -> bool:
        """Whether kernels are one column wide and nothing is padded beside."""
        return False

    @property
    def columns(self) -> int:
        """Columns of a kernel."""
        return 1 if self.flat else self.kernel

    @property
    def beside(self) -> int:
        """Columns of padding to either side."""
        return 0 if self.flat else self.padding

    @property
    def operator(self) -> str:
        return Operator.DEPTHWISE if self.depthwise else Operator.CONV

    def output(self, sources: Sequence[Shape]) -> Shape:
        (source,) = sources
        height, width = (side // self.pool for side in self._convolved(source))
        if self.depthwise and self.out_channels != source.channels:
            raise UserError(
                "a depthwise convolution must keep its channels",
                value=f"{self.name}: {source.channels} -> {self.out_channels}",
                remedy="set out_channels to the input's channels",
            )
        return Shape(height=height, width=width, channels=self.out_channels)

    def _convolved(self, source: Shape) -> tuple[int, int]:
        height = (source.height + 2 * self.padding - self.kernel) // self.stride + 1
        return height, (source.width + 2 * self.beside - self.columns) // self.stride + 1

    def weights(self, sources: Sequence[Shape]) -> int:
        return self.kernel * self.columns * self.out_channels * (1 if self.depthwise else sources[0].channels)

    def macs(self, sources: Sequence[Shape]) -> int:
        height, width = self._convolved(sources[0])
        return self.weights(sources) * height * width

    def lower(self, to: Lowering) -> None:
        to.weighted(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesConvolution(Convolution):
    """Convolution along a series, a column of samples with an axis a channel: kernels are one column wide.

    A class of its own, so that networks without one are written, and thus remembered, as they always were.
    """

    @property
    def flat(self) -> bool:
        """Whether kernels are one column wide and nothing is padded beside."""
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear(OneInput):
    """Fully connected layer without bias over all values of its input, then batch normalization where asked for."""

    name: str
    input: str
    out_features: int
    batch_norm: bool = False
    relu: bool = False

    @property
    def operator(self) -> str:
        return Operator.FULLY_CONNECTED

    def output(self, sources: Sequence[Shape]) -> Shape:
        del sources
        return Shape(height=1, width=1, channels=self.out_features)

    def weights(self, sources: Sequence[Shape]) -> int:
        return sources[0].elements * self.out_features

    def macs(self, sources: Sequence[Shape]) -> int:
        return self.weights(sources)

    def lower(self, to: Lowering) -> None:
        to.weighted(self)


class Weightless:
    """What units without weights share."""

    __slots__ = ()

    def weights(self, sources: Sequence[Shape]) -> int:
        del sources
        return 0

    def macs(self, sources: Sequence[Shape]) -> int:
        del sources
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition(Weightless):
    """Sum of two tensors of one shape, then batch normalization and ReLU where asked for."""

    name: str
    left: str
    right: str
    batch_norm: bool = False
    relu: bool = True

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.left, self.right)

    @property
    def operator(self) -> str:
        return Operator.ADD

    def output(self, sources: Sequence[Shape]) -> Shape:
        left, right = sources
        if left != right:
            raise UserError(
                "an addition must join tensors of one shape",
                value=f"{self.name}: {left} and {right}",
                remedy="give the shortcut the stride and channels of its block",
            )
        return left

    def lower(self, to: Lowering) -> None:
        to.addition(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxPool(OneInput, Weightless):
    """Max pool with stride equal to its side; rows and columns left over are dropped."""

    name: str
    input: str
    pool: int
    batch_norm: ClassVar[bool] = False
    relu: ClassVar[bool] = False

    @property
    def operator(self) -> str:
        return Operator.MAX_POOL

    def output(self, sources: Sequence[Shape]) -> Shape:
        (source,) = sources
        return Shape(height=source.height // self.pool, width=source.width // self.pool, channels=source.channels)

    def lower(self, to: Lowering) -> None:
        to.emit(self, self.operator, self.inputs, self.name, pool=self.pool)


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalAveragePool(OneInput, Weightless):
    """Mean over height and width, then batch normalization and ReLU where asked for."""

    name: str
    input: str
    batch_norm: bool = False
    relu: bool = False

    @property
    def operator(self) -> str:
        return Operator.AVERAGE

    def output(self, sources: Sequence[Shape]) -> Shape:
        return Shape(height=1, width=1, channels=sources[0].channels)

    def lower(self, to: Lowering) -> None:
        to.average(self)
