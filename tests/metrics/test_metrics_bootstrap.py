"""The interval over people: against literal resampling, and against its meaning."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinysearch.metrics import Pairs, det_curve, eer_interval, equal_error_rate
from tinysearch.metrics.bootstrap import resampled_eers


def _pairs(left, right):
    samples = np.stack([np.arange(len(left)), np.arange(len(left))], axis=1).astype(np.int32)
    return Pairs(
        samples={"face": samples}, left_person=np.array(left, np.int32), right_person=np.array(right, np.int32)
    )


def _all_pairs(persons):
    left, right = np.triu_indices(len(persons), 1)
    return Pairs(
        samples={"face": np.stack([left, right], axis=1).astype(np.int32)},
        left_person=persons[left].astype(np.int32),
        right_person=persons[right].astype(np.int32),
    )


def _literal(scores, pairs, counts):
    """Every pair repeated as often as its people were drawn."""
    genuine = pairs.genuine
    left, right = pairs.grouped()
    weights = np.array([counts[a] if a == b else counts[a] * counts[b] for a, b in zip(left, right, strict=True)])
    repeated, kind = np.repeat(scores, weights), np.repeat(genuine, weights)
    if kind.all() or not kind.any():
        return None
    return equal_error_rate(det_curve(repeated[kind], repeated[~kind]))


@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(2, 4), st.integers(1, 30))
@settings(max_examples=60, deadline=None)
def test_resamples_are_the_literal_ones(seed, people, samples, spread):
    rng = np.random.default_rng(seed)
    pairs = _all_pairs(np.repeat(np.arange(people), samples))
    scores = rng.integers(-spread, spread + 1, len(pairs)) + pairs.genuine * spread
    fast = resampled_eers(scores, pairs, rng=np.random.default_rng(seed), resamples=20)
    counts = np.random.default_rng(seed).multinomial(people, np.full(people, 1 / people), size=20)
    literal = [_literal(scores, pairs, own) for own in counts]
    expected = [rate for rate in literal if rate is not None]
    # between two occurring scores a zero-weight pair splits a segment of the literal curve: same line, same crossing
    assert fast == pytest.approx(expected)


def test_people_of_a_group_are_drawn_together():
    plain = _all_pairs(np.repeat(np.arange(8), 3))
    groups = np.array([0, 0, 1, 1, 2, 2, 3, 3], np.int32)
    pairs = Pairs(samples=plain.samples, left_person=plain.left_person, right_person=plain.right_person, groups=groups)
    scores = np.random.default_rng(0).integers(-30, 31, len(pairs)) + pairs.genuine * 20
    fast = resampled_eers(scores, pairs, rng=np.random.default_rng(5), resamples=40)
    counts = np.random.default_rng(5).multinomial(4, np.full(4, 1 / 4), size=40)
    literal = [_literal(scores, pairs, own) for own in counts]
    assert fast == pytest.approx([rate for rate in literal if rate is not None])
    with pytest.raises(ValueError, match="every person must have a group"):
        Pairs(samples={}, left_person=plain.left_person, right_person=plain.right_person, groups=groups[:7])


def test_batches_do_not_matter(monkeypatch):
    pairs = _all_pairs(np.repeat(np.arange(10), 4))
    scores = np.random.default_rng(0).integers(0, 1000, len(pairs)) + 300 * pairs.genuine
    whole = resampled_eers(scores, pairs, rng=np.random.default_rng(1), resamples=50)
    monkeypatch.setattr("tinysearch.metrics.bootstrap._WEIGHTS_AT_ONCE", 3 * len(pairs))
    assert resampled_eers(scores, pairs, rng=np.random.default_rng(1), resamples=50) == pytest.approx(whole)


def _population(rng, people, *, samples=6, spread=1.0):
    """People on a line: a score is minus the distance of two noisy positions."""
    place = rng.standard_normal(people) * spread
    persons = np.repeat(np.arange(people), samples)
    seen = place[persons] + 0.3 * rng.standard_normal(len(persons))
    pairs = _all_pairs(persons)
    left, right = pairs.samples["face"].T
    return np.rint(-1000 * np.abs(seen[left] - seen[right])).astype(np.int64), pairs


def test_interval_covers_the_population():
    """Of many small samples of people, most intervals hold the rate of a large one."""
    rng = np.random.default_rng(0)
    scores, pairs = _population(rng, 300, samples=5)
    truth = equal_error_rate(det_curve(scores[pairs.genuine], scores[~pairs.genuine]))
    inside = 0
    for _ in range(60):
        scores, pairs = _population(rng, 15)
        low, high = eer_interval(scores, pairs, rng=rng, resamples=200)
        inside += low <= truth <= high
    assert inside >= 48  # 80 %: a percentile bootstrap of 15 people is known to be somewhat short


def test_more_people_narrow_the_interval():
    rng = np.random.default_rng(1)
    widths = []
    for people in (8, 80):
        scores, pairs = _population(rng, people)
        low, high = eer_interval(scores, pairs, rng=rng, resamples=300)
        widths.append(high - low)
    assert widths[1] < 0.6 * widths[0]


def test_same_seed_same_interval_and_inputs_stay():
    scores, pairs = _population(np.random.default_rng(2), 10)
    before = scores.copy()
    first, second = (eer_interval(scores, pairs, rng=np.random.default_rng(7), resamples=100) for _ in range(2))
    assert first == second
    assert np.array_equal(scores, before)


def test_people_may_have_any_numbers():
    scores, pairs = _population(np.random.default_rng(3), 9)
    renamed = Pairs(
        samples=pairs.samples, left_person=pairs.left_person * 1000 + 5, right_person=pairs.right_person * 1000 + 5
    )
    assert eer_interval(scores, pairs, rng=np.random.default_rng(0)) == eer_interval(
        scores, renamed, rng=np.random.default_rng(0)
    )


def test_nothing_to_resample():
    with pytest.raises(ValueError, match="genuine and impostor"):
        eer_interval(np.array([1, 2]), _pairs([0, 1], [0, 1]), rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="every pair must have one score"):
        eer_interval(np.array([1]), _pairs([0, 1], [0, 2]), rng=np.random.default_rng(0))
