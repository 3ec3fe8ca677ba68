"""What every test gets: a logger as quiet or loud as the program found it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def logger_as_found() -> Iterator[None]:
    """``main`` called in a test sets the package's level (``-q``, ``-v``); the next test must not inherit it."""
    logger = logging.getLogger("tinysearch")
    level = logger.level
    yield
    logger.setLevel(level)
