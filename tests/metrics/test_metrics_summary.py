"""The figures of one branch or fusion, and whether two modalities err together."""

import numpy as np
import pytest

from tinysearch.metrics import (
    Pairs,
    agreement,
    det_curve,
    distances,
    equal_error_rate,
    error_rates,
    false_reject_rate,
    threshold_at_far,
)
from tinysearch.metrics.agreement import distance_histogram

ONE = 1 << 20


def _judged(people, shift, *, seed):
    """Scores and pairs of some people, genuine ones higher by ``shift``."""
    rng = np.random.default_rng(seed)
    persons = np.repeat(np.arange(people), 5)
    left, right = np.triu_indices(len(persons), 1)
    pairs = Pairs(
        samples={"face": np.stack([left, right], axis=1).astype(np.int32)},
        left_person=persons[left].astype(np.int32),
        right_person=persons[right].astype(np.int32),
    )
    cosine = np.clip(0.2 * rng.standard_normal(len(pairs)) + shift * pairs.genuine, -1, 1)
    return np.rint(cosine * ONE).astype(np.int64), pairs


def _rates(**options):
    validation_scores, validation_pairs = _judged(12, 0.4, seed=0)
    test_scores, test_pairs = _judged(20, 0.3, seed=1)
    defaults = {
        "validation_scores": validation_scores,
        "validation_pairs": validation_pairs,
        "test_scores": test_scores,
        "test_pairs": test_pairs,
        "rng": np.random.default_rng(0),
        "resamples": 200,
    }
    return error_rates(**defaults | options), validation_scores, validation_pairs, test_scores, test_pairs


def test_thresholds_are_of_validation_people_and_rates_of_test_people():
    rates, validation, validation_pairs, test, test_pairs = _rates()
    impostor = validation[~validation_pairs.genuine]
    for far in (0.01, 0.1):
        assert rates.thresholds[far] == threshold_at_far(impostor, far)
        assert rates.frr_at_far[far] == false_reject_rate(test[test_pairs.genuine], rates.thresholds[far])
        of_validation = false_reject_rate(validation[validation_pairs.genuine], rates.thresholds[far])
        assert rates.decision_frr_at_far[far] == of_validation < rates.frr_at_far[far]
    assert rates.eer == equal_error_rate(det_curve(test[test_pairs.genuine], test[~test_pairs.genuine]))
    expected = equal_error_rate(det_curve(validation[validation_pairs.genuine], impostor))
    assert rates.eer_validation == rates.decision_eer == expected
    assert rates.eer_validation < rates.eer
    low, high = rates.eer_ci95
    assert low <= rates.eer <= high
    assert high > low
    assert (rates.people, rates.genuine, rates.impostor) == (20, 200, 4750)
    assert rates.evidence == "trained"


def test_curves_are_short_and_whole():
    rates, *_, test, test_pairs = _rates()
    far, frr = rates.curves["far"], rates.curves["frr"]
    assert 40 <= len(far) == len(frr) <= 60
    assert (far[0], frr[0], far[-1], frr[-1]) == (1.0, 0.0, 0.0, 1.0)
    whole = det_curve(test[test_pairs.genuine], test[~test_pairs.genuine])
    points = set(zip(whole.far.tolist(), whole.frr.tolist(), strict=True))
    assert set(zip(far, frr, strict=True)) <= points
    for name in ("genuine_histogram", "impostor_histogram"):
        assert len(rates.curves[name]) == len(rates.curves["distance"]) == 40
        assert sum(rates.curves[name]) == pytest.approx(1.0)
    assert all(type(value) is float for curve in rates.curves.values() for value in curve)


def test_options_are_obeyed():
    rates, *_ = _rates(resamples=0, far=(0.05,), evidence="table")
    assert rates.eer_ci95 is None
    assert set(rates.thresholds) == set(rates.frr_at_far) == {0.05}
    assert rates.evidence == "table"


def test_scores_and_pairs_go_together():
    scores, pairs = _judged(4, 0.3, seed=0)
    with pytest.raises(ValueError, match="every pair must have one score"):
        _rates(test_scores=scores[:-1], test_pairs=pairs)


def test_histogram_of_distances():
    scores = np.array([ONE, ONE, 0, -ONE])
    assert distances(scores) == pytest.approx([0, 0, np.sqrt(2), 2])
    histogram = distance_histogram(scores, bins=4)
    assert histogram.tolist() == [0.5, 0, 0.25, 0.25]
    assert distance_histogram(scores + 3, bins=4).sum() == 1.0  # rounding may take a cosine beyond one
    assert not distance_histogram(scores[:0], bins=4).any()


def test_agreement_counts_who_is_right():
    genuine = np.array([True, True, True, True, False, False, False, False])
    face = np.array([9, 9, 1, 1, 1, 1, 9, 9])
    voice = np.array([9, 1, 9, 1, 1, 9, 1, 9])
    found = agreement(face, voice, genuine, first_threshold=5, second_threshold=5)
    assert (found.both, found.only_first, found.only_second, found.neither) == (0.25, 0.25, 0.25, 0.25)
    assert found.neither_if_independent == 0.25


def test_independent_modalities_err_together_by_chance_only():
    rng = np.random.default_rng(0)
    genuine = rng.random(100_000) < 0.5
    face, voice = (np.where(rng.random(100_000) < error, ~genuine, genuine) for error in (0.1, 0.3))
    found = agreement(face * 1, voice * 1, genuine, first_threshold=1, second_threshold=1)
    assert found.neither == pytest.approx(0.03, abs=0.003)
    assert found.neither_if_independent == pytest.approx(0.03, abs=0.003)
    same = agreement(face * 1, face * 1, genuine, first_threshold=1, second_threshold=1)
    assert same.neither == pytest.approx(0.1, abs=0.005)
    assert same.neither_if_independent < 0.02
    assert same.only_first == same.only_second == 0


def test_agreement_needs_the_same_pairs():
    with pytest.raises(ValueError, match="same pairs"):
        agreement(np.zeros(2, int), np.zeros(3, int), np.zeros(2, bool), first_threshold=0, second_threshold=0)
