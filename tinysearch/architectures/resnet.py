"""The residual networks of the paper: Sharma et al. 2023, Table 2 (sizes within 0.25 % of every published row).

A 7x7 convolution without stride or padding and a 4x4 pool, then stages of basic blocks with ``width``, ``2 width``,
``4 width`` ... channels, global average pool, fully connected embedding. Every block carries three batch normalizations
(one after each convolution, one after the sum) and one more in the shortcut where that has a convolution.

That first layer takes about 70 % of the MACs. Another ``stem`` takes less: a 3x3 or 5x5 convolution of stride 2, or one
of 4x4 and stride 4, which sees patches apart from each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from tinysearch.architectures.family import Value, check_counts, convolution_of, is_series, joined, plain_parameters
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import UserError
from tinysearch.core.network import (
    INPUT,
    Addition,
    Convolution,
    GlobalAveragePool,
    Linear,
    NetworkSpec,
    Shape,
    Unit,
)
from tinysearch.core.quantization import Precision

ARCHITECTURES = {"resnet": "Resnet"}

PAPER_STEM = (7, 1, 4)
"""Kernel, stride and pool of the paper's first layer."""

MOST_BLOCKS = 256
"""Of a layout: far beyond every chip, and a mistyped number should not take minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resnet:
    """One layout. See :class:`~tinysearch.core.candidate.Architecture`.

    Attributes:
        blocks: basic blocks a stage, for example ``(2, 2)``; each stage after the first halves the side.
        width: channels of the first stage.
        embedding: length of the embedding.
        stem: kernel, stride and max pool of the first layer. One without a pool is padded, so that its output is its
            input's size over its stride.
    """

    family: ClassVar[str] = "resnet"

    blocks: tuple[int, ...]
    width: int = 16
    embedding: int = 64
    stem: tuple[int, ...] = PAPER_STEM

    @classmethod
    def variables(cls) -> Mapping[str, tuple[Value, ...]]:
        """See :class:`~tinysearch.architectures.family.Family`."""
        return {"blocks": ((1,), (1, 1), (2, 1), (1, 2), (2, 2), (2, 2, 2))}

    @property
    def layout(self) -> str:
        return joined(self.blocks)

    @property
    def label(self) -> str:
        return "-".join((self.layout, *self.extras))

    @property
    def depth(self) -> int:
        return len(self.blocks)

    @property
    def extras(self) -> tuple[str, ...]:
        if self.stem == PAPER_STEM:
            return ()
        return ("stem" + "x".join(map(str, self.stem[:2] if self.stem[2:] == (1,) else self.stem)),)

    def parameters(self) -> dict[str, Any]:
        """See :class:`~tinysearch.core.candidate.Architecture`; the paper's stem goes without saying."""
        parameters = plain_parameters(self)
        if self.stem == PAPER_STEM:
            del parameters["stem"]
        return parameters

    def build(self, shape: Shape) -> NetworkSpec:
        """The network of the layout.

        Raises:
            UserError: an empty or non-positive layout, or an input too small for it.
        """
        check_counts({"blocks": self.blocks, "width": self.width, "embedding": self.embedding}, most=MOST_BLOCKS)
        if len(self.stem) != len(PAPER_STEM) or min(self.stem) < 1:
            raise UserError(
                "a stem must be three whole numbers from 1: kernel, stride and pool",
                value=list(self.stem),
                remedy="write for example stem=[3,2,1]",
            )
        units: list[Unit] = [self._stem(shape)]
        convolution = convolution_of(shape)
        current = "stem"
        for stage, count in enumerate(self.blocks):
            for block in range(count):
                stride = 2 if stage > 0 and block == 0 else 1
                name = f"s{stage + 1}b{block + 1}"
                units += _basic_block(convolution, name, current, channels=self.width << stage, stride=stride)
                current = units[-1].name
        units.append(GlobalAveragePool(name="pool", input=current, batch_norm=True, relu=True))
        units.append(Linear(name="embed", input="pool", out_features=self.embedding, batch_norm=True))
        return NetworkSpec(name=f"resnet-{self.label}", input_shape=shape, units=tuple(units))

    def _stem(self, shape: Shape) -> Convolution:
        kernel, stride, pool = self.stem
        if is_series(shape):
            return convolution_of(shape)(
                name="stem",
                input=INPUT,
                out_channels=self.width,
                kernel=kernel,
                stride=stride * pool,
                padding=kernel // 2,
            )
        padding = max(kernel - stride + 1, 0) // 2 if pool == 1 else 0
        smallest, side = kernel - 2 * padding + (pool - 1) * stride, min(shape.height, shape.width)
        if side < smallest:
            raise UserError(
                f"the input must be at least {smallest} pixels wide for the first layer",
                value=f"input_size={side}",
                remedy=f"use input_size={smallest} or more",
            )
        return Convolution(
            name="stem",
            input=INPUT,
            out_channels=self.width,
            kernel=kernel,
            stride=stride,
            padding=padding,
            pool=pool,
        )


def resnet(*, blocks: Sequence[int], width: int, input_size: int, channels: int, embedding: int) -> NetworkSpec:
    """Network spec of one layout for a square input, see :class:`Resnet`.

    Args:
        input_size: side of the square input in pixels.
        channels: channels of the input.

    Raises:
        UserError: an empty or non-positive layout, or an input too small for it.
    """
    check_counts({"channels": channels}, most=MOST_BLOCKS)
    layout = tuple(int(count) for count in blocks)
    shape = Shape(height=input_size, width=input_size, channels=channels)
    return Resnet(blocks=layout, width=width, embedding=embedding).build(shape)


def resnet_branch(
    modality: str,
    *,
    blocks: Sequence[int],
    precision: str | Precision,
    width: int = 16,
    input_size: int = 64,
    channels: int = 3,
    embedding: int = 64,
) -> BranchSpec:
    """A branch with a residual network and a square input, spelled as on the command line.

    Raises:
        UserError: an unknown precision.
    """
    return BranchSpec(
        modality=modality,
        architecture=Resnet(blocks=tuple(blocks), width=width, embedding=embedding),
        precision=Precision.parse(precision),
        shape=Shape(height=input_size, width=input_size, channels=channels),
    )


def _basic_block(convolution: type[Convolution], name: str, source: str, *, channels: int, stride: int) -> list[Unit]:
    first = convolution(name=f"{name}_conv1", input=source, out_channels=channels, kernel=3, stride=stride, padding=1)
    second = convolution(name=f"{name}_conv2", input=first.name, out_channels=channels, kernel=3, padding=1, relu=False)
    units: list[Unit] = [first, second]
    shortcut = source
    if stride != 1:
        units.append(
            convolution(name=f"{name}_skip", input=source, out_channels=channels, kernel=1, stride=stride, relu=False)
        )
        shortcut = units[-1].name
    units.append(Addition(name=name, left=second.name, right=shortcut, batch_norm=True, relu=True))
    return units
