"""Paths in a configuration: from the home folder, and so that a run can be used from any folder, and moved."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tinysearch.files import home_path, write_atomically

INPUTS = "inputs"
"""Folder of a run with the files that its configuration names."""

_COPIED = ("trainer.path", "latency.table", "space.path", "emit.bmi270_config")
"""Small files that a run cannot be used without."""

_ABSOLUTE = ("catalog.name", "data.root", "cache.dir")
"""Folders, too large to be copied."""

PATHS = (*_COPIED, *_ABSOLUTE)
"""Every path of a file or folder that is read, as a dotted key."""

_LISTS = ("warm_start",)
_OF_ONE_COMMAND = ("run_dir", "out")
"""Where the command wrote; a run that was moved is elsewhere."""

_READ_ONCE = ("figures", "network", "calibration", "data.pairs")
"""What else one command reads or writes, and no run needs again from elsewhere."""

_SETTINGS = ("trainer.settings", "data.settings", "latency.settings", "firmware.settings", "sampler.settings")


def from_home(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration with ``~`` replaced in every path; changes it in place."""
    for key in (*PATHS, *_OF_ONE_COMMAND, *_READ_ONCE):
        for holder, name in _places(config, key):
            if holder[name].startswith("~"):
                holder[name] = str(home_path(holder[name]))
    for key in _LISTS:
        given = config.get(key)
        if isinstance(given, list):
            config[key] = [str(home_path(item)) if isinstance(item, str) else item for item in given]
        elif isinstance(given, str):
            config[key] = str(home_path(given))
    return config


def relocatable(run_dir: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration as a run keeps it: small files copied into the run and named from there, other paths absolute.

    Raises:
        OSError: a file cannot be copied.
    """
    kept = copy.deepcopy(dict(config))
    for key in _COPIED:
        for holder, name in _places(kept, key):
            source = Path(holder[name])
            target = run_dir / INPUTS / f"{key}{source.suffix}"
            write_atomically(target, source.read_bytes())
            holder[name] = f"{INPUTS}/{target.name}"
    for key in _ABSOLUTE:
        for holder, name in _places(kept, key):
            if key != "catalog.name" or Path(holder[name]).exists():  # a catalogue may be one of ours, by name
                holder[name] = str(Path(holder[name]).absolute())
    for key in _LISTS:
        given = kept.get(key)
        if given:
            listed = given if isinstance(given, list) else [given]
            kept[key] = [str(Path(item).absolute()) if isinstance(item, str) else item for item in listed]
    for key in _SETTINGS:
        _absolute_settings(kept, key)
    for key in _OF_ONE_COMMAND:
        kept[key] = None
    return kept


def located(run_dir: Path, config: dict[str, Any]) -> dict[str, Any]:
    """A run's configuration with its own files where the run lies now; changes it in place."""
    for key in _COPIED:
        for holder, name in _places(config, key):
            if holder[name].startswith(f"{INPUTS}/") and ".." not in Path(holder[name]).parts:
                holder[name] = str(run_dir.absolute() / holder[name])
    return config


def _places(config: dict[str, Any], key: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The mapping and the name by which a dotted key holds a text, if it does."""
    holder: Any = config
    *groups, name = key.split(".")
    for group in groups:
        holder = holder.get(group) if isinstance(holder, dict) else None
    if isinstance(holder, dict) and isinstance(holder.get(name), str) and holder[name]:
        yield holder, name


def _absolute_settings(config: dict[str, Any], key: str) -> None:
    """Settings of a plug-in that name something that is there."""
    group, _, name = key.partition(".")
    settings = config.get(group, {}).get(name) if isinstance(config.get(group), dict) else None
    if not isinstance(settings, dict):  # whoever reads them says that they must be
        return
    for setting, value in settings.items():
        if isinstance(value, str) and value and "\n" not in value and Path(value).exists():
            settings[setting] = str(Path(value).absolute())
