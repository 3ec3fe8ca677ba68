"""Networks of what residual ones lack, depthwise convolutions and max pools, for counting their instructions."""

from __future__ import annotations

from collections.abc import Sequence

from tinysearch.core.network import (
    INPUT,
    Convolution,
    GlobalAveragePool,
    Linear,
    MaxPool,
    NetworkSpec,
    Shape,
    Unit,
)

ARCHITECTURE = "tinysearch.app.separable:separable"
"""The architecture as a branch names it."""

FITTED = (
    # stages, width, input size, channels, embedding; a stage of four digits is a convolution's kernel, stride, padding
    # and pool, one of a single digit a max pool
    ((3211, 3111, 2, 3211, 3111), 16, 48, 3, 32),
    ((3211, 5121, 3211, 2), 12, 40, 1, 24),
    ((3111, 3101, 5221, 3111), 9, 30, 1, 17),
    ((3201, 3, 5101, 3211), 7, 56, 3, 40),
    ((5221, 3201, 4, 5121), 24, 64, 1, 16),
    ((3211, 2, 3111, 3112, 5121), 20, 36, 3, 48),
    ((5111, 7231, 3111, 3), 11, 35, 1, 32),
    ((3211, 5222, 3111, 3211), 13, 52, 3, 19),
    ((3211, 5, 3111), 8, 60, 1, 12),
    ((7231, 2, 2, 3111, 3111), 33, 50, 3, 64),
    ((3211, 3211, 3211, 5121, 3111), 32, 33, 1, 30),
    ((3111, 3211, 5221, 3111), 4, 96, 1, 16),
    ((5221, 3112, 3111), 6, 80, 3, 20),
    ((1101, 3111, 3211, 3111), 10, 24, 3, 40),
    ((3211, 3111, 3211, 3111), 40, 24, 3, 80),
    ((3211, 3111, 3111), 128, 16, 3, 32),
    ((3211, 3201, 5121), 96, 22, 1, 100),
    ((5221, 2, 3211), 150, 28, 1, 64),
)
HELD = (
    ((3211, 3111, 3211, 3111, 3211, 3111), 16, 64, 3, 64),
    ((3211, 5121, 2, 5221, 3111), 18, 54, 3, 36),
    ((3211, 3111, 3, 5121), 10, 43, 1, 21),
    ((5211, 2, 3201, 5111, 3111), 29, 58, 1, 50),
    ((3111, 3211, 2, 3111), 15, 31, 3, 33),
    ((3211, 3112, 7131, 3211), 14, 61, 1, 28),
    ((3211, 3211, 5121), 112, 26, 3, 70),
)
"""Held out: other widths and sides in other orders, the first one's stages those of a MobileNet."""


def separable(*, blocks: Sequence[int], width: int, input_size: int, channels: int, embedding: int) -> NetworkSpec:
    """A convolution, then stages: max pools, or depthwise and 1x1 convolutions.

    Args:
        blocks: the first convolution's kernel, stride, padding and pool as four digits, then a stage each: a max pool's
            side, or the four digits of a depthwise convolution, for example 3211.
        width: channels of the first convolution; every stage of stride 2 has half as many again.
        input_size: side of the square input in pixels.
        channels: channels of the input.
        embedding: length of the embedding.

    Raises:
        UserError: an input too small for its stages.
    """
    units: list[Unit] = [_convolution("stem", INPUT, blocks[0], width)]
    current = "stem"
    for place, stage in enumerate(blocks[1:], start=1):
        if stage < 10:
            units.append(MaxPool(name=f"s{place}_pool", input=current, pool=stage))
        else:
            depthwise = _convolution(f"s{place}_depthwise", current, stage, width, depthwise=True)
            width += width // 2 if depthwise.stride > 1 else 0
            point = Convolution(name=f"s{place}_point", input=depthwise.name, out_channels=width, kernel=1)
            units += [depthwise, point]
        current = units[-1].name
    units.append(GlobalAveragePool(name="pool", input=current))
    units.append(Linear(name="embed", input="pool", out_features=embedding, batch_norm=True))
    shape = Shape(height=input_size, width=input_size, channels=channels)
    return NetworkSpec(name="separable-" + "-".join(map(str, blocks)), input_shape=shape, units=tuple(units))


def _convolution(name: str, source: str, digits: int, channels: int, *, depthwise: bool = False) -> Convolution:
    kernel, stride, padding, pool = map(int, str(digits))
    geometry = {"kernel": kernel, "stride": stride, "padding": padding, "pool": pool}
    return Convolution(name=name, input=source, out_channels=channels, depthwise=depthwise, **geometry)
