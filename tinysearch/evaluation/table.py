"""Error rates from a CSV: replay a finished study, or search over somebody else's measurements."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import UserError
from tinysearch.core.objectives import ErrorEvidence, ErrorRates
from tinysearch.core.protocols import ProgressCallback, TrainingRecord
from tinysearch.reading import Row, SpreadsheetError, decimal_point, read_spreadsheet

Key = tuple[tuple[int, ...], str]
"""Blocks and precision of one branch."""

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


class TableErrors:
    """Error model of ``trainer=table``: looks branches and fusions up; training takes no time but is counted.

    Args:
        path: CSV with the columns of CONTRACT's table, as spreadsheets write it: see
            :mod:`tinysearch.reading.spreadsheet`.
        option: what names the file, for messages.

    Raises:
        UserError: unreadable, a missing column, or a malformed row; names file and line.
    """

    evidence: ErrorEvidence = "table"
    needs_training = True

    def __init__(self, *, path: Path, option: str = "trainer.path") -> None:
        self.path = path
        self._rates: dict[tuple[Key | None, Key | None], ErrorRates] = {}
        self._seconds: dict[tuple[Key | None, Key | None], float] = {}
        self._known: set[BranchSpec] = set()
        try:
            self._read(*read_spreadsheet(path))
        except (OSError, SpreadsheetError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UserError(
                f"{option} must be a readable CSV of error rates", value=f"{path}: {reason}", remedy="check the file"
            ) from error

    def _read(self, columns: Sequence[str], rows: Iterator[Row]) -> None:
        missing = [name for name in COLUMNS if name not in columns]
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
        key = (_key(row["face_blocks"], row["face_precision"]), _key(row["voice_blocks"], row["voice_precision"]))
        eer = _rate(row["eer"])
        if eer is None or key == (None, None):
            raise ValueError("a row names a branch and its eer")
        if (row["kind"] == "fusion") != (None not in key) or row["kind"] not in ("branch", "fusion"):
            raise ValueError(f"a branch row names one branch, a fusion row two; this is kind {row['kind'] or 'empty'}")
        own = "face" if key[1] is None else "voice"
        if row["kind"] == "branch" and row["modality"] not in ("", own):
            raise ValueError(f"a branch row with {own}_blocks is of modality {own}, not {row['modality']}")
        low, high = _rate(row["eer_lo"]), _rate(row["eer_hi"])
        if low is not None and high is not None and low > high:
            raise ValueError("eer_lo is at most eer_hi")
        frr = {far: _rate(text) for name, text in row.items() if (far := _far(name)) is not None}
        rates = ErrorRates(
            eer=eer,
            evidence=self.evidence,
            eer_ci95=None if low is None or high is None else (low, high),
            frr_at_far={far: value for far, value in frr.items() if value is not None},
        )
        if self._rates.setdefault(key, rates) != rates:
            raise ValueError("a branch or fusion has one row; this one has another with other rates above")
        self._seconds[key] = _seconds(row["train_s"])

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
        return _row_key(branches) in self._rates

    def covers(self, modality: str) -> tuple[tuple[tuple[int, ...], ...], tuple[str, ...]]:
        """Layouts and precisions of the branch rows of a modality, small ones first; both empty without such rows."""
        singles = [key for key in self._rates if None in key]
        keys = [key for pair in singles if (key := pair[("face", "voice").index(modality)]) is not None]
        layouts = sorted({blocks for blocks, _ in keys}, key=lambda blocks: (len(blocks), sum(blocks), blocks))
        return tuple(layouts), tuple(sorted({precision for _, precision in keys}))

    def fusions(self, branches: Sequence[BranchSpec]) -> Iterator[tuple[BranchSpec, BranchSpec]]:
        """Pairs (face, voice) out of some branches for which there is a fusion row; of alike branches the first."""
        first: dict[tuple[str, Key], BranchSpec] = {}
        for branch in branches:
            first.setdefault((branch.modality, (branch.blocks, branch.precision)), branch)
        for face, voice in self._rates:
            if face is not None and voice is not None and {("face", face), ("voice", voice)} <= first.keys():
                yield first["face", face], first["voice", voice]

    def _lookup(self, branches: Sequence[BranchSpec]) -> tuple[Key | None, Key | None]:
        key = _row_key(branches)
        if key not in self._rates:
            raise UserError(
                "the table has a row for every branch and fusion that is searched",
                value=" + ".join(branch.short for branch in branches),
                remedy=f"add the row to {self.path} or narrow the space",
            )
        return key


def _row_key(branches: Sequence[BranchSpec]) -> tuple[Key | None, Key | None]:
    found: dict[str, Key] = {branch.modality: (branch.blocks, branch.precision) for branch in branches}
    return found.get("face"), found.get("voice")


def _pointed(column: str, text: str, *, comma: bool) -> str:
    return text if "blocks" in column or "precision" in column else decimal_point(text, comma=comma)


def _key(blocks: str, precision: str) -> Key | None:
    if re.search(r"[A-Za-z]{3}|\d{4}", blocks):
        raise ValueError(f"{blocks} is what a spreadsheet made of blocks, a date; format the column as text")
    if not blocks:
        if precision:
            raise ValueError(f"precision {precision} without blocks")
        return None
    spec = BranchSpec(modality="face", blocks=tuple(int(count) for count in blocks.split("-")), precision=precision)
    return spec.blocks, spec.precision


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
