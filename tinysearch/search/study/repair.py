"""Repair of a journal: whole lines stay as they are, damaged ones are set aside in a file beside.

Optuna numbers trials by counting lines, and later lines name trials by number. So a trial whose line is damaged keeps
its place: a failed trial stands there, marked as lost, which no search learns from or counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from tinysearch.core.errors import UserError
from tinysearch.files import write_atomically, writing
from tinysearch.search.study.lines import Journal, Line, read_journal, with_digest

ASIDE = "journal.damaged.log"
LOST = "lost"
"""``kind`` of a trial that stands for one whose line was damaged."""

_CREATE_STUDY, _CREATE_TRIAL = 0, 4
_MINIMIZE, _FAIL = 1, 3
"""Codes of Optuna's journal for operations, a direction and a state."""

_OF_EVERY_LINE = (b'"op_code"', b'"worker_id"')
_OF_TRIALS = (b'"datetime_start"', b'"user_attrs"')
"""Fields of every line of a trial and of no other; several each, since one of them may be what is damaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What a repair does.

    Attributes:
        damaged: lines that are set aside.
        kept, lost: trials.
        rules_lost: under which rules the run was begun is not known any more; whoever goes on says so anew.
        without_digest: lines that an older version or another program wrote.
        content: the journal as it is to be; None where nothing is to be done.
    """

    damaged: Sequence[Line]
    kept: int
    lost: int
    rules_lost: bool
    without_digest: int
    content: bytes | None


def repair(path: Path, plan: Repair) -> None:
    """Repair a journal in place as planned; killed in between, it can be planned and done again.

    Call it holding the lock of the run.

    Raises:
        UserError: it cannot be written.
    """
    if plan.content is not None:
        with writing(path):
            _set_aside(path.with_name(ASIDE), plan.damaged)
            write_atomically(path, plan.content)


def plan_repair(path: Path, *, study: str, rules: str) -> Repair:
    """What a repair would do; changes nothing. Of a repaired journal it finds nothing to do.

    Args:
        study: name of the study, should the line that begins it be damaged.
        rules: name of the study's attribute that holds the rules of the run.

    Raises:
        UserError: nothing in the file is a study's, or what begins it is damaged and no trial says what it was.
        OSError: it cannot be read.
    """
    journal = read_journal(path)
    lines, half = _completed(journal)
    whole = [line for line in lines if not line.problem]
    if not whole:
        raise UserError(
            "a journal to repair must have a whole line", value=f"{path}, which has none", remedy="name another run_dir"
        )
    out: list[bytes] = []
    if not any(line.record["op_code"] == _CREATE_STUDY for line in whole):
        out.append(_study_line(study, _objectives(whole, path)))
    lost = 0
    for is_damaged, group in groupby(lines, key=lambda line: bool(line.problem)):
        block = list(group)
        missing = _trials_in(block) if is_damaged else 0
        lost += missing
        out += [_lost_line()] * missing if is_damaged else [line.content for line in block]
    damaged = [*journal.damaged, *half]
    return Repair(
        damaged=damaged,
        kept=sum(_is_trial(line) for line in whole),
        lost=lost,
        rules_lost=bool(damaged) and not any(rules in line.record.get("user_attr", {}) for line in whole),
        without_digest=len(journal.without_digest),
        content=b"".join(line + b"\n" for line in out) if damaged or journal.unfinished else None,
    )


def _completed(journal: Journal) -> tuple[list[Line], list[Line]]:
    """Every line with an end, one that lacks nothing but its end among them; and the half one of a killed writer."""
    if not journal.unfinished:
        return list(journal.lines), []
    last = journal.last
    return ([*journal.lines], [last]) if last.problem else ([*journal.lines, last], [])


def _is_trial(line: Line) -> bool:
    return bool(line.record["op_code"] == _CREATE_TRIAL) and line.record.get("user_attrs", {}).get("kind") != LOST


def _trials_in(block: Sequence[Line]) -> int:
    """How many trials damaged lines held, by what is legible in them; where that is nothing one, as in most lines."""
    text = b"\n".join(line.content for line in block)
    if not any(word in text for word in (*_OF_EVERY_LINE, *_OF_TRIALS)):
        return int(block[0].number > 1)
    return max(text.count(word) for word in _OF_TRIALS)


def _objectives(whole: Iterable[Line], path: Path) -> int:
    """How many objectives the study has, by its first trial that has values.

    Raises:
        UserError: there is none.
    """
    for line in whole:
        values = line.record.get("values")
        if _is_trial(line) and values:
            return len(values)
    raise UserError(
        "a journal whose first line is damaged must have a trial with values",
        value=f"{path}, which has none",
        remedy="name another run_dir; trained branches are remembered and are not trained again",
    )


def _study_line(name: str, objectives: int) -> bytes:
    return _spelled(_CREATE_STUDY, {"study_name": name, "directions": [_MINIMIZE] * objectives})


def _lost_line() -> bytes:
    now = datetime.now(UTC).isoformat()
    return _spelled(
        _CREATE_TRIAL,
        {
            "study_id": 0,
            "datetime_start": now,
            "datetime_complete": now,
            "state": _FAIL,
            "user_attrs": {"kind": LOST, "feasible": False, "error": f"its line was damaged, see {ASIDE}"},
        },
    )


def _spelled(operation: int, fields: Mapping[str, Any]) -> bytes:
    """A record as Optuna writes it."""
    record = {"op_code": operation, "worker_id": "repair", **fields}
    return json.dumps(with_digest(record), separators=(",", ":")).encode()


def _set_aside(path: Path, damaged: Iterable[Line]) -> None:
    """Append damaged lines to the file of those, each under a heading; once only, where a repair was killed."""
    before = path.read_bytes() if path.exists() else b""
    entries = [f"# line {line.number} {line.problem}\n".encode() + line.content + b"\n" for line in damaged]
    new = [entry for entry in entries if entry not in before]
    if new:
        write_atomically(path, before + b"".join(new))
