"""One node of torch's core as it is translated to nodes of ONNX."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from tinysearch.networks.real.nodes import Attribute, RealNode


@dataclass(frozen=True, slots=True)
class AliasOf:
    """A node that is another's value."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """One node of a program.

    Attributes:
        name_of: name of the value of a node.
        constant: keeps an array, and gives its name.
    """

    node: torch.fx.Node
    name_of: Callable[[torch.fx.Node], str]
    constant: Callable[[Any], str]

    def argument(self, position: int, default: Any = None, name: str = "") -> Any:
        """An argument by position or name."""
        args = self.node.args
        return args[position] if position < len(args) else self.node.kwargs.get(name, default)

    def value(self, position: int) -> str:
        """Name of an argument, which may be a number; "" where it is absent."""
        found = self.argument(position)
        if isinstance(found, torch.fx.Node):
            return self.name_of(found)
        return "" if found is None else self.constant(np.asarray(found, np.float32))

    def shape(self, position: int = 0) -> tuple[int, ...]:
        """Sides of an argument."""
        found = self.argument(position)
        return tuple(int(side) for side in found.meta["val"].shape)

    def make(
        self,
        operator: str,
        inputs: Sequence[str],
        *,
        outputs: Sequence[str] = (),
        given: Mapping[str, Attribute] | None = None,
        **attributes: Attribute,
    ) -> list[RealNode]:
        """A node, whose output is this one's value unless others are named."""
        return [
            RealNode(
                operator=operator,
                name=self.node.name,
                inputs=tuple(inputs),
                outputs=tuple(outputs) or (self.node.name,),
                attributes=attributes | dict(given or {}),
            )
        ]

    def part(self, number: int) -> str:
        """Name of one of several outputs."""
        return part_of(self.node.name, number)


def part_of(name: str, number: int) -> str:
    """Name of one of several outputs of a node."""
    return f"{name} output {number}"
