"""Plug-ins by name: built in, an entry point in the group ``tinysearch.<kind>``, or the path of any importable object.

A path is written ``module:attribute`` or, as Hydra's ``_target_`` has it, ``module.attribute``; it must have been typed
(:mod:`tinysearch.core.trust`), so that no file of somebody else's can name code to import.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from tinysearch import architectures
from tinysearch.core.errors import UserError
from tinysearch.core.trust import check_trust

BUILT_IN: Mapping[str, Mapping[str, str]] = {
    "architectures": architectures.built_in(),
    "events": {
        "mlflow": "tinysearch.app.run.watchers:mlflow",
        "tensorboard": "tinysearch.app.run.watchers:tensorboard",
    },
    "trainers": {"torch": "tinysearch.training.trainer:TorchTrainer"},
    "datasets": {
        "classes": "tinysearch.data.classes:ClassesDataset",
        "digits": "tinysearch.data.digits:DigitsDataset",
        "door": "tinysearch.data.door:DoorDataset",
        "embedded": "tinysearch.data.embedded_dataset:EmbeddedDataset",
        "folder": "tinysearch.data.folder:FolderDataset",
        "keywords": "tinysearch.data.keywords:KeywordsDataset",
        "motions": "tinysearch.data.motions:MotionsDataset",
        "orl": "tinysearch.data.orl:OrlDataset",
        "series": "tinysearch.data.series:SeriesDataset",
        "vibration": "tinysearch.data.vibration:VibrationDataset",
        "voxceleb": "tinysearch.data.voxceleb:VoxCelebDataset",
    },
}
"""Import path by kind and name; architectures, which are light, are imported here, the others when asked for."""

_OWN_WORDS: Mapping[str, tuple[str, ...]] = {
    "trainers": ("table", "published", "none"),
    "latency_models": ("calibrated", "opcount"),
}
"""Words by kind that stand for more than one class."""

SHIPPED = frozenset(path for paths in BUILT_IN.values() for path in paths.values())
"""Import paths of our own, which files may name."""

OPTIONS: Mapping[str, str] = {
    "backends": "firmware.backend={name}",
    "datasets": "data.name={name}",
    "events": "events={name}",
    "latency_models": "latency.model={name}",
    "samplers": "sampler.name={name}",
    "trainers": "trainer.name={name}",
}
"""How a plug-in that a file names is given again, by kind."""

MISSING = "???"
"""A name that the user has yet to say, as the configuration spells it."""

KINDS = tuple(sorted({*BUILT_IN, *_OWN_WORDS, "samplers", "backends"}))


def own_words(kind: str) -> tuple[str, ...]:
    """Words of a kind that stand for more than one class; those of samplers and backends are what their rooms make."""
    match kind:
        case "samplers":
            from tinysearch.search.samplers import SAMPLERS

            return SAMPLERS
        case "backends":
            from tinysearch.firmware.backends import NAMES

            return NAMES
        case _:
            return _OWN_WORDS.get(kind, ())


def built_in(kind: str, name: str) -> bool:
    """Whether a name means something of tinysearch's own, and no plug-in."""
    return name in BUILT_IN.get(kind, {}) or name in own_words(kind)


def registered(kind: str) -> dict[str, str]:
    """Import paths of the plug-ins that installed packages register, by name."""
    return {entry.name: entry.value for entry in entry_points(group=f"tinysearch.{kind}")}


def plugin(kind: str, name: str) -> Any:
    """The class or function of a plug-in.

    Args:
        kind: one of :data:`KINDS`.
        name: as configured; ``module:attribute`` and ``module.attribute`` name any importable object.

    Raises:
        UserError: unknown, it cannot be imported, or nobody typed it.
    """
    if not isinstance(name, str):
        raise UserError(f"{kind.replace('_', ' ')} must have a name", value=name, remedy="write one of its names")
    if name == MISSING:
        raise UserError(
            f"{kind.replace('_', ' ')} of your own must have a name", value="none", remedy="write module:Class"
        )
    target = BUILT_IN.get(kind, {}).get(name)
    if target is not None:
        return _load(kind, target, name)
    found = registered(kind)
    if name in found:
        return _load(kind, found[name], name)
    module, _, attribute = name.rpartition(".")
    if ":" in name or (module and attribute.isidentifier()):
        if name not in SHIPPED:
            check_trust(kind.replace("_", " "), name, option=OPTIONS.get(kind, "").format(name=name))
        return _load(kind, name if ":" in name else f"{module}:{attribute}", name)
    known = sorted({*BUILT_IN.get(kind, {}), *own_words(kind), *found})
    raise UserError(
        f"{kind.replace('_', ' ')} must be {', '.join(known)} or module:attribute",
        value=name,
        remedy=f"install a package with the entry point tinysearch.{kind}, or choose one of them",
    )


def make(kind: str, name: str, /, **arguments: Any) -> Any:
    """A plug-in called with what it is given and with its own settings.

    Raises:
        UserError: unknown, it cannot be imported, or it does not take these arguments.
    """
    factory = plugin(kind, name)
    try:
        return factory(**arguments)
    except TypeError as error:
        raise UserError(
            f"{kind.replace('_', ' ')} of your own must take {', '.join(arguments) or 'no arguments'}",
            value=f"{name}: {error}",
            remedy="see docs/how-to/plug-ins.md for what each kind is given, and check its settings",
        ) from error


def settings_of(kind: str, group: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments of a configured object: its group's set options; of a plug-in what ``settings`` says."""
    if group["name"] not in BUILT_IN[kind]:
        return dict(group.get("settings", {}))
    return {name: value for name, value in group.items() if name not in ("name", "settings") and value is not None}


def _load(kind: str, target: str, name: str) -> Any:
    module, _, path = target.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for attribute in path.split("."):
            found = getattr(found, attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(
            f"{kind.replace('_', ' ')} must be importable", value=name, remedy=f"install what is missing: {error}"
        ) from error
    return found
