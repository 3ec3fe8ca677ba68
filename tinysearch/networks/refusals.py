"""What a network asks for and nobody here computes: all of it at once, with what could stand in its place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from tinysearch.core.errors import UnsupportedLayerError
from tinysearch.core.safe_text import plain_line

_NAMES = 3
"""Nodes that a message names for one reason; the others are counted."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Refusal:
    """One node that cannot be computed.

    Attributes:
        operator: TensorFlow Lite's name.
        reason: what about it ("has int16 tensors").
        instead: what could replace it ("quantize to int8").
        node: name of the node.
    """

    operator: str
    reason: str
    instead: str
    node: str

    def to_dict(self) -> dict[str, str]:
        """Plain values for JSON."""
        return {"name": self.node, "op": self.operator, "reason": self.reason, "instead": self.instead}


class UnsupportedOperatorsError(UnsupportedLayerError):
    """Operators of a network that have no kernel; its message is as long as their list.

    Attributes:
        refusals: one a node; empty after a trip between processes.
    """

    longest = None

    def __init__(self, rule: str, *, value: object, remedy: str, refusals: Iterable[Refusal] = ()) -> None:
        super().__init__(rule, value=value, remedy=remedy)
        self.refusals = tuple(refusals)


def refuse(refusals: Iterable[Refusal]) -> None:
    """Say all refusals in one line; nothing where there are none.

    Raises:
        UnsupportedOperatorsError: there is one.
    """
    found = sorted(refusals)
    if not found:
        return
    groups = [
        (kind, [refusal.node for refusal in group])
        for kind, group in groupby(found, key=lambda refusal: (refusal.operator, refusal.reason, refusal.instead))
    ]
    raise UnsupportedOperatorsError(
        "every operator of a network must be one that has a kernel",
        value="; ".join(f"{len(nodes)} x {kind[0]} {kind[1]} ({_some(nodes)})" for kind, nodes in groups),
        remedy="; ".join(dict.fromkeys(f"{operator}: {instead}" for (operator, _, instead), _ in groups)),
        refusals=found,
    )


def _some(nodes: list[str]) -> str:
    shown = [plain_line(node)[:60] for node in nodes[:_NAMES]]
    more = len(nodes) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
