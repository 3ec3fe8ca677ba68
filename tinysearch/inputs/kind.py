"""Kinds of input by name: those of this package, or ``module:Class`` of anybody's own."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from tinysearch.core.errors import UserError
from tinysearch.core.task import InputKind
from tinysearch.core.trust import check_trust

BUILT_IN: Mapping[str, str] = {
    "camera": "tinysearch.inputs.camera:Camera",
    "microphone": "tinysearch.inputs.microphone:Microphone",
    "motion": "tinysearch.inputs.motion:Motion",
    "signal": "tinysearch.inputs.signal:Signal",
}
"""Import path by name; :class:`~tinysearch.core.task.InputKind` says what such a class has."""


def kind_class(name: str) -> Any:
    """The class of a kind.

    Raises:
        UserError: no kind has this name, or a file alone names code of somebody's own.
    """
    if ":" in name:
        check_trust("kinds of input", name)
    module, colon, attribute = BUILT_IN.get(name, name).partition(":")
    if colon:
        try:
            return getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise UserError(
                "a kind of input must be importable", value=f"{name}: {error}", remedy="check it"
            ) from error
    raise UserError(
        f"a kind of input must be one of {', '.join(BUILT_IN)}, or module:Class",
        value=name,
        remedy="choose one of them",
    )


def setting_names(name: str) -> tuple[str, ...]:
    """Names of a kind's settings."""
    made = kind_class(name)
    return tuple(item.name for item in fields(made)) if is_dataclass(made) else ()


def make_kind(name: str, settings: Mapping[str, object]) -> InputKind:
    """A kind with its settings; what is left out has the kind's default.

    Raises:
        UserError: an unknown kind, or a setting that it does not have or that is out of range.
    """
    try:
        made: InputKind = kind_class(name)(**settings)
    except TypeError as error:
        known = ", ".join(setting_names(name)) or "none"
        raise UserError(
            f"settings of kind {name} must be out of: {known}", value=error, remedy="leave it out"
        ) from error
    return made
