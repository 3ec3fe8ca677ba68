"""One score out of those of several branches: their sum, a weighted sum, or weights learned from scores.

Integer form of all of them, as in the firmware: ``sum(weight[b] * cosine[b]) >> FUSION_FRACTION_BITS``, weights being
integers whose sum is one unit a branch. Equal weights give exactly the sum of the cosines, which is what
concatenating unit embeddings amounts to; thresholds and distances keep their scale under any weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from tinysearch.core.quantization import COSINE_FRACTION_BITS

FUSION_FRACTION_BITS = 8
"""Fraction bits of a weight: two cosines of 2^20 times weights that sum to 2^9 stay within int32."""

FusionRule = Literal["concatenation", "weighted", "learned", "cascade"]
FUSION_RULES: tuple[FusionRule, ...] = get_args(FusionRule)

_RIDGE = 1e-3
_NEWTON_STEPS = 50
Float64 = npt.NDArray[np.float64]


def integer_weights(shares: Mapping[str, float]) -> dict[str, int]:
    """Fixed-point weights in proportion to shares: they sum to one unit, 2^8, a branch.

    >>> integer_weights({"face": 3, "voice": 1})
    {'face': 384, 'voice': 128}

    Args:
        shares: by modality, not negative, of any scale.

    Raises:
        ValueError: no share, a negative one, or none above zero.
    """
    values = np.array(list(shares.values()), np.float64)
    if not values.size or not np.isfinite(values).all() or values.min() < 0 or values.sum() <= 0:
        raise ValueError(f"weights must not be negative, nor all zero, got {dict(shares)}")
    total = len(values) << FUSION_FRACTION_BITS
    exact = values / values.sum() * total
    weights = np.floor(exact).astype(np.int64)
    rest = total - int(weights.sum())
    weights[np.argsort(weights - exact, kind="stable")[:rest]] += 1
    return {modality: int(weight) for modality, weight in zip(shares, weights, strict=True)}


def weighted_sum(scores: Mapping[str, npt.NDArray[np.int64]], weights: Mapping[str, int]) -> npt.NDArray[np.int64]:
    """Fused scores [P] of each branch's scores [P]; floor of the scaled sum, an arithmetic shift right.

    Args:
        scores: fixed-point cosines by modality.
        weights: of :func:`integer_weights`; empty for the plain sum.

    Raises:
        ValueError: no scores, or weights of other modalities.
    """
    if not scores or (weights and set(weights) != set(scores)):
        raise ValueError(f"scores and weights must be of the same branches: {sorted(scores)}, {sorted(weights)}")
    if not weights:
        return np.asarray(np.sum(list(scores.values()), axis=0, dtype=np.int64), np.int64)
    total = np.sum([scores[modality] * weight for modality, weight in weights.items()], axis=0, dtype=np.int64)
    return np.asarray(total >> FUSION_FRACTION_BITS, np.int64)


def learned_weights(scores: Mapping[str, npt.NDArray[np.int64]], genuine: npt.NDArray[np.bool_]) -> dict[str, int]:
    """Weights of a logistic regression from the branches' scores to whether a pair is genuine.

    Both kinds of pairs weigh the same in all, and a small ridge keeps the weights of separable scores finite. A branch
    whose weight would be negative, so that alike samples speak against a person, gets none.

    Args:
        scores: fixed-point cosines by modality, [P] each, of people whom no rate is measured on.
        genuine: bool [P].

    Raises:
        ValueError: a kind of pair is missing.
    """
    if genuine.all() or not genuine.any():
        raise ValueError("there must be genuine and impostor pairs to learn weights from")
    active = list(scores)
    found = dict.fromkeys(scores, 0.0)
    while active:
        features = np.stack([scores[modality] / (1 << COSINE_FRACTION_BITS) for modality in active], axis=1)
        slopes = dict(zip(active, _logistic(features, genuine).tolist(), strict=True))
        kept = [modality for modality in active if slopes[modality] > 0]
        if len(kept) == len(active):
            found |= slopes
            break
        active = kept
    return integer_weights(found if any(found.values()) else dict.fromkeys(scores, 1.0))


def _logistic(features: Float64, genuine: npt.NDArray[np.bool_]) -> Float64:
    """Slopes [F] of a balanced, slightly regularized logistic regression of features [P, F], by damped Newton steps."""
    inputs = np.concatenate([features, np.ones((len(features), 1))], axis=1)
    balance = np.where(genuine, 0.5 / genuine.mean(), 0.5 / (1 - genuine.mean())) / len(genuine)
    ridge = np.diag([_RIDGE] * features.shape[1] + [0.0])
    sign = np.where(genuine, 1.0, -1.0)

    def loss(slopes: Float64) -> float:
        return float(balance @ np.logaddexp(0.0, -sign * (inputs @ slopes)) + 0.5 * slopes @ ridge @ slopes)

    slopes = np.zeros(inputs.shape[1])
    for _ in range(_NEWTON_STEPS):
        chance = 0.5 * (1 + np.tanh(0.5 * (inputs @ slopes)))
        gradient = inputs.T @ (balance * (chance - genuine)) + ridge @ slopes
        curvature = (inputs * (balance * chance * (1 - chance))[:, None]).T @ inputs + ridge
        step = np.linalg.lstsq(curvature, gradient, rcond=None)[0]
        before, scale = loss(slopes), 1.0
        while scale > 1e-6 and loss(slopes - scale * step) > before:
            scale /= 2
        slopes = slopes - scale * step
        if float(np.abs(scale * step).max()) < 1e-8:
            break
    return np.asarray(slopes[:-1], np.float64)
