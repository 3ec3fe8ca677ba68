"""report.html of a network of one's own: one page that opens offline, in tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from tinysearch.core.safe_text import plain_line
from tinysearch.core.units import written
from tinysearch.networks.report import LoweredRow

_STYLE = """
html { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 78em; padding: 0 1em; overflow-x: auto; }
table { border-collapse: collapse; margin: 1em 0; width: 100%; }
th, td { border-bottom: 1px solid #8886; padding: .3em .6em; text-align: left; }
td { min-width: 11em; overflow-wrap: anywhere; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.number { min-width: 0; white-space: nowrap; }
"""


def page(document: Mapping[str, Any], rows: Sequence[LoweredRow], told: Sequence[str] = ()) -> str:
    """The page.

    Args:
        document: front.json.
        rows: what became of every operator.
        told: lines below the boards.
    """
    network = document["network"]
    name = escape(plain_line(network["name"]))
    budget = document["budget_usd"]
    asked = "" if budget is None else f" for at most ${budget:.2f}"
    facts = (
        f"{network['macs']:,} MACs, {network['weight_bytes']:,} bytes of constants, {document['arena_bytes']:,} bytes "
        f"of working memory (no plan of these kernels is below {document['arena_bound_bytes']:,})."
    )
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta name="viewport" content="width=device-width"><title>{name}</title>',
            f"<style>{_STYLE}</style></head><body><h1>{name}</h1><p>{facts}</p>",
            f"<h2>Boards that carry it{asked}</h2>{_boards(document['points'])}",
            "<p>Latencies are predictions: instructions of the kernels were counted, cycles for one are assumed.</p>",
            *(f"<p>{escape(plain_line(line))}</p>" for line in told),
            _agreement(network.get("quantization")),
            f"<h2>What became of its operators</h2>{_operators(rows)}</body></html>",
            "",
        ]
    )


def _agreement(quantization: Mapping[str, Any] | None) -> str:
    """How near the int8 network comes to the float one; nothing for a file that is int8 itself."""
    if quantization is None or not quantization["agreement"]:
        return ""
    head = ("output", "samples", "same largest value", "signal to noise", "largest difference")
    rows = [
        (
            entry["output"],
            str(entry["samples"]),
            "" if entry["same_largest"] is None else f"{100 * entry['same_largest']:.1f} %",
            "" if entry["signal_to_noise_db"] is None else f"{entry['signal_to_noise_db']:.1f} dB",
            written(entry["largest_difference"], 3),
        )
        for entry in quantization["agreement"]
    ]
    return f"<h2>int8 against float, on the calibration samples</h2>{_table(head, rows, texts=(0,))}"


def _boards(points: Sequence[Mapping[str, Any]]) -> str:
    if not points:
        return "<p>None.</p>"
    head = ("board", "chip", "price", "latency", "range", "energy", "flash", "RAM", "firmware")
    return _table(head, (_board(point) for point in points), texts=(0, 1, 8))


def _board(point: Mapping[str, Any]) -> tuple[str, ...]:
    platform, values = point["platform"], point["values"]
    low, high = values["latency_range_s"]
    return (
        platform["board_name"],
        platform["chip"],
        f"${values['bom_cost_usd']:.2f}",
        f"{written(1e3 * values['latency_s'], 3)} ms",
        f"{written(1e3 * low, 3)} to {written(1e3 * high, 3)} ms",
        f"{written(values['energy_mj'], 3)} mJ",
        f"{point['requires']['flash_bytes'] >> 10:,} KiB",
        f"{point['requires']['ram_bytes']:,} bytes",
        point["firmware"] or "",
    )


def _operators(rows: Sequence[LoweredRow]) -> str:
    head = ("operator", "name", "became", "MACs", "bytes", "instructions (RV32IMC)")
    cells = [(r.op, r.name, r.became, f"{r.macs:,}", f"{r.bytes:,}", f"{r.instructions:,}") for r in rows]
    sums = (sum(r.macs for r in rows), sum(r.bytes for r in rows), sum(r.instructions for r in rows))
    return _table(head, (*cells, ("total", "", "", *(f"{value:,}" for value in sums))), texts=(0, 1, 2))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, texts: Sequence[int]) -> str:
    """A table whose columns are numbers but for ``texts``."""

    def line(tag: str, cells: Sequence[str]) -> str:
        kinds = ["" if column in texts else ' class="number"' for column in range(len(cells))]
        found = (f"<{tag}{kind}>{escape(plain_line(cell))}</{tag}>" for kind, cell in zip(kinds, cells, strict=True))
        return f"<tr>{''.join(found)}</tr>"

    return f"<table>{line('th', head)}{''.join(line('td', row) for row in rows)}</table>"
