"""What became of every operator: kernel, MACs, bytes of constants, instructions; as rows and as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tinysearch.core.safe_text import plain_line
from tinysearch.networks.call import Call
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


def lowering_rows(network: LoweredNetwork, instructions: Callable[[Call], float]) -> list[LoweredRow]:
    """A row a call, and one for every operator that needs none, in execution order."""
    rows: list[LoweredRow] = []
    for node in network.graph.nodes:
        results = node.outputs or node.inputs[:1]  # what assigns a state has no output
        calls = [call for call in network.calls if call.output in results and call.operator == node.operator]
        if not calls:
            rows.append(
                LoweredRow(name=node.name, op=node.operator, became=SAME_BYTES, macs=0, bytes=0, instructions=0)
            )
        rows += [
            LoweredRow(
                name=call.name,
                op=call.operator,
                became=call.function,
                macs=call.macs,
                bytes=call.parameter_bytes,
                instructions=round(instructions(call)),
            )
            for call in calls
        ]
    return rows


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
