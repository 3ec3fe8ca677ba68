"""Distances to what was seen, in the integers that the firmware computes, and the rates made of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinysearch.metrics import Distances, NormalModel, anomaly_distances, anomaly_error_rates, normal_model
from tinysearch.metrics.anomaly import area_interval, area_under_curve


def _blobs(*, count=200, size=8, kind=np.int8, seed=0):
    """Embeddings around two centers, stretched along one direction, and their labels."""
    rng = np.random.default_rng(seed)
    labels = np.repeat([0, 1], count // 2).astype(np.int32)
    spread = np.full(size, 3.0)
    spread[0] = 25.0
    rows = np.array([[40.0] * size, [-40.0] * size])[labels] + rng.normal(0, 1, (count, size)) * spread
    return (np.clip(np.rint(rows), -127, 127) if kind == np.int8 else rows / 50).astype(kind), labels


def _as_c_computes(row, model):
    """The module's definition with Python's integers, one loop a sum."""
    if row.dtype == np.float32:
        scaled = np.rint(np.ldexp(row, model.exponent))
        values = [int(min(max(value, -128), 127)) for value in scaled]
    else:
        values = [int(value) for value in row]
    half = (1 << model.shift) >> 1
    places = []
    for number, weights in enumerate(model.matrix.tolist()):
        total = sum(weights[e] * values[e] for e in range(number + 1))
        assert abs(total) < 2**31
        places.append((total + half) >> model.shift)
    sums = []
    for center in model.centers.tolist():
        apart = [max(-(2**19), min(2**19 - 1, z - c)) for z, c in zip(places, center, strict=True)]
        sums.append(sum(t * t for t in apart))
    return min(sums)


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.sampled_from([np.int8, np.float32]), st.sampled_from([1, 3, 40]))
def test_distances_are_those_of_the_definition(seed, kind, size):
    rng = np.random.default_rng(seed)
    rows = rng.normal(0, 30, (20, size))
    seen = np.clip(np.rint(rows), -128, 127).astype(np.int8) if kind == np.int8 else (rows * 1e-3).astype(np.float32)
    model = normal_model(seen, np.array([0] * 15 + [5] * 5, np.int32), classes=2)
    assert len(model.centers) == 1
    far = np.full((1, size), -128, np.int8) if kind == np.int8 else np.full((1, size), -9e9, np.float32)
    tried = np.concatenate([seen, far])
    found = anomaly_distances({"wrist": tried}, {"wrist": model})
    assert found.tolist() == [_as_c_computes(row, model) for row in tried]


@pytest.mark.parametrize("kind", [np.int8, np.float32])
def test_what_is_far_in_a_quiet_direction_is_farther(kind):
    seen, labels = _blobs(kind=kind)
    model = normal_model(seen, labels, classes=2)
    step = np.zeros((2, 8))
    step[0, 0] = step[1, 7] = 25 if kind == np.int8 else 0.5
    center = seen[labels == 0].astype(float).mean(axis=0)
    along, across = anomaly_distances({"a": (center + step).astype(kind)}, {"a": model})
    assert across > 3 * along
    both = anomaly_distances({"a": seen, "b": seen}, {"a": model, "b": model})
    assert np.array_equal(both, 2 * anomaly_distances({"a": seen}, {"a": model}))


def test_embeddings_that_never_change_have_distances_too():
    still = np.full((5, 4), 7, np.int8)
    model = normal_model(still, np.zeros(5, np.int32), classes=1)
    assert anomaly_distances({"a": still}, {"a": model}).max() == 0
    assert anomaly_distances({"a": still + np.int8(1)}, {"a": model}).min() > 0


@pytest.mark.parametrize("rows", [np.full((3, 2), np.nan, np.float32), np.full((3, 2), np.inf, np.float32)])
def test_what_is_no_number_is_refused(rows):
    with pytest.raises(ValueError, match="finite"):
        normal_model(rows, np.zeros(3, np.int32), classes=1)
    model = NormalModel(matrix=np.eye(2, dtype=np.int16), shift=0, centers=np.zeros((1, 2), np.int32))
    with pytest.raises(ValueError, match="finite"):
        anomaly_distances({"a": rows}, {"a": model})


def test_nothing_is_normal_without_a_normal_sample():
    with pytest.raises(ValueError, match="at least one normal sample"):
        normal_model(np.zeros((2, 3), np.int8), np.array([4, 5], np.int32), classes=4)


def _distances(anomalies, normals, *, groups=4):
    return Distances(
        anomalies=np.array(anomalies, np.int64),
        normals=np.array(normals, np.int64),
        anomaly_groups=(np.arange(len(anomalies)) % groups).astype(np.int32),
        normal_groups=(np.arange(len(normals)) % groups).astype(np.int32),
    )


def test_thresholds_need_normal_samples_alone_and_count_false_alarms():
    test = _distances(range(100, 200), range(150))
    validation = _distances([5], range(100))
    rates = anomaly_error_rates(validation=validation, test=test, rng=np.random.default_rng(0), far=(0.1,))
    assert rates.thresholds == {0.1: 90}  # ten of hundred normal ones reach it
    assert rates.far_at_threshold == {0.1: 60 / 150}
    assert rates.frr_at_far == {0.1: 0.0}
    assert rates.auc == pytest.approx((100 * 100 + sum(49.5 - i for i in range(50)) + 50 * 50) / (100 * 150))
    assert rates.auc_ci95[0] <= rates.auc <= rates.auc_ci95[1]
    assert rates.eer_ci95[0] <= rates.eer <= rates.eer_ci95[1]
    assert rates.decision_eer == rates.eer_validation


def test_the_area_counts_pairs_and_its_interval_widens_with_groups():
    rng = np.random.default_rng(1)
    centers = rng.normal(0, 3, 12)
    anomalies = np.rint(100 * (np.repeat(centers, 20) + rng.normal(2, 1, 240))).astype(np.int64)
    normals = np.rint(100 * rng.normal(0, 1, 240)).astype(np.int64)
    area = area_under_curve(anomalies, normals)
    assert area == pytest.approx(np.mean([(a > normals).mean() + (a == normals).mean() / 2 for a in anomalies]))
    each, grouped = np.arange(240, dtype=np.int32), np.repeat(np.arange(12), 20).astype(np.int32)
    narrow = area_interval(
        anomalies, normals, anomaly_groups=each, normal_groups=each, rng=np.random.default_rng(0), resamples=300
    )
    wide = area_interval(
        anomalies, normals, anomaly_groups=grouped, normal_groups=each, rng=np.random.default_rng(0), resamples=300
    )
    assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])
    assert narrow[0] < area < narrow[1]
