"""When a search must stop, and why it ended."""

from __future__ import annotations

from tinysearch.search.engines.interrupts import Interrupts
from tinysearch.search.progress import Progress


class Ending:
    """Whether a search must stop at once, and the reason with which it ends.

    Args:
        interrupts: signals that were caught.
        progress: the clock.
        timeout_s: of this run; None for no limit.

    Attributes:
        reason: as a sentence; empty while nothing ends the search.
        interrupted: by a signal.
    """

    def __init__(self, interrupts: Interrupts, progress: Progress, *, timeout_s: float | None) -> None:
        self.reason = ""
        self.interrupted = False
        self._interrupts = interrupts
        self._progress = progress
        self._timeout_s = timeout_s

    def due(self) -> bool:
        """Whether somebody interrupts the search, or its time is up; trainings under way stop, too."""
        if self._interrupts.requested:
            self.interrupted = True
        elif self._timeout_s is not None and self._progress.elapsed_s() >= self._timeout_s:
            self.reason = "the time is up"
        else:
            return False
        return True

    def broken_off(self) -> None:
        """A KeyboardInterrupt: of a person, or the way out of a training in this process when the time is up."""
        self.interrupted = self._interrupts.requested or not self.reason
