"""What every test gets: a logger as the program found it, a folder of objects; and how many tests run at once."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tinysearch.app.config.resources import processors

# How fast examples are drawn and tested is the machine's load, and no test asserts wall times.
settings.register_profile("any load", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any load")

LOGGER = logging.getLogger("tinysearch")
LEVEL = LOGGER.level


def pytest_configure(config: pytest.Config) -> None:
    """A folder for what is compiled once, whose name the workers inherit."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        folder = tempfile.TemporaryDirectory(prefix="compiled_once_")
        os.environ["COMPILED_ONCE"] = folder.name
        config.add_cleanup(folder.cleanup)


@pytest.fixture(autouse=True)
def logger_as_found() -> Iterator[None]:
    """``main`` called in a test or in a module's fixture sets the level (``-q``, ``-v``); no test inherits it."""
    LOGGER.setLevel(LEVEL)
    yield
    LOGGER.setLevel(LEVEL)


def pytest_xdist_auto_num_workers() -> int:
    """One more than processors: many tests wait, for a database, a browser or a process that they started."""
    return processors() + 1
