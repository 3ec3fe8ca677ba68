"""Samplers, by name. ``memoized`` (also ``auto``) knows that only training costs; the others are the usual ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinysearch.core.errors import UserError
from tinysearch.search.known.flat import FlatSpace
from tinysearch.search.memoized.sampler import MemoizedSampler
from tinysearch.search.proposals import Outcome, Proposal, SamplerFactory, Stop, StudySampler, Wait
from tinysearch.search.sampler_settings import check_settings, defaults_of
from tinysearch.search.samplers.exhaustive import ExhaustiveSampler

__all__ = ["SAMPLERS", "Outcome", "Proposal", "SamplerFactory", "Stop", "StudySampler", "Wait", "make_sampler"]

OPTUNA = ("random", "tpe", "nsga2", "nsga3", "gp")
PYMOO = ("pymoo_nsga2", "pymoo_nsga3", "pymoo_agemoea")
SAMPLERS = ("auto", "memoized", "exhaustive", *OPTUNA, *PYMOO)


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
                "a sampler of your own takes flat, objectives, constraints, seed and its settings",
                value=f"{name}: {error}",
                remedy="see docs/how-to/plug-ins.md",
            ) from error
    if name in ("auto", "memoized"):
        check_settings(name, options, defaults_of(MemoizedSampler))
        return MemoizedSampler(**options)
    if name == "exhaustive":
        check_settings(name, options, {})
        return ExhaustiveSampler()
    if name in OPTUNA:
        from tinysearch.search.samplers.optuna_samplers import OptunaStudySampler

        return OptunaStudySampler(name, flat=flat, objectives=objectives, options=options)
    if name in PYMOO:
        from tinysearch.search.samplers.pymoo_samplers import PymooSampler

        return PymooSampler(name, flat=flat, objectives=objectives, constraints=constraints, seed=seed, options=options)
    raise UserError("a sampler is one of " + ", ".join(SAMPLERS), value=name, remedy="write sampler=auto")
