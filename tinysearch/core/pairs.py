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
        groups: int32 [people], the group of each person; people who share an identity, as chimeric people share voices,
            are in one group, and a bootstrap draws groups. None where every person stands alone.
    """

    samples: Mapping[str, Int32]
    left_person: Int32
    right_person: Int32
    groups: Int32 | None = None

    def __post_init__(self) -> None:
        count = self.left_person.shape
        if len(count) != 1 or self.right_person.shape != count:
            raise ValueError(f"people of pairs must be [P] each, got {count} and {self.right_person.shape}")
        for modality, indices in self.samples.items():
            if indices.shape != (*count, 2):
                raise ValueError(f"{modality} samples of {count[0]} pairs must be [{count[0]}, 2], got {indices.shape}")
        last = max(self.left_person.max(initial=-1), self.right_person.max(initial=-1))
        if self.groups is not None and len(self.groups) <= last:
            raise ValueError(f"every person must have a group, got {len(self.groups)} groups for person {last}")

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

    def grouped(self) -> tuple[Int32, Int32]:
        """Groups of the left and right people, int32 [P] each."""
        if self.groups is None:
            return self.left_person, self.right_person
        return self.groups[self.left_person], self.groups[self.right_person]
