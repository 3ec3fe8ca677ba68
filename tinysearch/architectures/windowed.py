"""Small networks for windows of sensors: a 3x3 convolution, then depthwise and pointwise ones.

Made for images whose rows follow each other in time (:mod:`tinysearch.data.window`): a 3x3 kernel sees the samples
beside one and those a row before and after. An image of 10x10 has nothing to spare, so nothing is pooled away at the
start, unlike in the paper's networks; a stage that halves the image has half as many channels again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tinysearch.architectures.family import Value, check_counts, is_series, joined, plain_parameters
from tinysearch.core.errors import UserError
from tinysearch.core.network import INPUT, Convolution, GlobalAveragePool, Linear, NetworkSpec, Shape, Unit

ARCHITECTURES = {"windowed": "Windowed"}

MOST_BLOCKS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Windowed:
    """One network. See :class:`~tinysearch.core.candidate.Architecture`.

    Attributes:
        blocks: depthwise-pointwise pairs a stage, for example ``(1, 2)``; each stage after the first halves the sides.
        width: channels of the first stage.
        embedding: length of the embedding.
    """

    family: ClassVar[str] = "windowed"
    extras: ClassVar[tuple[str, ...]] = ()

    blocks: tuple[int, ...]
    width: int = 16
    embedding: int = 64

    @classmethod
    def variables(cls) -> Mapping[str, tuple[Value, ...]]:
        """See :class:`~tinysearch.architectures.family.Family`: layouts are a space's."""
        return {}

    @property
    def layout(self) -> str:
        return joined(self.blocks)

    @property
    def label(self) -> str:
        return f"windowed-{self.layout}"

    @property
    def depth(self) -> int:
        return len(self.blocks)

    def parameters(self) -> dict[str, Any]:
        """See :class:`~tinysearch.core.candidate.Architecture`."""
        return plain_parameters(self)

    def build(self, shape: Shape) -> NetworkSpec:
        """The network for an image.

        Raises:
            UserError: parameters out of range, or a series.
        """
        check_counts({"blocks": self.blocks, "width": self.width, "embedding": self.embedding}, most=MOST_BLOCKS)
        if is_series(shape):
            raise UserError(
                "windowed must have an image", value=f"a series of {shape.height}", remedy="choose another architecture"
            )
        width = self.width
        units: list[Unit] = [Convolution(name="stem", input=INPUT, out_channels=width, kernel=3, padding=1)]
        for stage, count in enumerate(self.blocks):
            for block in range(count):
                halves = stage > 0 and block == 0
                grown = width + width // 2 if halves else width
                units += _pair(f"s{stage + 1}b{block + 1}", units[-1].name, width, grown, stride=2 if halves else 1)
                width = grown
        units.append(GlobalAveragePool(name="pool", input=units[-1].name))
        units.append(Linear(name="embed", input="pool", out_features=self.embedding, batch_norm=True))
        return NetworkSpec(name=self.label, input_shape=shape, units=tuple(units))


def _pair(name: str, source: str, width: int, grown: int, *, stride: int) -> list[Unit]:
    """A depthwise 3x3 convolution of ``width`` channels, and a pointwise one to ``grown``."""
    depthwise = Convolution(
        name=f"{name}_depthwise",
        input=source,
        out_channels=width,
        kernel=3,
        stride=stride,
        padding=1,
        depthwise=True,
    )
    return [depthwise, Convolution(name=name, input=depthwise.name, out_channels=grown, kernel=1)]
