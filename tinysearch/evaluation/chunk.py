"""Some candidates of an enumeration, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tinysearch.analytic.bom import NONE_FITS
from tinysearch.core.execution import Execution
from tinysearch.core.platform import BoardOption

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

NO_OPTION = NONE_FITS


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignChunk:
    """Some candidates of one processor and one combination of modalities.

    Attributes:
        modalities, processor, execution: shared by all rows.
        start, counts: the rows are the combinations ``start`` and on of ``counts[i]`` branches of modality i, the last
            modality varying fastest.
        options: boards that the chunk's rows refer to.
        option: int32 [n], the cheapest board that fits and is affordable, or :data:`NO_OPTION`.
        price_usd, latency_s, energy_mj: float64 [n]; the price of a row without a board is NaN.
        acquisition_s: float64 [n], capture and front-end of one attempt.
        flash_bytes, ram_bytes, psram_bytes: int64 [n].
        power: further columns by name, float64 [n]: average power and negative days on a battery, where they are told.
    """

    modalities: tuple[str, ...]
    processor: str
    execution: Execution
    start: int
    counts: tuple[int, ...]
    options: tuple[BoardOption, ...]
    option: npt.NDArray[np.int32]
    price_usd: Floats
    latency_s: Floats
    acquisition_s: Floats
    energy_mj: Floats
    flash_bytes: Ints
    ram_bytes: Ints
    psram_bytes: Ints
    power: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def branches(self) -> Ints:
        """int64 [n, m]: the branch of each row by modality, index into ``space.branches(modality)``."""
        rows = np.arange(self.start, self.start + len(self.option))
        return np.stack(np.unravel_index(rows, self.counts), axis=1).astype(np.int64)

    @property
    def values(self) -> Floats:
        """float64 [n, k], columns as in :data:`~tinysearch.evaluation.analytic.COLUMNS`, then those of ``power``."""
        flash, ram = self.flash_bytes.astype(float), self.ram_bytes.astype(float)
        seconds = self.latency_s, self.acquisition_s
        return np.stack([self.price_usd, *seconds, flash, ram, self.energy_mj, *self.power.values()], axis=1)
