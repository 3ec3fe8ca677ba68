"""Of which kind a value must be: that of the option's default."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from tinysearch.app.config.plugins import MISSING
from tinysearch.app.config.words import PATH_LISTS, spell
from tinysearch.core.errors import UserError

_ONE_OR_MORE = ("far", "warm_start")
"""Lists whose only element may stand for them."""

_OPTIONAL = ("n_trials",)
"""Numbers that may be null: no limit."""

_MAYBE_LISTS = (
    "modalities",
    "combinations",
    "architectures",
    "layouts",
    "precisions",
    "processors",
    "widths",
    "input_sizes",
    "input_scales",
    "space.channels",
    "clip_scales",
    "embeddings",
    "memories",
    "branch_cores",
    "fusion_rules",
)
"""Last parts of keys whose default is null and that take a list."""

_FRACTIONAL = ("fusion.weights.", "ray.")
"""Where a default that is whole may have a fraction."""

_SEEDS = ("seed", "data.seed", "data.split_seed", "trainer.seed")

_EVERY = "every element of "


def words_for_lists(key: str, value: Any, default: Any) -> Iterator[tuple[str, Any]]:
    """Keys that take a list of words or numbers and were given one of them, which stands for a list of itself.

    Raises:
        UserError: several with commas between them, which Hydra's users write to run one after the other.
    """
    if isinstance(default, dict) and isinstance(value, dict):
        for name in default:
            if name in value:
                yield from words_for_lists(f"{key}.{name}" if key else str(name), value[name], default[name])
    elif isinstance(value, str | int | float) and _takes_words(key, default):
        if isinstance(value, str) and "," in value:
            raise UserError(f"{key} must be a list", value=value, remedy=f"write {key}=[{value}]")
        if not (isinstance(value, str) and "${" in value):
            yield key, value


def _takes_words(key: str, default: Any) -> bool:
    """Whether an option takes a list whose elements are no lists themselves."""
    if isinstance(default, list):
        return key not in PATH_LISTS and not any(isinstance(item, list | dict) for item in default)
    return default is None and key.endswith(_MAYBE_LISTS) and not key.endswith(("layouts", "combinations"))


def check_value(key: str, value: Any, default: Any, *, example: str | None = None) -> None:
    """Refuse a value of another kind than its default's: a text for a number, a number for a list or for a mapping.

    In the place of a text or of null any single value may stand (``n_workers: auto``). Keys without a default are
    checked by whoever takes them.

    Args:
        example: what to write instead; None for the default.
    """
    if isinstance(value, str) and ("${" in value or value == MISSING):
        return  # an interpolation, or what a plug-in's user has yet to say
    match default:
        case dict():
            fits, kind = isinstance(value, dict), "a group of options"
            example = f"{key}.{next(iter(default), 'KEY')}=.."
        case list():
            fits, kind = value is None or isinstance(value, list) or key in _ONE_OR_MORE, "a list"
            example = example or (None if fits else f"{key}=[{spell(value)}]")
        case bool():
            fits, kind = isinstance(value, bool), "true or false"
        case int() if not key.startswith(_FRACTIONAL):
            fits, kind = _is_number(value, int) or (value is None and key in _OPTIONAL), "a whole number"
        case int() | float():
            fits, kind = _is_number(value, int | float), "a number"
        case _:
            listed = isinstance(value, list)
            fits = not isinstance(value, dict) and (key.endswith(_MAYBE_LISTS) or not listed)
            kind = "a list" if key.endswith(_MAYBE_LISTS) else "one value, no list"
            listed, name = key.startswith(_EVERY), key.removeprefix(_EVERY)
            example = f"{name}=[{spell(default)}]" if listed else f"{key}={_one(default)}"
    example = example or f"{key}={spell(default)}"
    if not fits:
        raise UserError(f"{key} must be {kind}", value=spell(value), remedy=f"write {example}")
    if isinstance(value, dict) and isinstance(default, dict):
        for name in [name for name in default if name in value]:
            check_value(f"{key}.{name}" if key else str(name), value[name], default[name])
    elif isinstance(value, list) and default:
        for item in value:
            inner = key if key.startswith(_EVERY) else _EVERY + key
            check_value(inner, item, default[0], example=example)


def _one(default: Any) -> str:
    """A value for a message: the default, unless there is none or it refers to another option."""
    return "VALUE" if not default or "${" in str(default) else spell(default)


def check_ranges(config: Mapping[str, Any]) -> None:
    """Refuse what no command could use, whether this one would or not.

    Raises:
        UserError: a seed below 0, or a false accept rate that is none.
    """
    for key in _SEEDS:
        group, _, name = key.rpartition(".")
        holder = config.get(group) if group else config
        seed = holder.get(name) if isinstance(holder, Mapping) else None
        if isinstance(seed, int) and seed < 0:
            raise UserError(f"{key} must be a whole number from 0", value=seed, remedy=f"write {key}=0")
    if config.get("far"):
        far_levels(config["far"])


def far_levels(value: Any) -> tuple[float, ...]:
    """False accept rates, listed or one alone.

    Raises:
        UserError: none, or not all are fractions between 0 and 1.
    """
    levels = value if isinstance(value, list | tuple) else [value]
    if not levels or not all(isinstance(far, float) and 0 < far < 1 for far in levels):
        raise UserError(
            "far must list false accept rates as fractions between 0 and 1",
            value=value,
            remedy="write far=[0.01,0.1]",
        )
    return tuple(levels)


def _is_number(value: Any, kind: Any) -> bool:
    """Whether a value is a finite number of a kind; true and false are none."""
    return isinstance(value, kind) and not isinstance(value, bool) and math.isfinite(value)
