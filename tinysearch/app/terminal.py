"""Tables for the terminal that fit 80 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table


def front_table(points: Sequence[Mapping[str, Any]]) -> Table:
    """The front, one line a point: networks, EER with its interval, price, latency, board."""
    table = Table(
        title=f"{len(points)} Pareto-optimal designs",
        title_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for name, justify in (
        ("networks", "left"),
        ("EER %", "right"),
        ("95 %", "right"),
        ("US$", "right"),
        ("latency", "right"),
        ("chip", "left"),
        ("flash", "right"),
        ("psram", "right"),
    ):
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for point in points:
        values, platform = point["values"], point["platform"]
        table.add_row(
            "\n+ ".join(_branch(name, branch) for name, branch in point["branches"].items()),
            _percent(values["eer"]),
            "" if values["eer_ci95"] is None else "-".join(f"{100 * edge:.0f}" for edge in values["eer_ci95"]),
            "" if values["bom_cost_usd"] is None else f"{values['bom_cost_usd']:.2f}",
            _seconds(values["latency_s"]),
            platform["processor"],
            _megabytes(platform["flash_bytes"]),
            _megabytes(platform["psram_bytes"]),
        )
    return table


def _branch(modality: str, branch: Mapping[str, Any]) -> str:
    return f"{modality} {''.join(map(str, branch['blocks']))} {branch['precision']}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def _seconds(value: float) -> str:
    return f"{1000 * value:.0f} ms" if value < 1 else f"{value:.2f} s"


def _megabytes(size: int) -> str:
    return f"{size >> 20} MB" if size else "-"
