"""Files of networks: as long as the largest flash of a board, whatever their format."""

from __future__ import annotations

from pathlib import Path

from tinysearch.core.errors import UserError
from tinysearch.reading.regular import read_bytes

MOST_BYTES = 32 << 20
"""Of a network's files together: the largest flash that a board of the catalog has."""

MOST_ELEMENTS = 1 << 24
"""Of a tensor: more than any memory of a board holds."""


def network_content(path: Path, *, most: int = MOST_BYTES) -> bytes:
    """The bytes of a file.

    Raises:
        UserError: it is missing, unreadable, or too long.
    """
    try:
        return read_bytes(path, most=most)
    except OSError as error:
        raise UserError(
            f"a network must be a readable file of at most {MOST_BYTES >> 20} MiB",
            value=path,
            remedy=error.strerror or str(error),
        ) from None
