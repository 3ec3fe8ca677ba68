"""What firmware makes of windows that follow each other: a class or an alarm, and when it tells of it, in integers.

The C twins are ``ts_classes.c``, ``ts_alarm.c`` and what they share, ``ts_recent.c``, in
``firmware_templates/runtime``; they give the same answers for the same scores and distances.

Definition of a classification. A window's score for a class is the sum of its branches' cosines to the class's
prototypes, as in :mod:`tinysearch.metrics.classification`. Scores are added over the last ``smooth`` windows of a
recording, at its start over all that there are. The class of the largest sum is the *nearest*, of equal ones the first.
It is the *answer* where the mean over the windows that were added, rounded down, reaches the threshold of that class;
else the answer is :data:`UNKNOWN`. An answer is an *event* where its class is one to tell of and the last event is more
than ``hold_off`` windows ago.

Definition of an anomaly task. A window's distance is that of :mod:`tinysearch.metrics.anomaly`; the mean over the last
``smooth`` windows, rounded down, is an alarm where it reaches the threshold. An alarm is an event under the same rule.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

UNKNOWN = -1
"""The answer where the nearest class is not near enough."""

MOST_SMOOTH = 32
"""Windows that C adds without leaving 32 bits."""

UNTOLD = ("unknown", "silence", "background", "none")
"""Names of classes that are no events: a device that hears them has nothing to say."""

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """How a device answers: what of ``ts_classes_layer`` depends on the task and on validation data.

    Attributes:
        names: of the classes, in the order of labels.
        thresholds: by class, the least mean score of an answer, 20 fraction bits a branch.
        smooth: windows that are added, 1 .. :data:`MOST_SMOOTH`.
        hold_off: windows after an event that are none.

    Raises:
        ValueError: no thresholds for the classes, or smoothing out of range.
    """

    names: tuple[str, ...]
    thresholds: tuple[int, ...]
    smooth: int = 1
    hold_off: int = 0

    def __post_init__(self) -> None:
        if not self.names or len(self.names) != len(self.thresholds):
            raise ValueError(f"thresholds must be one a class: {len(self.thresholds)} for {len(self.names)}")
        if not 1 <= self.smooth <= MOST_SMOOTH or self.hold_off < 0:
            raise ValueError(f"smooth must be 1 to {MOST_SMOOTH}, hold_off 0 or more: {self.smooth}, {self.hold_off}")

    @property
    def told(self) -> tuple[bool, ...]:
        """By class, whether an answer is worth an event."""
        return tuple(name not in UNTOLD for name in self.names)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answered:
    """What a device says to windows, [N] each.

    Attributes:
        nearest: class of the largest sum.
        answer: the same, or :data:`UNKNOWN`.
        score: mean of that class over the windows that were added, rounded down.
        event: whether it tells of it.
    """

    nearest: Int32
    answer: Int32
    score: Int64
    event: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """How a device raises alarms: ``ts_alarm_layer``.

    Attributes:
        threshold: the least mean distance of an alarm, at least 1.
        smooth: windows that are added, 1 .. :data:`MOST_SMOOTH`.
        hold_off: windows after an event that are none.

    Raises:
        ValueError: a setting out of range.
    """

    threshold: int
    smooth: int = 1
    hold_off: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.threshold < 1 << 63:
            raise ValueError(f"the threshold of an alarm must be positive and fit 64 bits: {self.threshold}")
        if not 1 <= self.smooth <= MOST_SMOOTH or self.hold_off < 0:
            raise ValueError(f"smooth must be 1 to {MOST_SMOOTH}, hold_off 0 or more: {self.smooth}, {self.hold_off}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Alarmed:
    """What a device says to windows, [N] each.

    Attributes:
        distance: mean over the windows that were added, rounded down.
        alarm: whether it reaches the threshold.
        event: whether it tells of it.
    """

    distance: Int64
    alarm: npt.NDArray[np.bool_]
    event: npt.NDArray[np.bool_]


def smoothed(distances: Int64, groups: Int32, *, smooth: int) -> Int64:
    """Means over the last windows of each recording, rounded down: int64 [N].

    Args:
        distances: int64 [N].
        groups: int32 [N], as in :func:`answer`.
        smooth: windows that are added.
    """
    sums, counts = _sums(distances[:, None], groups, smooth=smooth)
    return np.asarray(sums[:, 0] // counts, np.int64)


def alarm(distances: Int64, groups: Int32, alarms: Alarms) -> Alarmed:
    """What a device says to windows that follow each other; it forgets at the start of every recording.

    Args:
        distances: int64 [N].
        groups: int32 [N], as in :func:`answer`.
    """
    mean = smoothed(distances, groups, smooth=alarms.smooth)
    raised = mean >= alarms.threshold
    return Alarmed(distance=mean, alarm=raised, event=_events(raised, groups, hold_off=alarms.hold_off))


def class_thresholds(scores: Int64, groups: Int32, labels: Int32, *, smooth: int, reject: float) -> tuple[int, ...]:
    """By class, the largest threshold that at most a share ``reject`` of its windows falls below.

    Counted are windows whose nearest class is their own. A class that has none takes the threshold of all of them
    together, so that what was never recognized is not let through on any score.

    Args:
        scores: int64 [N, classes], of validation windows.
        groups: int32 [N], as in :func:`answer`.
        labels: int32 [N].
        smooth: windows that are added.
        reject: share of right answers that may be given up for ``unknown``, 0 .. 1.

    Raises:
        ValueError: a share out of range, or no window whose nearest class is its own.
    """
    nearest, reached = _nearest(scores, groups, smooth=smooth)
    right = nearest == labels
    if not 0 <= reject <= 1 or not right.any():
        raise ValueError(f"a threshold must have right answers and a share: {int(right.sum())}, {reject}")
    every = _quantile(reached[right], reject)
    own = [reached[right & (labels == label)] for label in range(scores.shape[1])]
    return tuple(_quantile(values, reject) if len(values) else every for values in own)


def answer(scores: Int64, groups: Int32, answers: Answers) -> Answered:
    """What a device says to windows that follow each other; it forgets at the start of every recording.

    Args:
        scores: int64 [N, classes], sums of the branches' cosines.
        groups: int32 [N], the recording of each window; windows of one follow each other in the order of time.
    """
    nearest, score = _nearest(scores, groups, smooth=answers.smooth)
    found = np.where(score >= np.array(answers.thresholds, np.int64)[nearest], nearest, UNKNOWN).astype(np.int32)
    told = (found != UNKNOWN) & np.array(answers.told)[nearest]
    return Answered(nearest=nearest, answer=found, score=score, event=_events(told, groups, hold_off=answers.hold_off))


def _nearest(scores: Int64, groups: Int32, *, smooth: int) -> tuple[Int32, Int64]:
    """Class of the largest sum over the last windows, and its mean rounded down: [N] each."""
    sums, counts = _sums(scores, groups, smooth=smooth)
    nearest = sums.argmax(axis=1)
    return nearest.astype(np.int32), np.asarray(sums[np.arange(len(sums)), nearest] // counts, np.int64)


def _sums(values: Int64, groups: Int32, *, smooth: int) -> tuple[Int64, Int64]:
    """Sums of each column over the last windows of a recording, [N, columns], and how many these are, [N]."""
    until = np.concatenate([np.zeros((1, values.shape[1]), np.int64), np.cumsum(values, axis=0, dtype=np.int64)])
    place = np.arange(len(values))
    starts = np.maximum.accumulate(np.where(_begins(groups), place, 0))
    first = np.maximum(starts, place + 1 - smooth)
    return until[1:] - until[first], place + 1 - first


def _begins(groups: Int32) -> npt.NDArray[np.bool_]:
    """Whether a window is the first of its recording."""
    return np.concatenate([np.ones(min(len(groups), 1), np.bool_), groups[1:] != groups[:-1]])


def _events(told: npt.NDArray[np.bool_], groups: Int32, *, hold_off: int) -> npt.NDArray[np.bool_]:
    """Which of the windows with something to tell are events: the first, and those ``hold_off`` windows after one."""
    events = np.zeros(len(told), np.bool_)
    quiet = 0
    for place, begins in enumerate(_begins(groups)):
        quiet = 0 if begins else quiet
        if quiet > 0:
            quiet -= 1
        elif told[place]:
            events[place], quiet = True, hold_off
    return events


def _quantile(scores: Int64, share: float) -> int:
    """The score that at most a share of them lies below."""
    ordered = np.sort(scores)
    return int(ordered[min(int(share * len(ordered)), len(ordered) - 1)])
