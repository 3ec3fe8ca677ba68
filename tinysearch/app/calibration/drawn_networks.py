"""Random networks of the built-in families, as the extended space has them: to fit a latency table and to judge it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from tinysearch.app.config.plugins import plugin
from tinysearch.architectures import built_in
from tinysearch.architectures.family import Value, parameter_names
from tinysearch.core.candidate import BranchSpec
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

_DRAWS: Mapping[str, Callable[[np.random.Generator], Value]] = {
    "stem": lambda rng: _STEMS[rng.integers(len(_STEMS))],
    "expansion": lambda rng: int(rng.integers(1, 5)),
    "kernel": lambda rng: int(rng.choice([3, 5, 7])),
    "embedding": lambda rng: int(rng.integers(16, 65)),
}
"""Parameters of families by name, beside layout and width."""


def drawn_families() -> tuple[str, ...]:
    """Names of the built-in families that have layouts of their own, and so a place in the extended space."""
    return tuple(name for name in built_in() if plugin("architectures", name).variables())


def drawn_branch(seed: int, index: int, *, family: str, precision: str) -> BranchSpec:
    """One network; those with an index of 4, 9, .. read a series and take the same blocks along its samples.

    Args:
        family: one of :func:`drawn_families`.
    """
    made = plugin("architectures", family)
    names = parameter_names(made)
    rng = np.random.default_rng([seed, index, *family.encode(), *precision.encode()])
    series = index % _EVERY == _EVERY - 1
    blocks = tuple(int(count) for count in rng.integers(1, 3, rng.integers(2, 4)))
    width = int(np.exp(rng.uniform(np.log(4), np.log(_MOST_WIDTH))))
    own = {name: draw(rng) for name, draw in _DRAWS.items() if name in names}
    narrow = int(2 * width**0.5) if "expansion" in names else width  # what is expanded begins with fewer channels
    layout = next(name for name in ("blocks", "stages") if name in names)
    side = min(int(rng.integers(28, 65)), int((_MOST_VALUES / width) ** 0.5))
    picture = Shape(height=side, width=side, channels=int(rng.choice([1, 3])))
    return BranchSpec(
        modality="wrist" if series else "face",
        architecture=made(**{layout: blocks, "width": narrow, **own}),
        precision=Precision.parse(precision),
        shape=_SERIES if series else picture,
    )


def drawn_branches(seed: int, precision: str, *, networks: int) -> list[BranchSpec]:
    """So many networks of every family."""
    families = drawn_families()
    return [
        drawn_branch(seed, index, family=family, precision=precision)
        for index in range(networks)
        for family in families
    ]
