"""A study in a PostgreSQL server, which independent processes work on together."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tinysearch.core.errors import UserError
from tinysearch.core.safe_text import redacted, remember_secrets
from tinysearch.distribution import install_line
from tinysearch.search.study.claims import Claims, PostgresClaims
from tinysearch.search.study.shared import SharedStudy
from tinysearch.search.study.storage import make_study

if TYPE_CHECKING:
    import optuna
    from sqlalchemy import URL

_LOGGER = logging.getLogger(__name__)

_DRIVER = "postgresql+psycopg"
_CONNECT_S = 10
_TRIES = 5
JOIN_S = 60.0
"""A worker waits so long for the search that it shall join."""

_PAUSE_S = 0.5


def open_study(shared: SharedStudy, *, objectives: Sequence[str]) -> tuple[optuna.Study, Claims]:
    """The study and the claims of this process.

    Raises:
        UserError: the address is malformed, psycopg is missing, the server refuses, or there is no study to join.
    """
    url = parse_url(shared.url)
    storage = _open_storage(url)
    try:
        if shared.join:
            _await_study(storage, shared)
        study = make_study(storage, shared.name, objectives)
        return study, PostgresClaims(storage.engine, study=shared.name, expire_s=shared.expire_s)
    except BaseException:
        storage.engine.dispose()
        raise


@contextmanager
def readable_errors(shared: SharedStudy) -> Iterator[None]:
    """While this lasts, a server that goes away becomes one line for people.

    Raises:
        UserError: the database did not answer any more.
    """
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        root = error.__cause__ if isinstance(error, StorageInternalError) else error
        raise UserError(
            "the database of storage must answer as long as the search runs",
            value=f"{shown(shared.url)} ({_reason(root)})",
            remedy="run again when it does: what is recorded is not done again",
        ) from None


def parse_url(text: str) -> URL:
    """The address of a database, with the driver that is installed with the extra ``postgresql``.

    Raises:
        UserError: not the address of a PostgreSQL database; does not repeat it, since it may hold a password.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    remember_secrets(text)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.drivername.split("+")[0] not in ("postgresql", "postgres") or not url.database:
        raise UserError(
            "storage must be the address of a PostgreSQL database",
            value="another one, not repeated here since it may hold a password",
            remedy="write storage=postgresql://user@host/database",
        )
    return url.set(drivername=_DRIVER)


def shown(text: str) -> str:
    """An address as people may see it, its password replaced by stars."""
    return redacted(text)


def _open_storage(url: URL) -> Any:
    import sqlalchemy.exc
    from optuna.storages import RDBStorage

    settings = {"pool_pre_ping": True, "connect_args": {"connect_timeout": _CONNECT_S}}
    for attempt in range(_TRIES):
        try:
            return RDBStorage(url.render_as_string(hide_password=False), engine_kwargs=settings)
        except ImportError as error:
            raise UserError(
                "the package psycopg must be installed for storage=postgresql://",
                value="not installed",
                remedy=install_line("postgresql"),
            ) from error
        except sqlalchemy.exc.OperationalError as error:
            raise _unreachable(url, error) from None
        except (sqlalchemy.exc.IntegrityError, sqlalchemy.exc.ProgrammingError) as error:
            # Another process creates the tables at this very moment.
            if attempt == _TRIES - 1:
                raise _unreachable(url, error) from None
            time.sleep(_PAUSE_S)
    raise AssertionError("the loop above returns or raises")


def _unreachable(url: URL, error: Any) -> UserError:
    return UserError(
        "the database of storage must be usable",
        value=f"{shown(url.set(drivername='postgresql').render_as_string(hide_password=False))} ({_reason(error)})",
        remedy="check server, user and rights; a password may stand in ~/.pgpass",
    )


def _reason(error: Any) -> str:
    """First line of what the driver said; SQLAlchemy's own texts repeat whole statements."""
    said = str(getattr(error, "orig", None) or type(error).__name__)
    return redacted(said.strip().splitlines()[0])


def _await_study(storage: Any, shared: SharedStudy) -> None:
    until = time.monotonic() + JOIN_S
    said = False
    while shared.name not in {study.study_name for study in storage.get_all_studies()}:
        if time.monotonic() >= until:
            raise UserError(
                "a worker must join a study that a search has begun",
                value=f"no study {shared.name} in {shown(shared.url)}",
                remedy="start the search with the same storage and study first",
            )
        if not said:
            _LOGGER.warning("waiting for the search to begin the study %s", shared.name)
            said = True
        time.sleep(_PAUSE_S)
