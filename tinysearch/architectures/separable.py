"""Separable networks, as MobileNetV1 (Howard et al. 2017) and DS-CNN (Zhang et al. 2017) are.

A convolution of stride 2, then stages of blocks, each a depthwise convolution and one of 1x1 that mixes its channels;
every stage after the first halves the side and doubles the channels. Global average pool, fully connected embedding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tinysearch.architectures.family import Value, check_counts, check_odd, convolution_of, joined, plain_parameters
from tinysearch.core.network import INPUT, GlobalAveragePool, Linear, NetworkSpec, Shape, Unit

ARCHITECTURES = {"separable": "Separable"}

MOST_BLOCKS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Separable:
    """One network. See :class:`~tinysearch.core.candidate.Architecture`.

    Attributes:
        stages: blocks a stage.
        width: channels of the first stage.
        kernel: side of the depthwise kernels, odd.
        embedding: length of the embedding.
    """

    family: ClassVar[str] = "separable"

    stages: tuple[int, ...]
    width: int = 16
    kernel: int = 3
    embedding: int = 64

    @classmethod
    def variables(cls) -> Mapping[str, tuple[Value, ...]]:
        """See :class:`~tinysearch.architectures.family.Family`."""
        return {"stages": ((1, 1), (2, 2), (1, 2, 1), (1, 1, 2, 1), (1, 2, 2, 2))}

    @property
    def layout(self) -> str:
        return joined(self.stages)

    @property
    def label(self) -> str:
        return f"separable-{self.layout}" + ("" if self.kernel == 3 else f"-k{self.kernel}")

    @property
    def depth(self) -> int:
        return len(self.stages)

    @property
    def extras(self) -> tuple[str, ...]:
        return () if self.kernel == 3 else (f"k{self.kernel}",)

    def parameters(self) -> dict[str, Any]:
        """See :class:`~tinysearch.core.candidate.Architecture`."""
        return plain_parameters(self)

    def build(self, shape: Shape) -> NetworkSpec:
        """The network for an image or a series.

        Raises:
            UserError: parameters out of range.
        """
        counts: dict[str, int | tuple[int, ...]] = {
            "stages": self.stages,
            "width": self.width,
            "kernel": self.kernel,
            "embedding": self.embedding,
        }
        check_counts(counts, most=MOST_BLOCKS)
        check_odd("kernel", self.kernel)
        half, convolution = self.kernel // 2, convolution_of(shape)
        units: list[Unit] = [
            convolution(name="stem", input=INPUT, out_channels=self.width, kernel=self.kernel, stride=2, padding=half)
        ]
        channels, current = self.width, "stem"
        for stage, count in enumerate(self.stages):
            for block in range(count):
                name, stride = f"s{stage + 1}b{block + 1}", 2 if stage > 0 and block == 0 else 1
                depthwise = convolution(
                    name=f"{name}_depthwise",
                    input=current,
                    out_channels=channels,
                    kernel=self.kernel,
                    stride=stride,
                    padding=half,
                    depthwise=True,
                )
                channels = self.width << stage
                current = f"{name}_point"
                units += [depthwise, convolution(name=current, input=depthwise.name, out_channels=channels, kernel=1)]
        units.append(GlobalAveragePool(name="pool", input=current))
        units.append(Linear(name="embed", input="pool", out_features=self.embedding, batch_norm=True))
        return NetworkSpec(name=self.label, input_shape=shape, units=tuple(units))
