"""Networks of what residual ones lack, for counting it.

All geometries of depthwise convolutions and max pools, and examples of every operator that no built-in family has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tinysearch.architectures.family import plain_parameters
from tinysearch.architectures.inverted import Inverted
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.network import (
    INPUT,
    Convolution,
    GlobalAveragePool,
    Linear,
    MaxPool,
    NetworkSpec,
    Operator,
    Shape,
    Unit,
)
from tinysearch.core.quantization import Precision
from tinysearch.operators import RECORDS

Geometry = tuple[int, int, int, int]
"""Kernel, stride, padding and pool of a convolution."""

Stage = Geometry | int
"""A depthwise convolution and a 1x1 convolution, or a max pool's side."""

_Row = tuple[tuple[Stage, ...], int, int, int, int]
_InvertedRow = tuple[tuple[int, ...], int, int, int, int, int]

FITTED: tuple[_Row, ...] = (
    # stem and stages, width, input size, channels, embedding
    (((3, 2, 1, 1), (3, 1, 1, 1), 2, (3, 2, 1, 1), (3, 1, 1, 1)), 16, 48, 3, 32),
    (((3, 2, 1, 1), (5, 1, 2, 1), (3, 2, 1, 1), 2), 12, 40, 1, 24),
    (((3, 1, 1, 1), (3, 1, 0, 1), (5, 2, 2, 1), (3, 1, 1, 1)), 9, 30, 1, 17),
    (((3, 2, 0, 1), 3, (5, 1, 0, 1), (3, 2, 1, 1)), 7, 56, 3, 40),
    (((5, 2, 2, 1), (3, 2, 0, 1), 4, (5, 1, 2, 1)), 24, 64, 1, 16),
    (((3, 2, 1, 1), 2, (3, 1, 1, 1), (3, 1, 1, 2), (5, 1, 2, 1)), 20, 36, 3, 48),
    (((5, 1, 1, 1), (7, 2, 3, 1), (3, 1, 1, 1), 3), 11, 35, 1, 32),
    (((3, 2, 1, 1), (5, 2, 2, 2), (3, 1, 1, 1), (3, 2, 1, 1)), 13, 52, 3, 19),
    (((3, 2, 1, 1), 5, (3, 1, 1, 1)), 8, 60, 1, 12),
    (((7, 2, 3, 1), 2, 2, (3, 1, 1, 1), (3, 1, 1, 1)), 33, 50, 3, 64),
    (((3, 2, 1, 1), (3, 2, 1, 1), (3, 2, 1, 1), (5, 1, 2, 1), (3, 1, 1, 1)), 32, 33, 1, 30),
    (((3, 1, 1, 1), (3, 2, 1, 1), (5, 2, 2, 1), (3, 1, 1, 1)), 4, 96, 1, 16),
    (((5, 2, 2, 1), (3, 1, 1, 2), (3, 1, 1, 1)), 6, 80, 3, 20),
    (((1, 1, 0, 1), (3, 1, 1, 1), (3, 2, 1, 1), (3, 1, 1, 1)), 10, 24, 3, 40),
    (((3, 2, 1, 1), (3, 1, 1, 1), (3, 2, 1, 1), (3, 1, 1, 1)), 40, 24, 3, 80),
    (((3, 2, 1, 1), (3, 1, 1, 1), (3, 1, 1, 1)), 128, 16, 3, 32),
    (((3, 2, 1, 1), (3, 2, 0, 1), (5, 1, 2, 1)), 96, 22, 1, 100),
    (((5, 2, 2, 1), 2, (3, 2, 1, 1)), 150, 28, 1, 64),
)
HELD: tuple[_Row, ...] = (
    (((3, 2, 1, 1), (3, 1, 1, 1), (3, 2, 1, 1), (3, 1, 1, 1), (3, 2, 1, 1), (3, 1, 1, 1)), 16, 64, 3, 64),
    (((3, 2, 1, 1), (5, 1, 2, 1), 2, (5, 2, 2, 1), (3, 1, 1, 1)), 18, 54, 3, 36),
    (((3, 2, 1, 1), (3, 1, 1, 1), 3, (5, 1, 2, 1)), 10, 43, 1, 21),
    (((5, 2, 1, 1), 2, (3, 2, 0, 1), (5, 1, 1, 1), (3, 1, 1, 1)), 29, 58, 1, 50),
    (((3, 1, 1, 1), (3, 2, 1, 1), 2, (3, 1, 1, 1)), 15, 31, 3, 33),
    (((3, 2, 1, 1), (3, 1, 1, 2), (7, 1, 3, 1), (3, 2, 1, 1)), 14, 61, 1, 28),
    (((3, 2, 1, 1), (3, 2, 1, 1), (5, 1, 2, 1)), 112, 26, 3, 70),
)
"""Held out: other widths and sides in other orders, the first one's stages those of a MobileNet."""


_EXAMPLE_SIZES = ((4, 16), (8, 16), (8, 24), (16, 24), (12, 40), (32, 20))
"""Channels and side of the tensors that examples work on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedArchitecture:
    """A convolution, then stages of any geometry. See :class:`~tinysearch.core.candidate.Architecture`.

    Attributes:
        stem: of the first convolution.
        width: its channels; every stage of stride 2 has half as many again.
    """

    family: ClassVar[str] = "counted"
    extras: ClassVar[tuple[str, ...]] = ()

    stem: Geometry
    stages: tuple[Stage, ...]
    width: int
    embedding: int

    @property
    def layout(self) -> str:
        return "-".join(_digits(stage) for stage in (self.stem, *self.stages))

    @property
    def label(self) -> str:
        return f"counted-{self.layout}"

    @property
    def depth(self) -> int:
        return len(self.stages)

    def parameters(self) -> dict[str, Any]:
        """See :class:`~tinysearch.core.candidate.Architecture`."""
        return plain_parameters(self)

    def build(self, shape: Shape) -> NetworkSpec:
        """The network.

        Raises:
            UserError: an input too small for its stages.
        """
        width = self.width
        units: list[Unit] = [_convolution("stem", INPUT, self.stem, width)]
        current = "stem"
        for place, stage in enumerate(self.stages, start=1):
            if isinstance(stage, int):
                units.append(MaxPool(name=f"s{place}_pool", input=current, pool=stage))
            else:
                depthwise = _convolution(f"s{place}_depthwise", current, stage, width, depthwise=True)
                width += width // 2 if depthwise.stride > 1 else 0
                point = Convolution(name=f"s{place}_point", input=depthwise.name, out_channels=width, kernel=1)
                units += [depthwise, point]
            current = units[-1].name
        units.append(GlobalAveragePool(name="pool", input=current))
        units.append(Linear(name="embed", input="pool", out_features=self.embedding, batch_norm=True))
        return NetworkSpec(name=f"separable-{self.layout}", input_shape=shape, units=tuple(units))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleArchitecture:
    """A convolution, then the example of an operator's record. See :class:`~tinysearch.core.candidate.Architecture`.

    Attributes:
        operator: a key of :data:`~tinysearch.operators.RECORDS`.
        width: channels that it works on.
    """

    family: ClassVar[str] = "example"
    extras: ClassVar[tuple[str, ...]] = ()

    operator: str
    width: int
    embedding: int = 16

    @property
    def layout(self) -> str:
        return self.operator

    @property
    def label(self) -> str:
        return f"example-{self.operator}"

    @property
    def depth(self) -> int:
        return 1

    def parameters(self) -> dict[str, Any]:
        """See :class:`~tinysearch.core.candidate.Architecture`."""
        return plain_parameters(self)

    def build(self, shape: Shape) -> NetworkSpec:
        """The network; equal ones are built of equal architectures and shapes."""
        stem = Convolution(name="stem", input=INPUT, out_channels=self.width, kernel=1)
        random = np.random.default_rng([self.width, shape.height])
        example = RECORDS[self.operator].example("stem", stem.output([shape]), random)
        pool = GlobalAveragePool(name="mean_of_all", input=example[-1].name)
        embed = Linear(name="embed", input=pool.name, out_features=self.embedding)
        return NetworkSpec(name=self.label, input_shape=shape, units=(stem, *example, pool, embed))


def example_branches(precision: str) -> list[BranchSpec]:
    """Examples of the operators that neither residual nor separable networks have, of one precision."""
    return [
        BranchSpec(
            modality="face",
            architecture=ExampleArchitecture(operator=record.name, width=width),
            precision=Precision.parse(precision),
            shape=Shape(height=size, width=size, channels=3),
        )
        for record in RECORDS.values()
        if record.name not in set(Operator) and precision in record.precisions
        for width, size in _EXAMPLE_SIZES
    ]


INVERTED_FITTED = (
    # stages, expansion, width, kernel, input size, channels
    ((1, 1), 2, 4, 3, 48, 3),
    ((1, 2, 2), 4, 8, 3, 40, 1),
    ((2, 2), 2, 16, 5, 48, 3),
    ((1, 2), 4, 12, 3, 56, 3),
    ((2, 1, 1), 3, 10, 3, 64, 1),
    ((1, 1), 6, 6, 3, 40, 3),
)
INVERTED_HELD = (
    ((1, 2, 2), 4, 8, 3, 64, 3),
    ((2, 2, 2), 2, 8, 5, 48, 3),
    ((1, 1), 4, 16, 3, 64, 3),
    ((1, 2, 2), 2, 4, 3, 64, 3),
)


def inverted_branches(rows: Sequence[_InvertedRow], precision: str) -> list[BranchSpec]:
    """Inverted residual networks: many 1x1 convolutions of few channels."""
    return [
        BranchSpec(
            modality="face",
            architecture=Inverted(stages=stages, expansion=expansion, width=width, kernel=kernel),
            precision=Precision.parse(precision),
            shape=Shape(height=size, width=size, channels=channels),
        )
        for stages, expansion, width, kernel, size, channels in rows
    ]


def _digits(stage: Stage) -> str:
    return str(stage) if isinstance(stage, int) else "".join(map(str, stage))


def _convolution(name: str, source: str, geometry: Geometry, channels: int, *, depthwise: bool = False) -> Convolution:
    kernel, stride, padding, pool = geometry
    return Convolution(
        name=name,
        input=source,
        out_channels=channels,
        kernel=kernel,
        stride=stride,
        padding=padding,
        pool=pool,
        depthwise=depthwise,
    )


def counted_branch(row: _Row, precision: str) -> BranchSpec:
    """The branch of one row of :data:`FITTED` or :data:`HELD`."""
    (stem, *stages), width, input_size, channels, embedding = row
    assert not isinstance(stem, int)  # noqa: S101 - every row begins with a convolution
    return BranchSpec(
        modality="face" if channels == 3 else "voice",
        architecture=CountedArchitecture(stem=stem, stages=tuple(stages), width=width, embedding=embedding),
        precision=Precision.parse(precision),
        shape=Shape(height=input_size, width=input_size, channels=channels),
    )
