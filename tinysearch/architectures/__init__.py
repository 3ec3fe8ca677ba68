"""From a layout to a network spec. One file an architecture; others plug in by entry point.

A module here is known by being here: its ``ARCHITECTURES`` says by which name which of its classes or functions goes.
:mod:`~tinysearch.architectures.family` has none.
"""

from __future__ import annotations

import importlib
import pkgutil


def built_in() -> dict[str, str]:
    """Import path by name."""
    found: dict[str, str] = {}
    for info in pkgutil.iter_modules(__path__):
        module = f"{__name__}.{info.name}"
        if info.name != "family":
            found |= {name: f"{module}:{made}" for name, made in importlib.import_module(module).ARCHITECTURES.items()}
    return found
