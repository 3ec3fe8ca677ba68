"""What an instruction is to the model: operands with their ranges, length in bytes, and what it does in C.

``xtensa.py`` has those of the ESP32-S3, ``riscv.py`` those of the ESP32-P4. An instruction may not be written with
operands that it cannot encode: an assembler would put two in its place, and the count would be wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Values of an immediate operand."""

    low: int
    high: int
    step: int = 1
    only: frozenset[int] | None = None

    def holds(self, value: int) -> bool:
        """Whether the instruction can encode a value."""
        if self.only is not None:
            return value in self.only
        return self.low <= value <= self.high and value % self.step == 0


Operand = Range | str
"""A range; a kind of register, with ``=`` where it is written and ``+`` where it is changed; ``label``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One mnemonic.

    Attributes:
        code: C statement with ``{0}``, ``{1}`` .. for the operands; of a branch its condition.
        length: bytes.
        reach: bytes that a branch may jump; 0 for what does not branch.
    """

    operands: tuple[Operand, ...]
    code: str
    length: int = 3
    reach: int = 0


def span(low: int, high: int, step: int = 1) -> Range:
    """Multiples of a step from low to high."""
    return Range(low=low, high=high, step=step)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionSet:
    """A core and its vector unit.

    Attributes:
        instructions: by mnemonic, without what changes the flow of a function.
        register: the C name of a register, by its name and the kind of operand; None where it is none of that kind.
        flow: C statement of what changes the flow, by mnemonic: loops, calls, returns.
        begin: first instruction of every function; empty where a function begins at a label that is global.
        frame: C declarations of the registers of a function, from ``window`` and ``stack``.
    """

    instructions: Mapping[str, Instruction]
    register: Callable[[str, str], str | None]
    flow: Mapping[str, str]
    begin: str
    frame: str
