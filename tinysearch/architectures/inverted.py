"""Inverted residual networks, as MobileNetV2 (Sandler et al. 2018) and MCUNet (Lin et al. 2020) are.

A convolution of stride 2, then stages of blocks: a 1x1 convolution widens, a depthwise one filters, and a 1x1
convolution without ReLU narrows again. Where a block keeps side and channels, its input is added to its output. Every
stage after the first halves the side and doubles the channels. Global average pool, fully connected embedding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tinysearch.architectures.family import Value, check_counts, check_odd, convolution_of, joined, plain_parameters
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

ARCHITECTURES = {"inverted": "Inverted"}

MOST_BLOCKS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Inverted:
    """One network. See :class:`~tinysearch.core.candidate.Architecture`.

    Attributes:
        stages: blocks a stage.
        width: channels between the blocks of the first stage.
        expansion: how many times as many channels are within a block; with 1 it has no widening convolution.
        kernel: side of the depthwise kernels, odd.
        embedding: length of the embedding.
    """

    family: ClassVar[str] = "inverted"

    stages: tuple[int, ...]
    width: int = 8
    expansion: int = 4
    kernel: int = 3
    embedding: int = 64

    @classmethod
    def variables(cls) -> Mapping[str, tuple[Value, ...]]:
        """See :class:`~tinysearch.architectures.family.Family`."""
        return {"stages": ((1, 1), (1, 2, 1), (1, 2, 2), (2, 2, 2)), "expansion": (2, 4), "kernel": (3, 5)}

    @property
    def layout(self) -> str:
        return joined(self.stages)

    @property
    def label(self) -> str:
        return f"inverted-{self.layout}-x{self.expansion}" + ("" if self.kernel == 3 else f"-k{self.kernel}")

    @property
    def depth(self) -> int:
        return len(self.stages)

    @property
    def extras(self) -> tuple[str, ...]:
        return (f"x{self.expansion}", f"k{self.kernel}")

    def parameters(self) -> dict[str, Any]:
        """See :class:`~tinysearch.core.candidate.Architecture`."""
        return plain_parameters(self)

    def build(self, shape: Shape) -> NetworkSpec:
        """The network for an image or a series.

        Raises:
            UserError: parameters out of range.
        """
        check_counts(
            {
                "stages": self.stages,
                "width": self.width,
                "expansion": self.expansion,
                "kernel": self.kernel,
                "embedding": self.embedding,
            },
            most=MOST_BLOCKS,
        )
        check_odd("kernel", self.kernel)
        convolution = convolution_of(shape)
        units: list[Unit] = [
            convolution(name="stem", input=INPUT, out_channels=self.width, kernel=3, stride=2, padding=1)
        ]
        channels = self.width
        for stage, count in enumerate(self.stages):
            for block in range(count):
                name, stride = f"s{stage + 1}b{block + 1}", 2 if stage > 0 and block == 0 else 1
                units += self._block(convolution, name, units[-1].name, channels, self.width << stage, stride=stride)
                channels = self.width << stage
        units.append(GlobalAveragePool(name="pool", input=units[-1].name))
        units.append(Linear(name="embed", input="pool", out_features=self.embedding, batch_norm=True))
        return NetworkSpec(name=self.label, input_shape=shape, units=tuple(units))

    def _block(
        self, convolution: type[Convolution], name: str, source: str, narrow: int, out: int, *, stride: int
    ) -> list[Unit]:
        """One block from ``narrow`` to ``out`` channels, the last unit being its output."""
        wide, current = narrow * self.expansion, source
        units: list[Unit] = []
        if self.expansion > 1:
            units.append(convolution(name=f"{name}_widen", input=source, out_channels=wide, kernel=1))
            current = units[-1].name
        units.append(
            convolution(
                name=f"{name}_depthwise",
                input=current,
                out_channels=wide,
                kernel=self.kernel,
                stride=stride,
                padding=self.kernel // 2,
                depthwise=True,
            )
        )
        added = stride == 1 and narrow == out
        narrowed = f"{name}_narrow" if added else name
        units.append(convolution(name=narrowed, input=units[-1].name, out_channels=out, kernel=1, relu=False))
        if added:
            units.append(Addition(name=name, left=narrowed, right=source, relu=False))
        return units
