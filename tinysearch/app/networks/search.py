"""``network=FILE``: the boards that carry a network, as a front of price, latency and energy, with firmware for each.

Writes front.json, front.csv, lowering.json, lowering.txt, report.html and firmware/ into run_dir.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from tinysearch.app.console import SafeConsole, error_console, say
from tinysearch.app.invocation import OK, Invocation
from tinysearch.app.networks.asked import Asked, asked
from tinysearch.app.networks.evaluate import chosen, memory_of
from tinysearch.app.networks.firmware import emit, prepared
from tinysearch.app.networks.page import page
from tinysearch.app.networks.rounding import advice, fixed_latencies, rounding_text
from tinysearch.app.run.run_dir import FRONT, RUN_FILES, SEARCH_FILES, make_run_dir, read_front
from tinysearch.core.errors import UserError
from tinysearch.core.safe_text import plain_line
from tinysearch.core.units import written
from tinysearch.evaluation.own_network import OBJECTIVES, NetworkPoint
from tinysearch.files import home_path, write_atomically, writing
from tinysearch.firmware.networks.source import NetworkSource
from tinysearch.firmware.verify import component, host
from tinysearch.networks.report import lowering_text
from tinysearch.search.known.pareto import is_nondominated

SCHEMA = 2


def run(invocation: Invocation) -> int:
    """Find the front, write the run directory, emit and check firmware."""
    question = asked(invocation.overrides)
    console = error_console(quiet=bool(invocation.flags & {"-q", "--quiet"}))
    points = question.points()
    front = front_of(points)
    folder = _run_dir(question)
    firmware, fixed = _firmware(question, front, folder), fixed_latencies(question, front)
    document = front_document(question, front, firmware, fixed)
    told = [f"Rounding: {rounding_text(question)}.", *advice(front, fixed)]
    _write(folder, question, front, document, told)
    if invocation.json:
        say(json.dumps(document, indent=2))
    else:
        SafeConsole().print(_table(question, front))
    for line in advice(front, fixed):
        console.print(line, soft_wrap=True, markup=False)
    if not front:
        console.print(f"no board carries the network: {_nearest(points)}", soft_wrap=True)
    console.print(f"{len(points)} boards looked at; everything is in {folder}", soft_wrap=True)
    return OK


def _run_dir(question: Asked) -> Path:
    """The configured folder, new, empty, or that of the same network's last answer, which is then replaced.

    Raises:
        UserError: it holds something else, or cannot be written.
    """
    configured = question.config["run_dir"]
    folder = None if not configured else home_path(configured).absolute()
    if folder is None or not any((folder / name).exists() for name in RUN_FILES):
        return make_run_dir(configured)
    of_a_search = any((folder / name).exists() for name in SEARCH_FILES)
    network = None if of_a_search or not (folder / FRONT).exists() else read_front(folder).get("network")
    if not isinstance(network, dict) or network.get("sha256") != question.read.digest:
        raise UserError(
            "a run_dir of a network must be empty, or that of the same network",
            value=folder,
            remedy="name another run_dir",
        )
    return folder


def front_of(points: Sequence[NetworkPoint]) -> list[NetworkPoint]:
    """The feasible points that no other beats in price, latency and energy, the cheapest first."""
    feasible = [point for point in points if point.feasible]
    if not feasible:
        return []
    keep = is_nondominated([point.values() for point in feasible])
    return [point for point, kept in zip(feasible, keep, strict=True) if kept]


def front_document(
    question: Asked, front: Sequence[NetworkPoint], firmware: Mapping[str, str], fixed: Mapping[str, float]
) -> dict[str, Any]:
    """front.json.

    Args:
        firmware: folders of the projects, by point.
        fixed: seconds with ``rounding=fixed`` where these are fewer, by point.
    """
    return {
        "schema": SCHEMA,
        "budget_usd": question.models.budget_usd,
        "objectives": list(OBJECTIVES),
        "network": question.describe(),
        "arena_bytes": question.network.memory.peak_bytes,
        "arena_bound_bytes": question.network.memory.bound_bytes,
        "points": [
            {
                **point.to_dict(),
                "firmware": firmware.get(point.id),
                "latency_in_fixed_point_s": fixed.get(point.id),
            }
            for point in front
        ],
    }


def _firmware(question: Asked, front: Sequence[NetworkPoint], folder: Path) -> dict[str, str]:
    """Folders of the projects by point, and the first of each execution checked on the host: others have its sources.

    Raises:
        UserError: ``emit.top`` is no number of points.
    """
    count = question.emission.points_of(len(front), evidence="trained")
    if not front[:count]:
        return {}
    sources: dict[int, NetworkSource] = {}
    written: dict[str, str] = {}
    for point in front[:count]:
        with writing(folder):
            (folder / "firmware").mkdir(exist_ok=True)
        key = id(point.network)
        is_first = key not in sources
        source = sources[key] = prepared(question, point) if is_first else sources[key]
        project = emit(question, source, point, folder / "firmware" / point.id)
        if is_first and question.emission.verify:
            rung = (host if question.emission.component is None else component).golden_vectors(project)
            if rung.status == "failed":
                raise UserError(
                    "an emitted project must compute what the oracle does", value=rung.detail, remedy="please report it"
                )
        written[point.id] = f"firmware/{point.id}"
    return written


def _write(
    folder: Path, question: Asked, front: Sequence[NetworkPoint], document: Mapping[str, Any], told: Sequence[str]
) -> None:
    rows = question.lowering(question.network)
    texts = {
        "front.json": json.dumps(document, indent=2, allow_nan=False) + "\n",
        "front.csv": _csv(front),
        "lowering.json": json.dumps({"lowering": [row.to_dict() for row in rows]}, indent=2) + "\n",
        "lowering.txt": lowering_text(rows) + "\n",
        "report.html": page(document, rows, told),
    }
    for name, text in texts.items():
        with writing(folder / name):
            write_atomically(folder / name, text.encode())


def _csv(front: Sequence[NetworkPoint]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["id", "board", "chip", *OBJECTIVES, "flash_bytes", "ram_bytes"])
    for point in front:
        option = point.option
        numbers = [*point.values(), point.flash.total_bytes, point.ram_bytes]
        writer.writerow([plain_line(point.id), plain_line(option.name), option.processor, *numbers])
    return stream.getvalue()


def _table(question: Asked, front: Sequence[NetworkPoint]) -> Table:
    table = Table(title=f"{question.network.name}: boards that carry it")
    for name in ("board", "chip", "price", "latency", "energy", "arena", "flash"):
        table.add_column(name)
    for point in front:
        table.add_row(
            point.option.name,
            point.option.processor,
            f"${point.bom_cost_usd:.2f}",
            f"{written(1e3 * point.latency.seconds, 3)} ms",
            f"{written(point.energy_mj, 3)} mJ",
            f"{memory_of(point).peak_bytes:,} bytes{' (PSRAM)' if point.arena_in_psram else ''}",
            f"{point.flash.total_bytes >> 10} KiB",
        )
    return table


def _nearest(points: Sequence[NetworkPoint]) -> str:
    """What stands in the way of the board that breaks the fewest rules."""
    nearest = chosen(points)
    return f"{nearest.option.name}: {'; '.join(violation.message for violation in nearest.violations)}"
