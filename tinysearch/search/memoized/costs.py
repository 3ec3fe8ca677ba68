"""What a training will take."""

from __future__ import annotations

import numpy as np

from tinysearch.search.known.design import Floats
from tinysearch.search.known.knowledge import Knowledge

SECONDS_PER_MACS = 0.7
"""Power of the MACs with which seconds of training grow: small networks are bound by what every step costs."""


def training_costs(knowledge: Knowledge) -> Floats:
    """Expected seconds of training each branch, relative to the mean of all, float64 [B].

    From the MACs alone and not from the seconds measured so far: these differ from run to run, and a search with the
    same seed would decide otherwise.
    """
    seconds = np.maximum(knowledge.table.macs, 1.0) ** SECONDS_PER_MACS
    return np.asarray(seconds / seconds.mean(), np.float64)
