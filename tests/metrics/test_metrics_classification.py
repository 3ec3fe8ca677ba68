"""Classification by the nearest class, in the integers of verification."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysearch.core.quantization import cosine_fixed
from tinysearch.metrics import class_error_rates, class_prototypes, class_scores, classify, error_interval


def _blobs(rng, *, classes=4, samples=30, spread=20.0):
    centers = rng.integers(-90, 90, (classes, 16))
    labels = np.repeat(np.arange(classes, dtype=np.int32), samples)
    values = centers[labels] + rng.normal(0, spread, (len(labels), 16))
    return np.clip(np.rint(values), -128, 127).astype(np.int8), labels


def test_int8_and_float32_find_the_same_classes():
    values, labels = _blobs(np.random.default_rng(0))
    decided = []
    for kind in (np.int8, np.float32):
        typed = values.astype(kind)
        prototypes = class_prototypes(typed, labels, classes=4)
        assert prototypes.dtype == kind
        decided.append(classify({"face": class_scores(typed, prototypes)}))
    assert np.array_equal(decided[0], labels)
    assert np.array_equal(decided[0], decided[1])


def test_scores_are_the_firmwares_cosines():
    values, labels = _blobs(np.random.default_rng(1))
    prototypes = class_prototypes(values, labels, classes=4)
    assert np.abs(prototypes.astype(int)).max(axis=1).tolist() == [127] * 4
    assert np.array_equal(class_scores(values, prototypes), cosine_fixed(values[:, None], prototypes[None]))


def test_a_class_without_samples_is_never_far_off():
    values, labels = _blobs(np.random.default_rng(2), classes=3)
    prototypes = class_prototypes(values, labels, classes=5)
    assert not prototypes[3:].any()
    assert class_scores(values, prototypes)[:, 3:].max() == 0
    with pytest.raises(ValueError, match=r"0 \.\. 1"):
        class_prototypes(values, labels, classes=2)


def test_two_branches_outvote_one():
    face = np.array([[5, 4, 0], [0, 1, 0]], np.int64)
    voice = np.array([[0, 3, 0], [0, 0, 0]], np.int64)
    assert classify({"face": face}).tolist() == [0, 1]
    assert classify({"face": face, "voice": voice}).tolist() == [1, 1]


@given(st.integers(1, 500), st.data())
def test_the_interval_holds_the_rate(count, data):
    errors = data.draw(st.integers(0, count))
    low, high = error_interval(errors, count)
    assert 0 <= low <= errors / count <= high <= 1
    assert high - low < error_interval(errors, count, level=0.99)[1] - error_interval(errors, count, level=0.99)[0]


def test_the_interval_is_wilsons():
    # Wilson's bounds solve (p - rate)^2 = z^2 p (1 - p) / n
    z, rate, count = 1.959963984540054, 0.05, 100
    for bound in error_interval(5, count):
        assert (bound - rate) ** 2 == pytest.approx(z * z * bound * (1 - bound) / count)
    with pytest.raises(ValueError, match="at least one sample"):
        error_interval(0, 0)


def test_rates_stand_where_equal_error_rates_do():
    labels = np.zeros(10, np.int32)
    rates = class_error_rates(
        validation_found=np.array([0, 1], np.int32),
        validation_labels=labels[:2],
        test_found=np.array([1] + [0] * 9, np.int32),
        test_labels=labels,
        rng=np.random.default_rng(0),
    )
    assert (rates.eer, rates.eer_validation) == (0.1, 0.5)
    assert rates.eer_ci95 == error_interval(1, 10)
    assert not rates.frr_at_far
    assert not rates.thresholds


def test_samples_of_one_recording_widen_the_interval():
    wrong = np.repeat([1, 0, 0, 0], 25).astype(np.int32)
    given = {
        "validation_found": wrong[:1],
        "validation_labels": wrong[:1],
        "test_found": wrong,
        "test_labels": np.zeros(100, np.int32),
    }
    alone = class_error_rates(**given, rng=np.random.default_rng(0))
    grouped = class_error_rates(
        **given, rng=np.random.default_rng(0), test_groups=np.repeat(np.arange(4), 25).astype(np.int32)
    )
    assert alone.eer == grouped.eer == 0.25
    assert grouped.eer_ci95[0] < alone.eer_ci95[0] < alone.eer_ci95[1] < grouped.eer_ci95[1]
