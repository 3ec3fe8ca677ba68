"""Tables out of spreadsheets: the separator is looked for, empty rows do not count, a comma may be a decimal point."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinysearch.reading.text import read_text

_SEPARATORS = ",;\t|"
_GROUPED = re.compile(r"\d{1,3}(,\d{3})+|\d{1,3}(\.\d{3})+")


class SpreadsheetError(ValueError):
    """A table that cannot be taken apart into rows; the message has file and line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row that is not empty.

    Attributes:
        place: ``FILE:LINE``, of its last line.
        cells: stripped text by column; a column that the row does not reach is empty.
        extra: what stands behind the last column.
        comma: whether the file's numbers have decimal commas: its cells are separated by something else.
    """

    place: str
    cells: Mapping[str, str]
    extra: tuple[str, ...]
    comma: bool


def read_spreadsheet(path: Path) -> tuple[tuple[str, ...], Iterator[Row]]:
    """Columns of a file's first line, and its rows; see :func:`spreadsheet_of`.

    Raises:
        OSError: see :func:`~tinysearch.reading.text.read_text`.
        SpreadsheetError: see :func:`spreadsheet_of`.
    """
    return spreadsheet_of(read_text(path), name=path.name)


def spreadsheet_of(text: str, *, name: str) -> tuple[tuple[str, ...], Iterator[Row]]:
    """Columns of a table's first line, and its rows.

    Cells are separated by commas, semicolons, tabs or bars, whichever the first line has most of. A line ``sep=;``
    before it, as spreadsheets write it, says which.

    Args:
        name: of the file, for messages.

    Raises:
        SpreadsheetError: while rows are taken: a cell of over 131072 characters.
    """
    lines = text.removeprefix("\ufeff").splitlines(keepends=True)
    skipped = 0
    while skipped < len(lines) and not lines[skipped].strip():
        skipped += 1
    told = re.fullmatch(r'"?sep=(.)"?\s*', lines[skipped]) if skipped < len(lines) else None
    if told:
        skipped += 1
    head = lines[skipped] if skipped < len(lines) else ""
    separator = told[1] if told else max(_SEPARATORS, key=head.count)
    reader = csv.reader(io.StringIO("".join(lines[skipped:]), newline=""), delimiter=separator, skipinitialspace=True)
    try:
        columns = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise SpreadsheetError(f"{name}:{skipped + 1}: {_reason(error)}") from error
    while columns and not columns[-1]:  # a spreadsheet that once was wider
        columns.pop()
    return tuple(columns), _rows(reader, columns, name=name, skipped=skipped, comma=separator != ",")


def _rows(reader: Any, columns: list[str], *, name: str, skipped: int, comma: bool) -> Iterator[Row]:
    while True:
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            place = f"{name}:{skipped + reader.line_num}"
            raise SpreadsheetError(f"{place}: {_reason(error)}") from error
        if any(cells):
            filled = dict(zip(columns, cells + [""] * len(columns), strict=False))
            place = f"{name}:{skipped + reader.line_num}"
            extra = tuple(cell for cell in cells[len(columns) :] if cell)
            yield Row(place=place, cells=filled, extra=extra, comma=comma)


def _reason(error: csv.Error) -> str:
    if "field larger" in str(error):
        return f"a cell of over {csv.field_size_limit()} characters, perhaps behind a quote that is never closed"
    return str(error)


def decimal_point(text: str, *, comma: bool = False) -> str:
    """A number with a decimal point and no thousands marks: ``1,90`` and ``1.234,50`` become ``1.90`` and ``1234.50``.

    What is no number comes back as it is.

    Args:
        comma: whether the numbers beside it have decimal commas.

    Raises:
        ValueError: one mark before three digits that may be either (``1,234``; among decimal commas ``1.234``).
    """
    marks = [mark for mark in text if mark in ",."]
    if not marks:
        return text
    last = marks[-1]
    whole, _, fraction = text.rpartition(last)
    digits = whole.strip("+-")
    if len(marks) == 1:
        if last == ("." if comma else ",") and len(fraction) == 3 and digits not in ("", "0"):
            raise ValueError(f"{text} may be {whole}.{fraction} or {whole}{fraction}")
        return f"{whole}.{fraction}"
    if not _GROUPED.fullmatch(digits if marks.count(last) == 1 else text.strip("+-")):
        return text
    return re.sub(r"[.,]", "", whole) + ("." if marks.count(last) == 1 else "") + fraction
