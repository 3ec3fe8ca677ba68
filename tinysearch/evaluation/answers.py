"""What a classification's firmware is given: prototypes of training samples, thresholds of validation samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tinysearch.core.protocols import Dataset
from tinysearch.core.task import Stream
from tinysearch.data.pairs import matched_samples
from tinysearch.evaluation.judges import Classification, Embedded, Shapes, groups_of, labels_of, typed
from tinysearch.metrics import class_scores
from tinysearch.metrics.scores import Embeddings
from tinysearch.metrics.windows import Answers, class_thresholds


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


def classifier_of(
    judge: Classification, dataset: Dataset, shapes: Shapes, embedded: Embedded, *, stream: Stream
) -> Classifier:
    """The classifier of one branch, or of the fusion of those in ``shapes``.

    Windows of one recording follow each other, where the data set tells; elsewhere each sample is one by itself.

    Args:
        embedded: of training and validation samples.
    """
    prototypes = judge.prototypes(dataset, shapes, embedded["train"])
    samples, labels = matched_samples(labels_of(dataset, "validation", shapes), people=dataset.people("validation"))
    scores = np.sum(
        [class_scores(rows, prototypes[name])[samples[name]] for name, rows in typed(embedded["validation"]).items()],
        axis=0,
    )
    groups = groups_of(dataset, "validation", samples) if len(shapes) == 1 else None
    alone = np.arange(len(labels), dtype=np.int32)
    thresholds = class_thresholds(
        scores, alone if groups is None else groups, labels, smooth=stream.smooth, reject=stream.reject
    )
    names = dataset.class_names or map(str, range(len(thresholds)))
    return Classifier(
        answers=Answers(
            names=tuple(names), thresholds=thresholds, smooth=stream.smooth, hold_off=stream.hold_off_windows
        ),
        prototypes=prototypes,
        hop_s=stream.hop_s,
        reject=stream.reject,
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
