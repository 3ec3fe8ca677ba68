"""What a training will take."""

from __future__ import annotations

import numpy as np

from tinysearch.search.design import Floats
from tinysearch.search.knowledge import Knowledge


def training_costs(knowledge: Knowledge) -> Floats:
    """Expected seconds of training each branch, relative to the mean of all, float64 [B].

    Seconds are taken to grow with a power of the MACs, which is fitted (towards 0.7, with the weight of three
    trainings) to the trainings seen; before any, it is the MACs alone that tell.
    """
    logs = np.log(np.maximum(knowledge.table.macs, 1.0))
    seen = [(b, s) for b, s in knowledge.seconds.items() if s > 0]
    slope = 0.7
    if len(seen) >= 2:
        x = logs[[b for b, _ in seen]]
        y = np.log([s for _, s in seen])
        x, y = x - x.mean(), y - y.mean()
        slope = float((x @ y + 3 * 0.7) / (x @ x + 3))
    seconds = np.exp(np.clip(slope, 0.0, 1.5) * (logs - logs.mean()))
    return np.asarray(seconds / seconds.mean(), np.float64)
