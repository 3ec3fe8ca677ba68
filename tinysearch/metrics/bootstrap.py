"""How far error rates can be trusted: bootstrap over people."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinysearch.core.pairs import Pairs

Int64 = npt.NDArray[np.int64]
_WEIGHTS_AT_ONCE = 2_000_000


def eer_interval(
    scores: npt.NDArray[np.integer],
    pairs: Pairs,
    *,
    rng: np.random.Generator,
    resamples: int = 1000,
    level: float = 0.95,
) -> tuple[float, float] | None:
    """Percentile interval of the equal error rate over the choice of people.

    A resample draws as many people as there are, with replacement, so that person p occurs c_p times. A genuine pair
    then weighs c_p, an impostor pair c_l c_r: pairs of one person stand or fall together, which a bootstrap over pairs
    ignores. People who share an identity are drawn together (``Pairs.groups``); pairs within a group weigh c.

    Args:
        scores: [P], one a pair.
        rng: draws the people.
        resamples: at least 1.
        level: share of resamples inside.

    Returns:
        Low and high rate, or None where no resample had both kinds of pairs.

    Raises:
        ValueError: scores and pairs differ in number, or a kind of pair is missing.
    """
    if len(scores) != len(pairs):
        raise ValueError(f"every pair must have one score: {len(scores)} scores for {len(pairs)} pairs")
    rates = resampled_eers(scores, pairs, rng=rng, resamples=resamples)
    if not rates.size:
        return None
    low, high = np.quantile(rates, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def frr_interval(
    rejected: npt.NDArray[np.bool_],
    persons: npt.NDArray[np.integer],
    *,
    rng: np.random.Generator,
    resamples: int = 1000,
    level: float = 0.95,
) -> tuple[float, float]:
    """Percentile interval of a false reject rate at a fixed threshold, over the choice of people.

    Where no pair or every pair is rejected all resamples agree; then the bound is that of so many people of whom none
    (or all) fail: the exact binomial one.

    Args:
        rejected: [G], whether each genuine pair is below the threshold.
        persons: [G], whose pair it is (its group, ``Pairs.grouped``).
        rng: draws the people.
        resamples: at least 1.
        level: share of resamples inside.

    Raises:
        ValueError: no pair.
    """
    if not len(rejected):
        raise ValueError("there must be genuine pairs for a false reject rate")
    names, owner = np.unique(persons, return_inverse=True)
    outside = (1 - level) / 2
    rate = float(np.mean(rejected))
    if rate in (0.0, 1.0):
        edge = outside ** (1 / len(names))
        return (0.0, 1 - edge) if rate == 0.0 else (edge, 1.0)
    pairs = np.bincount(owner, minlength=len(names))
    failed = np.bincount(owner, weights=rejected, minlength=len(names))
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=resamples)
    low, high = np.quantile((drawn @ failed) / (drawn @ pairs), [outside, 1 - outside])
    return float(low), float(high)


def resampled_eers(
    scores: npt.NDArray[np.integer], pairs: Pairs, *, rng: np.random.Generator, resamples: int
) -> npt.NDArray[np.float64]:
    """Equal error rates of resamples, without those that lack genuine or impostor pairs; float64 [<= resamples]."""
    names, groups = np.unique(np.stack(pairs.grouped()), return_inverse=True)
    left, right = groups.reshape(2, -1)
    genuine = pairs.genuine
    if genuine.all() or not genuine.any():
        raise ValueError("there must be genuine and impostor pairs for error rates")
    order = np.argsort(scores, kind="stable")
    accepted, rejected = order[~genuine[order]], order[genuine[order]]
    thresholds = np.append(np.unique(scores), scores.max() + 1)
    below_impostor = np.searchsorted(scores[accepted], thresholds, side="left")
    below_genuine = np.searchsorted(scores[rejected], thresholds, side="left")
    within = (left == right)[accepted]
    share = np.full(len(names), 1 / len(names))
    rates = []
    batch = max(1, _WEIGHTS_AT_ONCE // len(scores))
    for start in range(0, resamples, batch):
        counts = rng.multinomial(len(names), share, size=min(batch, resamples - start)).T.astype(np.int32)
        others = counts[right[accepted]]
        others[within] = 1
        impostors = _cumulative(counts[left[accepted]] * others)
        genuines = _cumulative(counts[left[rejected]])
        usable = (impostors[-1] > 0) & (genuines[-1] > 0)
        rates.append(_weighted_eer(genuines, impostors, below_genuine, below_impostor)[usable])
    return np.concatenate(rates)


def grouped_eers(
    genuine: npt.NDArray[np.integer],
    impostor: npt.NDArray[np.integer],
    *,
    genuine_groups: npt.NDArray[np.integer],
    impostor_groups: npt.NDArray[np.integer],
    rng: np.random.Generator,
    resamples: int,
) -> npt.NDArray[np.float64]:
    """Equal error rates of resamples over groups, those of genuine and of impostor scores apart; float64 [resamples].

    Args:
        genuine, impostor: scores [G] and [I].
        genuine_groups, impostor_groups: the group of each; scores of one stand or fall together.
    """
    thresholds = np.append(np.unique(np.concatenate([genuine, impostor])), max(genuine.max(), impostor.max()) + 1)
    weights, below = [], []
    for scores, groups in ((genuine, genuine_groups), (impostor, impostor_groups)):
        order = np.argsort(scores, kind="stable")
        names, owner = np.unique(groups, return_inverse=True)
        drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=resamples).astype(np.int32)
        weights.append(_cumulative(drawn.T[owner[order]]))
        below.append(np.searchsorted(scores[order], thresholds, side="left"))
    return _weighted_eer(weights[0], weights[1], below[0], below[1])


def _cumulative(weights: npt.NDArray[np.int32]) -> npt.NDArray[np.integer]:
    """Sums of the first 0 .. P rows, [P + 1, R]."""
    kind = np.int32 if int(weights.max(initial=0)) * len(weights) < 2**31 else np.int64
    sums = np.zeros((len(weights) + 1, weights.shape[1]), kind)
    np.cumsum(weights, axis=0, out=sums[1:])
    return sums


def _weighted_eer(
    genuines: npt.NDArray[np.integer], impostors: npt.NDArray[np.integer], below_genuine: Int64, below_impostor: Int64
) -> npt.NDArray[np.float64]:
    """Rates [R] by bisection for the first threshold at which FRR reaches FAR, then as for the plain curve."""
    column = np.arange(genuines.shape[1])
    all_genuine = np.maximum(genuines[-1], 1).astype(np.float64)
    all_impostor = np.maximum(impostors[-1], 1).astype(np.float64)

    def rates(place: Int64) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        frr = genuines[below_genuine[place], column] / all_genuine
        return 1.0 - impostors[below_impostor[place], column] / all_impostor, frr

    low = np.zeros(len(column), np.int64)
    high = np.full(len(column), len(below_genuine) - 1)
    while (high - low > 1).any():
        middle = (low + high) // 2
        far, frr = rates(middle)
        low, high = np.where(frr >= far, low, middle), np.where(frr >= far, middle, high)
    (far_low, frr_low), (far_high, frr_high) = rates(low), rates(high)
    gap = (frr_high - far_high) - (frr_low - far_low)
    part = -(frr_low - far_low) / np.where(gap > 0, gap, 1.0)
    return np.asarray(far_low + part * (far_high - far_low), np.float64)
