"""Scores of a cascade: two thresholds on the first branch's cosine, a sum of both cosines between them.

A pair that the first branch is sure of gets a score beyond all sums, so that one threshold decides on all pairs, and
error rates, thresholds and intervals of a cascade are made like those of any fusion. The firmware adds the same
integers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tinysearch.core.cascade import Cascade
from tinysearch.core.quantization import COSINE_FRACTION_BITS
from tinysearch.metrics.fusion import learned_weights, weighted_sum
from tinysearch.metrics.rates import det_curve, equal_error_rate, false_reject_rate, threshold_at_far

SURE = 1 << (COSINE_FRACTION_BITS + 3)
"""Added to a cosine that is sure to be a person's, taken from one that is sure not to be: beyond every sum of two."""

SHARES = (0.0, 0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1)
"""Shares of validation people's pairs that the first branch may decide wrongly by itself, to choose from."""

Scores = Mapping[str, npt.NDArray[np.int64]]
Bools = npt.NDArray[np.bool_]


def fused(scores: Scores, *, weights: Mapping[str, int], cascade: Cascade | None) -> npt.NDArray[np.int64]:
    """Scores [P] of any fusion, of the cosines [P] of its branches by modality."""
    if cascade is None:
        return weighted_sum(scores, weights)
    own = scores[cascade.first]
    accepted, rejected = own >= cascade.accept_from, own < cascade.reject_below
    return np.where(accepted, own + SURE, np.where(rejected, own - SURE, weighted_sum(scores, weights)))


def unsure(own: npt.NDArray[np.int64], cascade: Cascade) -> Bools:
    """Whether the second branch runs, bool [P], by the first one's cosines."""
    return (own >= cascade.reject_below) & (own < cascade.accept_from)


def chosen_cascade(
    scores: Scores, genuine: Bools, *, effort: Mapping[str, float], first: str | None, far: float | None
) -> tuple[Cascade, dict[str, int]]:
    """The cascade in which an owner's attempt takes least, among those that are no worse than the sum.

    No worse: neither in EER nor in FRR at ``far``. Either branch may come first; between its thresholds their cosines
    are added, or weighed as :func:`~tinysearch.metrics.fusion.learned_weights` does.

    Args:
        scores: cosines of validation people's pairs, [P] each, of two branches.
        genuine: bool [P].
        effort: what a branch takes, in any unit, by modality.
        first: modality of the branch that decides where it is sure; None for the one with which least is taken.
        far: false accept rate of the operating point, the most that the first branch may accept wrongly; None where no
            threshold is set.

    Returns:
        With the shares of these pairs in which the second branch runs, and the weights, empty for a plain sum.

    Raises:
        ValueError: a kind of pair is missing.
    """
    limits = _limits(weighted_sum(scores, {}), genuine, far)
    found: list[tuple[tuple[float, float], Cascade, dict[str, int]]] = []
    for weights in ({}, learned_weights(scores, genuine)):
        total = weighted_sum(scores, weights)
        for name in [first] if first else sorted(scores):
            (other,) = scores.keys() - {name}
            trial = _Trial(own=scores[name], total=total, genuine=genuine, far=far)
            for cascade in trial.cascades(name, *limits):
                taken = effort[name] + cascade.runs * effort[other]
                found.append(((taken, cascade.impostor_runs), cascade, weights))
    if not found:  # a first branch alone tells everybody apart
        name = first or min(sorted(scores), key=lambda each: effort[each])
        least = int(scores[name][genuine].min())
        alone = Cascade(first=name, reject_below=least, accept_from=least, runs=0.0, impostor_runs=0.0)
        return with_shares(alone, scores[name], genuine), {}
    return min(found, key=lambda each: each[0])[1:]


def _limits(plain: npt.NDArray[np.int64], genuine: Bools, far: float | None) -> tuple[float, float]:
    """EER of the plain sum, and its FRR at the operating point."""
    owners, strangers = plain[genuine], plain[~genuine]
    frr = 1.0 if far is None else false_reject_rate(owners, threshold_at_far(strangers, far))
    return equal_error_rate(det_curve(owners, strangers)), frr


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """Cascades of one first branch and one sum, judged by counts and without a curve each.

    Attributes:
        own, total: cosines of the first branch and sums, [P].
        genuine: bool [P].
        far: of the operating point; None for none.
    """

    own: npt.NDArray[np.int64]
    total: npt.NDArray[np.int64]
    genuine: Bools
    far: float | None
    owners: npt.NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "owners", np.sort(self.own[self.genuine]))

    def cascades(self, first: str, most_eer: float, most_frr: float) -> Iterator[Cascade]:
        """Those no worse than the limits, of which the second branch runs less from one to the next."""
        least = np.inf
        for accepted in (share for share in SHARES if self.far is None or share <= self.far):
            accept_from = threshold_at_far(self.own[~self.genuine], accepted)
            for rejected in SHARES:
                reject_below = int(self.owners[int(rejected * len(self.owners))])
                if reject_below > accept_from:
                    break
                cascade = Cascade(
                    first=first, reject_below=reject_below, accept_from=accept_from, runs=1.0, impostor_runs=1.0
                )
                cascade = with_shares(cascade, self.own, self.genuine)
                if cascade.runs > least:
                    continue
                if not self._no_worse(cascade, most_eer, most_frr):
                    break
                least = cascade.runs
                yield cascade

    def _no_worse(self, cascade: Cascade, most_eer: float, most_frr: float) -> bool:
        """Whether some threshold on the sums has both rates within the EER, and that of the FAR its FRR.

        The first implies an EER within the limit: from that threshold on one rate falls until they meet.
        """
        open_ = unsure(self.own, cascade)
        owners, strangers = np.sort(self.total[open_ & self.genuine]), np.sort(self.total[open_ & ~self.genuine])
        rejected = int(np.count_nonzero(self.own[self.genuine] < cascade.reject_below))
        accepted = int(np.count_nonzero(self.own[~self.genuine] >= cascade.accept_from))
        genuine, impostors = int(self.genuine.sum()), int((~self.genuine).sum())
        more = int(np.floor(most_eer * genuine + 1e-9)) - rejected  # owners that the sum may reject
        if more < 0:
            return False
        beyond = 0 if more >= len(owners) else len(strangers) - int(np.searchsorted(strangers, owners[more]))
        if accepted + beyond > most_eer * impostors + 1e-9:
            return False
        if self.far is None:
            return True
        more = int(np.floor(self.far * impostors + 1e-9)) - accepted  # strangers that the sum may accept
        if more < 0:
            return False
        below = 0 if more >= len(strangers) else int(np.searchsorted(owners, strangers[-1 - more], side="right"))
        return rejected + below <= most_frr * genuine + 1e-9


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
