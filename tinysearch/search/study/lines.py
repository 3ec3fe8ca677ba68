"""Lines of a study's journal: one JSON record each, with a digest of itself that Optuna and its dashboard pass over.

The file is Optuna's, and so is whoever else may write to it (the dashboard keeps notes there): a line without a digest
is read, and named as such. What is found is damage, a flipped bit for example, and no malice: a digest has no secret.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DIGEST = "digest"
_LETTERS = 16
_BODY = -len(f',"{DIGEST}":"{"0" * _LETTERS}"}}')
"""Up to here a line as Optuna 5 writes it is what its digest is taken of, but for the brace."""

_OPERATIONS = range(11)
"""Of Optuna 5; asked for only where no digest says that a line is whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a journal.

    Attributes:
        number: from 1.
        content: its bytes, without the end of the line.
        record: what it says; empty where it is damaged.
        problem: why it cannot be believed, as the end of a sentence; empty where it is whole.
        has_digest: whether a digest says so.
    """

    number: int
    content: bytes
    record: Mapping[str, Any]
    problem: str
    has_digest: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """A journal as it was read.

    Attributes:
        unfinished: what stands behind the last end of a line; a killed writer's half record, mostly.
    """

    lines: Sequence[Line]
    unfinished: bytes

    @property
    def damaged(self) -> list[Line]:
        """Lines that cannot be believed."""
        return [line for line in self.lines if line.problem]

    @property
    def last(self) -> Line:
        """What is unfinished as a line; without a problem where nothing but its end is missing, or was changed."""
        number = len(self.lines) + 1
        for content in (self.unfinished, self.unfinished[:-1]):
            line = read_line(content, number)
            if line.has_digest and not line.problem:
                return line
        return Line(number=number, content=self.unfinished, record={}, problem="is unfinished", has_digest=False)

    @property
    def without_digest(self) -> list[Line]:
        """Whole lines of an older version or another program."""
        return [line for line in self.lines if not line.problem and not line.has_digest]

    @property
    def is_older(self) -> bool:
        """Whether it was begun by a version that knew no digests."""
        return bool(self.lines) and self.lines[0] in self.without_digest


def with_digest(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record with its digest, as its last field."""
    return {**record, DIGEST: _digest_of(_spelled(record))}


def read_journal(path: Path) -> Journal:
    """Read every line of a journal and judge it.

    Raises:
        OSError: it cannot be read.
    """
    *ended, unfinished = path.read_bytes().split(b"\n")
    return Journal(lines=[read_line(line, number) for number, line in enumerate(ended, 1)], unfinished=unfinished)


def read_line(content: bytes, number: int) -> Line:
    """Judge one line, given without its end."""
    record, problem = _parsed(content)
    digest = record.pop(DIGEST, None)
    if not problem:
        if digest is not None and not _is_of(digest, content, record):
            problem = "does not have its digest"
        elif digest is None and _is_almost_digest(record):
            problem = "has a damaged digest"
        elif digest is None and record.get("op_code") not in _OPERATIONS:
            problem = "is no record of a study"
    return Line(
        number=number,
        content=content,
        record={} if problem else record,
        problem=problem,
        has_digest=digest is not None,
    )


def _parsed(content: bytes) -> tuple[dict[str, Any], str]:
    try:
        record = json.loads(content)
    except (ValueError, RecursionError):
        return {}, "is not JSON"
    return (record, "") if isinstance(record, dict) else ({}, "is no record of a study")


def _is_of(digest: object, content: bytes, record: Mapping[str, Any]) -> bool:
    """Whether a digest is that of a line, or else of its record however that is spelled."""
    return digest == _digest_of(content[:_BODY] + b"}") or digest == _digest_of(_spelled(record))


def _spelled(record: Mapping[str, Any]) -> bytes:
    """A record as its digest is taken of it, and as Optuna 5 writes it; another version may put spaces elsewhere."""
    return json.dumps(record, separators=(",", ":")).encode()


def _digest_of(spelled: bytes) -> str:
    return hashlib.sha256(spelled).hexdigest()[:_LETTERS]


def _is_almost_digest(record: Mapping[str, Any]) -> bool:
    """Whether the last field's name is that of a digest but for one letter: a flipped bit in it is found as well."""
    last = next(reversed(list(record)), "")
    return len(last) == len(DIGEST) and sum(a != b for a, b in zip(last, DIGEST, strict=True)) == 1
