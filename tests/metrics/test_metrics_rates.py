"""FAR, FRR, EER and thresholds against scikit-learn, closed forms and their own laws."""

import math
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import det_curve as sklearn_det_curve

from tinysearch.metrics import (
    det_curve,
    equal_error_rate,
    false_accept_rate,
    false_reject_rate,
    threshold_at_far,
)

scores = st.lists(st.integers(-20, 20), min_size=1, max_size=40).map(np.array)


def _literal_eer(genuine, impostor):
    """Walk all thresholds upwards and intersect the segment on which FRR overtakes FAR."""
    points = [
        (float(np.mean(impostor >= t)), float(np.mean(genuine < t)))
        for t in [*sorted({*genuine.tolist(), *impostor.tolist()}), math.inf]
    ]
    for (far0, frr0), (far1, frr1) in pairwise(points):
        if frr1 >= far1:
            part = (far0 - frr0) / ((far0 - frr0) + (frr1 - far1))
            return far0 + part * (far1 - far0)
    raise AssertionError


@given(scores, scores)
def test_curve_is_scikit_learns(genuine, impostor):
    curve = det_curve(genuine, impostor)
    labels = np.concatenate([np.ones(len(genuine)), np.zeros(len(impostor))])
    far, frr, thresholds = sklearn_det_curve(labels, np.concatenate([genuine, impostor]))
    for accepted, rejected, threshold in zip(far, frr, thresholds, strict=True):
        if not np.isfinite(threshold):
            continue
        assert accepted == pytest.approx(false_accept_rate(impostor, threshold))
        assert rejected == pytest.approx(false_reject_rate(genuine, threshold))
        place = int(np.searchsorted(curve.thresholds, threshold))
        assert (curve.far[place], curve.frr[place]) == pytest.approx((accepted, rejected))


@given(scores, scores)
def test_curve_runs_from_accepting_all_to_rejecting_all(genuine, impostor):
    curve = det_curve(genuine, impostor)
    assert (curve.far[0], curve.frr[0]) == (1.0, 0.0)
    assert (curve.far[-1], curve.frr[-1]) == (0.0, 1.0)
    assert np.all(np.diff(curve.far) <= 0)
    assert np.all(np.diff(curve.frr) >= 0)
    assert np.all(np.diff(curve.thresholds) > 0)


@given(scores, scores)
def test_eer_is_the_literal_intersection(genuine, impostor):
    assert equal_error_rate(det_curve(genuine, impostor)) == pytest.approx(_literal_eer(genuine, impostor))


@given(scores, scores, st.integers(1, 5), st.integers(-9, 9))
def test_eer_depends_on_the_order_of_scores_only(genuine, impostor, scale, shift):
    plain = equal_error_rate(det_curve(genuine, impostor))
    assert equal_error_rate(det_curve(genuine * scale + shift, impostor * scale + shift)) == pytest.approx(plain)
    assert equal_error_rate(det_curve(-impostor, -genuine)) == pytest.approx(plain)
    assert equal_error_rate(det_curve(impostor, genuine)) == pytest.approx(1 - plain)


def test_eer_of_known_cases():
    assert equal_error_rate(det_curve(np.array([3, 4]), np.array([1, 2]))) == 0.0
    assert equal_error_rate(det_curve(np.array([1, 2]), np.array([3, 4]))) == 1.0
    assert equal_error_rate(det_curve(np.array([5, 5]), np.array([5, 5, 5]))) == 0.5


def test_eer_of_two_gaussians_is_the_closed_form():
    rng = np.random.default_rng(0)
    for distance in (0.5, 1.0, 2.0, 3.0):
        genuine, impostor = rng.standard_normal(400_000) + distance, rng.standard_normal(400_000)
        expected = NormalDist().cdf(-distance / 2)
        assert equal_error_rate(det_curve(genuine, impostor)) == pytest.approx(expected, abs=0.003)


def test_eer_of_gaussians_of_unlike_width():
    rng = np.random.default_rng(1)
    genuine, impostor = 2.0 * rng.standard_normal(400_000) + 3.0, rng.standard_normal(400_000)
    assert equal_error_rate(det_curve(genuine, impostor)) == pytest.approx(NormalDist().cdf(-1.0), abs=0.003)


@given(scores, st.floats(0, 0.99))
def test_threshold_is_the_smallest_that_keeps_the_far(impostor, far):
    threshold = threshold_at_far(impostor, far)
    assert false_accept_rate(impostor, threshold) <= far + 1e-9
    assert false_accept_rate(impostor, threshold - 1) > far


def test_frr_at_far_of_gaussians():
    rng = np.random.default_rng(2)
    scale = 1 << 20
    genuine = np.rint((rng.standard_normal(300_000) + 2) * scale).astype(np.int64)
    impostor = np.rint(rng.standard_normal(300_000) * scale).astype(np.int64)
    for far in (0.01, 0.1):
        expected = NormalDist().cdf(NormalDist().inv_cdf(1 - far) - 2)
        assert false_reject_rate(genuine, threshold_at_far(impostor, far)) == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize("far", [-0.1, 1.0, float("nan")])
def test_rates_out_of_range_are_refused(far):
    with pytest.raises(ValueError, match="false accept rate"):
        threshold_at_far(np.arange(5), far)


@pytest.mark.parametrize(
    ("genuine", "impostor"), [([], [1]), ([1], []), ([np.nan], [1.0]), ([1.0], [np.inf])], ids=repr
)
def test_nothing_and_not_a_number_are_refused(genuine, impostor):
    with pytest.raises(ValueError, match="genuine|impostor"):  # noqa: RUF043 (an alternative is meant)
        det_curve(np.array(genuine), np.array(impostor))
