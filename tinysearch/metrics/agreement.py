"""Distances, their histograms, and whether two modalities err together (paper, Figure 5 and section 7.1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinysearch.core.quantization import COSINE_FRACTION_BITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Shares of the same pairs that two modalities decide rightly; they add up to one.

    Attributes:
        both, only_first, only_second, neither: who is right.
        neither_if_independent: product of the two error rates; below ``neither`` where the modalities err together.
    """

    both: float
    only_first: float
    only_second: float
    neither: float
    neither_if_independent: float


def agreement(
    first: npt.NDArray[np.integer],
    second: npt.NDArray[np.integer],
    genuine: npt.NDArray[np.bool_],
    *,
    first_threshold: int,
    second_threshold: int,
) -> Agreement:
    """Compare the decisions of two modalities on the same pairs.

    Args:
        first, second: scores [P].
        genuine: bool [P].
        first_threshold, second_threshold: accept iff the score reaches it.

    Raises:
        ValueError: no pairs, or arrays of different length.
    """
    if not len(genuine) or not len(first) == len(second) == len(genuine):
        raise ValueError(f"scores must be of the same pairs, got {len(first)}, {len(second)} and {len(genuine)}")
    right_first = (np.asarray(first) >= first_threshold) == genuine
    right_second = (np.asarray(second) >= second_threshold) == genuine
    return Agreement(
        both=float(np.mean(right_first & right_second)),
        only_first=float(np.mean(right_first & ~right_second)),
        only_second=float(np.mean(~right_first & right_second)),
        neither=float(np.mean(~right_first & ~right_second)),
        neither_if_independent=float(np.mean(~right_first) * np.mean(~right_second)),
    )


def distances(scores: npt.NDArray[np.integer], *, branches: int = 1) -> npt.NDArray[np.float64]:
    """Euclidean distances, 0 .. 2, between unit embeddings (of a fusion: concatenated and made unit again).

    Args:
        scores: sums of cosines over branches in fixed point.
        branches: how many.
    """
    cosine = np.asarray(scores, np.float64) / (branches << COSINE_FRACTION_BITS)
    return np.sqrt(np.maximum(2.0 - 2.0 * cosine, 0.0))


def distance_histogram(
    scores: npt.NDArray[np.integer], *, branches: int = 1, bins: int = 40
) -> npt.NDArray[np.float64]:
    """Share of pairs in each of ``bins`` equal bins of distance over 0 .. 2, float64 [bins]; zeros for no pairs."""
    counts, _ = np.histogram(np.minimum(distances(scores, branches=branches), 2.0), bins=bins, range=(0.0, 2.0))
    return np.asarray(counts / max(len(scores), 1), np.float64)
