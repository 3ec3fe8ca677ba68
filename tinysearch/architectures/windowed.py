"""Small networks for windows of sensors: a 3x3 convolution, then depthwise and pointwise ones.

Made for images whose rows follow each other in time (:mod:`tinysearch.data.window`): a 3x3 kernel sees the samples
beside one and those a row before and after. An image of 10x10 has nothing to spare, so nothing is pooled away at the
start, unlike in the paper's networks; a stage that halves the image has half as many channels again.
"""

from __future__ import annotations

from collections.abc import Sequence

from tinysearch.core.errors import UserError
from tinysearch.core.network import INPUT, Convolution, GlobalAveragePool, Linear, NetworkSpec, Shape, Unit

ARCHITECTURES = {"windowed": "windowed"}

MOST_BLOCKS = 64


def windowed(*, blocks: Sequence[int], width: int, input_size: int, channels: int, embedding: int) -> NetworkSpec:
    """Network spec of one layout.

    Args:
        blocks: depthwise-pointwise pairs a stage, for example ``[1, 2]``; each stage after the first halves the side.
        width: channels of the first stage.
        input_size: side of the square input.
        channels: channels of the input, for a motion sensor its axes.
        embedding: length of the embedding.

    Raises:
        UserError: an empty, non-positive or too long layout.
    """
    layout = tuple(int(count) for count in blocks)
    if not layout or min(layout) < 1 or sum(layout) > MOST_BLOCKS:
        raise UserError(
            f"a layout must list 1 to {MOST_BLOCKS} blocks, at least one a stage",
            value=list(blocks),
            remedy="write for example blocks=[1,2]",
        )
    if min(width, embedding, channels, input_size) < 1:
        raise UserError(
            "width, channels, input_size and embedding must be positive",
            value=f"width={width} channels={channels} input_size={input_size} embedding={embedding}",
            remedy="use for example width=24 channels=6 input_size=10 embedding=32",
        )
    units: list[Unit] = [Convolution(name="stem", input=INPUT, out_channels=width, kernel=3, padding=1)]
    for stage, count in enumerate(layout):
        for block in range(count):
            halves = stage > 0 and block == 0
            grown = width + width // 2 if halves else width
            name = f"s{stage + 1}b{block + 1}"
            depthwise = Convolution(
                name=f"{name}_depthwise",
                input=units[-1].name,
                out_channels=width,
                kernel=3,
                stride=2 if halves else 1,
                padding=1,
                depthwise=True,
            )
            units += [depthwise, Convolution(name=name, input=depthwise.name, out_channels=grown, kernel=1)]
            width = grown
    units.append(GlobalAveragePool(name="pool", input=units[-1].name))
    units.append(Linear(name="embed", input="pool", out_features=embedding, batch_norm=True))
    shape = Shape(height=input_size, width=input_size, channels=channels)
    return NetworkSpec(name="windowed-" + "-".join(map(str, layout)), input_shape=shape, units=tuple(units))
