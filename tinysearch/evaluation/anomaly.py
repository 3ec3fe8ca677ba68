"""Is a sample like what was seen? Every sample is compared with what is normal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tinysearch.core.error_rates import ErrorEvidence, ErrorRates
from tinysearch.core.errors import UserError
from tinysearch.core.program import Array
from tinysearch.core.protocols import Dataset, Split
from tinysearch.data.pairs import matched_samples
from tinysearch.evaluation.judge import Embedded, Shapes, check_every_split, groups_of, labels_of, typed
from tinysearch.metrics import (
    Distances,
    NormalModel,
    anomaly_distances,
    anomaly_error_rates,
    normal_model,
    smallest_far,
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
        check_every_split(dataset, self.splits, shapes)

    def models(self, dataset: Dataset, shapes: Shapes, embedded: Mapping[str, Array]) -> dict[str, NormalModel]:
        """What is normal, by modality, from embeddings of the training split."""
        normal = _normal_of(dataset)
        labels = labels_of(dataset, "train", shapes)
        return {
            modality: normal_model(rows, labels[modality], classes=normal) for modality, rows in typed(embedded).items()
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
        """See :class:`~tinysearch.evaluation.judge.Judge`; a fusion judges samples that all inputs have."""
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
