"""Which class is a sample of? Every sample is compared with each class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.core.error_rates import ErrorEvidence, ErrorRates
from tinysearch.core.errors import UserError
from tinysearch.core.program import Array
from tinysearch.core.protocols import Dataset, Split
from tinysearch.data.pairs import matched_samples
from tinysearch.evaluation.judge import (
    Embedded,
    Shapes,
    check_every_split,
    groups_of,
    labels_of,
    recordings_of,
    typed,
)
from tinysearch.metrics import answered_rates, class_error_rates, class_prototypes, class_scores, classify
from tinysearch.metrics.windows import Answers, Int32, answer, class_thresholds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """Samples of a split that are classified.

    Attributes:
        apart: int64 [N, classes] by modality.
        labels: int32 [N].
        groups: int32 [N], over whose choice intervals are; None where samples are independent.
        recordings: int32 [N]; windows of one follow each other.
    """

    apart: Mapping[str, npt.NDArray[np.int64]]
    labels: Int32
    groups: Int32 | None
    recordings: Int32

    @property
    def scores(self) -> npt.NDArray[np.int64]:
        """Those of all branches added, int64 [N, classes]."""
        return np.asarray(np.sum(list(self.apart.values()), axis=0, dtype=np.int64))


@dataclass(kw_only=True)
class Classification:
    """Which class is a sample of? The nearest of the classes' prototypes, which are means of training embeddings.

    Classes are the identities of the data set, the same in every split (``Dataset.classes``).

    Attributes:
        smooth: windows of one recording whose scores a device adds before it answers.
        reject: share of right answers on validation data that its thresholds give up for ``unknown``.
    """

    smooth: int = 1
    reject: float = 0.05

    splits: tuple[Split, ...] = ("train", "validation", "test")
    memo_suffix: str = "-classes"

    @property
    def settings(self) -> object:
        """That it is one, how its intervals are made, and how a device answers."""
        return ("classification-3", self.smooth, self.reject)

    def check(self, dataset: Dataset) -> None:
        """Splits have to share their classes."""
        if dataset.classes is None:
            raise UserError(
                "a classification must have the same classes in every split",
                value=f"data={dataset.name}, whose splits are of different people or have anomalies",
                remedy="choose data=digits, or another task",
            )

    def check_samples(self, dataset: Dataset, shapes: Shapes) -> None:
        """Every split has to have samples."""
        check_every_split(dataset, self.splits, shapes)

    def prototypes(self, dataset: Dataset, shapes: Shapes, embedded: Mapping[str, Array]) -> dict[str, Any]:
        """What each class looks like by modality, [classes, E], from embeddings of the training split."""
        assert dataset.classes is not None  # noqa: S101 - it was checked
        labels = labels_of(dataset, "train", shapes)
        return {
            modality: class_prototypes(rows, labels[modality], classes=dataset.classes)
            for modality, rows in typed(embedded).items()
        }

    def rates(
        self,
        dataset: Dataset,
        shapes: Shapes,
        embedded: Embedded,
        *,
        rng: np.random.Generator,
        evidence: ErrorEvidence,
        macs: Mapping[str, int] | None = None,  # noqa: ARG002 - its branches all run
    ) -> ErrorRates:
        """See :class:`~tinysearch.evaluation.judge.Judge`; a fusion classifies samples that all inputs have."""
        prototypes = self.prototypes(dataset, shapes, embedded["train"])
        validation, test = (
            self.scored(dataset, split, shapes, embedded[split], prototypes) for split in ("validation", "test")
        )
        rates = class_error_rates(
            validation_found=classify(validation.apart),
            validation_labels=validation.labels,
            test_found=classify(test.apart),
            test_labels=test.labels,
            rng=rng,
            test_groups=test.groups,
            evidence=evidence,
        )
        thresholds = self.thresholds(validation)
        if thresholds is None:
            return rates
        answers = Answers(names=names_of(dataset, len(thresholds)), thresholds=thresholds, smooth=self.smooth)
        told = answer(test.scores, test.recordings, answers)
        return replace(
            rates,
            answered=answered_rates(
                told.answer, test.labels, rng=rng, groups=test.groups, smooth=self.smooth, reject=self.reject
            ),
        )

    def scored(
        self,
        dataset: Dataset,
        split: Split,
        shapes: Shapes,
        embedded: Mapping[str, Array],
        prototypes: Mapping[str, Any],
    ) -> Scored:
        """Scores of a split's samples for every class; of a fusion of those that have a partner."""
        samples, labels = matched_samples(labels_of(dataset, split, shapes), people=dataset.people(split))
        return Scored(
            apart={name: class_scores(rows, prototypes[name])[samples[name]] for name, rows in typed(embedded).items()},
            labels=labels,
            groups=groups_of(dataset, split, samples),
            recordings=recordings_of(dataset, split, samples),
        )

    def thresholds(self, validation: Scored) -> tuple[int, ...] | None:
        """By class, the least mean score of an answer; None where no validation sample is nearest to its own class."""
        try:
            return class_thresholds(
                validation.scores, validation.recordings, validation.labels, smooth=self.smooth, reject=self.reject
            )
        except ValueError:
            return None


def names_of(dataset: Dataset, count: int) -> tuple[str, ...]:
    """Names of the classes; their numbers where the data set has none."""
    return tuple(dataset.class_names or map(str, range(count)))
