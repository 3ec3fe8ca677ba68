"""Which settings each sampler has, and their values."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

from tinysearch.core.errors import UserError, did_you_mean

GIVEN = ("self", "seed")
"""Parameters of samplers' classes that are not for users."""


def defaults_of(maker: Callable[..., Any]) -> dict[str, Any]:
    """The settings that a class takes, with their defaults."""
    parameters = inspect.signature(maker).parameters.values()
    return {p.name: p.default for p in parameters if p.name not in GIVEN and p.default is not p.empty}


def check_settings(sampler: str, given: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    """Refuse settings that a sampler has not, and texts where it takes numbers.

    Args:
        sampler: its name.
        defaults: of all its settings.

    Raises:
        UserError: one of them is wrong.
    """
    for name, value in given.items():
        if name not in defaults:
            raise UserError(
                f"settings of sampler={sampler} must be {', '.join(defaults)}"
                if defaults
                else f"sampler={sampler} must be given no settings",
                value=f"sampler.{name}={value}",
                remedy=did_you_mean(name, defaults, otherwise="leave it out", before="sampler."),
            )
        default = defaults[name]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if isinstance(default, int | float) and not isinstance(default, bool) and not number:
            raise UserError(f"sampler.{name} must be a number", value=value, remedy=f"write sampler.{name}={default}")


def check_whole(name: str, value: Any, *, least: int = 1, most: int | None = None) -> None:
    """Refuse what is no whole number from ``least`` to ``most``.

    Raises:
        UserError: it is none.
    """
    bounded = isinstance(value, int) and (most is None or value <= most)
    if not bounded or isinstance(value, bool) or value < least:
        bounds = f"from {least}" if most is None else f"from {least} to {most}"
        raise UserError(
            f"sampler.{name} must be a whole number {bounds}", value=value, remedy=f"write sampler.{name}={least}"
        )


def check_share(name: str, value: float) -> None:
    """Refuse what is no part of a whole.

    Raises:
        UserError: it is none.
    """
    if not (isinstance(value, int | float) and 0 <= value < 1):
        raise UserError(
            f"sampler.{name} must be a share from 0 to less than 1", value=value, remedy=f"write sampler.{name}=0.0001"
        )


def check_not_negative(name: str, value: float) -> None:
    """Refuse what is negative or no finite number.

    Raises:
        UserError: it is.
    """
    if not (isinstance(value, int | float) and 0 <= value < math.inf):
        raise UserError(f"sampler.{name} must be a number from 0", value=value, remedy=f"write sampler.{name}=0")
