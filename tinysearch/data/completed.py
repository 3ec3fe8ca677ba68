"""Data sets of one's own, at the edge: what they do not say of themselves gets its default here, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.core.protocols import Dataset, Samples, SampleSource, Split

_OPTIONAL = (
    *("classes", "normal", "ordered", "augmentation", "varied_as", "caveat", "groups", "listed_pairs", "load_clip"),
)


def completed(made: SampleSource) -> Dataset:
    """A data set with all of :class:`~tinysearch.core.protocols.Dataset`: itself, or what it lacks put around it."""
    return made if isinstance(made, Dataset) else _Completed(made)


class _Completed(Dataset):
    def __init__(self, made: SampleSource) -> None:
        self.name, self.digest, self.modalities = made.name, made.digest, made.modalities
        self._made = made
        said: dict[str, Any] = {name: getattr(made, name) for name in _OPTIONAL if hasattr(made, name)}
        vars(self).update(said)

    def load(self, modality: str, split: Split, *, input_size: int, channels: int) -> Samples:
        return self._made.load(modality, split, input_size=input_size, channels=channels)

    def people(self, split: Split) -> Mapping[str, npt.NDArray[np.int32]]:
        return self._made.people(split)
