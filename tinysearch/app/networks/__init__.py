"""Verbs on a network of one's own: ``network=FILE`` for evaluate, search and emit."""

from __future__ import annotations

from collections.abc import Sequence

_KEY = "network="


def asks_for_network(overrides: Sequence[str]) -> bool:
    """Whether the words name a network of one's own."""
    return any(word.startswith(_KEY) and word != f"{_KEY}null" for word in overrides)
