"""What became of every operator: kernel, MACs, bytes of constants, instructions; as rows and as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tinysearch.core.safe_text import plain_line
from tinysearch.networks.call import MOVE_FUNCTION, Call, Move
from tinysearch.networks.lowering import LoweredNetwork

SAME_BYTES = "the same bytes"
_LONGEST = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class LoweredRow:
    """One operator, or one of the calls that it became.

    Attributes:
        became: the kernel, or :data:`SAME_BYTES` where nothing runs.
        bytes: of constants in flash.
        instructions: predicted on RV32IMC.
    """

    name: str
    op: str
    became: str
    macs: int
    bytes: int
    instructions: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


Instructions = Callable[[Call | Move], float]
"""Of a call, or of bytes that move."""


def lowering_rows(network: LoweredNetwork, instructions: Instructions) -> list[LoweredRow]:
    """A row a call, one for every operator that needs none, and one for the moves of a band, in execution order."""
    rows: list[LoweredRow] = []
    computed = [(call, step, whole) for call in network.calls for step, whole in enumerate(call.wholes)]
    for node in network.graph.nodes:
        results = node.outputs or node.inputs[:1]  # what assigns a state has no output
        found = [each for each in computed if each[2].output in results and each[2].operator == node.operator]
        if not found:
            rows.append(_without_constants(node.name, node.operator, SAME_BYTES))
        for call, step, whole in found:
            rows.append(_row(call, step, whole, instructions))
            if call.band is not None and whole is call.wholes[-1]:
                moved = sum(map(instructions, call.band.moves))
                rows.append(_without_constants(call.name, call.operator, MOVE_FUNCTION, instructions=moved))
    return rows


def _row(call: Call, step: int, whole: Call, instructions: Instructions) -> LoweredRow:
    """A call, or all parts of a band's step."""
    parts = [call] if call.band is None else [part.call for part in call.band.parts if part.step == step]
    return LoweredRow(
        name=whole.name,
        op=whole.operator,
        became=whole.function,
        macs=whole.macs,
        bytes=whole.parameter_bytes,
        instructions=round(sum(map(instructions, parts))),
    )


def _without_constants(name: str, op: str, became: str, *, instructions: float = 0.0) -> LoweredRow:
    return LoweredRow(name=name, op=op, became=became, macs=0, bytes=0, instructions=round(instructions))


def lowering_text(rows: Sequence[LoweredRow]) -> str:
    """The rows in columns, with their sums."""
    head = ("operator", "name", "became", "MACs", "bytes", "instructions")
    cells = [
        (
            row.op,
            plain_line(row.name)[:_LONGEST],
            row.became,
            f"{row.macs:,}",
            f"{row.bytes:,}",
            f"{row.instructions:,}",
        )
        for row in rows
    ]
    sums = (sum(row.macs for row in rows), sum(row.bytes for row in rows), sum(row.instructions for row in rows))
    total = ("total", "", "", *(f"{value:,}" for value in sums))
    widths = [max(len(row[column]) for row in (head, *cells, total)) for column in range(len(head))]
    lines = []
    for row in (head, *cells, total):
        padded = [
            cell.ljust(width) if column < 3 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)
