"""Pairs of samples to compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int32 = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """P comparisons of two people's samples, in one or several modalities at once.

    Attributes:
        samples: by modality, int32 [P, 2]: which sample of that modality stands left and right.
        left_person, right_person: int32 [P]; a pair is genuine where they are equal.
    """

    samples: Mapping[str, Int32]
    left_person: Int32
    right_person: Int32

    def __post_init__(self) -> None:
        count = self.left_person.shape
        if len(count) != 1 or self.right_person.shape != count:
            raise ValueError(f"people of pairs are [P] each, got {count} and {self.right_person.shape}")
        for modality, indices in self.samples.items():
            if indices.shape != (*count, 2):
                raise ValueError(f"{modality} samples of {count[0]} pairs are [{count[0]}, 2], got {indices.shape}")

    def __len__(self) -> int:
        return len(self.left_person)

    @property
    def genuine(self) -> npt.NDArray[np.bool_]:
        """Whether left and right are the same person, bool [P]."""
        return np.equal(self.left_person, self.right_person)

    @property
    def people(self) -> int:
        """How many different people occur."""
        return len(np.union1d(self.left_person, self.right_person))
