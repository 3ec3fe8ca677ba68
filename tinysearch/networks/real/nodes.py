"""A float network as ONNX or torch state it: nodes over named values, channels where their author put them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from tinysearch.core.errors import UserError
from tinysearch.networks.graph import Rounding

Array = npt.NDArray[Any]

Attribute = int | float | str | Array | tuple[int, ...] | tuple[float, ...] | tuple[str, ...]

MOST_NODES = 20_000
"""Of a network: far above what any board computes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RealNode:
    """One operator.

    Attributes:
        operator: ONNX's name; whatever has none, by its own ("com.microsoft.Gelu", "aten.sort").
        name: for people.
        inputs, outputs: names of values; "" where an optional input is absent.
        attributes: as ONNX calls them, those that are given.
    """

    operator: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RealInput:
    """An input of the network.

    Attributes:
        shape: None where a side is not fixed.
    """

    name: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RealNetwork:
    """Nodes in execution order.

    Attributes:
        opset: version of ONNX's operators.
        constants: by name.
        rounding: of its framework, where scales are stated.
    """

    name: str
    opset: int
    nodes: tuple[RealNode, ...]
    inputs: tuple[RealInput, ...]
    outputs: tuple[str, ...]
    constants: Mapping[str, Array]
    rounding: Rounding = Rounding.ONCE


def check_nodes(count: int) -> None:
    """Refuse a network of more nodes than any board computes, before they are translated.

    Raises:
        UserError: it has.
    """
    if count > MOST_NODES:
        raise UserError(
            f"a network must have at most {MOST_NODES} operators",
            value=count,
            remedy="give a network for a microcontroller",
        )
