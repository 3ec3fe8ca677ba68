"""One node of a float network with what is known of its inputs, as the translation of its kind is given it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinysearch.networks.operators.kind import Unfit
from tinysearch.networks.real.builder import Builder, Known, Value
from tinysearch.networks.real.nodes import Array, RealNode

Operand = Value | Known

AGAIN = "export the network again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A node.

    Attributes:
        operands: by position; None where an input is absent.
        lonely: whether nobody else reads the input.
    """

    build: Builder
    node: RealNode
    opset: int
    operands: Sequence[Operand | None]
    lonely: Sequence[bool]

    @property
    def name(self) -> str:
        """For people."""
        return self.node.name

    def operand(self, position: int) -> Operand | None:
        """An input, None where it is absent."""
        return self.operands[position] if position < len(self.operands) else None

    def value(self, position: int = 0) -> Value:
        """A computed input.

        Raises:
            Unfit: it is constant or absent.
        """
        found = self.operand(position)
        if not isinstance(found, Value):
            raise Unfit(f"has no computed input {position}", "fold constants when exporting")
        return found

    def known(self, position: int, what: str) -> Known:
        """A constant input.

        Raises:
            Unfit: it is computed or absent.
        """
        found = self.operand(position)
        if not isinstance(found, Known):
            raise Unfit(f"has {what} that are not constant", "use constants")
        return found

    def reals(self, position: int, what: str) -> Array:
        """A constant input as float64."""
        return np.asarray(self.known(position, what).values, np.float64)

    def integer(self, name: str, default: int) -> int:
        """An attribute."""
        found = self.node.attributes.get(name, default)
        if not isinstance(found, int):
            raise Unfit(f"has an odd {name}", AGAIN)
        return found

    def real(self, name: str, default: float) -> float:
        """An attribute."""
        found = self.node.attributes.get(name, default)
        if not isinstance(found, int | float):
            raise Unfit(f"has an odd {name}", AGAIN)
        return float(found)

    def text(self, name: str, default: str) -> str:
        """An attribute."""
        found = self.node.attributes.get(name, default)
        return found if isinstance(found, str) else default

    def integers(self, name: str, position: int | None = None) -> tuple[int, ...] | None:
        """An attribute or, as later opsets have it, a constant input; None where neither is given."""
        found = self.node.attributes.get(name)
        if found is None and position is not None and self.operand(position) is not None:
            found = self.known(position, name).values
        if found is None:
            return None
        values = np.asarray(found).reshape(-1)
        if not np.issubdtype(values.dtype, np.integer):
            raise Unfit(f"has odd {name}", AGAIN)
        return tuple(int(value) for value in values)

    def axis(self, name: str, default: int, rank: int) -> int:
        """An attribute that is an axis, from 0 on."""
        found = self.integer(name, default)
        return axis_of(found, rank)

    def alone(self, position: int = 0) -> bool:
        """Whether nobody else reads an input, so that its producer may be changed."""
        value = self.operand(position)
        return isinstance(value, Value) and self.lonely[position] and value.tensor not in self.build.shared


def axis_of(axis: int, rank: int) -> int:
    """An axis from 0 on.

    Raises:
        Unfit: there is none.
    """
    if not -rank <= axis < rank:
        raise Unfit(f"has the axis {axis} of {rank}", AGAIN)
    return axis % rank
