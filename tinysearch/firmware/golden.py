"""Golden vectors: what the oracle says that the C code computes, for the host build and the device's self-test."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from tinysearch.core.quantization import COSINE_FRACTION_BITS, cosine_fixed

PATTERNS = 2
"""Pseudo-random inputs of the self-test; ``TS_MODEL_PATTERNS`` in ts_model.h."""

_MULTIPLIER, _INCREMENT = 1664525, 1013904223

Embeddings = npt.NDArray[np.int8] | npt.NDArray[np.float32]


def pattern(shape: tuple[int, ...], seed: int) -> npt.NDArray[np.int8]:
    """Input number ``seed``, as ``ts_model_pattern`` fills it: the high bytes of a linear congruential sequence."""
    count = int(np.prod(shape))
    values, state = bytearray(count), seed
    for index in range(count):
        state = (state * _MULTIPLIER + _INCREMENT) & 0xFFFFFFFF
        values[index] = state >> 24
    return (np.frombuffer(bytes(values), np.uint8).astype(np.int16) - 128).astype(np.int8).reshape(shape)


def pattern_inputs(shape: tuple[int, ...]) -> npt.NDArray[np.int8]:
    """All patterns of the self-test: int8 [PATTERNS, height, width, channels]."""
    return np.stack([pattern(shape, seed) for seed in range(1, PATTERNS + 1)])


def pattern_crc(embeddings: Embeddings) -> int:
    """CRC-32 over the embeddings of the patterns, as the device prints it."""
    return zlib.crc32(np.ascontiguousarray(embeddings).tobytes())


def selftest_crc(crcs: Sequence[int]) -> int:
    """The one figure of the self-test over several branches: the first CRC, continued over the bytes of the others."""
    crc = crcs[0]
    for other in crcs[1:]:
        crc = zlib.crc32(other.to_bytes(4, "little"), crc)
    return crc


def cosine(left: Embeddings, right: Embeddings) -> int:
    """Cosine of two embeddings in the firmware's fixed point."""
    if left.dtype == np.int8:
        return int(cosine_fixed(left.astype(np.int8), right.astype(np.int8)))
    a, b = left.astype(np.float64), right.astype(np.float64)
    norms = float(np.sqrt(a @ a) * np.sqrt(b @ b))
    return 0 if norms == 0.0 else round(float(a @ b) / norms * (1 << COSINE_FRACTION_BITS))


def pair_scores(embeddings: Mapping[str, Embeddings]) -> list[tuple[int, int, int]]:
    """Sums of cosines over branches for all pairs of golden vectors: (left, right, score)."""
    count = min(len(rows) for rows in embeddings.values())
    return [
        (left, right, sum(cosine(rows[left], rows[right]) for rows in embeddings.values()))
        for left, right in combinations(range(count), 2)
    ]
