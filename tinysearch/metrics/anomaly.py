"""Anomalies by the distance to what was seen: integers that the firmware computes exactly.

What is normal is a :class:`NormalModel` a branch, made of training embeddings of normal samples alone: the center of
each normal class, and a matrix that makes the embeddings' deviations from their centers equally large in all directions
(a Mahalanobis distance whose covariance is that within the classes). Definition of a decision, for a sample with one
embedding of each of B branches; all numbers are integers, ``>>`` rounds towards minus infinity:

1. x[e], int8: the embedding as it is; of a float32 embedding ``clamp(rint(value * 2^exponent), -128, 127)``, halves to
   even, which in C is ``lrintf(ldexpf(value, exponent))`` clamped. A value that is not finite is refused.
2. z[r] = (sum over e <= r of matrix[r][e] x[e] + half) >> shift, where half is 2^(shift - 1), or 0 where shift is 0.
   The matrix is int16 and lower triangular; sums fit int32 by construction.
3. t[k][r] = clamp(z[r] - centers[k][r], -2^19, 2^19 - 1), for each center k; int32.
4. d_b = the smallest, over k, of the sum over r of t[k][r]^2; int64, below 2^48 for 1024 values.
5. D = d_1 + .. + d_B. The sample is an anomaly iff D >= T, the threshold, an int64 that normal validation samples set.

The words of a verification keep their formulas: an alarm is what is *accepted*. So FAR is the share of normal samples
that raise a false alarm, FRR the share of anomalies that are missed, and a threshold for a FAR needs normal samples
alone. AUC is the chance that an anomaly is farther than a normal sample.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinysearch.metrics.scores import Embeddings

Int16 = npt.NDArray[np.int16]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]

UNITS_A_DEVIATION = 64
"""One standard deviation, after the matrix."""

SHRINKAGE = 0.3
"""Part of the mean variance that is added to each direction's: people to come differ more than those of training."""

_ROUNDING_VARIANCE = 1 / 12  # of an embedding in integers
_LARGEST_DEVIATION = 1 << 19
_LARGEST_SUM = 1 << 29
_MOST_SHIFT = 15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NormalModel:
    """What is normal, as the firmware holds it; the module says what is computed with it.

    Attributes:
        matrix: int16 [E, E], lower triangular.
        shift: 0 .. 15, of sums of products.
        centers: int32 [K, E], one for each normal class that has samples.
        exponent: of 2, with which float32 embeddings become integers; 0 for int8 ones.
    """

    matrix: Int16
    shift: int
    centers: Int32
    exponent: int = 0


def normal_model(embeddings: Embeddings, labels: Int32, *, classes: int) -> NormalModel:
    """What is normal of one branch.

    Args:
        embeddings: int8 or float32 [N, E], E <= 1024, of training samples.
        labels: int32 [N]; samples whose label is not below ``classes`` are no normal ones and are left out.
        classes: how many classes are normal.

    Raises:
        ValueError: no normal sample, or a value that is not finite.
    """
    normal = labels < classes
    if not normal.any():
        raise ValueError("there must be at least one normal sample")
    exponent = _exponent(embeddings[normal])
    rows = _integers(embeddings[normal], exponent).astype(np.float64)
    _, own = np.unique(labels[normal], return_inverse=True)
    counts = np.bincount(own)
    means = np.zeros((len(counts), rows.shape[1]))
    np.add.at(means, own, rows)
    means /= counts[:, None]
    apart = rows - means[own]
    covariance = apart.T @ apart / len(rows)
    spread = SHRINKAGE * float(np.trace(covariance)) / len(covariance) + _ROUNDING_VARIANCE
    factor = np.linalg.cholesky(covariance + spread * np.eye(len(covariance)))
    whitening = UNITS_A_DEVIATION * np.linalg.inv(factor)
    shift = _shift(whitening)
    matrix = np.tril(np.rint(whitening * (1 << shift))).astype(np.int16)
    centers = np.rint(means @ matrix.T.astype(np.float64) / (1 << shift)).astype(np.int32)
    return NormalModel(matrix=matrix, shift=shift, centers=centers, exponent=exponent)


def anomaly_distances(embeddings: Mapping[str, Embeddings], models: Mapping[str, NormalModel]) -> Int64:
    """Distances D of the module's definition, int64 [N].

    Args:
        embeddings: by branch, [N, E].
        models: by branch.

    Raises:
        ValueError: no branch, or a value that is not finite.
    """
    if not embeddings:
        raise ValueError("a sample must have the distances of at least one branch")
    return np.asarray(np.sum([_distances(rows, models[name]) for name, rows in embeddings.items()], axis=0), np.int64)


def _distances(embeddings: Embeddings, model: NormalModel) -> Int64:
    """d_b of one branch, int64 [N]."""
    values = _integers(embeddings, model.exponent).astype(np.float64)
    sums = (values @ model.matrix.T.astype(np.float64)).astype(np.int64)  # exact: below 2^53
    places = (sums + (1 << model.shift >> 1)) >> model.shift
    found = np.full(len(places), np.iinfo(np.int64).max)
    for center in model.centers:
        apart = np.clip(places - center, -_LARGEST_DEVIATION, _LARGEST_DEVIATION - 1)
        found = np.minimum(found, (apart * apart).sum(axis=1))
    return found


def _integers(embeddings: Embeddings, exponent: int) -> npt.NDArray[np.int8]:
    """Embeddings as int8."""
    if embeddings.dtype == np.int8:
        return np.asarray(embeddings, np.int8)
    if not np.isfinite(embeddings).all():
        raise ValueError("embeddings must be finite")
    scaled = np.ldexp(embeddings.astype(np.float32), exponent)
    return np.asarray(np.clip(np.rint(scaled), -128, 127), np.int8)


def _exponent(embeddings: Embeddings) -> int:
    """The largest that keeps all values within 127; 0 for int8."""
    if embeddings.dtype == np.int8:
        return 0
    largest = float(np.abs(embeddings).max())
    if not math.isfinite(largest):
        raise ValueError("embeddings must be finite")
    return min(30, math.floor(math.log2(127 / largest))) if largest > 0 else 0


def _shift(whitening: npt.NDArray[np.float64]) -> int:
    """As many fraction bits as int16 entries and int32 sums leave."""
    entries = 32766 / float(np.abs(whitening).max())
    sums = (_LARGEST_SUM / 128 - len(whitening)) / float(np.abs(whitening).sum(axis=1).max())
    return max(0, min(_MOST_SHIFT, math.floor(math.log2(min(entries, sums)))))


def area_under_curve(anomalies: Int64, normals: Int64) -> float:
    """Chance that an anomaly is farther than a normal sample, ties counting half.

    >>> area_under_curve(np.array([3, 5]), np.array([1, 3]))
    0.875

    Raises:
        ValueError: no anomaly or no normal sample.
    """
    if not len(anomalies) or not len(normals):
        raise ValueError("there must be anomalies and normal samples for an area under the curve")
    return float(_wins(anomalies, normals).mean())


def area_interval(
    anomalies: Int64,
    normals: Int64,
    *,
    anomaly_groups: Int32,
    normal_groups: Int32,
    rng: np.random.Generator,
    resamples: int = 1000,
    level: float = 0.95,
) -> tuple[float, float]:
    """Percentile interval of the area over the choice of groups, those of anomalies and of normal samples apart.

    Samples of a group, for example windows of a recording, stand or fall together.

    Args:
        anomaly_groups, normal_groups: [A] and [N], the group of each sample.
        resamples: at least 1.
    """
    rows, anomaly_counts = _by_group(_wins(anomalies, normals), anomaly_groups)
    wins, normal_counts = _by_group(rows.T, normal_groups)
    drawn_anomalies, drawn_normals = (
        rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=resamples)
        for counts in (anomaly_counts, normal_counts)
    )
    won = np.einsum("rn,na,ra->r", drawn_normals, wins, drawn_anomalies)
    areas = won / ((drawn_normals @ normal_counts) * (drawn_anomalies @ anomaly_counts))
    low, high = np.quantile(areas, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _wins(anomalies: Int64, normals: Int64) -> npt.NDArray[np.float64]:
    """[A, N]: 1 where the anomaly is farther, 1/2 for a tie."""
    gap = anomalies[:, None] - normals[None]
    return np.asarray((np.sign(gap) + 1) / 2, np.float64)


def _by_group(rows: npt.NDArray[np.float64], groups: Int32) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Sums of the rows of each group, and how many there are."""
    names, owner = np.unique(groups, return_inverse=True)
    sums = np.zeros((len(names), rows.shape[1]))
    np.add.at(sums, owner, rows)
    return sums, np.bincount(owner, minlength=len(names))
