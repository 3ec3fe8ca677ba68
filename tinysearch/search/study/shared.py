"""Which study independent processes work on together."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedStudy:
    """A study in PostgreSQL.

    Attributes:
        url: ``postgresql://user@host/database``; may hold a password, so it is shown nowhere.
        name: of the study; one database may hold many.
        expire_s: a process that was not seen for so long is taken for dead, and others do its trainings.
        join: wait for a study that another process began, and leave its front to that one.
    """

    url: str = field(repr=False)
    name: str = "tinysearch"
    expire_s: float = 60.0
    join: bool = False
