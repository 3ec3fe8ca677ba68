"""Arrays that grow at their end, without a copy of what they have each time."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Rows = TypeVar("Rows", bound=npt.NDArray[Any])


class GrowingRows:
    """Several arrays by name, each of which stands before some room for what comes next.

    An array that was handed out keeps its values: only what lies behind it is written to.
    """

    def __init__(self) -> None:
        self._held: dict[str, npt.NDArray[Any]] = {}

    def append(self, name: str, rows: Rows, more: Rows) -> Rows:
        """An array and further rows behind it.

        Args:
            name: of the array.
            rows: the array as it was last returned, or, the first time, any.
            more: of the same type and shape but for their number.
        """
        count = len(rows) + len(more)
        held = self._held.get(name)
        if held is None or len(held) < count:
            held = np.empty((count + count // 2, *rows.shape[1:]), rows.dtype)
            held[: len(rows)] = rows
            self._held[name] = held
        held[len(rows) : count] = more
        return held[:count]  # type: ignore[return-value]
