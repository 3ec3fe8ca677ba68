"""Scores of pairs as the firmware computes them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from tinysearch.core.cascade import Cascade
from tinysearch.core.pairs import Pairs
from tinysearch.core.quantization import COSINE_FRACTION_BITS, cosine_fixed_from_norms
from tinysearch.metrics.cascade import fused

Embeddings = npt.NDArray[np.int8] | npt.NDArray[np.float32]
_EXACT_IN_FLOAT32 = 1024  # E * 128 * 128 <= 2^24
_GRAM_ENTRIES = 4_000_000
_VALUES_AT_ONCE = 4_000_000


def score_pairs(embeddings: Embeddings, samples: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Cosines in fixed point, :data:`~tinysearch.core.quantization.COSINE_FRACTION_BITS` fraction bits.

    int8 embeddings give exactly :func:`~tinysearch.core.quantization.cosine_fixed`; float32 ones their cosine in double
    precision, rounded to nearest. An embedding of zeros has cosine 0 to everything.

    Args:
        embeddings: int8 or float32 [N, E], E <= 1024 for int8.
        samples: int32 [P, 2], rows of ``embeddings``.

    Raises:
        ValueError: another type or shape, or a float that is not finite.
    """
    if embeddings.ndim != 2 or samples.ndim != 2 or samples.shape[1] != 2:
        raise ValueError(f"embeddings must be [N, E] and samples [P, 2], got {embeddings.shape} and {samples.shape}")
    left, right = samples[:, 0], samples[:, 1]
    if embeddings.dtype == np.int8:
        if embeddings.shape[1] > _EXACT_IN_FLOAT32:
            raise ValueError(f"int8 embeddings must have at most {_EXACT_IN_FLOAT32} values, got {embeddings.shape[1]}")
        wide = embeddings.astype(np.float32)
        norms = np.rint(np.einsum("ne,ne->n", wide, wide)).astype(np.int64)
        dots = _dots(wide, left, right).astype(np.int64)
        return np.asarray(cosine_fixed_from_norms(dots, norms[left], norms[right]), np.int64)
    if embeddings.dtype != np.float32 or not np.isfinite(embeddings).all():
        raise ValueError(f"embeddings must be int8 or finite float32, got {embeddings.dtype}")
    double = embeddings.astype(np.float64)
    lengths = np.linalg.norm(double, axis=1, keepdims=True)
    unit = np.divide(double, lengths, out=np.zeros_like(double), where=lengths > 0)
    cosines = np.asarray(_dots(unit, left, right), np.float64)
    return np.asarray(np.rint(cosines * (1 << COSINE_FRACTION_BITS)), np.int64)


def branch_scores(embeddings: Mapping[str, Embeddings], pairs: Pairs) -> dict[str, npt.NDArray[np.int64]]:
    """Cosines of each branch over the same pairs, int64 [P] by modality.

    Args:
        embeddings: by modality, the same modalities as ``pairs``.

    Raises:
        ValueError: the modalities differ.
    """
    if not embeddings or set(embeddings) != set(pairs.samples):
        raise ValueError(
            f"embeddings and pairs must be of the same branches: {sorted(embeddings)}, {sorted(pairs.samples)}"
        )
    return {modality: score_pairs(values, pairs.samples[modality]) for modality, values in embeddings.items()}


def fused_scores(
    embeddings: Mapping[str, Embeddings],
    pairs: Pairs,
    *,
    weights: Mapping[str, int] | None = None,
    cascade: Cascade | None = None,
) -> npt.NDArray[np.int64]:
    """Sum of the cosines of all branches: what concatenating unit embeddings amounts to. int64 [P].

    Args:
        embeddings: by modality, the same modalities as ``pairs``.
        weights: of a weighted sum, see :mod:`tinysearch.metrics.fusion`; None or empty for the plain one.
        cascade: which branch decides alone where it is sure, see :mod:`tinysearch.metrics.cascade`; None for none.

    Raises:
        ValueError: the modalities differ.
    """
    return fused(branch_scores(embeddings, pairs), weights=weights or {}, cascade=cascade)


def _dots(
    values: npt.NDArray[np.floating], left: npt.NDArray[np.int32], right: npt.NDArray[np.int32]
) -> npt.NDArray[np.floating]:
    """Dot products of rows: one matrix product where many pairs share rows, else pair by pair."""
    count = len(values)
    if count * count <= min(_GRAM_ENTRIES, 32 * len(left)):
        return np.asarray((values @ values.T)[left, right])
    step = max(1, _VALUES_AT_ONCE // max(values.shape[1], 1))
    parts = [
        np.einsum("pe,pe->p", values[left[at : at + step]], values[right[at : at + step]])
        for at in range(0, len(left), step)
    ]
    return np.concatenate(parts) if parts else np.zeros(0, values.dtype)
