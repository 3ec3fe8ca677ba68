"""What keeps a run from being resumed, told by the settings that differ and not by digests of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tinysearch.app.config.paths import PATHS
from tinysearch.app.run.run_dir import read_config
from tinysearch.core.errors import UserError
from tinysearch.core.safe_text import redacted_tree
from tinysearch.search.study.storage import OtherRulesError

_READ_BY: Mapping[str, tuple[str, ...]] = {
    "data": ("data", "trainer", "task"),
    "space": ("space", "task"),
    "catalog": ("catalog",),
    "task": ("task",),
    "trainer": ("trainer",),
    "latency": ("latency",),
    "fusion": ("fusion",),
    "backend settings": ("firmware",),
}
"""Sections of the configuration by the rule that holds a digest of them; other rules are spelled out."""
_ABSENT = object()


def other_settings(error: OtherRulesError, folder: Path, config: Mapping[str, Any]) -> UserError:
    """The refusal of a run, with the settings that its rules were made of then and now.

    Args:
        error: which rules differ.
        folder: the run's, with the configuration it was started with.
        config: what it was to be resumed with.

    Returns:
        The same error where no setting differs, but for example what the files of the data hold.
    """
    before = read_config(folder)
    sections = sorted({section for rule in error.differing for section in _READ_BY.get(rule, ())})
    differing = {
        key: values
        for section in sections
        for key, values in _differing(section, before.get(section), redacted_tree(config[section]))
    }
    if not differing:
        return error
    differing |= {rule: values for rule, values in error.differing.items() if rule not in _READ_BY}
    told = "; ".join(f"{key} was {_spelled(old)}, now {_spelled(new)}" for key, (old, new) in differing.items())
    return UserError(error.rule, value=told, remedy=error.remedy)


def _differing(key: str, old: Any, new: Any) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Settings below a key that differ; not where files lie, as a run keeps other paths than those that are typed."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted(old.keys() | new.keys()):
            yield from _differing(f"{key}.{name}", old.get(name, _ABSENT), new.get(name, _ABSENT))
    elif old != new and not (key in PATHS and isinstance(old, str) and "/" in old):
        yield key, (old, new)


def _spelled(value: Any) -> str:
    if value is _ABSENT:
        return "absent"
    return value if isinstance(value, str) else json.dumps(value)
