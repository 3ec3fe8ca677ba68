"""FAR, FRR, equal error rate and thresholds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.integer] | npt.NDArray[np.floating]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DetCurve:
    """Error rates over all thresholds that matter, K + 1 of them in ascending order.

    Attributes:
        thresholds: every score that occurs, and one above all (infinity for floating point). [K + 1].
        far: falls from 1 to 0. frr: rises from 0 to 1. float64 [K + 1].
    """

    thresholds: npt.NDArray[np.generic]
    far: Float64
    frr: Float64


def det_curve(genuine: Scores, impostor: Scores) -> DetCurve:
    """Error rates by threshold; a pair is accepted iff its score reaches it.

    Args:
        genuine, impostor: scores, [G] and [I], any order.

    Raises:
        ValueError: no genuine or no impostor score, or a score that is not a number.
    """
    genuine, impostor = _sorted(genuine, "genuine"), _sorted(impostor, "impostor")
    known = np.union1d(genuine, impostor)
    above = known[-1:] + 1 if np.issubdtype(known.dtype, np.integer) else np.full(1, np.inf)
    thresholds = np.concatenate([known, above])
    rejected = np.searchsorted(genuine, thresholds, side="left") / len(genuine)
    accepted = 1.0 - np.searchsorted(impostor, thresholds, side="left") / len(impostor)
    return DetCurve(thresholds=thresholds, far=accepted, frr=rejected)


def equal_error_rate(curve: DetCurve) -> float:
    """Rate at which FAR and FRR are equal, linear between neighboring points of the curve (no convex hull).

    >>> import numpy as np
    >>> equal_error_rate(det_curve(np.array([2, 3, 4, 5]), np.array([0, 1, 2, 4])))
    0.25
    """
    gap = curve.frr - curve.far
    after = int(np.argmax(gap >= 0))  # gap rises from -1 to 1, so 0 < after
    part = -gap[after - 1] / (gap[after] - gap[after - 1])
    return float(curve.far[after - 1] + part * (curve.far[after] - curve.far[after - 1]))


def threshold_at_far(impostor: npt.NDArray[np.integer], far: float) -> int:
    """Smallest integer threshold that accepts at most a share ``far`` of impostor scores.

    Args:
        impostor: integer scores [I].
        far: 0 <= far < 1.

    Raises:
        ValueError: no score, or a rate outside that range.
    """
    if not 0.0 <= far < 1.0:
        raise ValueError(f"a false accept rate must lie in [0, 1), got {far}")
    ordered = _sorted(impostor, "impostor")
    allowed = int(np.floor(far * len(ordered) + 1e-9))
    return int(ordered[len(ordered) - 1 - allowed]) + 1


def smallest_far(impostors: int) -> float:
    """The smallest false accept rate that a threshold from so many impostor pairs can be set for: 3 / pairs.

    The rule of three: where none of N independent pairs is accepted, the rate may still be 3 / N (95 %).
    """
    return min(1.0, 3.0 / impostors) if impostors else 1.0


def false_accept_rate(impostor: Scores, threshold: float) -> float:
    """Share of impostor scores that reach the threshold."""
    return float(np.mean(np.asarray(impostor) >= threshold))


def false_reject_rate(genuine: Scores, threshold: float) -> float:
    """Share of genuine scores below the threshold."""
    return float(np.mean(np.asarray(genuine) < threshold))


def _sorted(scores: Scores, what: str) -> Scores:
    ordered = np.sort(np.asarray(scores).ravel())
    if not ordered.size:
        raise ValueError(f"there must be at least one {what} score for error rates")
    if np.issubdtype(ordered.dtype, np.floating) and not np.isfinite(ordered).all():
        raise ValueError(f"{what} scores must be finite numbers")
    return ordered
