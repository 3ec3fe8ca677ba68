"""What an error rate means to people: how often an owner tries, how long that takes, and when the lock shuts them out.

Attempts of one person are taken as independent, each rejected with probability FRR, so that their number until the
first success has a geometric distribution. (The paper prints "divided by the false reject rate", which is an erratum.)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def expected_attempts(frr: npt.ArrayLike) -> Floats:
    """Mean number of attempts until an owner is accepted, 1 / (1 - FRR).

    Args:
        frr: false reject rates, any shape.

    Returns:
        float64 of that shape; infinite where nobody is ever accepted, NaN where the rate is.
    """
    with np.errstate(divide="ignore"):
        return np.asarray(1.0 / np.maximum(1.0 - np.asarray(frr, np.float64), 0.0), np.float64)


def effective_latency_s(attempt_s: npt.ArrayLike, frr: npt.ArrayLike) -> Floats:
    """Expected time until an owner who retries is accepted: every attempt captures and computes anew.

    Args:
        attempt_s: one whole attempt: capture, front-end and inference (:attr:`Evaluation.attempt_s`), > 0.
        frr: false reject rates at the FAR in question; broadcast against ``attempt_s``.

    Returns:
        float64; infinite where nobody is ever accepted, NaN where the rate is.

    >>> effective_latency_s(3.0, [0.0, 0.5, 1.0]).tolist()
    [3.0, 6.0, inf]
    """
    return np.asarray(attempt_s, np.float64) * expected_attempts(frr)


def lockout_chance(frr: npt.ArrayLike, *, failures: int) -> Floats:
    """Chance that an owner fails so many times in a row; float64 of the shape of ``frr``."""
    return np.asarray(frr, np.float64) ** failures


def known(value: npt.ArrayLike) -> float | None:
    """One figure as documents have it: None for what is unknown (NaN) or never happens (infinite)."""
    number = float(np.asarray(value, np.float64))
    return number if np.isfinite(number) else None
