"""What firmware is given to decide by: what classes or what is normal look like in training, thresholds of validation.

A :class:`Classifier` is that of a classification, a :class:`Detector` that of an anomaly task; a lock needs neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import Dataset
from tinysearch.core.task import Stream
from tinysearch.data.pairs import matched_samples
from tinysearch.evaluation.anomaly import Anomaly
from tinysearch.evaluation.classification import Classification, names_of
from tinysearch.evaluation.judge import Embedded, Shapes, labels_of, recordings_of, typed
from tinysearch.metrics import NormalModel, anomaly_distances, normal_model
from tinysearch.metrics.rates import threshold_at_far
from tinysearch.metrics.scores import Embeddings
from tinysearch.metrics.windows import Alarms, Answers, smoothed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Classifier:
    """What a classification's firmware is given.

    Attributes:
        answers: names, thresholds, smoothing and hold-off.
        prototypes: by modality, [classes, E] in the type of the embeddings.
        hop_s: seconds from one window of a stream to the next.
        reject: share of right validation windows that thresholds were set to give up; None for placeholders.
    """

    answers: Answers
    prototypes: Mapping[str, Embeddings]
    hop_s: float
    reject: float | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detector:
    """What an anomaly task's firmware is given.

    Attributes:
        alarms: threshold, smoothing and hold-off.
        normal: what is normal, by modality.
        hop_s: seconds from one window of a stream to the next.
        far: share of normal validation windows that the threshold lets raise an alarm; None for placeholders.
    """

    alarms: Alarms
    normal: Mapping[str, NormalModel]
    hop_s: float
    far: float | None


Decider = Classifier | Detector
"""What decides on windows."""


def classifier_of(
    judge: Classification, dataset: Dataset, shapes: Shapes, embedded: Embedded, *, stream: Stream
) -> Classifier:
    """The classifier of one branch, or of the fusion of those in ``shapes``.

    Windows of one recording follow each other, where the data set tells; elsewhere each sample is one by itself.

    Args:
        embedded: of training and validation samples.
        stream: its smoothing and rejection are those of the judge.

    Raises:
        UserError: no validation window is nearest to its own class.
    """
    prototypes = judge.prototypes(dataset, shapes, embedded["train"])
    thresholds = judge.thresholds(judge.scored(dataset, "validation", shapes, embedded["validation"], prototypes))
    if thresholds is None:
        raise UserError(
            "a classification that is emitted must know some validation window",
            value=f"none is nearest to its own class in {dataset.name}",
            remedy="train longer, or give more samples",
        )
    return Classifier(
        answers=Answers(
            names=names_of(dataset, len(thresholds)),
            thresholds=thresholds,
            smooth=judge.smooth,
            hold_off=stream.hold_off_windows,
        ),
        prototypes=prototypes,
        hop_s=stream.hop_s,
        reject=judge.reject,
    )


def placeholder_classifier(prototypes: Mapping[str, Embeddings], *, stream: Stream) -> Classifier:
    """A classifier of networks that were not trained: classes without a meaning, thresholds of 0."""
    count = min(len(rows) for rows in prototypes.values())
    names = tuple(f"class {index}" for index in range(count))
    return Classifier(
        answers=Answers(names=names, thresholds=(0,) * count, smooth=stream.smooth, hold_off=stream.hold_off_windows),
        prototypes=prototypes,
        hop_s=stream.hop_s,
        reject=None,
    )


def detector_of(
    judge: Anomaly, dataset: Dataset, shapes: Shapes, embedded: Embedded, *, stream: Stream, far: float
) -> Detector:
    """The detector of one branch, or of the fusion of those in ``shapes``.

    Args:
        embedded: of training and validation samples.
        far: share of normal validation windows that may raise an alarm.
    """
    assert dataset.normal is not None  # noqa: S101 - the judge checked it
    normal = judge.models(dataset, shapes, embedded["train"])
    samples, labels = matched_samples(labels_of(dataset, "validation", shapes), people=dataset.people("validation"))
    distances = anomaly_distances(
        {name: rows[samples[name]] for name, rows in typed(embedded["validation"]).items()}, normal
    )
    means = smoothed(distances, recordings_of(dataset, "validation", samples), smooth=stream.smooth)
    threshold = threshold_at_far(means[labels < dataset.normal], far)
    return Detector(
        alarms=Alarms(threshold=threshold, smooth=stream.smooth, hold_off=stream.hold_off_windows),
        normal=normal,
        hop_s=stream.hop_s,
        far=far,
    )


def placeholder_detector(normal: Mapping[str, Embeddings], *, stream: Stream) -> Detector:
    """A detector of networks that were not trained: normal is what a few patterns become, and nothing farther off."""
    models = {name: normal_model(rows, np.zeros(len(rows), np.int32), classes=1) for name, rows in normal.items()}
    threshold = threshold_at_far(anomaly_distances(normal, models), 0.0)
    return Detector(
        alarms=Alarms(threshold=threshold, smooth=stream.smooth, hold_off=stream.hold_off_windows),
        normal=models,
        hop_s=stream.hop_s,
        far=None,
    )
