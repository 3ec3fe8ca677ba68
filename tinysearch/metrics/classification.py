"""Classification by the nearest class: the same integer cosines as in verification, to one prototype a class.

A class is known by the mean of its training embeddings, each of unit length, in the embeddings' own type; a sample
belongs to the class whose prototype it has the largest cosine to. Of several branches the cosines are added, as for
the fusion of a verification.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from tinysearch.metrics.scores import Embeddings, score_pairs

Int32 = npt.NDArray[np.int32]
_INT8_TOP = 127


def class_prototypes(embeddings: Embeddings, labels: Int32, *, classes: int) -> Embeddings:
    """Mean direction of each class's embeddings, [classes, E] in the type of the embeddings.

    Args:
        embeddings: int8 or float32 [N, E], of training samples.
        labels: int32 [N], 0 .. classes - 1.

    Returns:
        float32 of unit length, or int8 whose largest value is 127 or -127; zeros for a class without samples.

    Raises:
        ValueError: labels out of range, or not one a sample.
    """
    if len(labels) != len(embeddings) or (len(labels) and not 0 <= labels.min() <= labels.max() < classes):
        raise ValueError(f"labels must be 0 .. {classes - 1}, one a sample: {len(labels)} for {len(embeddings)}")
    wide = embeddings.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    unit = np.divide(wide, lengths, out=np.zeros_like(wide), where=lengths > 0)
    sums = np.zeros((classes, embeddings.shape[1]))
    np.add.at(sums, labels, unit)
    if embeddings.dtype == np.int8:
        top = np.abs(sums).max(axis=1, keepdims=True)
        scaled = np.divide(sums * _INT8_TOP, top, out=np.zeros_like(sums), where=top > 0)
        return np.asarray(np.rint(scaled), np.int8)
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(np.divide(sums, norms, out=np.zeros_like(sums), where=norms > 0), np.float32)


def class_scores(embeddings: Embeddings, prototypes: Embeddings) -> npt.NDArray[np.int64]:
    """Fixed-point cosines [N, classes] of samples [N, E] to prototypes [classes, E] of the same type."""
    count, classes = len(embeddings), len(prototypes)
    rows, columns = np.divmod(np.arange(count * classes, dtype=np.int32), np.int32(classes))
    table = np.concatenate([embeddings, prototypes])
    return score_pairs(table, np.stack([rows, columns + count], axis=1)).reshape(count, classes)


def classify(scores: Mapping[str, npt.NDArray[np.int64]]) -> Int32:
    """Class [N] of the largest sum of the branches' scores [N, classes]; of equal ones the first."""
    if not scores:
        raise ValueError("a sample must have the scores of at least one branch")
    return np.asarray(np.sum(list(scores.values()), axis=0, dtype=np.int64).argmax(axis=1), np.int32)


def error_interval(errors: int, count: int, *, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of an error rate: ``errors`` of ``count`` independent samples.

    >>> [round(bound, 4) for bound in error_interval(5, 100)]
    [0.0215, 0.1118]

    Raises:
        ValueError: no samples, or more errors than samples.
    """
    if not 0 <= errors <= count or count < 1:
        raise ValueError(f"errors must be a part of at least one sample, got {errors} of {count}")
    z = NormalDist().inv_cdf((1 + level) / 2)
    rate, spread = errors / count, z * z / count
    center = (rate + spread / 2) / (1 + spread)
    reach = z / (1 + spread) * (rate * (1 - rate) / count + spread / (4 * count)) ** 0.5
    return max(0.0, min(center - reach, rate)), min(1.0, max(center + reach, rate))
