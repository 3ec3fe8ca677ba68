"""Error rates from a CSV: replay a finished study, or search over somebody else's measurements."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.error_rates import ErrorEvidence, ErrorRates
from tinysearch.core.errors import UserError
from tinysearch.core.protocols import ProgressCallback, TrainingRecord
from tinysearch.core.quantization import Precision
from tinysearch.evaluation.source import ErrorSource
from tinysearch.reading import Row, SpreadsheetError, decimal_point, read_spreadsheet

Key = tuple[str, str, str]
"""Input, layout and precision of one branch, as tables spell them."""

Model = tuple[Key, ...]
"""A branch, or the branches of a fusion by input."""

BRANCHES = "branches"
"""Column that names a model of any inputs: ``face:2-2:int8+voice:1-1:xnor2/1``."""

LISTED = (BRANCHES, "eer")
"""Columns of a table that names models so."""

COLUMNS = (
    "kind",
    "modality",
    "face_blocks",
    "face_precision",
    "voice_blocks",
    "voice_precision",
    "eer",
    "eer_lo",
    "eer_hi",
    "train_s",
)
"""Columns of a table of faces and voices."""

PAIRED = ("face", "voice")
"""Inputs that have columns of their own."""

_LAYOUT = re.compile(r"[a-z][a-z0-9]*-[0-9][a-z0-9-]*|[0-9]+(-[0-9]+)*")


class TableErrors(ErrorSource):
    """Error model of ``trainer=table``: looks branches and fusions up; training takes no time but is counted.

    Args:
        path: CSV with :data:`COLUMNS` or :data:`LISTED`, as spreadsheets write it: see
            :mod:`tinysearch.reading.spreadsheet`.
        option: what names the file, for messages.

    Raises:
        UserError: unreadable, a missing column, or a malformed row; names file and line.
    """

    evidence: ErrorEvidence = "table"
    needs_training = True

    def __init__(self, *, path: Path, option: str = "trainer.path") -> None:
        self.path = path
        self._rates: dict[Model, ErrorRates] = {}
        self._seconds: dict[Model, float] = {}
        self._known: set[BranchSpec] = set()
        try:
            self._read(*read_spreadsheet(path))
        except (OSError, SpreadsheetError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UserError(
                f"{option} must be a readable CSV of error rates", value=f"{path}: {reason}", remedy="check the file"
            ) from error

    def _read(self, columns: Sequence[str], rows: Iterator[Row]) -> None:
        wanted = LISTED if BRANCHES in columns else COLUMNS
        missing = [name for name in wanted if name not in columns]
        if missing:
            raise UserError(
                "a table of error rates must have its columns",
                value=f"{self.path} lacks {', '.join(missing)}",
                remedy="see docs/how-to/search.md for the format",
            )
        for row in rows:
            try:
                self._row(row)
            except SpreadsheetError:
                raise
            except (ValueError, TypeError, UserError) as error:
                raise UserError(
                    "a row of a table must give blocks as 2-2, a known precision and rates as fractions in 0..1",
                    value=f"{self.path.parent / row.place}: {error}",
                    remedy="correct the row",
                ) from error

    def _row(self, found: Row) -> None:
        if found.extra:
            raise ValueError("more cells than columns")
        row = {name: _pointed(name, text, comma=found.comma) for name, text in found.cells.items()}
        key = _listed_model(row[BRANCHES]) if BRANCHES in row else _paired_model(row)
        eer = _rate(row["eer"])
        if eer is None:
            raise ValueError("a row must name a model and its eer")
        low, high = _rate(row.get("eer_lo")), _rate(row.get("eer_hi"))
        if low is not None and high is not None and low > high:
            raise ValueError("eer_lo must be at most eer_hi")
        frr = {far: _rate(text) for name, text in row.items() if (far := _far(name)) is not None}
        rates = ErrorRates(
            eer=eer,
            evidence=self.evidence,
            eer_ci95=None if low is None or high is None else (low, high),
            frr_at_far={far: value for far, value in frr.items() if value is not None},
        )
        if self._rates.setdefault(key, rates) != rates:
            raise ValueError("a branch or fusion must have one row; this one has another with other rates above")
        self._seconds[key] = _seconds(row.get("train_s") or "")

    def knows(self, branch: BranchSpec) -> bool:
        """Whether a branch was looked up in this run."""
        return branch in self._known

    def train(self, branch: BranchSpec, *, progress: ProgressCallback) -> TrainingRecord:
        """Count one training, with the seconds that the table says.

        Raises:
            UserError: the table has no such branch.
        """
        del progress
        key = self._lookup([branch])
        remembered = branch in self._known
        self._known.add(branch)
        return TrainingRecord(branch=branch, seconds=self._seconds[key], remembered=remembered)

    def error_rates(self, branches: Sequence[BranchSpec]) -> ErrorRates:
        """The row of a branch or a fusion.

        Raises:
            UserError: the table has no such row.
        """
        return self._rates[self._lookup(branches)]

    def has(self, branches: Sequence[BranchSpec]) -> bool:
        """Whether the table has a row for these branches."""
        return _model_of(branches) in self._rates

    def covers(self, modality: str) -> tuple[tuple[tuple[int, ...], ...], tuple[str, ...]]:
        """Layouts of residual networks and precisions of an input's rows, small ones first; both empty without rows."""
        found = [model[0] for model in self._rates if len(model) == 1 and model[0][0] == modality]
        residual = {layout for _, layout, _ in found if layout[0].isdigit()}
        layouts = {tuple(int(count) for count in layout.split("-")) for layout in residual}
        ordered = sorted(layouts, key=lambda blocks: (len(blocks), sum(blocks), blocks))
        return tuple(ordered), tuple(sorted({precision for _, _, precision in found}))

    def fusions(self, branches: Sequence[BranchSpec]) -> Iterator[tuple[BranchSpec, ...]]:
        """Sets of branches out of some for which there is a fusion row; of alike branches the first."""
        first: dict[Key, BranchSpec] = {}
        for branch in branches:
            first.setdefault(_key_of(branch), branch)
        for model in self._rates:
            if len(model) > 1 and set(model) <= first.keys():
                yield tuple(first[key] for key in model)

    def _lookup(self, branches: Sequence[BranchSpec]) -> Model:
        key = _model_of(branches)
        if key not in self._rates:
            raise UserError(
                "the table must have a row for every branch and fusion that is searched",
                value=" + ".join(branch.short for branch in branches),
                remedy=f"add the row to {self.path} or narrow the space",
            )
        return key


def _key_of(branch: BranchSpec) -> Key:
    return branch.modality, branch.architecture.label, str(branch.precision)


def _model_of(branches: Sequence[BranchSpec]) -> Model:
    return tuple(sorted(map(_key_of, branches)))


def _pointed(column: str, text: str, *, comma: bool) -> str:
    return (
        text if "blocks" in column or "precision" in column or column == BRANCHES else decimal_point(text, comma=comma)
    )


def _listed_model(text: str) -> Model:
    """``face:2-2:int8+voice:1-1:xnor2/1``."""
    keys = []
    for part in text.split("+"):
        name, *rest = (item.strip() for item in part.split(":"))
        if len(rest) != 2 or not name:
            raise ValueError(f"{part or 'nothing'} is no branch; write for example face:2-2:int8")
        keys.append((name, *_spelled(*rest)))
    if len({name for name, _, _ in keys}) != len(keys):
        raise ValueError(f"{text} names an input twice")
    return tuple(sorted(keys))


def _paired_model(row: Mapping[str, str]) -> Model:
    """The branches of a row with columns for faces and voices."""
    spelled = {name: (row[f"{name}_blocks"], row[f"{name}_precision"]) for name in PAIRED}
    for _, (blocks, precision) in spelled.items():
        if precision and not blocks:
            raise ValueError(f"precision {precision} without blocks")
    keys = tuple((name, *_spelled(*cells)) for name, cells in spelled.items() if cells[0])
    if not keys:
        raise ValueError("a row must name a branch and its eer")
    if (row["kind"] == "fusion") != (len(keys) > 1) or row["kind"] not in ("branch", "fusion"):
        raise ValueError(f"a branch row must name one branch, a fusion row two; this is kind {row['kind'] or 'empty'}")
    own = keys[0][0]
    if row["kind"] == "branch" and row["modality"] not in ("", own):
        raise ValueError(f"a branch row with {own}_blocks must be of modality {own}, not {row['modality']}")
    return keys


def _spelled(layout: str, precision: str) -> tuple[str, str]:
    """Layout and precision of a branch."""
    if re.search(r"\b[A-Za-z]{3}\b|\d{4}", layout):
        raise ValueError(f"{layout} is what a spreadsheet made of blocks, a date; format the column as text")
    if not _LAYOUT.fullmatch(layout):
        raise ValueError(f"{layout or 'nothing'} is no layout; write for example 2-2")
    return layout, str(Precision.parse(precision))


def _seconds(text: str) -> float:
    value = float(text or 0.0)
    if not 0.0 <= value < math.inf:
        raise ValueError(f"{text} is not a number of seconds")
    return value


def _far(column: str) -> float | None:
    """The false accept rate of a column ``frr_far1``, ``frr_far10`` or ``frr_far0.1``, which is in percent."""
    percent = column.removeprefix("frr_far")
    try:
        return float(f"{float(percent) / 100:.12g}") if percent != column else None
    except ValueError:
        return None


def _rate(text: str | None) -> float | None:
    if not text:
        return None
    value = float(text)
    if math.isnan(value) or not 0.0 <= value <= 1.0:
        raise ValueError(f"{text} is not a fraction")
    return value
