"""``evaluate network=FILE``: arena, flash, instructions, latency, energy and price on a board that carries it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from tinysearch.app.console import SafeConsole, say
from tinysearch.app.invocation import OK, Invocation
from tinysearch.app.networks.asked import Asked, asked
from tinysearch.app.networks.rounding import advice, fixed_latencies, rounding_text
from tinysearch.core.units import format_bytes, written
from tinysearch.evaluation.own_network import NetworkPoint
from tinysearch.networks.arena import ArenaPlan
from tinysearch.networks.real.agreement import Agreement
from tinysearch.networks.refusals import UnsupportedOperatorsError
from tinysearch.networks.report import lowering_text


def run(invocation: Invocation) -> int:
    """Print one evaluation."""
    try:
        question = asked(invocation.overrides)
    except UnsupportedOperatorsError as error:
        if invocation.json:
            say(json.dumps({"feasible": False, "unsupported": [entry.to_dict() for entry in error.refusals]}, indent=2))
        raise
    point = chosen(question.points())
    if invocation.json or not sys.stdout.isatty():
        say(json.dumps(document(question, point), indent=2))
    else:
        say(lowering_text(question.lowering(point.network)))
        SafeConsole().print(_table(question, point))
    return OK


def chosen(points: Sequence[NetworkPoint]) -> NetworkPoint:
    """The cheapest that can be built; if none can, the one that breaks the fewest rules."""
    return min(points, key=lambda point: (len(point.violations), point.bom_cost_usd, point.id))


def agreement_of(question: Asked) -> Sequence[Agreement]:
    """How near a network that was quantized here comes to its float form; empty where nothing tells."""
    calibration = question.read.calibration
    return () if calibration is None else calibration.agreement


def memory_of(point: NetworkPoint) -> ArenaPlan:
    """The arena on a board: that of the vector unit's kernels where these are used."""
    return (point.accelerated or point.network).memory


def document(question: Asked, point: NetworkPoint) -> dict[str, Any]:
    """The point with its network, as ``--json`` prints it."""
    memory, lowering = memory_of(point), question.lowering(point.network)
    return {
        **point.to_dict(),
        "network": question.describe(),
        "arena_bytes": memory.peak_bytes,
        "arena_bound_bytes": memory.bound_bytes,
        "latency_in_fixed_point_s": fixed_latencies(question, [point]).get(point.id),
        "lowering": [row.to_dict() for row in lowering],
        "instructions": sum(row.instructions for row in lowering),
        "unsupported": [],
    }


def _table(question: Asked, point: NetworkPoint) -> Table:
    memory, latency = memory_of(point), point.latency
    place = "PSRAM" if point.arena_in_psram else "internal RAM"
    if point.network.slow_bytes:
        place += f", {point.network.slow_bytes:,} more in PSRAM"
    predicted, low, high = (written(1e3 * s, 3) for s in (latency.seconds, latency.low, latency.high))
    rows = {
        "board": f"{point.option.name} ({point.option.processor})",
        "price": f"${point.bom_cost_usd:.2f}",
        "arena": f"{memory.peak_bytes:,} bytes in {place}; no plan is below {memory.bound_bytes:,}",
        "flash": f"{format_bytes(point.flash.total_bytes)} of {format_bytes(point.option.flash_bytes)}",
        "kernels": point.backend + (", some layers in bands" if point.network.execution.bands else ""),
        "rounding": "; ".join([rounding_text(question), *advice([point], fixed_latencies(question, [point]))]),
        "latency": f"{predicted} ms ({low} to {high})",
        "energy": f"{written(point.energy_mj, 3)} mJ",
        "can be built": "yes" if point.feasible else "; ".join(broken.message for broken in point.violations),
    }
    rows |= {f"agreement of {entry.output}": entry.text() for entry in agreement_of(question)}
    table = Table(title=question.network.name, show_header=False)
    for name, value in rows.items():
        table.add_row(name, value)
    return table
