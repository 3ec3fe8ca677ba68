"""What every test gets: a logger as quiet or loud as the program found it; and how many tests run at once."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tinysearch.app.config.resources import processors

LOGGER = logging.getLogger("tinysearch")
LEVEL = LOGGER.level


@pytest.fixture(autouse=True)
def logger_as_found() -> Iterator[None]:
    """``main`` called in a test or in a module's fixture sets the level (``-q``, ``-v``); no test inherits it."""
    LOGGER.setLevel(LEVEL)
    yield
    LOGGER.setLevel(LEVEL)


def pytest_xdist_auto_num_workers() -> int:
    """One more than processors: many tests wait, for a database, a browser or a process that they started."""
    return processors() + 1
