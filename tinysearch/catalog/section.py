"""Typed access to a parsed file; every complaint becomes a problem with its line."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from tinysearch.catalog.document import Document, DocumentPath, Problem
from tinysearch.core.errors import UserError
from tinysearch.core.provenance import KINDS, SELLERS, Price, PriceBreak, Sourced
from tinysearch.core.units import parse_bytes, written

UNITS: dict[str, tuple[str, float]] = {
    "bytes": ("bytes", 1.0),
    "KiB": ("bytes", 2.0**10),
    "MiB": ("bytes", 2.0**20),
    "MB": ("bytes", 2.0**20),
    "Hz": ("Hz", 1.0),
    "kHz": ("Hz", 1e3),
    "MHz": ("Hz", 1e6),
    "W": ("W", 1.0),
    "mW": ("W", 1e-3),
    "uW": ("W", 1e-6),
    "s": ("s", 1.0),
    "ms": ("s", 1e-3),
    "bytes/s": ("bytes/s", 1.0),
    "MB/s": ("bytes/s", 1e6),
    "Ah": ("Ah", 1.0),
    "mAh": ("Ah", 1e-3),
    "V": ("V", 1.0),
    "A": ("A", 1.0),
    "mA": ("A", 1e-3),
    "share": ("share", 1.0),
    "%": ("share", 1e-2),
    "share/year": ("share/year", 1.0),
    "%/year": ("share/year", 1e-2),
}
"""Units that a file may use, with the base unit that numbers are kept in; sizes are binary, as parts are sold."""

_DATE = re.compile(r"^\d{4}(-\d{2}(-\d{2})?)?$")
_ADDRESS = re.compile(r"^https://[\w.-]+(/[^\s<>\"']*)?$", re.ASCII)
_IDENTIFIER = re.compile(r"^[a-z0-9][a-z0-9._-]*$")


class Section:
    """Typed access to one mapping of a document; every complaint becomes a :class:`Problem` with its line.

    Accessors return None (or an empty value) where the value is missing or wrong, so that one pass finds all problems.
    """

    def __init__(self, document: Document, *, problems: list[Problem], path: DocumentPath = ()) -> None:
        self.document = document
        self.problems = problems
        self.path = path
        self._used: set[str] = set()
        data: Any = document.data
        for key in path:
            data = data[key]
        self._data: dict[str, Any] = data

    def has(self, key: str) -> bool:
        """Whether the key stands here with a value that is not empty."""
        return self._data.get(key) not in (None, "", [])

    def refuse(self, key: str | None, rule: str, *, value: object, remedy: str) -> None:
        """Record a problem at a key's line, or at the section's own."""
        path = self.path if key is None else (*self.path, key)
        span = self.document.spans.get(path) or self.document.spans[self.path]
        self.problems.append(
            Problem(file=self.document.file, line=span.line, rule=rule, value=str(value), remedy=remedy)
        )

    def _take(self, key: str, *, required: bool, what: str) -> Any:
        self._used.add(key)
        value = self._data.get(key)
        if value is None and required:
            name = ".".join(map(str, (*self.path, key)))
            self.refuse(None, f"{name} must be given: {what}", value="nothing", remedy=f"add {key}:")
        return value

    def text(self, key: str, *, required: bool = True, what: str = "text") -> str:
        """A non-empty line of text; numbers are taken as they read."""
        value = self._take(key, required=required, what=what)
        if value is None:
            return ""
        if isinstance(value, dict | list | bool) or not str(value).strip():
            self.refuse(key, f"{key} must be {what}", value=value, remedy="write one line of text")
            return ""
        return str(value).strip()

    def identifier(self, key: str = "id") -> str:
        """Lower-case letters, digits, ``.``, ``_`` and ``-``."""
        value = self.text(key, what="a name")
        if value and not _IDENTIFIER.match(value):
            self.refuse(
                key,
                "an id must consist of lower-case letters, digits, '.', '_', '-'",
                value=value,
                remedy="respell it like its file name",
            )
            return ""
        return value

    def choice(self, key: str, options: Sequence[str], *, required: bool = True) -> str:
        """One of the options, or an empty string."""
        value = self.text(key, required=required, what=f"one of {', '.join(options)}")
        if value and value not in options:
            self.refuse(key, f"{key} must be one of {', '.join(options)}", value=value, remedy="choose one of them")
            return ""
        return value

    def texts(self, key: str, *, options: Sequence[str] | None = None, required: bool = False) -> tuple[str, ...]:
        """A list of different words."""
        value = self._take(key, required=required, what="a list")
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.refuse(key, f"{key} must be a list of words", value=value, remedy="write it as [a, b]")
            return ()
        wrong = [item for item in value if options is not None and item not in options]
        if wrong or len(set(value)) != len(value):
            allowed = "different words" if options is None else f"different words out of {', '.join(options)}"
            self.refuse(key, f"{key} must list {allowed}", value=value, remedy="correct the list")
            return ()
        return tuple(value)

    def flag(self, key: str, *, default: bool | None = None) -> bool:
        """True or false."""
        value = self._take(key, required=default is None, what="true or false")
        if value is None:
            return bool(default)
        if not isinstance(value, bool):
            self.refuse(key, f"{key} must be true or false", value=value, remedy="write true or false")
            return False
        return value

    def integer(self, key: str, *, minimum: int) -> int:
        """A whole number."""
        value = self._take(key, required=True, what="a whole number")
        if value is None:
            return minimum
        if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
            self.refuse(key, f"{key} must be a whole number from {minimum}", value=value, remedy="correct the number")
            return minimum
        return value

    def number(self, key: str) -> float | None:
        """A finite number, not negative."""
        value = self._take(key, required=True, what="a number")
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.refuse(key, f"{key} must be a number", value=value, remedy="write a plain number")
            return None
        if value < 0:
            self.refuse(key, f"{key} must not be negative", value=value, remedy="correct the sign")
            return None
        return float(value)

    def size(self, key: str, *, power_of_two: bool = True) -> int:
        """A memory size such as ``4MB``; 0 where the key is absent."""
        value = self._take(key, required=False, what="a size")
        if value is None:
            return 0
        try:
            result = parse_bytes(value, what=key)
        except UserError as error:
            self.refuse(key, error.rule, value=value, remedy=error.remedy)
            return 0
        if power_of_two and result and result & (result - 1):
            self.refuse(key, "a size of memory must be a power of two", value=value, remedy="write 1MB, 2MB, 4MB ...")
            return 0
        return result

    def section(self, key: str, *, required: bool = True, what: str = "a mapping") -> Section | None:
        """A nested mapping."""
        value = self._take(key, required=required, what=what)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.refuse(
                key,
                f"{key} must be {what} with its source",
                value=value,
                remedy="write it as a mapping with source, date and kind",
            )
            return None
        return Section(self.document, problems=self.problems, path=(*self.path, key))

    def sections(self, key: str) -> list[Section]:
        """A list of mappings; empty where the key is absent."""
        value = self._take(key, required=False, what="a list")
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.refuse(key, f"{key} must be a list of mappings", value=value, remedy="write '- kind: ...' items")
            return []
        self._used.add(key)
        return [
            Section(self.document, problems=self.problems, path=(*self.path, key, index)) for index in range(len(value))
        ]

    def source_and_date(self) -> tuple[str, str]:
        """Where the numbers beside them can be looked up, and when that was read."""
        source = self.text("source", what="where the numbers can be looked up")
        when = self.text("date", what="the day the source was read, 2026-11-22")
        if when and not is_date(when):
            self.refuse(
                "date", "a date must be written as 2026-11-22 or 2026-11", value=when, remedy="correct the date"
            )
        return source, when

    def provenance(self) -> tuple[str, str, Any]:
        """Source, date and kind of the numbers beside them."""
        source, when = self.source_and_date()
        return source, when, self.choice("kind", KINDS)

    def quantity(self, key: str, base: str, *, required: bool = True) -> Sourced | None:
        """A number with unit, source, date and kind, converted to the base unit."""
        section = self.section(key, required=required, what="a number")
        if section is None:
            return None
        value = section.number("value")
        unit = section.text("unit", what="a unit")
        source, when, kind = section.provenance()
        section.finish()
        known, factor = UNITS.get(unit, ("", 1.0))
        if unit and known != base:
            fitting = ", ".join(name for name, (target, _) in UNITS.items() if target == base)
            section.refuse(
                "unit", f"the unit of {key} must be one of {fitting}", value=unit, remedy="convert the number"
            )
            return None
        if value is None or not unit:
            return None
        return Sourced(value=value * factor, unit=base, source=source, date=when, kind=kind)

    def price(self, key: str = "price") -> Price | None:
        """A price range in US$ with order quantity, source, date and kind."""
        section = self.section(key, what="a price in US$")
        if section is None:
            return None
        low, typical, high = (section.number(level) for level in ("low", "typical", "high"))
        section.choice("unit", ("usd",), required=False)
        quantity = section.integer("quantity", minimum=1)
        seller = section.choice("seller", SELLERS, required=False)
        url = section.text("url", required=False)
        if url and not _ADDRESS.match(url):
            section.refuse("url", "an address must begin with https://", value=url, remedy="copy it from the browser")
        breaks = [_price_break(item) for item in section.sections("breaks")]
        source, when, kind = section.provenance()
        section.finish()
        if low is None or typical is None or high is None or None in breaks:
            return None
        steps = tuple(step for step in breaks if step is not None)
        quantities = [quantity, *(step.quantity for step in steps)]
        if quantities != sorted(set(quantities)):
            section.refuse("breaks", "quantities must increase", value=quantities, remedy="order the price breaks")
            return None
        if not _is_range(section, low, typical, high):
            return None
        return Price(
            low=low,
            typical=typical,
            high=high,
            quantity=quantity,
            source=source,
            date=when,
            kind=kind,
            seller=seller,  # type: ignore[arg-type]
            url=url,
            breaks=steps,
        )

    def finish(self) -> None:
        """Refuse keys that nobody asked for."""
        for key in self._data:
            if key not in self._used:
                known = ", ".join(sorted(self._used))
                self.refuse(key, f"a key here must be one of {known}", value=key, remedy="remove or respell the key")


def _price_break(section: Section) -> PriceBreak | None:
    """``{quantity: 100, typical: 4.31}``; a break without a range has the typical price alone."""
    quantity, typical = section.integer("quantity", minimum=1), section.number("typical")
    low, high = (section.number(level) if section.has(level) else typical for level in ("low", "high"))
    section.finish()
    if typical is None or low is None or high is None:
        return None
    if not _is_range(section, low, typical, high):
        return None
    return PriceBreak(quantity=quantity, low=low, typical=typical, high=high)


def _is_range(section: Section, low: float, typical: float, high: float) -> bool:
    """Whether three numbers are a price; refuses them where they are none."""
    if 0 < low <= typical <= high:
        return True
    rule, remedy = "a price must have low <= typical <= high", "order the three"
    if low == 0:  # a part that costs nothing, or nobody knows what, would lead every front
        rule, remedy = "a price must be positive", "write what it costs new, or leave the part out"
    section.refuse(None, rule, value=f"{written(low)}, {written(typical)}, {written(high)}", remedy=remedy)
    return False


def is_date(text: str) -> bool:
    """Whether a text is an ISO date, a month or a year."""
    if not _DATE.match(text):
        return False
    try:
        date.fromisoformat((text + "-01-01")[:10] if len(text) == 4 else (text + "-01")[:10])
    except ValueError:
        return False
    return True
