"""Words as people type them, and values as Python has them, in Hydra's grammar."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinysearch.app.config.plugins import MISSING, registered
from tinysearch.app.config.resources import data_dir
from tinysearch.core.errors import UserError, did_you_mean
from tinysearch.core.limits import LIMITS
from tinysearch.core.objectives import OBJECTIVES

GROUPS = ("task", "space", "catalog", "trainer", "data", "sampler", "objectives", "report", "experiment")
_LISTED = {"objectives": "objectives.names"}
"""Groups that also take a list: ``objectives=[eer,bom_cost_usd]`` is short for ``objectives.names=[..]``."""

_PATHS = {"catalog": "catalog.name", "space": "space.path"}
"""Groups that also take a path: ``catalog=DIR`` is short for ``catalog=path catalog.name=DIR``."""

SHORT_FORMS = {
    **{"latency": "latency.model", "fusion": "fusion.rule", "battery": "battery.part", "max_bom_cost_usd": "budget"},
    "schedule": "task.schedule",
    **{option: f"limits.{option}" for option in LIMITS},
}
"""Short forms of keys; a board's cost has had a name of its own as a limit from the beginning."""

_OPEN = (
    *("rates", "sampler", "trainer.settings", "data.settings", "latency.settings", "firmware.settings"),
    *("branches", "task.inputs", "space.families"),
)
"""Mappings to which a user may add keys: exchange rates, what a plug-in or library checks itself, and branches."""

PLUG_INS = {"trainer": "trainers", "data": "datasets", "sampler": "samplers"}
"""Groups with an option ``plugin``, and the kinds of plug-ins that these take: ``sampler=module:Class`` is short for
``sampler=plugin sampler.name=module:Class``."""

TARGETS = {
    **{f"{group}._target_": f"{group}.name" for group in PLUG_INS},
    "latency._target_": "latency.model",
    "firmware._target_": "firmware.backend",
}
"""Hydra's word for a class to make, and the key that names a plug-in."""

_PATH_KEYS = (
    *("run_dir", "out", "cache.dir", "catalog.name", "space.path", "trainer.path", "data.root", "latency.table"),
    *("data.train_voice", "data.train_face", "data.test_voice", "data.test_face", "data.pairs", "data.meta"),
)
"""What names a file or a folder: a text that is taken as it stands, whatever letters it has, up to ``${..}``. Only
around it may be quotes, which Hydra's users write."""

PATH_LISTS = ("warm_start",)
"""What names several files: ``[a.csv,b.csv]``, each element a text as above, or one of them alone."""

_PLAIN = re.compile(r"[\w./:+@%*-]+", re.ASCII)
"""What Hydra's grammar takes for one word; its letters are those of ASCII."""

_ASSIGNMENT = re.compile(r"^([+~]{0,2})([A-Za-z_][\w./@-]*)=(.*)$", re.DOTALL)


def options_of(group: str) -> list[str]:
    """Names that a configuration group takes."""
    return sorted(path.stem for path in (data_dir("conf") / group).glob("*.yaml"))


def overrides_of(arguments: Mapping[str, Any]) -> list[str]:
    """Override words for keyword arguments of the Python API: ``face={"blocks": [2, 2]}`` -> ``face.blocks=[2,2]``."""
    return list(_flatten("", arguments))


def _flatten(prefix: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flatten(f"{prefix}.{key}" if prefix else str(key), inner)
    elif prefix in _PATH_KEYS and isinstance(value, list | tuple):
        raise UserError(f"{prefix} must be one path, no list", value=spell(value), remedy=f"pass one for {prefix}")
    else:
        yield f"{prefix}={spell(value)}"


def spell(value: Any) -> str:
    """A value as one word of Hydra's grammar."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case list() | tuple():
            return "[" + ",".join(spell(item) for item in value) + "]"
        case os.PathLike() | bytes():
            return _quote(os.fsdecode(value))
        case str():
            return value if re.fullmatch(r"[\w./+-]+", value, re.ASCII) else _quote(value)
        case _:
            return str(value)


def _quote(text: str) -> str:
    """A text as Hydra's grammar writes it: a backslash counts twice before a quote, and as itself elsewhere."""
    escaped = re.sub(r'(\\*)("|$)', lambda found: found[1] * 2 + ('\\"' if found[2] else ""), text)
    return f'"{escaped}"'


def _unquoted(text: str) -> str:
    """The text within quotes of either kind, or the text itself where there are none around it."""
    if not _is_quoted(text):
        return text
    mark = text[0]
    return re.sub(rf"(\\*)({mark}|$)", lambda found: found[1][: len(found[1]) // 2] + found[2], text[1:-1])


def _is_quoted(text: str) -> bool:
    """Whether a text is one in quotes: both at its ends, and none within but behind a backslash."""
    mark = text[:1]
    return mark in ("'", '"') and re.fullmatch(rf"{mark}([^{mark}\\]|\\.)*{mark}", text, re.DOTALL) is not None


def expand(word: str, *, own: frozenset[str] = frozenset()) -> list[str]:
    """A word in Hydra's grammar; ``own`` are choices of options that stand in files of the user's."""
    match = _ASSIGNMENT.match(word)
    if match is None:
        raise UserError("an option must be written key=value", value=word, remedy="see python -m tinysearch --help")
    sign, key, value = match.groups()
    if key in TARGETS:
        sign, key, word = "", TARGETS[key], f"{TARGETS[key]}={value}"
    open_key = any(key.startswith(f"{name}.") for name in _OPEN)
    if sign and not open_key:
        raise UserError("options must be set, not added or deleted", value=word, remedy=f"write {key}={value}")
    if open_key:
        return [f"++{key}={_spelled_for_hydra(key, value)}"]
    if key in _LISTED and (value.lstrip().startswith("[") or value in OBJECTIVES):
        return [f"{_LISTED[key]}={value}"]
    if key in SHORT_FORMS and not value.lstrip().startswith("{"):
        return [f"{SHORT_FORMS[key]}={_spelled_for_hydra(key, value)}"]
    if (
        key in GROUPS
        and word not in own
        and value not in options_of(key)
        and value != MISSING
        and (value, key) != ("null", "experiment")
    ):
        if key in PLUG_INS and (":" in value or value in registered(PLUG_INS[key])):
            return [f"{key}=plugin", f"++{key}.name={_quote(_unquoted(value))}"]
        if key in _PATHS and _looks_like_path(_unquoted(value)):
            group = [] if key == "space" else [f"{key}=path"]
            return [*group, f"{_PATHS[key]}={_quote(_unquoted(value))}"]
        raise unknown_option(key, value)
    return [f"{key}={_spelled_for_hydra(key, value)}"]


def _spelled_for_hydra(key: str, value: str) -> str:
    """A value in Hydra's grammar, which would trip over a plain text (an amount, a letter) or take a path for more."""
    if key in _PATH_KEYS:
        return value if value in ("", "null") or _is_quoted(value) else _quote(value)
    if key in PATH_LISTS:
        listed = value.startswith("[") and value.endswith("]") and not _exists(value)
        elements = [element.strip() for element in value[1:-1].split(",")] if listed else [value]
        spelled = [one if one in ("", "null") or _is_quoted(one) else _quote(one) for one in elements]
        return f"[{','.join(spelled)}]" if listed else spelled[0]
    plain = not value or value[0] in "[{\"'$" or _PLAIN.fullmatch(value) is not None
    return value if plain else _quote(value)


def _looks_like_path(value: str) -> bool:
    return any(mark in value for mark in "/\\.") or _exists(value)


def _exists(path: str) -> bool:
    """Whether a text names something on disk; False for what no file system takes as a name."""
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def unknown_option(group: str, value: str) -> UserError:
    """The error for what a group does not take."""
    known = options_of(group)
    return UserError(
        f"{group} must be one of {', '.join(known)} or a path",
        value=value,
        remedy=did_you_mean(value, known, otherwise="choose one of them", before=f"{group}="),
    )
