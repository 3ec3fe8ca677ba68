"""Prices from a CSV file: into a catalogue in memory, or into its YAML files, which keep everything else."""

from __future__ import annotations

import json
import re
import shutil
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tinysearch.catalog.document import Document, Problem, read_document
from tinysearch.catalog.loading import HEAD_FILE
from tinysearch.catalog.parts import read_entry
from tinysearch.catalog.section import is_date
from tinysearch.core.errors import UserError
from tinysearch.core.platform import Part
from tinysearch.core.provenance import SELLERS, Price
from tinysearch.core.units import parse_money, written
from tinysearch.files import write_atomically, writing
from tinysearch.reading import Row, SpreadsheetError, decimal_point, read_spreadsheet

COLUMNS = ("part", "usd", "low", "high", "quantity", "date", "source", "currency", "seller")
"""Columns of a price file; the first two are required."""

_PRICE_KEYS = ("low", "typical", "high", "quantity", "source", "date", "kind")
_DROPPED_KEYS = ("seller", "url", "breaks")
"""What is said of the old price alone: a price of one's own holds for every quantity, from whoever it says."""

_Offers = dict[str, dict[int, Price]]
"""Prices of a part by seller and quantity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChange:
    """One part with its price before and after, and the file that holds it (empty in memory)."""

    part: str
    before: Price
    after: Price
    file: str = ""


def read_prices(
    path: Path, *, today: str, quantity: int = 1, rates: Mapping[str, float] | None = None
) -> dict[str, Price]:
    """Prices by part from a CSV with the columns ``part,usd[,low,high,quantity,date,source,currency,seller]``.

    As spreadsheets write it: see :mod:`tinysearch.reading.spreadsheet`. Part ids are read in either case. A part may
    have several rows: with different quantities, price breaks, of which the largest up to ``quantity`` holds, else the
    smallest; and of several sellers, of whom the cheapest holds, with the ``low`` and ``high`` of all.

    Args:
        path: the file; ``usd`` is the typical price, ``low`` and ``high`` default to it. All three are US$, unless a
            cell says its currency (``4.10 eur``) or the row's ``currency`` does.
        today: ISO date for rows without one.
        quantity: how many are ordered at once.
        rates: US$ that one unit of another currency buys.

    Raises:
        UserError: unreadable, or a wrong row, with file and line.
    """
    offers: dict[str, _Offers] = {}
    try:
        columns, rows = read_spreadsheet(path)
        _check_columns([name.lower() for name in columns], path=path)
        for row in rows:
            cells = {name.lower(): text for name, text in row.cells.items()}
            part = cells["part"].lower()
            if row.extra or not part:
                spelled = ", ".join([*row.cells.values(), *row.extra])
                raise UserError(
                    "a price row must name a part and have no more cells than the first line",
                    value=f"{spelled} at {row.place}",
                    remedy="correct the row",
                )
            price = _price(cells, row=row, source=path.name, today=today, rates=rates)
            own = offers.setdefault(part, {}).setdefault(price.seller, {})
            if price.quantity in own:
                raise UserError(
                    "a part must have one price for a quantity and seller",
                    value=f"{part} at {row.place}",
                    remedy="remove one of the rows, or give their quantities or sellers",
                )
            own[price.quantity] = price
    except (OSError, SpreadsheetError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(
            "a price file must be a readable CSV", value=f"{path}: {reason}", remedy="check the file"
        ) from None
    if not offers:
        raise UserError("a price file must have a row of a part", value=f"none at {path.name}:1", remedy="add one")
    return {part: _cheapest([_break_for(own, quantity) for own in by.values()]) for part, by in offers.items()}


def _check_columns(columns: list[str], *, path: Path) -> None:
    if not {"part", "usd"} <= set(columns) <= set(COLUMNS) or len(set(columns)) < len(columns):
        raise UserError(
            f"a price file must have the columns {','.join(COLUMNS[:2])}[,{','.join(COLUMNS[2:])}]",
            value=f"{','.join(columns) or 'nothing'} at {path.name}:1",
            remedy="correct the first line",
        )


def _break_for(breaks: Mapping[int, Price], quantity: int) -> Price:
    return breaks[max((count for count in breaks if count <= quantity), default=min(breaks))]


def _cheapest(offers: Sequence[Price]) -> Price:
    """The cheapest seller's price, with the range of all."""
    low, high = min(offer.low for offer in offers), max(offer.high for offer in offers)
    return replace(min(offers, key=lambda offer: offer.typical), low=low, high=high)


def _price(cells: Mapping[str, str], *, row: Row, source: str, today: str, rates: Mapping[str, float] | None) -> Price:
    code = cells.get("currency") or ""
    texts = (cells.get(name) or cells["usd"] for name in ("usd", "low", "high"))
    typical, low, high = (_money(text, code, row=row, rates=rates) for text in texts)
    seller = (cells.get("seller") or "").lower()
    if seller not in ("", *SELLERS):
        raise UserError(
            f"a seller must be one of {', '.join(SELLERS)}", value=f"{seller} at {row.place}", remedy="leave it empty"
        )
    if low <= 0:
        raise UserError(
            "a price must be positive",
            value=f"{written(low)} at {row.place}",
            remedy="write what the part costs new, or leave the row out",
        )
    if not low <= typical <= high:
        raise UserError(
            "a price must have low <= usd <= high",
            value=f"{written(low)}, {written(typical)}, {written(high)} at {row.place}",
            remedy="order the three",
        )
    quantity = (cells.get("quantity") or "1").removesuffix("+")
    if re.fullmatch(r"0*[1-9]\d{0,8}", quantity, re.ASCII) is None:
        raise UserError(
            "quantity must be a whole number from 1", value=f"{quantity} at {row.place}", remedy="write the order size"
        )
    when = cells.get("date") or today
    if not is_date(when):
        raise UserError(
            "a date must be written 2026-11-22 or 2026-11", value=f"{when} at {row.place}", remedy="correct the date"
        )
    return Price(
        low=low,
        typical=typical,
        high=high,
        quantity=int(quantity),
        source=cells.get("source") or source,
        date=when,
        kind="measured",
        seller=seller,  # type: ignore[arg-type]
    )


def _money(text: str, code: str, *, row: Row, rates: Mapping[str, float] | None) -> float:
    """US$ of a cell, in the row's currency if it says none itself."""
    joined = re.sub(r"(?<=\d)[\s'](?=\d{3})", "", text)  # spaces between thousands
    try:
        amount = re.sub(r"[\d.,]+", lambda found: decimal_point(found[0], comma=row.comma), joined)
        return parse_money(f"{amount} {code}" if code and re.fullmatch(r"[\d.]+", amount) else amount, rates=rates)
    except (UserError, ValueError) as error:
        why = "" if isinstance(error, UserError) else f" ({error})"
        remedy = error.remedy if isinstance(error, UserError) and "exchange" in error.rule else "write 4.31"
        raise UserError(
            "a price must be an amount of US$ or of a currency with a rate, not negative",
            value=f"{text or 'nothing'}{f' {code}' if code else ''}{why} at {row.place}",
            remedy=remedy,
        ) from None


def _check_parts(prices: Mapping[str, Price], known: Iterable[str], *, name: str) -> None:
    unknown = sorted(set(prices) - set(known))
    if unknown:
        raise UserError(
            f"a price file must name parts of catalogue {name}",
            value=", ".join(unknown),
            remedy="'catalog list' shows their ids",
        )


def write_prices(folder: Path, prices: Mapping[str, Price], *, out: Path | None = None) -> tuple[PriceChange, ...]:
    """Write prices into the YAML files of a catalogue, keeping every other character of them.

    Args:
        folder: the catalogue; it must pass ``catalog check``.
        prices: by part.
        out: folder for an updated copy (new, or empty); None updates in place. Each file is replaced atomically.

    Raises:
        UserError: a price for an unknown part (nothing is written then), or a folder that cannot be written.
    """
    documents = _documents(folder)
    _check_parts(prices, documents, name=folder.name)
    changes = []
    target = folder if out is None else _copied(folder, out)
    for part_id in sorted(prices):
        document, part = documents[part_id]
        text = _edited(document, prices[part_id])
        _replace_file(target / document.file, text)
        changes.append(PriceChange(part=part_id, before=part.price, after=prices[part_id], file=document.file))
    return tuple(changes)


def _documents(folder: Path) -> dict[str, tuple[Document, Part]]:
    found = {}
    problems: list[Problem] = []
    for path in sorted([*folder.rglob("*.yaml"), *folder.rglob("*.yml")]):
        file = path.relative_to(folder).as_posix()
        document = None if file == HEAD_FILE else read_document(path, file=file, problems=problems)
        entry = None if document is None else read_entry(document, problems=problems)
        if problems:
            raise problems[0].error(others=len(problems) - 1)
        if document is not None and isinstance(entry, Part):
            found[entry.id] = document, entry
    return found


def _edited(document: Document, price: Price) -> str:
    values = asdict(price)
    text = document.text
    edits = []
    for key in _PRICE_KEYS:
        span = document.spans["price", key]
        end = span.start + len(text[span.start : span.end].rstrip())
        said = _spelled(values[key], plain=key == "kind")
        if key == "kind" and price.seller:
            said += _seller(document, price.seller)
        edits.append((span.start, end, said))
    edits += [(*_lines_of(document, key), "") for key in _DROPPED_KEYS if ("price", key) in document.spans]
    for start, end, spelled in sorted(edits, reverse=True):
        text = text[:start] + spelled + text[end:]
    return text


def _seller(document: Document, seller: str) -> str:
    """A seller behind the kind of a price: on a line of its own as deep, or in the same flow mapping."""
    before = document.text[: document.spans["price", "kind"].start]
    indent = before[before.rindex("\n") + 1 :].removesuffix("kind: ")
    return f", seller: {seller}" if indent.strip() else f"\n{indent}seller: {seller}"


def _lines_of(document: Document, key: str) -> tuple[int, int]:
    """Where a key of the price with its value begins and ends, in whole lines or, in a flow mapping, with its comma."""
    text, span = document.text, document.spans["price", key]
    start = text.rindex(f"{key}:", 0, span.start)
    end = span.start + len(text[span.start : span.end].rstrip())
    line = text.rindex("\n", 0, start) + 1
    if not text[line:start].strip() and text[end : end + 1] in ("\n", ""):
        return line, end + 1
    while text[end : end + 1] in (",", " "):
        end += 1
    return start, end


def _spelled(value: object, *, plain: bool) -> str:
    if plain:
        return str(value)
    if isinstance(value, float):
        short = f"{value:.2f}"
        return short if float(short) == value else repr(value)
    return json.dumps(value, ensure_ascii=False)


def _copied(folder: Path, out: Path) -> Path:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(
            "an updated catalogue must be written to a new folder",
            value=out,
            remedy="name a folder that does not exist",
        )
    try:
        shutil.copytree(folder, out, dirs_exist_ok=True)
    except (OSError, shutil.Error) as error:
        raise UserError(
            "the folder for the catalogue must be writable", value=f"{out}: {error}", remedy="check it"
        ) from None
    return out


def _replace_file(path: Path, text: str) -> None:
    with writing(path, remedy="write a copy into a folder of yours"):
        write_atomically(path, text.encode(), mode=stat.S_IMODE(path.stat().st_mode))
