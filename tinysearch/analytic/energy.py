"""Energy of computing: power of a chip by how many of its cores are busy, times the time in that mode.

Without sensors, acquisition, PSRAM and sleep: a figure to compare networks and chips by, not a battery life.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tinysearch.core.platform import Chip

Floats = npt.NDArray[np.float64]


def energy_mj(chip: Chip, seconds: Sequence[npt.ArrayLike], *, contention: float) -> Floats:
    """Energy of one inference of every branch, mJ.

    Args:
        chip: the longest runs beside all others where it has several cores, all one after the other where it has one.
        seconds: time of each branch alone on one core, arrays that broadcast against each other.
        contention: factor on both of two branches that run at once.
    """
    both = chip.active_power_w.value
    one = both if chip.one_core_power_w is None else chip.one_core_power_w.value
    times = [np.asarray(values, np.float64) for values in seconds]
    if len(times) == 1 or chip.cores == 1:
        total: Floats = sum(times, np.zeros(()))
        return one * total * 1e3
    longest, total = functools.reduce(np.maximum, times), functools.reduce(np.add, times)
    others = np.minimum(*times) if len(times) == 2 else total - longest
    shorter, longer = np.minimum(longest, others) * contention, np.maximum(longest, others) * contention
    energy: Floats = (both * shorter + one * (longer - shorter)) * 1e3
    return energy
