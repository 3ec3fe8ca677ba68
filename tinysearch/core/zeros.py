"""Characters of value 0, which no path can have: files and programs may hold them where a shell cannot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinysearch.core.errors import UserError


def check_zeros(value: Any, *, where: str) -> None:
    """Refuse a text with a character of value 0, which no path can have, anywhere in a tree of mappings and lists.

    Args:
        where: what is told to hold it.

    Raises:
        UserError: there is one.
    """
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str) and "\0" in value:
            raise UserError(
                f"{where} must hold no character of value 0", value=repr(value[:80]), remedy="write it without"
            )
        if isinstance(value, Mapping):
            waiting += [*value, *value.values()]
        elif isinstance(value, list | tuple):
            waiting += value
