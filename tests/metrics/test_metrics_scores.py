"""Scores are those of the firmware's arithmetic, for one branch and for fusions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysearch.core.quantization import COSINE_FRACTION_BITS, cosine_fixed
from tinysearch.metrics import Pairs, distances, fused_scores, score_pairs

ONE = 1 << COSINE_FRACTION_BITS


def _indices(rng, samples, pairs):
    return rng.integers(0, samples, (pairs, 2), dtype=np.int32)


@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 70), st.integers(1, 50))
def test_int8_scores_are_cosine_fixed_bit_for_bit(seed, samples, width, pairs):
    rng = np.random.default_rng(seed)
    embeddings = rng.integers(-128, 128, (samples, width)).astype(np.int8)
    embeddings[0] = 0
    indices = _indices(rng, samples, pairs)
    expected = cosine_fixed(embeddings[indices[:, 0]], embeddings[indices[:, 1]])
    assert np.array_equal(score_pairs(embeddings, indices), expected)


def test_the_widest_and_largest_embedding_is_exact():
    embeddings = np.full((2, 1024), -128, np.int8)
    embeddings[1, 0] = 127
    for pairs in (np.array([[0, 1]], np.int32), np.tile(np.array([[0, 1]], np.int32), (50, 1))):
        assert np.array_equal(
            score_pairs(embeddings, pairs), cosine_fixed(embeddings[:1], embeddings[1:]).repeat(len(pairs))
        )


def test_pair_by_pair_and_all_at_once_agree(monkeypatch):
    rng = np.random.default_rng(0)
    embeddings = rng.integers(-128, 128, (40, 64)).astype(np.int8)
    indices = _indices(rng, 40, 500)
    together = score_pairs(embeddings, indices)
    monkeypatch.setattr("tinysearch.metrics.scores._GRAM_ENTRIES", 0)
    monkeypatch.setattr("tinysearch.metrics.scores._VALUES_AT_ONCE", 64 * 7)
    assert np.array_equal(score_pairs(embeddings, indices), together)


@given(st.integers(0, 2**32 - 1))
def test_float_scores_are_rounded_cosines(seed):
    rng = np.random.default_rng(seed)
    embeddings = (rng.standard_normal((10, 16)) * rng.uniform(0.01, 100)).astype(np.float32)
    embeddings[0] = 0
    indices = _indices(rng, 10, 20)
    left, right = (embeddings[indices[:, side]].astype(np.float64) for side in (0, 1))
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    cosine = np.divide((left * right).sum(1), norms, out=np.zeros(20), where=norms > 0)
    assert np.abs(score_pairs(embeddings, indices) - cosine * ONE).max() <= 0.51


def test_fusion_is_the_cosine_of_concatenated_unit_embeddings():
    rng = np.random.default_rng(0)
    face, voice = (rng.integers(-128, 128, (12, width)).astype(np.int8) for width in (64, 32))
    samples = {"face": _indices(rng, 12, 30), "voice": _indices(rng, 12, 30)}
    zeros = np.zeros(30, np.int32)
    pairs = Pairs(samples=samples, left_person=zeros, right_person=zeros)
    fused = fused_scores({"face": face, "voice": voice}, pairs)
    unit = {"face": face / np.linalg.norm(face, axis=1, keepdims=True)}
    unit["voice"] = voice / np.linalg.norm(voice, axis=1, keepdims=True)
    left, right = (np.hstack([unit[m][samples[m][:, side]] for m in unit]) / np.sqrt(2) for side in (0, 1))
    assert np.abs(fused / (2 * ONE) - (left * right).sum(1)).max() < 1e-5
    assert np.abs(distances(fused, branches=2) - np.linalg.norm(left - right, axis=1)).max() < 1e-3


@pytest.mark.parametrize(
    ("embeddings", "indices"),
    [
        (np.zeros((3, 4), np.int16), np.zeros((1, 2), np.int32)),
        (np.zeros((3, 2000), np.int8), np.zeros((1, 2), np.int32)),
        (np.full((3, 4), np.nan, np.float32), np.zeros((1, 2), np.int32)),
        (np.zeros(4, np.int8), np.zeros((1, 2), np.int32)),
        (np.zeros((3, 4), np.int8), np.zeros((2, 1), np.int32)),
    ],
)
def test_other_embeddings_are_refused(embeddings, indices):
    with pytest.raises(ValueError, match="embeddings"):
        score_pairs(embeddings, indices)


def test_modalities_must_match():
    one = np.zeros(1, np.int32)
    pairs = Pairs(samples={"face": np.zeros((1, 2), np.int32)}, left_person=one, right_person=one)
    with pytest.raises(ValueError, match="must be of the same branches"):
        fused_scores({"voice": np.zeros((1, 4), np.int8)}, pairs)


def test_pairs_check_their_shapes():
    with pytest.raises(ValueError, match="people of pairs"):
        Pairs(samples={}, left_person=np.zeros(2, np.int32), right_person=np.zeros(3, np.int32))
    with pytest.raises(ValueError, match="samples of 2 pairs"):
        two = np.zeros(2, np.int32)
        Pairs(samples={"face": np.zeros((2, 3), np.int32)}, left_person=two, right_person=two)
