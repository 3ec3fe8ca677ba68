"""The journal of a run as Optuna's backend, every record that it appends with its digest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

from tinysearch.search.study.lines import with_digest


class DigestedJournal(JournalFileBackend):
    """A journal that plain Optuna and optuna-dashboard read and write, too.

    Its lock is a file of the name that theirs is a symbolic link of, so that they keep out of each other's way; links
    need a privilege on Windows.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), lock_obj=JournalFileOpenLock(str(path)))

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        super().append_logs([with_digest(log) for log in logs])
