"""Compare two finished runs: budgets, best points, and how far either front reaches beyond the other.

  python -m tinysearch compare runs/first runs/second
  python -m tinysearch compare runs/first runs/second --json

The fronts are compared by the objectives that both runs have. Rules that the runs do not share (data, catalogue,
budget ...) are named: error rates of different data are no measure of each other.
"""

from __future__ import annotations

import json

from rich.table import Table

from tinysearch.app.console import SafeConsole, say
from tinysearch.app.invocation import OK, Invocation
from tinysearch.core.errors import UserError
from tinysearch.files import home_path
from tinysearch.report.compare import Comparison, compare
from tinysearch.report.view import read_view


def run(invocation: Invocation) -> int:
    """Print the comparison."""
    if len(invocation.words) != 2 or invocation.overrides:
        raise UserError(
            "compare must be given two run directories",
            value=" ".join((*invocation.words, *invocation.overrides)) or "none",
            remedy="write python -m tinysearch compare RUN RUN",
        )
    first, second = (read_view(home_path(word)) for word in invocation.words)
    found = compare(first, second)
    if invocation.json:
        say(json.dumps(found.to_dict(), indent=2))
        return OK
    console = SafeConsole()
    console.print(comparison_table(found, names=invocation.words))
    if found.differing:
        console.print(f"The runs do not share: {', '.join(found.differing)}.")
    console.print(found.verdict)
    return OK


def comparison_table(found: Comparison, *, names: tuple[str, ...]) -> Table:
    """A line a figure, a column a run."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("", *names):
        table.add_column(name, overflow="fold")
    for row in found.rows:
        table.add_row(row.label, row.first, row.second)
    return table
