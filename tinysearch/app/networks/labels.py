"""``labels=FILE``: names of the classes that a network's output holds, one a line."""

from __future__ import annotations

from pathlib import Path

from tinysearch.core.errors import UserError
from tinysearch.core.safe_text import plain_line
from tinysearch.networks.graph import Graph
from tinysearch.reading.regular import read_bytes

_MOST_BYTES, _LONGEST = 1 << 20, 60


def read_labels(path: Path, graph: Graph) -> tuple[str, ...]:
    """As many names as the first output has values.

    Raises:
        UserError: a file that cannot be read, or another number of names.
    """
    try:
        lines = read_bytes(path, most=_MOST_BYTES).decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror or str(error) if isinstance(error, OSError) else "it is not UTF-8"
        raise UserError("labels must be a text file with a name a line", value=path, remedy=str(reason)) from None
    while lines and not lines[-1].strip():
        lines.pop()
    count = graph.tensors[graph.outputs[0]].elements
    if len(lines) != count:
        raise UserError(
            f"labels must hold a name for each of the {count} values of the network's output",
            value=f"{len(lines)} lines in {path}",
            remedy="write one name a line, in the order of the outputs",
        )
    return tuple(plain_line(line)[:_LONGEST] for line in lines)
