"""The shopping list of one point: what to order, from whom, and what else it takes, as a CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping
from typing import Any

from tinysearch.core.safe_text import plain_line
from tinysearch.core.units import Currency, fixed

COLUMNS = (
    "pieces",
    "part",
    "each",
    "sum",
    "currency",
    "seller",
    "order of",
    "price is",
    "read on",
    "source",
    "address",
)
"""``order of``: the number of pieces that the price holds for; ``address`` is empty where the catalogue has none."""


def shopping_csv(point: Mapping[str, Any], *, currency: Currency) -> str:
    """One row a part with its number, then what else it takes, whose price is not known, then the sum.

    Args:
        point: of front.json.
        currency: in which amounts are written; front.json has US$.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    code, order = currency.code.upper(), point.get("order") or {}
    for row, pieces in Counter(tuple(part.items()) for part in point["bom"]).items():
        part = dict(row)
        each = part["usd"] / currency.usd
        told = [part.get(name) for name in ("seller", "quantity", "kind", "date", "source", "url")]
        cells = [pieces, part["part"], fixed(each, 2), fixed(pieces * each, 2), code, *told]
        writer.writerow([plain_line("" if cell is None else str(cell)) for cell in cells])
    for thing in order.get("bring", ()):
        writer.writerow(["1", plain_line(thing), "", "", code, "", "", "not known, not in the sum", "", "", ""])
    total = point["values"]["bom_cost_usd"] / currency.usd
    standing = plain_line(order.get("text", ""))
    writer.writerow(["", "sum", "", fixed(total, 2), code, "", order.get("quantity") or "", standing, "", "", ""])
    return stream.getvalue()
