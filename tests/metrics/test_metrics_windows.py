"""Answers to windows that follow each other: sums, thresholds, unknown, hold-off."""

from __future__ import annotations

import numpy as np
import pytest

from tinysearch.metrics.windows import UNKNOWN, Answers, answer, class_thresholds

ONE_RECORDING = np.zeros(6, np.int32)


def answers(**changes):
    return Answers(**{"names": ("a", "b"), "thresholds": (50, 50), **changes})


def scores_of(*first):
    """Scores of two classes, the second 0."""
    return np.array([[value, 0] for value in first], np.int64)


def test_scores_are_added_over_the_last_windows_of_a_recording():
    given = scores_of(100, 0, 50, 100, -7, 0)
    found = answer(given, np.array([0, 0, 0, 1, 1, 1], np.int32), answers(smooth=2))
    assert found.score.tolist() == [100, 50, 25, 100, 46, 0]
    assert found.nearest.tolist() == [0, 0, 0, 0, 0, 1]
    assert found.answer.tolist() == [0, 0, UNKNOWN, 0, UNKNOWN, UNKNOWN]


def test_an_event_is_followed_by_its_hold_off_and_a_recording_forgets_it():
    given = scores_of(*[100] * 6)
    assert answer(given, ONE_RECORDING, answers(hold_off=2)).event.tolist() == [1, 0, 0, 1, 0, 0]
    assert answer(given, ONE_RECORDING, answers()).event.all()
    restarted = answer(given, np.array([0, 0, 1, 1, 1, 1], np.int32), answers(hold_off=9))
    assert restarted.event.tolist() == [1, 0, 1, 0, 0, 0]


def test_silence_is_an_answer_and_no_event():
    found = answer(scores_of(*[100] * 6), ONE_RECORDING, answers(names=("silence", "b")))
    assert (found.answer == 0).all()
    assert not found.event.any()


def test_equal_sums_are_the_first_class_even_where_means_round_alike():
    given = np.array([[1, 2], [2, 2]], np.int64)  # means 1 (of 3) and 2 (of 4)
    assert answer(given, ONE_RECORDING[:2], answers(smooth=2)).nearest.tolist() == [1, 1]
    assert answer(given[1:], ONE_RECORDING[:1], answers(smooth=2)).nearest.tolist() == [0]


def test_thresholds_give_up_no_more_right_answers_than_asked_for():
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 600).astype(np.int32)
    scores = random.normal(0, 1000, (600, 4)).astype(np.int64)
    scores[np.arange(600), labels] += 2000
    groups = np.arange(600, dtype=np.int32)
    for reject in (0.0, 0.1, 1.0):
        thresholds = class_thresholds(scores, groups, labels, smooth=1, reject=reject)
        found = answer(scores, groups, Answers(names=tuple("abcd"), thresholds=thresholds))
        right = found.nearest == labels
        for label in range(3):
            rejected = (found.answer == UNKNOWN)[right & (labels == label)].mean()
            assert reject - 0.02 < rejected <= reject or reject == 1.0
    together = class_thresholds(scores, groups, np.minimum(labels, 2), smooth=1, reject=0.1)
    assert min(together[:3]) <= together[3] <= max(together[:3])  # nobody is of class d


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: answers(smooth=0),
        lambda: answers(smooth=33),
        lambda: answers(hold_off=-1),
        lambda: answers(thresholds=(1,)),
        lambda: class_thresholds(scores_of(1), ONE_RECORDING[:1], np.ones(1, np.int32), smooth=1, reject=0.1),
    ],
)
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match="must"):
        wrong()
