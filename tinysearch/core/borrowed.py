"""Settings of the whole process that are changed for a while, for guests in other people's programs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Borrowed(Generic[Value]):
    """A setting that is ours while at least one thread needs it, and then what it was before the first of them.

    Args:
        read, write: the setting.
    """

    def __init__(self, read: Callable[[], Value], write: Callable[[Value], object]) -> None:
        self._read, self._write = read, write
        self._lock = threading.Lock()
        self._users: dict[object, Value] = {}

    @contextmanager
    def as_(self, value: Value) -> Iterator[None]:
        """Within, the setting has a value; of several threads' the one that was asked for last."""
        user = object()
        with self._lock:
            if not self._users:
                self._before = self._read()
            self._users[user] = value
            self._write(value)
        try:
            yield
        finally:
            with self._lock:
                del self._users[user]
                self._write(next(reversed(self._users.values()), self._before))
