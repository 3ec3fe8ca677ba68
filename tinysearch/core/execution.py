"""How a chip executes the networks of a candidate: a choice that changes what they need and no training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MOST_CORES = 2


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Execution:
    """Choices of execution; the default is one step after the other, on whole maps and by one core.

    Attributes:
        bands: whether first layers are computed a few rows at a time (:mod:`tinysearch.core.bands`).
        cores: 2 where the heavy steps of a lone branch are shared by two cores, each computing half of the rows.
        cascade: whether two branches take turns, the second one only where the first is not sure. What they answer is
            then another rule's (:mod:`tinysearch.core.cascade`), measured on the same networks.
    """

    bands: bool = False
    cores: int = 1
    cascade: bool = False

    def possible(self, *, branches: int, cores: int) -> bool:
        """Whether a chip of so many cores can execute so many branches like this: several have a core each."""
        return self.cores <= (cores if branches == 1 else 1) and (branches == 2 or not self.cascade)

    @property
    def text(self) -> str:
        """What people are told of it; empty for the default."""
        bands = "Its first layers are computed a few rows at a time, so that less memory does. " if self.bands else ""
        shared = "Its heavy layers are shared by both cores, half of the rows each." if self.cores > 1 else ""
        return (bands + shared).strip()

    def to_dict(self) -> dict[str, Any]:
        """What differs from the default, as files name it."""
        shared = {"branch_cores": self.cores} if self.cores > 1 else {}
        fusion = {"fusion": "cascade"} if self.cascade else {}
        return ({"memory": "bands"} if self.bands else {}) | shared | fusion


PLAIN, CASCADE = Execution(), Execution(cascade=True)
