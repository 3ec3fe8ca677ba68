"""Plug-ins by name: built in, or found by entry point in the group ``tinysearch.<kind>``, or by ``_target_``."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any, cast

from tinysearch.core.errors import UserError

BUILT_IN: Mapping[str, Mapping[str, str]] = {
    "architectures": {"resnet": "tinysearch.architectures.resnet:resnet"},
    "trainers": {"torch": "tinysearch.training.trainer:TorchTrainer"},
    "datasets": {
        "digits": "tinysearch.data.digits:DigitsDataset",
        "embedded": "tinysearch.data.embedded_dataset:EmbeddedDataset",
        "folder": "tinysearch.data.folder:FolderDataset",
        "orl": "tinysearch.data.orl:OrlDataset",
        "voxceleb": "tinysearch.data.voxceleb:VoxCelebDataset",
    },
}
"""Import path by kind and name; imported only when asked for."""


def plugin(kind: str, name: str) -> Any:
    """The class or function of a plug-in.

    Args:
        kind: ``architectures``, ``trainers`` or ``datasets``.
        name: as configured; ``module:attribute`` names any importable object.

    Raises:
        UserError: unknown, or it cannot be imported.
    """
    target = BUILT_IN[kind].get(name)
    if target is None and ":" in name:
        target = name
    if target is not None:
        return _load(kind, target)
    for entry in entry_points(group=f"tinysearch.{kind}"):
        if entry.name == name:
            return entry.load()
    known = sorted({*BUILT_IN[kind], *(entry.name for entry in entry_points(group=f"tinysearch.{kind}"))})
    raise UserError(
        f"{kind} are {', '.join(known)} or module:attribute",
        value=name,
        remedy=f"install a package with the entry point tinysearch.{kind}, or choose one of them",
    )


def _load(kind: str, target: str) -> Any:
    module, _, attribute = target.partition(":")
    try:
        return cast(Any, getattr(importlib.import_module(module), attribute))
    except (ImportError, AttributeError) as error:
        raise UserError(f"{kind} can be imported", value=target, remedy=f"install what is missing: {error}") from error
