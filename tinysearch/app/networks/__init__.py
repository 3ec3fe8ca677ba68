"""Verbs on a network of one's own: ``network=FILE`` for evaluate, search and emit."""

from __future__ import annotations

from collections.abc import Sequence

from tinysearch.core.errors import UserError

_OF_NETWORKS = ("calibration", "labels", "rounding")
"""Options that say something of a network of one's own, and nothing of others."""


def asks_for_network(overrides: Sequence[str]) -> bool:
    """Whether the words name a network of one's own.

    Raises:
        UserError: they do not, but say something of it.
    """
    given = {key: value for key, _, value in (word.partition("=") for word in overrides) if value != "null"}
    if "network" in given:
        return True
    for key in _OF_NETWORKS:
        if key in given:
            raise UserError(f"{key} must be that of a network", value=given[key], remedy="add network=FILE")
    return False
