"""Scores of a cascade: two thresholds on the first branch's cosine, the sum of both cosines between them.

A pair that the first branch is sure of gets a score beyond all sums, so that one threshold decides on all pairs, and
error rates, thresholds and intervals of a cascade are made like those of any fusion. The firmware adds the same
integers.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from tinysearch.core.cascade import Cascade
from tinysearch.core.quantization import COSINE_FRACTION_BITS
from tinysearch.metrics.fusion import weighted_sum
from tinysearch.metrics.rates import det_curve, equal_error_rate, threshold_at_far

SURE = 1 << (COSINE_FRACTION_BITS + 3)
"""Added to a cosine that is sure to be a person's, taken from one that is sure not to be: beyond every sum of two."""

SHARES = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
"""Shares of validation people's pairs that the first branch may decide wrongly by itself, to choose from."""

Scores = Mapping[str, npt.NDArray[np.int64]]
Bools = npt.NDArray[np.bool_]


def fused(scores: Scores, *, weights: Mapping[str, int], cascade: Cascade | None) -> npt.NDArray[np.int64]:
    """Scores [P] of any fusion, of the cosines [P] of its branches by modality."""
    if cascade is None:
        return weighted_sum(scores, weights)
    own = scores[cascade.first]
    accepted, rejected = own >= cascade.accept_from, own < cascade.reject_below
    return np.where(accepted, own + SURE, np.where(rejected, own - SURE, weighted_sum(scores, {})))


def unsure(own: npt.NDArray[np.int64], cascade: Cascade) -> Bools:
    """Whether the second branch runs, bool [P], by the first one's cosines."""
    return (own >= cascade.reject_below) & (own < cascade.accept_from)


def chosen_cascade(scores: Scores, genuine: Bools, *, first: str, far: float) -> Cascade:
    """The cascade whose second branch runs least, among those whose EER is no worse than that of the sum.

    Args:
        scores: cosines of validation people's pairs, [P] each, of two branches.
        genuine: bool [P].
        first: modality of the branch that decides where it is sure.
        far: the strictest false accept rate that a threshold is wanted for: at most half of it is accepted early, so
            that there is such a threshold.

    Returns:
        With the shares of these pairs in which the second branch runs.

    Raises:
        ValueError: a kind of pair is missing.
    """
    own, total = scores[first], weighted_sum(scores, {})
    limit = equal_error_rate(det_curve(total[genuine], total[~genuine]))
    owners = np.sort(own[genuine])
    found: list[tuple[float, Cascade]] = []
    for accepted in (share for share in SHARES if share <= far / 2):
        for rejected in SHARES:
            cascade = with_shares(
                Cascade(
                    first=first,
                    reject_below=int(owners[int(rejected * len(owners))]),
                    accept_from=threshold_at_far(own[~genuine], accepted),
                    runs=1.0,
                    impostor_runs=1.0,
                ),
                own,
                genuine,
            )
            if cascade.reject_below > cascade.accept_from:
                continue
            score = fused(scores, weights={}, cascade=cascade)
            if equal_error_rate(det_curve(score[genuine], score[~genuine])) <= limit + 1e-12:
                found.append((cascade.runs + cascade.impostor_runs, cascade))
    if not found:  # the first branch alone tells everybody apart
        return with_shares(
            Cascade(first=first, reject_below=int(owners[0]), accept_from=int(owners[0]), runs=0.0, impostor_runs=0.0),
            own,
            genuine,
        )
    return min(found, key=lambda pair: pair[0])[1]


def with_shares(cascade: Cascade, own: npt.NDArray[np.int64], genuine: Bools) -> Cascade:
    """A cascade with the shares of these pairs, [P] cosines of its first branch, in which its second branch runs."""
    runs = unsure(own, cascade)
    return Cascade(
        first=cascade.first,
        reject_below=cascade.reject_below,
        accept_from=cascade.accept_from,
        runs=float(runs[genuine].mean()),
        impostor_runs=float(runs[~genuine].mean()),
    )
