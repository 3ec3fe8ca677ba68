"""What a task calls an error: from embeddings of a data set's splits to the error rates of a branch or a fusion.

A judge says of which splits embeddings are needed, and makes rates of them. Verification compares pairs of people;
classification compares every sample with each class, an anomaly task with what is normal. All fill the same
:class:`ErrorRates`, so that nothing behind them, search, report, evaluation, needs to know which task it is.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tinysearch.core.errors import UserError
from tinysearch.core.objectives import ErrorEvidence, ErrorRates
from tinysearch.core.program import Array
from tinysearch.core.protocols import Dataset, Split
from tinysearch.core.task import Decision
from tinysearch.data.pairs import PairOptions, evaluation_pairs, matched_samples
from tinysearch.metrics import (
    Agreement,
    Distances,
    FusionRule,
    NormalModel,
    Pairs,
    agreement,
    anomaly_distances,
    anomaly_error_rates,
    branch_scores,
    class_error_rates,
    class_prototypes,
    class_scores,
    classify,
    det_curve,
    error_rates,
    integer_weights,
    learned_weights,
    normal_model,
    smallest_far,
    weighted_sum,
)

_LOG = logging.getLogger(__name__)

Shapes = Mapping[str, tuple[int, int]]
"""Input size and channels by modality."""

Embedded = Mapping[str, Mapping[str, Array]]
"""Embeddings [N, E] by split and modality."""

Scores = Mapping[str, npt.NDArray[np.int64]]
"""Fixed-point scores [P] by modality."""


class Judge(Protocol):
    """How a task measures error.

    Attributes:
        splits: of which it needs embeddings.
        settings: whatever changes rates; their ``str`` is part of the key under which rates are remembered.
        memo_suffix: of the key of branches that are remembered for this judge, empty where it needs no other splits
            than verification.
    """

    splits: tuple[Split, ...]
    memo_suffix: str

    @property
    def settings(self) -> object: ...

    def check(self, dataset: Dataset) -> None:
        """Refuse a data set that the task cannot be judged by.

        Raises:
            UserError: that it is one.
        """
        ...

    def check_samples(self, dataset: Dataset, shapes: Shapes) -> None:
        """Refuse samples that give no error rate, before hours of training go into a branch that could not be judged.

        Args:
            dataset: that was checked.
            shapes: input size and channels of the branch, or of those of a fusion, by modality.

        Raises:
            UserError: a split has too few people or samples.
        """
        ...

    def rates(
        self, dataset: Dataset, shapes: Shapes, embedded: Embedded, *, rng: np.random.Generator, evidence: ErrorEvidence
    ) -> ErrorRates:
        """Error rates of one branch, or of the fusion of those in ``shapes``."""
        ...


@dataclass(kw_only=True)
class Verification:
    """Are two samples of the same person? Thresholds from validation people, rates from test people.

    Attributes:
        far: false accept rates to set thresholds for.
        pairs: how many pairs, and their seed.
        resamples: of the bootstrap over people.
        fusion: how the scores of two branches become one.
        shares: of a weighted fusion, by modality.
    """

    far: tuple[float, ...] = (0.01, 0.1)
    pairs: PairOptions = field(default_factory=PairOptions)
    resamples: int = 1000
    fusion: FusionRule = "concatenation"
    shares: Mapping[str, float] = field(default_factory=dict)
    splits: tuple[Split, ...] = ("validation", "test")
    memo_suffix: str = ""

    def __post_init__(self) -> None:
        self._pairs: dict[tuple[object, ...], Pairs] = {}
        self._warned = False

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_pairs": {}}

    @property
    def settings(self) -> object:
        """FARs, resamples, pairs, and a fusion other than concatenation."""
        plain = (self.far, self.resamples, self.pairs)
        return plain if self.fusion == "concatenation" else (*plain, self.fusion, sorted(self.shares.items()))

    def check(self, dataset: Dataset) -> None:
        """Splits have to be of different people."""
        if dataset.classes is not None:
            raise UserError(
                "verification must test people whom no training has seen",
                value=f"data={dataset.name} has the same classes in every split",
                remedy="add experiment=digits, or choose another data set",
            )

    def check_samples(self, dataset: Dataset, shapes: Shapes) -> None:
        """Every split has to have pairs."""
        for split in self.splits:
            self.pairs_of(dataset, split, shapes)

    def rates(
        self, dataset: Dataset, shapes: Shapes, embedded: Embedded, *, rng: np.random.Generator, evidence: ErrorEvidence
    ) -> ErrorRates:
        """See :class:`Judge`."""
        pairs = {split: self.pairs_of(dataset, split, shapes) for split in self.splits}
        apart = {split: branch_scores(typed(embedded[split]), pairs[split]) for split in self.splits}
        weights = self._weights(apart["validation"], pairs["validation"]) if len(shapes) > 1 else {}
        return error_rates(
            validation_scores=weighted_sum(apart["validation"], weights),
            validation_pairs=pairs["validation"],
            test_scores=weighted_sum(apart["test"], weights),
            test_pairs=pairs["test"],
            rng=rng,
            branches=len(shapes),
            far=self._supported(pairs["validation"]),
            resamples=self.resamples,
            evidence=evidence,
            weights=weights,
            agreement=_agreement(apart, pairs) if len(shapes) == 2 else None,
        )

    def _supported(self, pairs: Pairs) -> tuple[float, ...]:
        """The FARs that the validation people have impostor pairs enough for; says so once where that is not all."""
        impostors = int((~pairs.genuine).sum())
        least = smallest_far(impostors)
        lost = [far for far in self.far if far < least]
        if lost and not self._warned:
            self._warned = True
            _LOG.warning(
                "far: %d impostor pairs of validation people support %.2g (3 of them) and above; left out: %s",
                *(impostors, least, ", ".join(f"{far:g}" for far in lost)),
            )
        return tuple(far for far in self.far if far >= least)

    def _weights(self, scores: Scores, pairs: Pairs) -> dict[str, int]:
        """Integer weights of the validation people's scores by modality; none for concatenation."""
        if self.fusion == "concatenation":
            return {}
        if self.fusion == "learned":
            return learned_weights(scores, pairs.genuine)
        return integer_weights({modality: self.shares.get(modality, 1.0) for modality in scores})

    def pairs_of(self, dataset: Dataset, split: Split, shapes: Shapes) -> Pairs:
        """Pairs of a split, drawn or read once a process; equal for every branch of a modality."""
        key = (split, *sorted(shapes.items()))
        if key not in self._pairs:
            self._pairs[key] = evaluation_pairs(dataset, split, shapes, options=self.pairs)
        return self._pairs[key]


@dataclass(kw_only=True)
class Classification:
    """Which class is a sample of? The nearest of the classes' prototypes, which are means of training embeddings.

    Classes are the identities of the data set, the same in every split (``Dataset.classes``).
    """

    splits: tuple[Split, ...] = ("train", "validation", "test")
    memo_suffix: str = "-classes"

    @property
    def settings(self) -> object:
        """Nothing but that it is one, and how its interval is made."""
        return "classification-2"

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
        _check_every_split(dataset, self.splits, shapes)

    def prototypes(self, dataset: Dataset, shapes: Shapes, embedded: Mapping[str, Array]) -> dict[str, Any]:
        """What each class looks like by modality, [classes, E], from embeddings of the training split."""
        assert dataset.classes is not None  # noqa: S101 - it was checked
        labels = labels_of(dataset, "train", shapes)
        return {
            modality: class_prototypes(rows, labels[modality], classes=dataset.classes)
            for modality, rows in typed(embedded).items()
        }

    def rates(
        self, dataset: Dataset, shapes: Shapes, embedded: Embedded, *, rng: np.random.Generator, evidence: ErrorEvidence
    ) -> ErrorRates:
        """See :class:`Judge`. A fusion classifies the samples that have a partner in the other modality."""
        prototypes = self.prototypes(dataset, shapes, embedded["train"])
        found, right = {}, {}
        for split in ("validation", "test"):
            samples, right[split] = matched_samples(labels_of(dataset, split, shapes), people=dataset.people(split))
            scores = {
                modality: class_scores(rows, prototypes[modality])[samples[modality]]
                for modality, rows in typed(embedded[split]).items()
            }
            found[split] = classify(scores)
        return class_error_rates(
            validation_found=found["validation"],
            validation_labels=right["validation"],
            test_found=found["test"],
            test_labels=right["test"],
            rng=rng,
            test_groups=groups_of(dataset, "test", samples),
            evidence=evidence,
        )


@dataclass(kw_only=True)
class Anomaly:
    """Is a sample like what was seen? By the distances of :mod:`tinysearch.metrics.anomaly`.

    Networks and what is normal are of normal training samples alone, thresholds of normal validation samples.
    Labels are the identities of the data set, of which the first ``normal`` are normal
    (:class:`~tinysearch.core.protocols.Dataset`).

    Attributes:
        far: shares of normal samples that may raise a false alarm, to set thresholds for.
        resamples: of the bootstrap over groups.
    """

    far: tuple[float, ...] = (0.01, 0.1)
    resamples: int = 1000
    splits: tuple[Split, ...] = ("train", "validation", "test")
    memo_suffix: str = "-anomaly"

    @property
    def settings(self) -> object:
        """FARs and resamples."""
        return ("anomaly-1", self.far, self.resamples)

    def check(self, dataset: Dataset) -> None:
        """Some labels have to be normal, others not."""
        if dataset.normal is None:
            raise UserError(
                "an anomaly task must have data that say what is normal",
                value=f"data={dataset.name}",
                remedy="choose data=vibration, or data=motions data.unseen=[TRAP,ROW]",
            )

    def check_samples(self, dataset: Dataset, shapes: Shapes) -> None:
        """Every split has to have samples."""
        _check_every_split(dataset, self.splits, shapes)

    def models(self, dataset: Dataset, shapes: Shapes, embedded: Mapping[str, Array]) -> dict[str, NormalModel]:
        """What is normal, by modality, from embeddings of the training split."""
        normal = _normal_of(dataset)
        labels = labels_of(dataset, "train", shapes)
        return {
            modality: normal_model(rows, labels[modality], classes=normal) for modality, rows in typed(embedded).items()
        }

    def rates(
        self, dataset: Dataset, shapes: Shapes, embedded: Embedded, *, rng: np.random.Generator, evidence: ErrorEvidence
    ) -> ErrorRates:
        """See :class:`Judge`. A fusion judges the samples that have a partner in the other modality."""
        models = self.models(dataset, shapes, embedded["train"])
        found: dict[str, Distances] = {}
        for split in ("validation", "test"):
            samples, labels = matched_samples(labels_of(dataset, split, shapes), people=dataset.people(split))
            chosen = {modality: rows[samples[modality]] for modality, rows in typed(embedded[split]).items()}
            distances = anomaly_distances(chosen, models)
            groups, normal = groups_of(dataset, split, samples), labels < _normal_of(dataset)
            groups = np.arange(len(labels), dtype=np.int32) if groups is None else groups
            found[split] = Distances(
                anomalies=distances[~normal],
                normals=distances[normal],
                anomaly_groups=groups[~normal],
                normal_groups=groups[normal],
            )
        least = smallest_far(len(found["validation"].normals))
        return anomaly_error_rates(
            validation=found["validation"],
            test=found["test"],
            rng=rng,
            far=tuple(far for far in self.far if far >= least),
            resamples=self.resamples,
            evidence=evidence,
        )


def _normal_of(dataset: Dataset) -> int:
    assert dataset.normal is not None  # noqa: S101 - it was checked
    return dataset.normal


def groups_of(dataset: Dataset, split: Split, samples: Mapping[str, npt.NDArray[np.int32]]) -> Any:
    """What the chosen samples are from; None where the data set does not tell. Of a fusion by its first modality."""
    first = min(samples)
    groups = dataset.groups(first, split)
    return None if groups is None else groups[samples[first]]


def _check_every_split(dataset: Dataset, splits: Sequence[Split], shapes: Shapes) -> None:
    for split in splits:
        for modality, labels in labels_of(dataset, split, shapes).items():
            if not len(labels):
                raise UserError(
                    "every split must have samples",
                    value=f"none of {modality} in {dataset.name}/{split}",
                    remedy="add samples, or give the split more of them",
                )


def labels_of(dataset: Dataset, split: Split, shapes: Shapes) -> dict[str, Any]:
    """Labels of a split by modality, int32 [N]."""
    return {
        modality: dataset.load(modality, split, input_size=size, channels=channels).identities
        for modality, (size, channels) in shapes.items()
    }


def typed(embedded: Mapping[str, Array]) -> dict[str, Any]:
    """Embeddings, of the one of their two types that they have."""
    return dict(embedded)


def _agreement(apart: Mapping[Split, Scores], pairs: Mapping[Split, Pairs]) -> Agreement:
    """Whether two branches err together, each at the threshold of its validation people's EER."""
    first, second = sorted(apart["test"])
    return agreement(
        apart["test"][first],
        apart["test"][second],
        pairs["test"].genuine,
        first_threshold=_eer_threshold(apart["validation"][first], pairs["validation"].genuine),
        second_threshold=_eer_threshold(apart["validation"][second], pairs["validation"].genuine),
    )


def _eer_threshold(scores: npt.NDArray[np.int64], genuine: npt.NDArray[np.bool_]) -> int:
    """First threshold at which FRR reaches FAR."""
    curve = det_curve(scores[genuine], scores[~genuine])
    return int(curve.thresholds[int(np.argmax(curve.frr >= curve.far))])


def judge_of(
    decision: Decision,
    *,
    far: Sequence[float],
    fusion: FusionRule = "concatenation",
    shares: Mapping[str, float] | None = None,
) -> Judge:
    """The judge of a task by what it decides.

    Raises:
        UserError: a fusion that the task has not.
    """
    if decision == "verification":
        return Verification(far=tuple(far), fusion=fusion, shares=dict(shares or {}))
    if fusion != "concatenation":
        raise UserError(
            f"the scores of the branches of {'an' if decision == 'anomaly' else 'a'} {decision} must be added",
            value=f"fusion.rule={fusion}",
            remedy="leave it out",
        )
    return Anomaly(far=tuple(far)) if decision == "anomaly" else Classification()
