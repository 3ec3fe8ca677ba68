"""Plain networks as of VGG (Simonyan and Zisserman 2014): 3x3 convolutions, and a max pool after every stage.

Stages of convolutions with ``width``, ``2 width``, ``4 width`` ... channels, global average pool, fully connected
embedding. In a series, which has nothing to pool across, the last convolution of a stage strides instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tinysearch.architectures.family import Value, check_counts, convolution_of, is_series, joined, plain_parameters
from tinysearch.core.network import INPUT, GlobalAveragePool, Linear, MaxPool, NetworkSpec, Shape, Unit

ARCHITECTURES = {"plain": "Plain"}

MOST_BLOCKS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """One network. See :class:`~tinysearch.core.candidate.Architecture`.

    Attributes:
        stages: convolutions a stage; each stage halves the side.
        width: channels of the first stage.
        embedding: length of the embedding.
    """

    family: ClassVar[str] = "plain"
    extras: ClassVar[tuple[str, ...]] = ()

    stages: tuple[int, ...]
    width: int = 16
    embedding: int = 64

    @classmethod
    def variables(cls) -> Mapping[str, tuple[Value, ...]]:
        """See :class:`~tinysearch.architectures.family.Family`."""
        return {"stages": ((1,), (1, 1), (2, 2), (1, 1, 1), (1, 1, 2, 2))}

    @property
    def layout(self) -> str:
        return joined(self.stages)

    @property
    def label(self) -> str:
        return f"plain-{self.layout}"

    @property
    def depth(self) -> int:
        return len(self.stages)

    def parameters(self) -> dict[str, Any]:
        """See :class:`~tinysearch.core.candidate.Architecture`."""
        return plain_parameters(self)

    def build(self, shape: Shape) -> NetworkSpec:
        """The network for an image or a series.

        Raises:
            UserError: parameters out of range, or an input too small for so many stages.
        """
        check_counts({"stages": self.stages, "width": self.width, "embedding": self.embedding}, most=MOST_BLOCKS)
        units: list[Unit] = []
        current, series, convolution = INPUT, is_series(shape), convolution_of(shape)
        for stage, count in enumerate(self.stages):
            for block in range(count):
                units.append(
                    convolution(
                        name=f"s{stage + 1}b{block + 1}",
                        input=current,
                        out_channels=self.width << stage,
                        kernel=3,
                        padding=1,
                        stride=2 if series and block == count - 1 else 1,
                    )
                )
                current = units[-1].name
            if not series:
                units.append(MaxPool(name=f"s{stage + 1}_pool", input=current, pool=2))
                current = units[-1].name
        units.append(GlobalAveragePool(name="pool", input=current))
        units.append(Linear(name="embed", input="pool", out_features=self.embedding, batch_norm=True))
        return NetworkSpec(name=self.label, input_shape=shape, units=tuple(units))
