"""Which process trains which branch, where several processes work on one study in PostgreSQL.

Optuna's own heartbeat belongs to ``study.optimize``; it watches trials that have begun. Here a trial is written once,
when it is finished, and what must not be done twice is a training. So each training is claimed in a table of its own,
beside Optuna's: one row a branch, kept alive by its owner, open to anybody once it is stale by the server's clock.
A process of this machine that is gone is not waited for: a search that lost its database does not meet itself.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import uuid
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from sqlalchemy import Engine

_LOGGER = logging.getLogger(__name__)

_CREATE = """
CREATE TABLE IF NOT EXISTS tinysearch_claims (
    study text NOT NULL, branch text NOT NULL, owner text NOT NULL, seen timestamptz NOT NULL,
    PRIMARY KEY (study, branch)
)"""
_TAKE = """
INSERT INTO tinysearch_claims (study, branch, owner, seen) VALUES (:study, :branch, :owner, clock_timestamp())
ON CONFLICT (study, branch) DO UPDATE SET owner = excluded.owner, seen = excluded.seen
WHERE tinysearch_claims.owner = excluded.owner
OR tinysearch_claims.seen < clock_timestamp() - make_interval(secs => :expire_s)"""
_OTHERS = """
SELECT branch, owner FROM tinysearch_claims
WHERE study = :study AND owner <> :owner AND seen >= clock_timestamp() - make_interval(secs => :expire_s)"""
_RELEASE = "DELETE FROM tinysearch_claims WHERE study = :study AND owner = :owner AND branch = ANY(:branches)"
_RELEASE_ALL = "DELETE FROM tinysearch_claims WHERE study = :study AND owner = ANY(:owners)"
_BEAT = "UPDATE tinysearch_claims SET seen = clock_timestamp() WHERE study = :study AND owner = :owner"


_open: set[str] = set()
"""Owners of this process that have not closed."""


class Claims(Protocol):
    """The right to train branches (keys).

    Attributes:
        owner: this process; None where it is alone.
    """

    owner: str | None

    def take(self, branches: Sequence[str]) -> bool:
        """Claim all of them, or none and return False because another process has one."""
        ...

    def others(self) -> frozenset[str]:
        """Branches that other living processes are training."""
        ...

    def release(self, branches: Iterable[str]) -> None:
        """Give back what is trained and recorded, or could not be trained."""
        ...

    def close(self) -> None:
        """Give back everything."""
        ...


class NoClaims:
    """A process that is alone with its study."""

    owner: str | None = None

    def take(self, branches: Sequence[str]) -> bool:  # noqa: ARG002
        return True

    def others(self) -> frozenset[str]:
        return frozenset()

    def release(self, branches: Iterable[str]) -> None:
        """Nothing to give back."""

    def close(self) -> None:
        """Nothing to give back."""


class PostgresClaims:
    """Claims in a table of the study's database, kept alive by a thread.

    Args:
        engine: of the study's storage; its connections are closed with the claims.
        study: name.
        expire_s: claims of a process that was not seen for so long are stale.
    """

    def __init__(self, engine: Engine, *, study: str, expire_s: float) -> None:
        self._own = f"{_here()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.owner: str | None = self._own
        self._engine = engine
        self._study = study
        self._expire_s = expire_s
        self._held: set[str] = set()
        self._closed = threading.Event()
        # Two processes that create the table at the same moment would collide in the catalogue of the server.
        with engine.begin() as connection:
            connection.execute(_sql("SELECT pg_advisory_xact_lock(hashtext('tinysearch_claims'))"))
            connection.execute(_sql(_CREATE))
        _open.add(self._own)
        self._thread = threading.Thread(target=self._beat, name="claims", daemon=True)
        self._thread.start()

    def take(self, branches: Sequence[str]) -> bool:
        with self._engine.connect() as connection:
            for branch in sorted(branches):  # one order for all, or two processes could wait for each other
                values = self._names(branch=branch, expire_s=self._expire_s)
                if connection.execute(_sql(_TAKE), values).rowcount != 1:
                    connection.rollback()
                    return False
            connection.commit()
        self._held |= set(branches)
        return True

    def others(self) -> frozenset[str]:
        with self._engine.connect() as connection:
            claimed = list(connection.execute(_sql(_OTHERS), self._names(expire_s=self._expire_s)))
            gone = {owner for _, owner in claimed if _is_gone(owner)}
            if gone:
                connection.execute(_sql(_RELEASE_ALL), self._names(owners=sorted(gone)))
                connection.commit()
        return frozenset(str(branch) for branch, owner in claimed if owner not in gone)

    def release(self, branches: Iterable[str]) -> None:
        given_back = self._held & set(branches)
        if given_back:
            self._held -= given_back
            with self._engine.begin() as connection:
                connection.execute(_sql(_RELEASE), self._names(branches=sorted(given_back)))

    def close(self) -> None:
        if self._closed.is_set():
            return
        self._closed.set()
        self._thread.join()
        _open.discard(self._own)
        with contextlib.suppress(Exception), self._engine.begin() as connection:
            connection.execute(_sql(_RELEASE_ALL), self._names(owners=[self._own]))
        self._engine.dispose()

    def _names(self, **values: Any) -> dict[str, Any]:
        return {"study": self._study, "owner": self.owner} | values

    def _beat(self) -> None:
        while not self._closed.wait(self._expire_s / 5):
            if not self._held:
                continue
            try:
                with self._engine.begin() as connection:
                    connection.execute(_sql(_BEAT), self._names())
            except Exception as error:
                # The next beat may reach the server; if none does, others take over, as they should.
                _LOGGER.warning("the database did not answer: %s", type(error).__name__)


def _here() -> str:
    """The host, and what tells machines, their starts and their containers of one name apart."""
    host = socket.gethostname()
    try:
        start = Path("/proc/sys/kernel/random/boot_id").read_text() + os.readlink("/proc/self/ns/pid")
    except OSError:  # a system without /proc: processes there cannot be told to be gone
        return host
    return f"{host}:{zlib.crc32(start.encode()):08x}"


def _is_gone(owner: str) -> bool:
    """Whether an owner was a process of this machine that does not run any more, or has closed in this one."""
    place, number, _ = owner.rsplit(":", 2)
    if int(number) == os.getpid() and place == _here():
        return owner not in _open
    return ":" in place and place == _here() and not Path("/proc", number).exists()


def _sql(text: str) -> Any:
    import sqlalchemy

    return sqlalchemy.text(text)
