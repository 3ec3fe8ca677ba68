"""Tables for the terminal that fit 80 columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from rich.table import Table

from tinysearch.app.network_names import input_size, network_name, networks, telling_apart
from tinysearch.catalog.listing import Listing
from tinysearch.core.task import rate_called
from tinysearch.core.units import fixed, format_bytes, written
from tinysearch.evaluation.operating import USABLE_FRR
from tinysearch.report.picks import Picks
from tinysearch.report.wording import count, interval, money_sign, percent, seconds, unit_usd, usd, value_text

UNKNOWN = "not known"

_Cell = Callable[[Mapping[str, Any]], str]
_USUAL = frozenset({"eer", "bom_cost_usd", "latency_s"})
"""Objectives whose front has the columns of people and of memories; others have a column for each objective."""


def front_table(
    points: Sequence[Mapping[str, Any]],
    *,
    objectives: Sequence[str] = ("eer", "bom_cost_usd"),
    limited: Sequence[str] = (),
) -> Table:
    """The front, one line a point: networks, what was asked for, and the board.

    Error rate, price and latency are told by EER (of a classification: error) with its interval, FRR, price and how
    long an owner waits; where another objective was asked for, each has its column, and so has what a limit was set
    for; what no point has a word for has none. Amounts are written as :func:`shown_in` says.
    """
    table = Table(
        title=f"{len(points)} Pareto-optimal designs",
        title_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    usual = set(objectives) <= _USUAL
    rate = f"{_rate_name(points)} %"
    columns = _usual_columns(rate, _waiting_name(points)) if usual else _columns_of(objectives, rate=rate)
    shown = [name for name in limited if usual or name not in objectives]
    if usual and "latency_s" in objectives and "latency_s" not in shown and _wait_alike(points):
        shown = ["latency_s", *shown]
    columns = _with_limited(columns, shown)
    columns = {"networks": partial(networks, apart=telling_apart(points)), **columns}
    supply = next((point["power"] for point in points if point.get("power")), None)
    if supply is not None and not {"battery_days", _told_by_runs(supply)} & {*objectives, *limited}:
        columns["runs"] = _runs
    told = {name: [cell(point) for point in points] for name, cell in columns.items()}
    told = {name: cells for name, cells in told.items() if any(cells) or not points}
    left = {"networks", "chip"}
    for name in told:  # networks take more than a line before a number loses a digit
        table.add_column(name, justify="left" if name in left else "right", no_wrap=name != "networks")
    for row in zip(*told.values(), strict=True):
        table.add_row(*row)
    notes = [*([_at_the_door(points)] if usual else []), _evidence(points), *_footnotes(points)]
    notes += [] if supply is None else [_supply(supply, known=all(_runs(point) != UNKNOWN for point in points))]
    table.caption, table.caption_justify = "\n".join(notes), "left"
    return table


def _rate_name(points: Sequence[Mapping[str, Any]]) -> str:
    return rate_called(point.get("decision") for point in points)


def _waiting_name(points: Sequence[Mapping[str, Any]]) -> str:
    """What people wait for: until a lock lets them in, retries included, else for the answer of one attempt."""
    return "in after" if any(_retried(point["operating_point"]) for point in points) else "answer"


def _usual_columns(rate: str, waiting: str) -> dict[str, _Cell]:
    return {
        rate: _error_rate,
        "95 %": _interval,
        "FRR %": lambda point: _rejected(point["operating_point"]),
        money_sign(): _price,
        waiting: _waits,
        "chip": _chip,
        "flash": lambda point: _megabytes(point["platform"]["flash_bytes"]),
        "psram": lambda point: _megabytes(point["platform"]["psram_bytes"]),
    }


def _with_limited(columns: Mapping[str, _Cell], limited: Sequence[str]) -> dict[str, _Cell]:
    """The columns, and one for each limited objective that they do not tell, in the room of the board's memories."""
    more = {_HEADINGS[name]: partial(_objective, name=name) for name in limited if name not in ("eer", "bom_cost_usd")}
    kept = {name: cell for name, cell in columns.items() if not more or name not in ("chip", "flash", "psram")}
    return {**kept, **more, "chip": _chip} if more else kept


def _columns_of(objectives: Sequence[str], *, rate: str) -> dict[str, _Cell]:
    """The objectives in their order, chip."""
    columns: dict[str, _Cell] = {}
    for name in objectives:
        if name == "eer":
            columns |= {rate: _error_rate, "95 %": _interval}
        elif name == "bom_cost_usd":
            columns[money_sign()] = _price
        else:
            columns[_HEADINGS.get(name, name)] = partial(_objective, name=name)
    return {**columns, "chip": _chip}


_HEADINGS = {
    "latency_s": "latency",
    "effective_latency_far1_s": "eff. FAR 1 %",
    "effective_latency_far10_s": "eff. FAR 10 %",
    "flash_bytes": "flash",
    "ram_bytes": "RAM",
    "energy_mj": "energy",
    "power_mw": "power",
    "battery_days": "battery",
}


def _objective(point: Mapping[str, Any], *, name: str) -> str:
    needs: Mapping[str, Any] = point.get("requires", {})
    value = point["values"].get(name, needs.get(name))
    return "" if value is None else value_text(name, value)


def _runs(point: Mapping[str, Any]) -> str:
    """How long the battery lasts; the average power without one."""
    values = point["values"]
    name = "battery_days" if "battery_days" in values else "power_mw"
    return _optional(values.get(name), lambda value: value_text(name, value))


def _told_by_runs(power: Mapping[str, Any]) -> str:
    """The objective that :func:`_runs` tells."""
    return "power_mw" if power["battery"] is None else "battery_days"


def _supply(power: Mapping[str, Any], *, known: bool) -> str:
    """What the column of battery life or power holds for, one line; and what it means where it is not known."""
    what = "average power" if power["battery"] is None else f"runs on {power['battery']}"
    unknown = "" if known else f"; {UNKNOWN}: nobody says what a part of it draws"
    return f"{what}, deciding {power['schedule']}{unknown}"


def _error_rate(point: Mapping[str, Any]) -> str:
    return _percent(point["values"]["eer"])


def _interval(point: Mapping[str, Any]) -> str:
    bounds = point["values"]["eer_ci95"]
    return "" if bounds is None else "-".join(fixed(100 * edge, 0) for edge in bounds)


def _price(point: Mapping[str, Any]) -> str:
    cost = point["values"]["bom_cost_usd"]
    return "" if cost is None else f"{fixed(cost / unit_usd(), 2)}{_mark(point)}"


def _chip(point: Mapping[str, Any]) -> str:
    return str(point["platform"]["processor"])


def _rejected(at: Mapping[str, Any] | None) -> str:
    """FRR in percent, marked where it leaves a point hardly usable."""
    return "" if at is None else f"{fixed(100 * at['frr'], 1)}{'' if at['usable'] else '!'}"


def _retried(at: Mapping[str, Any] | None) -> bool:
    """Whether whoever is rejected tries again: nobody does before an anomaly detector, which locks nobody out."""
    return at is not None and at.get("locked_out", 0) is not None


def _waits(point: Mapping[str, Any]) -> str:
    """How long an owner waits: until accepted where that is known, else for one attempt."""
    at, values = point["operating_point"], point["values"]
    if at is None or not _retried(at):
        return _seconds(values["acquisition_s"] + values["latency_s"])
    return "never" if at["effective_latency_s"] is None else _seconds(at["effective_latency_s"])


def _wait_alike(points: Sequence[Mapping[str, Any]]) -> bool:
    """Whether points that differ in latency have one and the same answer, since capturing takes most of it."""
    alike = {_waits(point) for point in points}
    return len(alike) == 1 and len({_objective(point, name="latency_s") for point in points}) > 1


def _at_the_door(points: Sequence[Mapping[str, Any]]) -> str:
    """What the columns about people hold for, one line."""
    known = [point["operating_point"] for point in points if point["operating_point"] is not None]
    if not known:
        return "answer: after capture and computing of one attempt"
    limit = f"; !: hardly usable, over {100 * USABLE_FRR:g} %" if not all(at["usable"] for at in known) else ""
    emitted = ", as emitted" if known[0]["threshold"] is not None else ""
    if not _retried(known[0]):
        return f"FRR: anomalies that are missed at {100 * known[0]['far']:g} % of false alarms{emitted}{limit}"
    return f"FRR and waiting at FAR {100 * known[0]['far']:g} %{emitted}{limit}"


_DESIGN, _ASSUMED = "*", "~"


def _mark(point: Mapping[str, Any]) -> str:
    """What a price needs to be read with: a star for a design, a tilde for an assumed price in it."""
    order = point.get("order") or {"ready": True}
    assumed = any(part.get("kind") == "assumed" for part in point.get("bom", ()))
    return ("" if order["ready"] else _DESIGN) + (_ASSUMED if assumed else "")


def _footnotes(points: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the marks mean, for those that stand in the table."""
    marks = {mark for point in points for mark in _mark(point)}
    pieces = {point["order"]["quantity"] for point in points if point.get("order")} - {None}
    notes = [f"prices in an order of {count(pieces.pop(), 'piece')}"] if len(pieces) == 1 else []
    if _DESIGN in marks:
        notes.append(f"{_DESIGN} a design, not an order: a carrier of your own for a module or a chip")
    if _ASSUMED in marks:
        notes.append(f"{_ASSUMED} with an assumed price; bom in front.json says which")
    return notes


def _evidence(points: Sequence[Mapping[str, Any]]) -> str:
    """Where the figures of a front come from: ``EER: trained; latency: uncalibrated``."""
    named = ((_rate_name(points), "eer"), ("latency", "latency"))
    kinds = {label: {point["evidence"][name] for point in points} for label, name in named}
    return "; ".join(f"{label}: {' and '.join(sorted(found))}" for label, found in kinds.items() if found)


def _percent(value: float | None) -> str:
    return "" if value is None else fixed(100 * value, 1)


def _seconds(value: float) -> str:
    return f"{fixed(1000 * value, 0)} ms" if value < 1 else f"{value:.2f} s"


def _megabytes(size: int) -> str:
    return f"{size >> 20} MB" if size else "-"


def order_table(chosen: Picks) -> Table:
    """What to order: the cheapest, the best value and the best point, each with its parts."""
    table = Table(title="What to order", title_justify="left", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.show_header = False
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for pick in chosen.cards:
        parts = " + ".join(name for name, _ in pick.order)
        problem = f"\ncannot be built: {pick.problem}" if pick.problem else ""
        warning = "" if pick.usable is not False else f"\n{pick.meaning}"
        notes = warning + (f"\n{pick.standing}" if pick.standing else "") + problem
        table.add_row(" = ".join(pick.labels), pick.price, f"{pick.quality}, {pick.latency}: {parts}{notes}")
    return table


def point_table(document: Mapping[str, Any]) -> Table:
    """One evaluated candidate in words and units, with every rule that it breaks."""
    values, platform, needs = document["values"], document["platform"], document["requires"]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.show_header = False
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    verdict = "feasible" if document["feasible"] else "not feasible"
    table.add_row("candidate", f"{document['id']}, {verdict}")
    for name, branch in document["branches"].items():
        table.add_row(
            name,
            f"{network_name(branch)}, width {branch['width']}, input {input_size(branch)}: "
            f"{branch['params']:,} parameters, {branch['macs']:,} MACs, {format_bytes(branch['weight_bytes'])}",
        )
    memories = f"flash {_size(platform['flash_bytes'])}, PSRAM {_size(platform['psram_bytes'])}"
    sensors = "".join(f", {name}" for name in platform["sensors"])
    table.add_row("board", f"{platform['processor']}, {count(platform['cores'], 'core')}, {memories}{sensors}")
    if "text" in platform:
        table.add_row("execution", platform["text"])
    table.add_row("needs", f"flash {_size(needs['flash_bytes'])}, RAM {_size(needs['ram_bytes'])}")
    table.add_row("cost", _optional(values["bom_cost_usd"], usd))
    for part in document["bom"]:
        told = "assumed" if part["kind"] == "assumed" else part["seller"]
        pieces = part["quantity"] and count(part["quantity"], "piece")
        about = ", ".join(str(word) for word in (told, pieces, part["date"]) if word)
        table.add_row("", f"{usd(part['usd'])}  {part['part']}" + (f" ({about})" if about else ""))
    if document["order"]:
        table.add_row("order", document["order"]["text"])
    low, high = (_optional(edge, seconds) for edge in values["latency_range_s"] or (None, None))
    evidence = document["evidence"]
    latency = _optional(values["latency_s"], seconds)
    table.add_row("latency", f"{latency}, {low} to {high}, {evidence['latency']}" if latency != UNKNOWN else UNKNOWN)
    table.add_row("capture", _optional(values["acquisition_s"], seconds))
    table.add_row("energy", _optional(values["energy_mj"], lambda energy: value_text("energy_mj", energy)))
    if (power := document.get("power")) is not None:
        table.add_row("power", power["text"])
        for name, share in (power["shares_mw"] or {}).items():
            table.add_row("", f"{value_text('power_mw', share)} {name}")
        if power["range_mw"] is not None:
            low, high = (value_text("power_mw", edge) for edge in power["range_mw"])
            table.add_row("", f"{low} to {high}, {power['kind']}, between decisions {power['rests']}")
    rate = _optional(values["eer"], percent)
    called = _rate_name([document])
    table.add_row(called, rate if rate == UNKNOWN else f"{rate}{interval(values['eer_ci95'])}, {evidence['eer']}")
    if (at := document["operating_point"]) is not None:
        waits = "never" if at["effective_latency_s"] is None else seconds(at["effective_latency_s"])
        bounds = interval(at["frr_ci95"])
        people = "" if at.get("locked_out", 0) is None else f", an owner is in after {waits}"
        table.add_row(f"at FAR {100 * at['far']:g} %", f"FRR {percent(at['frr'])}{bounds}{people}")
    for violation in document["violations"]:
        table.add_row("breaks", f"{violation['rule']}: {violation['message']}")
    return table


_IMPORTANT = (
    "part",
    "board",
    "processor",
    "usd",
    "before",
    "difference",
    "kind",
    "flash",
    "psram",
    "cores",
    "low",
    "high",
)
"""Columns of listings that stay longest where not all fit; the others follow in their order."""

_CELL = 34
"""Longer cells are folded where columns compete."""


def listing_table(listing: Listing, *, width: int) -> Table:
    """A listing in so many columns of text: what does not fit is named below, for a wider terminal or ``--json``."""
    cells = [[_cell(cell) for cell in row] for row in listing.rows]
    widths = [
        min(max(len(name), *(len(row[place]) for row in cells), 0), _CELL) for place, name in enumerate(listing.columns)
    ]
    order = sorted(range(len(widths)), key=lambda i: _rank(listing.columns[i], i))
    kept: list[int] = []
    room = width
    for place in order:
        if widths[place] + 2 > room + 2 * (not kept):
            break
        kept.append(place)
        room -= widths[place] + 2
    kept.sort()
    left = [name for i, name in enumerate(listing.columns) if i not in kept]
    table = Table(title=listing.title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.caption = f"not shown: {', '.join(left)}; --json or a wider terminal has them" if left else None
    table.caption_justify = "left"
    for place in kept:
        table.add_column(listing.columns[place], overflow="fold")
    for row in cells:
        table.add_row(*(row[place] for place in kept))
    return table


def listing_width(listing: Listing) -> int:
    """Columns of text that a listing takes when nothing is folded or left out."""
    cells = [list(listing.columns), *([_cell(cell) for cell in row] for row in listing.rows)]
    return sum(max(map(len, column)) + 2 for column in zip(*cells, strict=True))


def _rank(name: str, place: int) -> tuple[int, int]:
    return (_IMPORTANT.index(name) if name in _IMPORTANT else len(_IMPORTANT), place)


def _cell(value: str | float | int | None) -> str:
    return "" if value is None else written(value) if isinstance(value, float) else str(value)


def _optional(value: float | None, form: Callable[[float], str]) -> str:
    return UNKNOWN if value is None else form(value)


def _size(size: int | None) -> str:
    if size is None:
        return UNKNOWN
    return format_bytes(size) if size else "none"
