"""One CSV file of a series: which columns are what, in which units, at which rate, and which of its rows are not used.

Rules, each told with file and row:

- The first line names columns. Those of the input's axes are needed, in any order and in small or capital letters; a
  unit may stand behind a name, ``ax [m/s2]`` or ``ax (g)``. Other columns are not read, apart from time and label.
- A column ``time``, ``t``, ``timestamp`` or ``seconds`` (with a unit, as ``t [ms]`` or ``t_ms``, or in seconds),
  ``millis`` or ``micros`` tells the rate, the inverse of the usual step; else the rate has to be stated. A rate more
  than 2 % off the input's makes the file unusable, and so does one that changes by more than a tenth within it.
- A row is left out where a needed cell is empty, no number, or not finite, and where there are more cells than columns;
  the series is parted there, as where time makes a step of over one and a half of the usual. Of a file with more than
  one such row in twenty nothing is used.
- Time must rise. A value beyond the sensor's range is clamped, as the sensor would, and counted; of a file with more
  than one such row in twenty nothing is used, for it is in another unit, or of another sensor.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinysearch.data.recordings import as_counts
from tinysearch.inputs.series import FULL_SCALE
from tinysearch.reading import Row, SpreadsheetError, read_text, spreadsheet_of

MOST_BAD_ROWS = 0.05
RATE_TOLERANCE = 0.02
RATE_CHANGE = 0.1
FEWEST_STEPS = 32
"""A rate is told of so many steps and a second at least: a clock of milliseconds says 2, 3, 2, 3 of 400 Hz."""
BEYOND = 1.01
"""A value is beyond a range from so many times its end on."""
GAP = 1.5
"""Steps of time by which samples may be apart."""

TIME_NAMES = ("time", "t", "timestamp", "seconds")
_SECONDS: Mapping[str, float] = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_TIMES: Mapping[str, str] = {
    **dict.fromkeys(TIME_NAMES, ""),
    **{f"{name}_{unit}": unit for name in TIME_NAMES[:3] for unit in _SECONDS},
    "millis": "ms",
    "micros": "us",
}
"""Columns of time, and the unit that their names say; the clocks of Arduino are called millis and micros."""

_STANDARD_GRAVITY = 9.80665
_FACTORS: Mapping[tuple[str, str], float] = {
    ("m/s2", "g"): 1 / _STANDARD_GRAVITY,
    ("g", "m/s2"): _STANDARD_GRAVITY,
    ("mg", "g"): 1e-3,
    ("rad/s", "dps"): 180 / math.pi,
    ("dps", "rad/s"): math.pi / 180,
}
_PREFIXES: Mapping[str, float] = {"k": 1e3, "": 1.0, "c": 1e-2, "m": 1e-3, "u": 1e-6, "µ": 1e-6}
_BASES = ("m", "v", "a", "w", "pa")
"""Units that prefixes stand before: meter, volt, ampere, watt, pascal. Not gravity: kg is none."""

_SPELLINGS: Mapping[str, str] = {"m/s^2": "m/s2", "m/s²": "m/s2", "deg/s": "dps", "°/s": "dps"}
_HEAD = re.compile(r"^(?P<name>.*?)\s*(?:[\[(](?P<unit>[^\])]*)[\])])?$")

Int16 = npt.NDArray[np.int16]
Float64 = npt.NDArray[np.float64]


class UnusableFileError(ValueError):
    """Nothing of a file can be used; the message continues "this file"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for in files.

    Attributes:
        axes, units: of the input, in order.
        full_scale: by axis, in its unit, what 32768 counts stand for.
        rate_hz: of the input.
        stated_hz: of files without time; None where they must have it.
        label: name of the column with classes; None where folders are classes.
    """

    axes: tuple[str, ...]
    units: tuple[str, ...]
    full_scale: tuple[float, ...]
    rate_hz: float
    stated_hz: float | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Samples without a gap: int16 [n, axes], and their label, empty without such a column."""

    counts: Int16
    label: str


def read_series(path: Path, wanted: Wanted) -> tuple[list[Part], str, str]:
    """Parts of one file, what of it was left out (empty where all is used), and a digest (hex) of its text.

    Raises:
        UnusableFileError: nothing can be used, and why.
    """
    try:
        text = read_text(path)
        columns, rows = spreadsheet_of(text, name=path.name)
        places = _columns(columns, wanted)
        table = _Table.of(rows, places)
    except OSError as error:
        raise UnusableFileError(error.strerror or "cannot be read") from error
    except SpreadsheetError as error:
        raise UnusableFileError(str(error)) from error
    if len(table.bad) > MOST_BAD_ROWS * table.rows or len(table.values) < 2:
        if not table.bad:
            raise UnusableFileError(f"has {table.rows or 'no'} row{'s' if table.rows != 1 else ''}")
        raise UnusableFileError(f"{len(table.bad)} of its {table.rows} rows cannot be used: {table.bad[0]}")
    breaks = _breaks(table, wanted, timed=places.time is not None, step_s=places.step_s)
    scaled = table.values * np.array([places.factors[axis] for axis in wanted.axes]) / np.array(wanted.full_scale)
    counts = as_counts(scaled * FULL_SCALE)
    ends = [*breaks, len(counts)]
    parts = [
        Part(counts=counts[start:end], label=table.labels[start])
        for start, end in zip([0, *breaks], ends, strict=True)
        if end > start
    ]
    told = [f"{_rows(len(table.bad))} left out, first {table.bad[0]}"] if table.bad else []
    told += _beyond(np.abs(scaled).max(axis=1) > BEYOND, table)
    return parts, "; ".join(told), hashlib.sha256(text.encode()).hexdigest()


def _beyond(rows: npt.NDArray[np.bool_], table: _Table) -> list[str]:
    """What is said of rows beyond the range.

    Raises:
        UnusableFileError: so many that they are in another unit.
    """
    count = int(rows.sum())
    if not count:
        return []
    first = table.places[int(np.argmax(rows))]
    if count > MOST_BAD_ROWS * table.rows:
        raise UnusableFileError(f"has {_rows(count)} of {table.rows} beyond full_scale, first {first}")
    return [f"{_rows(count)} beyond full_scale clamped, first {first}"]


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """Names of a file's columns by what they are, the seconds of a step of time, and factors of the axes' units."""

    axes: tuple[str, ...]
    factors: Mapping[str, float]
    time: str | None
    step_s: float
    label: str | None


def _columns(names: Sequence[str], wanted: Wanted) -> _Columns:
    """See the module.

    Raises:
        UnusableFileError: a column is missing or twice, or a unit is unknown.
    """
    heads: dict[str, tuple[str, str]] = {}
    for name in names:
        match = _HEAD.match(name)
        assert match is not None  # noqa: S101 - it matches everything
        word = match["name"].strip().lower()
        if word in heads and word in (*map(str.lower, wanted.axes), *_TIMES):
            raise UnusableFileError(f"has two columns {word}")
        heads[word] = (name, (match["unit"] or "").strip().lower())
    missing = [axis for axis in wanted.axes if axis.lower() not in heads]
    if missing:
        raise UnusableFileError(
            f"has no column {missing[0]}; its first line names {', '.join(names)[:80] or 'nothing'}"
        )
    label = None if wanted.label is None else heads.get(wanted.label.lower(), ("", ""))[0]
    if label == "":
        raise UnusableFileError(f"has no column {wanted.label}")
    factors = {
        axis: _factor(heads[axis.lower()][1], unit, axis) for axis, unit in zip(wanted.axes, wanted.units, strict=True)
    }
    time = next((name for name in _TIMES if name in heads), None)
    unit = "" if time is None else heads[time][1] or _TIMES[time]
    if unit and unit not in _SECONDS:
        raise UnusableFileError(f"has a unit of time that must be one of {', '.join(_SECONDS)}: {unit}")
    return _Columns(
        axes=tuple(heads[axis.lower()][0] for axis in wanted.axes),
        factors=factors,
        time=None if time is None else heads[time][0],
        step_s=_SECONDS[unit or "s"],
        label=label,
    )


def _factor(given: str, wanted: str, axis: str) -> float:
    """What a value is multiplied with; without a unit it is in the input's."""
    given, unit = _SPELLINGS.get(given, given), wanted.lower()
    if not given or given == unit:
        return 1.0
    for base in _BASES:
        scales = [_PREFIXES.get(each.removesuffix(base)) if each.endswith(base) else None for each in (given, unit)]
        if scales[0] is not None and scales[1] is not None:
            return scales[0] / scales[1]
    if (given, unit) not in _FACTORS:
        raise UnusableFileError(f"has {axis} in {given}, which must be {wanted}, or a unit that is known to be one")
    return _FACTORS[given, unit]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Table:
    """Rows that can be used: values [n, axes], times [n], labels, and whether a row was left out before each."""

    values: Float64
    times: Float64
    labels: list[str]
    after_bad: npt.NDArray[np.bool_]
    places: list[str]
    bad: list[str]
    rows: int

    @classmethod
    def of(cls, rows: Iterator[Row], columns: _Columns) -> _Table:
        values: list[list[float]] = []
        labels: list[str] = []
        after_bad: list[bool] = []
        places: list[str] = []
        bad: list[str] = []
        needed = (*columns.axes, *([columns.time] if columns.time else []))
        count, broken = 0, False
        for row in rows:
            count += 1
            reason = "more cells than columns" if row.extra else ""
            numbers: list[float] = []
            for name in needed:
                number = _number(row, name)
                if not math.isfinite(number):
                    reason = reason or f"{name} is {row.cells.get(name) or 'empty'}"
                numbers.append(number)
            label = "" if columns.label is None else row.cells.get(columns.label, "")
            if columns.label is not None and not label:
                reason = reason or f"{columns.label} is empty"
            if reason:
                bad.append(f"{row.place}: {reason}")
                broken = True
                continue
            values.append(numbers)
            labels.append(label)
            after_bad.append(broken)
            places.append(row.place)
            broken = False
        table = np.array(values, np.float64).reshape(len(values), len(needed))
        axes = len(columns.axes)
        return cls(
            values=table[:, :axes],
            times=table[:, axes] if columns.time else np.zeros(len(table)),
            labels=labels,
            after_bad=np.array(after_bad, bool),
            places=places,
            bad=bad,
            rows=count,
        )


def _number(row: Row, name: str) -> float:
    """A cell as a number, NaN for what is none; a comma is a decimal point where it separates no cells."""
    text = row.cells.get(name, "")
    try:
        return float(text.replace(",", ".") if row.comma else text)
    except ValueError:
        return math.nan


def _breaks(table: _Table, wanted: Wanted, *, timed: bool, step_s: float) -> list[int]:
    """Places at which a new part begins.

    Raises:
        UnusableFileError: time does not rise, or the rate is another, unknown, or not one.
    """
    new = table.after_bad.copy()
    new[1:] |= np.array([one != other for one, other in zip(table.labels[1:], table.labels, strict=False)], bool)
    rate: float | None
    if timed:
        steps = np.diff(table.times) * step_s
        if (steps <= 0).any():
            place = int(np.argmax(steps <= 0)) + 1
            raise UnusableFileError(f"has a time that does not rise, {table.places[place]}")
        usual = _usual(steps)
        rate = 1 / usual
        _check_one_rate(steps, table, usual_s=usual)
        new[1:] |= steps > GAP * usual
    else:
        rate = wanted.stated_hz
    if rate is None:
        raise UnusableFileError(
            f"has no column {' or '.join(TIME_NAMES)}; add one, or write data.rate_hz={wanted.rate_hz:g}"
        )
    if abs(rate / wanted.rate_hz - 1) > RATE_TOLERANCE:
        raise UnusableFileError(f"is at {rate:.4g} Hz, and the task at {wanted.rate_hz:g} Hz")
    return [int(place) for place in np.flatnonzero(new) if place]


def _usual(steps: Float64) -> float:
    """The mean of all steps that are no gap."""
    return float(steps[steps <= GAP * np.median(steps) * (1 + 1e-9)].mean())


def _check_one_rate(steps: Float64, table: _Table, *, usual_s: float) -> None:
    """Raises :class:`UnusableFileError` where one stretch of a file has another rate than the whole."""
    stretches = max(1, len(steps) // max(FEWEST_STEPS, round(1 / usual_s)))
    first = 0
    for stretch in np.array_split(steps, stretches):
        found = _usual(stretch)
        if abs(found / usual_s - 1) > RATE_CHANGE:
            place = table.places[first]
            raise UnusableFileError(
                f"has more than one rate, {1 / usual_s:.4g} Hz in all and {1 / found:.4g} from {place}"
            )
        first += len(stretch)
