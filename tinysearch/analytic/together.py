"""Several branches on one chip: which of them has a backend that serves one, and how long all take together."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tinysearch.core.protocols import LatencyEstimate

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def served(wanted: Sequence[npt.ArrayLike], macs: Sequence[npt.ArrayLike]) -> list[Bools]:
    """Which branches have their backend: of those that want one which serves a single branch, the one of most MACs.

    Args:
        wanted: int, by branch: number of the backend that serves a single one, 0 for none or one that serves all.
        macs: of each branch; of equal ones the first wins. All arrays broadcast.

    Returns:
        By branch, true where it wants none.
    """
    backends, sizes = [np.asarray(each) for each in wanted], [np.asarray(each) for each in macs]
    found = []
    for place, (own, size) in enumerate(zip(backends, sizes, strict=True)):
        has: Bools = np.ones((), np.bool_)
        for other, (its, rival) in enumerate(zip(backends, sizes, strict=True)):
            if other != place and own.any() and its.any():
                more = rival > size if other > place else rival >= size
                has = has & ~((own == its) & (own > 0) & more)
        found.append(has)
    return found


def together(seconds: Sequence[npt.ArrayLike], *, cores: int, contention: float) -> Floats:
    """Seconds of one decision: branches in sequence on one core; on two the longest beside all others.

    Args:
        seconds: of each branch alone on one core, arrays that broadcast.
        contention: factor on the longer of two that run at once and share flash and memory.
    """
    times = [np.asarray(each, np.float64) for each in seconds]
    one_by_one: Floats = functools.reduce(np.add, times)
    if len(times) == 1 or cores == 1:
        return one_by_one
    longest: Floats = functools.reduce(np.maximum, times)
    return (longest if len(times) == 2 else np.maximum(longest, one_by_one - longest)) * contention


def combine(branches: Sequence[LatencyEstimate], *, cores: int, contention: float) -> LatencyEstimate:
    """Seconds of one decision with their range, by :func:`together`; at best, branches do not disturb each other."""
    join = functools.partial(together, cores=cores)
    return LatencyEstimate(
        seconds=float(join([part.seconds for part in branches], contention=contention)),
        low=float(join([part.low for part in branches], contention=1.0)),
        high=float(join([part.high for part in branches], contention=contention)),
        calibrated=all(part.calibrated for part in branches),
    )
