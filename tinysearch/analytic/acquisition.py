"""How long sensing takes before the networks of one attempt can compute."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def acquisition_s(sensors_s: Sequence[npt.ArrayLike], *, cores: int) -> Floats:
    """Capture and front-end of one attempt, as the firmware does it: side by side on two cores, in turns on one.

    Args:
        sensors_s: of each branch's sensor in seconds, at least one; arrays are broadcast.

    Returns:
        float64 of the broadcast shape.
    """
    together = np.maximum if cores > 1 else np.add
    return np.asarray(functools.reduce(together, sensors_s), np.float64)
