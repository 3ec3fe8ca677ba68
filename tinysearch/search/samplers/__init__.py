"""Samplers, by name. ``memoized`` (also ``auto``) knows that only training costs; the others are the usual ones.

A module of this package is known by being here: its ``SAMPLERS`` says which names it makes.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any

from tinysearch.core.errors import UserError
from tinysearch.search.known.flat import FlatSpace
from tinysearch.search.memoized import sampler
from tinysearch.search.proposals import Outcome, Proposal, SamplerFactory, SamplerMaker, Stop, StudySampler, Wait

__all__ = ["SAMPLERS", "Outcome", "Proposal", "SamplerFactory", "Stop", "StudySampler", "Wait", "make_sampler"]


def _makers() -> dict[str, SamplerMaker]:
    """What each module of this package says that it makes; a name that begins with ``_`` is a helper's."""
    makers = dict(sampler.SAMPLERS)
    for info in pkgutil.iter_modules(__path__):
        if not info.name.startswith("_"):
            makers |= importlib.import_module(f"{__name__}.{info.name}").SAMPLERS
    return makers


_MAKERS = _makers()
SAMPLERS = tuple(_MAKERS)
"""Every name, ``auto`` first."""


def make_sampler(
    name: str,
    *,
    flat: FlatSpace,
    objectives: int,
    constraints: int,
    seed: int,
    options: Mapping[str, Any],
    factory: SamplerFactory | None = None,
) -> StudySampler:
    """The sampler of a name.

    Args:
        flat: the space that plain samplers draw from.
        objectives, constraints: how many.
        options: the sampler's own keyword arguments.
        factory: makes a sampler that is not of this package.

    Raises:
        UserError: unknown name or options.
    """
    if factory is not None:
        try:
            return factory(flat=flat, objectives=objectives, constraints=constraints, seed=seed, **options)
        except TypeError as error:
            raise UserError(
                "a sampler of your own must take flat, objectives, constraints, seed and its settings",
                value=f"{name}: {error}",
                remedy="see docs/how-to/plug-ins.md",
            ) from error
    if name not in _MAKERS:
        raise UserError("a sampler must be one of " + ", ".join(SAMPLERS), value=name, remedy="write sampler=auto")
    return _MAKERS[name](name, flat=flat, objectives=objectives, constraints=constraints, seed=seed, options=options)
