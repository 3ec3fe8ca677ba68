"""The residual networks of the paper: Sharma et al. 2023, Table 2 (sizes within 0.25 % of every published row).

A 7x7 convolution without stride or padding and a 4x4 pool, then stages of basic blocks with ``width``, ``2 width``,
``4 width`` ... channels, global average pool, fully connected embedding. Every block carries three batch normalizations
(one after each convolution, one after the sum) and one more in the shortcut where that has a convolution.
"""

from __future__ import annotations

from collections.abc import Sequence

from tinysearch.core.errors import UserError
from tinysearch.core.network import INPUT, Addition, Convolution, GlobalAveragePool, Linear, NetworkSpec, Shape, Unit

STEM_KERNEL = 7
STEM_POOL = 4

MOST_BLOCKS = 256
"""Of a layout: far beyond every chip, and a mistyped number should not take minutes."""


def resnet(*, blocks: Sequence[int], width: int, input_size: int, channels: int, embedding: int) -> NetworkSpec:
    """Network spec of one layout.

    Args:
        blocks: basic blocks a stage, for example ``[2, 2]``; each stage after the first halves the side.
        width: channels of the first stage.
        input_size: side of the square input in pixels.
        channels: channels of the input.
        embedding: length of the embedding.

    Raises:
        UserError: an empty or non-positive layout, or an input too small for it.
    """
    layout = tuple(int(count) for count in blocks)
    if not layout or min(layout) < 1:
        raise UserError(
            "a layout lists at least one block for every stage",
            value=list(blocks),
            remedy="write for example blocks=[2,2]",
        )
    if sum(layout) > MOST_BLOCKS:
        raise UserError(f"a layout has at most {MOST_BLOCKS} blocks", value=list(blocks), remedy="list fewer")
    if min(width, embedding, channels) < 1:
        raise UserError(
            "width, channels and embedding are positive",
            value=f"width={width} channels={channels} embedding={embedding}",
            remedy="use for example width=16 channels=3 embedding=64",
        )
    smallest = STEM_KERNEL + STEM_POOL - 1
    if input_size < smallest:
        raise UserError(
            f"the input is at least {smallest} pixels wide for the first layer",
            value=f"input_size={input_size}",
            remedy=f"use input_size={smallest} or more",
        )
    units: list[Unit] = [Convolution(name="stem", input=INPUT, out_channels=width, kernel=STEM_KERNEL, pool=STEM_POOL)]
    current = "stem"
    for stage, count in enumerate(layout):
        for block in range(count):
            stride = 2 if stage > 0 and block == 0 else 1
            units += _basic_block(f"s{stage + 1}b{block + 1}", current, channels=width << stage, stride=stride)
            current = units[-1].name
    units.append(GlobalAveragePool(name="pool", input=current, batch_norm=True, relu=True))
    units.append(Linear(name="embed", input="pool", out_features=embedding, batch_norm=True))
    shape = Shape(height=input_size, width=input_size, channels=channels)
    return NetworkSpec(name="resnet-" + "-".join(map(str, layout)), input_shape=shape, units=tuple(units))


def _basic_block(name: str, source: str, *, channels: int, stride: int) -> list[Unit]:
    first = Convolution(name=f"{name}_conv1", input=source, out_channels=channels, kernel=3, stride=stride, padding=1)
    second = Convolution(name=f"{name}_conv2", input=first.name, out_channels=channels, kernel=3, padding=1, relu=False)
    units: list[Unit] = [first, second]
    shortcut = source
    if stride != 1:
        units.append(
            Convolution(name=f"{name}_skip", input=source, out_channels=channels, kernel=1, stride=stride, relu=False)
        )
        shortcut = units[-1].name
    units.append(Addition(name=name, left=second.name, right=shortcut, batch_norm=True, relu=True))
    return units
