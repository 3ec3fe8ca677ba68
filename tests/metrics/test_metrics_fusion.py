"""Weighted and learned fusion: integers that keep the scale of the plain sum."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from tinysearch.metrics import Pairs, branch_scores, fused_scores, integer_weights, learned_weights, weighted_sum

ONE = 1 << 20
cosines = st.lists(st.integers(-ONE, ONE), min_size=1, max_size=20)


@given(cosines)
def test_equal_weights_are_the_plain_sum(values):
    scores = {"face": np.array(values, np.int64), "voice": np.array(values[::-1], np.int64)}
    plain = weighted_sum(scores, {})
    assert np.array_equal(plain, scores["face"] + scores["voice"])
    assert np.array_equal(plain, weighted_sum(scores, integer_weights({"face": 7.0, "voice": 7.0})))


@given(st.floats(0, 1e6), st.floats(0, 1e6), cosines)
def test_weights_keep_the_range_and_fit_the_firmwares_integers(first, second, values):
    if first + second == 0:
        first = 1.0
    weights = integer_weights({"face": first, "voice": second})
    assert sum(weights.values()) == 512
    assert min(weights.values()) >= 0
    assert abs(weights["face"] / 512 - first / (first + second)) <= 1 / 512
    scores = {name: np.array(values, np.int64) for name in weights}
    fused = weighted_sum(scores, weights)
    assert np.array_equal(fused, 2 * scores["face"])  # both say the same: any weights give their sum
    assert np.abs(sum(scores[name] * weight for name, weight in weights.items())).max() < 2**31


@pytest.mark.parametrize("shares", [{}, {"face": 0.0, "voice": 0.0}, {"face": -1.0, "voice": 2.0}, {"face": np.nan}])
def test_impossible_weights_are_refused(shares):
    with pytest.raises(ValueError, match="must not be negative, nor all zero"):
        integer_weights(shares)


def test_weights_of_other_modalities_are_refused():
    with pytest.raises(ValueError, match="must be of the same branches"):
        weighted_sum({"face": np.zeros(2, np.int64)}, {"voice": 256})


def _scores(rng, *, face, voice, count=4000):
    genuine = np.arange(count) < count // 2
    noise = rng.normal(0, 0.15, (2, count))
    values = {"face": noise[0] + face * genuine, "voice": noise[1] + voice * genuine}
    return {name: np.rint(np.clip(value, -1, 1) * ONE).astype(np.int64) for name, value in values.items()}, genuine


def test_learned_weights_are_those_of_a_logistic_regression():
    scores, genuine = _scores(np.random.default_rng(0), face=0.4, voice=0.1)
    weights = learned_weights(scores, genuine)
    features = np.stack(list(scores.values()), axis=1) / ONE
    # our loss is a mean with ridge 1e-3, scikit-learn's is a sum weighed by C
    slopes = LogisticRegression(C=1 / (1e-3 * len(genuine)), tol=1e-8).fit(features, genuine).coef_[0]
    expected = integer_weights({"face": slopes[0], "voice": slopes[1]})
    assert abs(weights["face"] - expected["face"]) <= 1
    assert weights["face"] > 2 * weights["voice"]


def test_a_branch_that_speaks_against_a_person_gets_no_weight():
    scores, genuine = _scores(np.random.default_rng(1), face=0.3, voice=-0.3)
    assert learned_weights(scores, genuine) == {"face": 512, "voice": 0}
    useless, _ = _scores(np.random.default_rng(1), face=-0.3, voice=-0.3)
    assert learned_weights(useless, genuine) == {"face": 256, "voice": 256}


def test_separable_scores_have_finite_weights():
    genuine = np.array([True, True, False, False])
    scores = {"face": np.array([ONE, ONE, -ONE, -ONE]), "voice": np.array([ONE, ONE, -ONE, -ONE])}
    assert learned_weights(scores, genuine) == {"face": 256, "voice": 256}
    with pytest.raises(ValueError, match="genuine and impostor"):
        learned_weights(scores, np.ones(4, bool))


def test_fused_scores_take_weights():
    rng = np.random.default_rng(2)
    embeddings = {name: rng.integers(-128, 128, (6, 8)).astype(np.int8) for name in ("face", "voice")}
    samples = rng.integers(0, 6, (9, 2)).astype(np.int32)
    pairs = Pairs(
        samples=dict.fromkeys(embeddings, samples), left_person=samples[:, 0], right_person=samples[:, 1].copy()
    )
    apart = branch_scores(embeddings, pairs)
    assert np.array_equal(
        fused_scores(embeddings, pairs, weights={"face": 384, "voice": 128}),
        (384 * apart["face"] + 128 * apart["voice"]) // 256,
    )
