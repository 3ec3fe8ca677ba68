"""Random networks of the built-in families, as the extended space has them: to fit a latency table and to judge it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from tinysearch.architectures.inverted import Inverted
from tinysearch.architectures.plain import Plain
from tinysearch.architectures.resnet import Resnet
from tinysearch.architectures.separable import Separable
from tinysearch.core.candidate import Architecture, BranchSpec
from tinysearch.core.network import Shape
from tinysearch.core.quantization import Precision

FIT_SEED = 1
"""Of the networks that a table is fitted to; whoever judges it takes another."""

NETWORKS = 6
"""Of every family and precision that a table is fitted to."""

SERIES_TASK = ("task=motions", "task.wrist.content=series", "task.wrist.input_size=100")
"""Words of a configuration to which networks on series belong."""

_STEMS = ((7, 1, 4), (3, 2, 2), (5, 2, 2), (4, 4, 1))
_MOST_WIDTH, _MOST_VALUES = 64, 40_000  # of a layer at the input's size
_SERIES = Shape(height=100, width=1, channels=6)
_EVERY = 5  # every fifth network reads a series


def _resnet(rng: np.random.Generator, blocks: tuple[int, ...], width: int) -> Architecture:
    stem = _STEMS[rng.integers(len(_STEMS))]
    return Resnet(blocks=blocks, width=width, embedding=_embedding(rng), stem=stem)


def _separable(rng: np.random.Generator, blocks: tuple[int, ...], width: int) -> Architecture:
    kernel = int(rng.choice([3, 5]))
    return Separable(stages=blocks, width=width, kernel=kernel, embedding=_embedding(rng))


def _inverted(rng: np.random.Generator, blocks: tuple[int, ...], width: int) -> Architecture:
    expansion, kernel, width = int(rng.integers(1, 5)), int(rng.choice([3, 5, 7])), int(2 * width**0.5)
    return Inverted(stages=blocks, width=width, expansion=expansion, kernel=kernel, embedding=_embedding(rng))


def _plain(rng: np.random.Generator, blocks: tuple[int, ...], width: int) -> Architecture:
    return Plain(stages=blocks, width=width, embedding=_embedding(rng))


def _embedding(rng: np.random.Generator) -> int:
    return int(rng.integers(16, 65))


FAMILIES: Mapping[str, Callable[[np.random.Generator, tuple[int, ...], int], Architecture]] = {
    "resnet": _resnet,
    "separable": _separable,
    "inverted": _inverted,
    "plain": _plain,
}


def drawn_branch(seed: int, index: int, *, family: str, precision: str) -> BranchSpec:
    """One network; those with an index of 4, 9, .. read a series and take the same blocks along its samples.

    Args:
        family: a key of :data:`FAMILIES`.
    """
    rng = np.random.default_rng([seed, index, *family.encode(), *precision.encode()])
    series = index % _EVERY == _EVERY - 1
    blocks = tuple(int(count) for count in rng.integers(1, 3, rng.integers(2, 4)))
    width = int(np.exp(rng.uniform(np.log(4), np.log(_MOST_WIDTH))))
    architecture = FAMILIES[family](rng, blocks, width)
    side = min(int(rng.integers(28, 65)), int((_MOST_VALUES / width) ** 0.5))
    picture = Shape(height=side, width=side, channels=int(rng.choice([1, 3])))
    return BranchSpec(
        modality="wrist" if series else "face",
        architecture=architecture,
        precision=Precision.parse(precision),
        shape=_SERIES if series else picture,
    )


def drawn_branches(seed: int, precision: str, *, networks: int) -> list[BranchSpec]:
    """So many networks of every family."""
    return [
        drawn_branch(seed, index, family=family, precision=precision)
        for index in range(networks)
        for family in FAMILIES
    ]
