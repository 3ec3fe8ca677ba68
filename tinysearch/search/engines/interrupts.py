"""Ctrl-C once ends a search in good order, twice at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

from tinysearch.core.errors import Interrupted


class Interrupts:
    """Catches SIGINT and SIGTERM while a search runs, and gives the handlers back afterwards.

    The first signal sets ``requested``; inside :meth:`interruptible` (a training in this process) it also raises
    KeyboardInterrupt, so that nobody waits for the end of an epoch. The second raises wherever it arrives. Signals can
    only be caught in the main thread; elsewhere this does nothing.
    """

    def __init__(self) -> None:
        self.requested = False
        self._inside = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                # None is a handler of a program in C around this one, which could not be given back.
                if signal.getsignal(number) is not None:
                    self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        again, self.requested = self.requested, True
        if again or self._inside:
            raise Interrupted

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Within, the first signal raises KeyboardInterrupt at once."""
        self._inside = True
        try:
            yield
        finally:
            self._inside = False
