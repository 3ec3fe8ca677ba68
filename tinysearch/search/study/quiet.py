"""Optuna's own words about studies, which are none of the user's, left out while a study is made."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from tinysearch.core.borrowed import Borrowed


def _read() -> int:
    import optuna

    return optuna.logging.get_verbosity()


def _write(level: int) -> None:
    import optuna

    optuna.logging.set_verbosity(level)


_verbosity = Borrowed(_read, _write)


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Within, Optuna warns and says nothing else; afterwards as much as before."""
    with _verbosity.as_(logging.WARNING):
        yield
