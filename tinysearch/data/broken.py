"""What every way of reading a sample raises where no rule mends it."""

from __future__ import annotations

from tinysearch.core.errors import TinysearchError


class BrokenSampleError(TinysearchError):
    """A sample that no rule mends; the message says why, without the file's name."""
