"""The study of a search, wherever it is kept: in a run directory, in memory, or in a database shared with others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tinysearch.search.study import storage
from tinysearch.search.study.claims import Claims, NoClaims
from tinysearch.search.study.shared import SharedStudy

if TYPE_CHECKING:
    import optuna


def open_study(
    run_dir: Path | None, *, objectives: Sequence[str], shared: SharedStudy | None = None
) -> tuple[optuna.Study, Claims]:
    """The study of a run directory or a database, created if need be, in memory without either; and its claims.

    Call it holding the lock of the run directory.

    Raises:
        UserError: the database cannot be used, or has no such study to join.
    """
    if shared is None:
        return storage.open_journal(run_dir, objectives=objectives), NoClaims()
    from tinysearch.search.study import postgresql

    return postgresql.open_study(shared, objectives=objectives)


@contextmanager
def readable_errors(shared: SharedStudy | None) -> Iterator[None]:
    """While this lasts, a full disk or a database that goes away becomes one line for people."""
    with ExitStack() as stack:
        stack.enter_context(storage.readable_errors())
        if shared is not None:
            from tinysearch.search.study import postgresql

            stack.enter_context(postgresql.readable_errors(shared))
        yield
