"""The front as a table, one row a point."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tinysearch.core.objectives import OBJECTIVES
from tinysearch.core.units import fixed, format_bytes
from tinysearch.report.data import DesignCard
from tinysearch.report.view import RunView
from tinysearch.report.wording import board_name, named, network, percent, rate_name, seconds, usd, value_text

UNKNOWN = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its name in the page's data, its heading, and its style; ``wide`` ones are left out on phones."""

    name: str
    label: str
    style: str = ""


COLUMNS = (
    Column(name="network", label="Network", style="text network"),
    Column(name="eer", label="EER", style="eer"),
    Column(name="frr", label="FRR"),
    Column(name="cost", label="Cost"),
    Column(name="effective", label="Until in"),
    Column(name="latency", label="Computing", style="wide"),
    Column(name="capture", label="Capture", style="wide"),
    Column(name="board", label="Board", style="text board"),
    Column(name="far1", label="Eff. FAR 1 %", style="wide"),
    Column(name="far10", label="Eff. FAR 10 %", style="wide"),
    Column(name="weights", label="Weights", style="wide"),
    Column(name="flash", label="Flash", style="wide"),
    Column(name="ram", label="RAM", style="wide"),
    Column(name="energy", label="Energy", style="wide"),
    Column(name="power", label="Power", style="wide"),
    Column(name="battery", label="Battery"),
    Column(name="evidence", label="Evidence", style="text wide"),
    Column(name="firmware", label="Firmware", style="text wide"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A point as text by column."""

    id: str
    title: str
    cells: dict[str, str]


OBJECTIVE_COLUMNS = {
    "eer": "eer",
    "bom_cost_usd": "cost",
    "latency_s": "latency",
    "effective_latency_far1_s": "far1",
    "effective_latency_far10_s": "far10",
    "flash_bytes": "flash",
    "ram_bytes": "ram",
    "energy_mj": "energy",
    "power_mw": "power",
    "battery_days": "battery",
}
"""The column of an objective."""
assert set(OBJECTIVE_COLUMNS) == set(OBJECTIVES)  # noqa: S101 - a new objective needs a column


def columns(view: RunView) -> tuple[Column, ...]:
    """The network, what the run was asked for, then all else that says something.

    Left out is what is empty, unknown, or the same in every row and said elsewhere. Objectives are never left out on
    phones.
    """
    cells = [row.cells for row in rows(view)]
    dropped = {"firmware"} if not any(cell["firmware"] for cell in cells) else set()
    if len({cell["evidence"] for cell in cells}) < 2:
        dropped.add("evidence")
    unknown = ("frr", "effective", "far1", "far10", "energy", "power", "battery")
    dropped |= {name for name in unknown if all(cell[name] == UNKNOWN for cell in cells)}
    named = (replace(column, label=rate_name()) if column.name == "eer" else column for column in COLUMNS)
    kept = {column.name: column for column in named if column.name not in dropped}
    asked = [kept[name] for name in (OBJECTIVE_COLUMNS[objective] for objective in view.objectives) if name in kept]
    first = [kept["network"], *(replace(column, style=column.style.removesuffix("wide").strip()) for column in asked)]
    names = {column.name for column in first}
    return (*first, *(column for name, column in kept.items() if name not in names))


def rows(view: RunView) -> tuple[Row, ...]:
    """All points of the front, in its order."""
    return tuple(_row(view, design) for design in view.points)


def _row(view: RunView, design: DesignCard) -> Row:
    point = design.operating_point
    waits = None if point is None else point.effective_latency_s
    return Row(
        id=design.id,
        title=named(view, design),
        cells={
            "network": network(view, design),
            "board": board_name(view.board(design)),
            "eer": UNKNOWN if design.eer is None else _with_bounds(design.eer, design.eer_ci95),
            "cost": usd(view.cost(design)),
            "frr": UNKNOWN if point is None else _with_bounds(point.frr, point.frr_ci95),
            "effective": UNKNOWN if waits is None else seconds(waits),
            "latency": seconds(design.latency_s),
            "capture": seconds(design.acquisition_s),
            "far1": _optional(view, design, "effective_latency_far1_s"),
            "far10": _optional(view, design, "effective_latency_far10_s"),
            "weights": format_bytes(view.weight_bytes(design)),
            "flash": format_bytes(design.flash_bytes),
            "ram": format_bytes(design.ram_bytes),
            "energy": _optional(view, design, "energy_mj"),
            "power": _optional(view, design, "power_mw"),
            "battery": _optional(view, design, "battery_days"),
            "evidence": f"{design.eer_evidence}, {design.latency_evidence}",
            "firmware": view.firmware.get(design.id, ""),
        },
    )


def _with_bounds(rate: float, bounds: tuple[float, float] | None) -> str:
    text = percent(rate)
    return text if bounds is None else f"{text} [{fixed(bounds[0] * 100, 1)}-{fixed(bounds[1] * 100, 1)}]"


def _optional(view: RunView, design: DesignCard, objective: str) -> str:
    value = view.value(design, objective)
    return UNKNOWN if value is None else value_text(objective, value)
