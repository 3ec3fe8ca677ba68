"""What a task calls an error, and the protocol of whoever measures it.

A judge says of which splits embeddings are needed, and makes rates of them. Verification compares pairs of people;
classification compares every sample with each class, an anomaly task with what is normal. All fill the same
:class:`ErrorRates`, so that nothing behind them, search, report, evaluation, needs to know which task it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tinysearch.core.candidate import SampleShape
from tinysearch.core.error_rates import ErrorEvidence, ErrorRates
from tinysearch.core.errors import UserError
from tinysearch.core.program import Array
from tinysearch.core.protocols import Dataset, Split, samples_of

Int32 = npt.NDArray[np.int32]

Shapes = Mapping[str, SampleShape]
"""As what samples are loaded, by modality."""

Embedded = Mapping[str, Mapping[str, Array]]
"""Embeddings [N, E] by split and modality."""


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
        self,
        dataset: Dataset,
        shapes: Shapes,
        embedded: Embedded,
        *,
        rng: np.random.Generator,
        evidence: ErrorEvidence,
        macs: Mapping[str, int] | None = None,
    ) -> ErrorRates:
        """Error rates of one branch, or of the fusion of those in ``shapes``.

        Args:
            macs: of the branches by modality, for a fusion that runs the cheaper one first.
        """
        ...


def groups_of(dataset: Dataset, split: Split, samples: Mapping[str, Int32]) -> Any:
    """What the chosen samples are from; None where the data set does not tell. Of a fusion by its first modality."""
    first = min(samples)
    groups = dataset.groups(first, split)
    return None if groups is None else groups[samples[first]]


def recordings_of(dataset: Dataset, split: Split, samples: Mapping[str, Int32]) -> Int32:
    """Which recording each sample is a window of; each is one by itself where the data set does not tell."""
    groups = groups_of(dataset, split, samples) if len(samples) == 1 else None
    return np.arange(len(next(iter(samples.values()))), dtype=np.int32) if groups is None else groups


def check_every_split(dataset: Dataset, splits: Sequence[Split], shapes: Shapes) -> None:
    """Refuse splits without samples.

    Raises:
        UserError: one has none of an input.
    """
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
    return {modality: samples_of(dataset, modality, split, shape).identities for modality, shape in shapes.items()}


def typed(embedded: Mapping[str, Array]) -> dict[str, Any]:
    """Embeddings, of the one of their two types that they have."""
    return dict(embedded)
