"""Bills of materials: what a board costs, which boards are worth looking at, and the cheapest that fits.

A price is the sum of the prices of the parts, at one level of their ranges: ``typical`` unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinysearch.core.limits import Violation
from tinysearch.core.platform import BoardOption, PriceLevel

NONE_FITS = -1
"""Index that :meth:`OptionTable.cheapest` gives where no board is large enough."""

_BUDGET_SLACK_USD = 5e-5
"""Half a hundredth of a cent over a budget is forgiven."""


def price_usd(option: BoardOption, *, level: PriceLevel = "typical") -> float:
    """Sum of the bill of materials in US$."""
    return option.price_usd(level)


def affordable(price_usd: npt.ArrayLike, budget_usd: float | None) -> npt.NDArray[np.bool_]:
    """Which prices a budget allows; without one, whatever is sold (a finite price)."""
    prices = np.asarray(price_usd, np.float64)
    return np.isfinite(prices) if budget_usd is None else prices <= budget_usd + _BUDGET_SLACK_USD


def over_budget(option: BoardOption, *, budget_usd: float, level: PriceLevel = "typical") -> Violation | None:
    """The broken budget, or None where the board is affordable."""
    actual = price_usd(option, level=level)
    if affordable(actual, budget_usd):
        return None
    return Violation(
        rule="budget",
        limit=budget_usd,
        actual=round(actual, 4),
        message=f"a board must cost at most the budget ({level} prices); limit ${budget_usd:.2f}; actual ${actual:.2f}",
    )


def non_dominated(options: Sequence[BoardOption], *, level: PriceLevel = "typical") -> tuple[BoardOption, ...]:
    """Options that no other of the same processor beats in price, flash and PSRAM; ties keep the first id.

    Returns:
        By processor, price and id. Whatever flash and PSRAM a model needs, the cheapest board of each processor that
        fits is among them.
    """
    kept: list[BoardOption] = []
    for option in sorted(options, key=lambda o: (o.processor, *_order(o, level=level))):
        same = (other for other in kept if other.processor == option.processor)
        # `kept` is sorted by price, so only larger memories could justify this option
        if not any(
            other.flash_bytes >= option.flash_bytes and other.psram_bytes >= option.psram_bytes for other in same
        ):
            kept.append(option)
    return tuple(kept)


def cheapest(
    options: Sequence[BoardOption],
    *,
    flash_bytes: int = 0,
    psram_bytes: int = 0,
    processor: str | None = None,
    module: str | None = None,
    level: PriceLevel = "typical",
) -> BoardOption | None:
    """The cheapest option with so much flash and PSRAM, optionally of one processor or module; None without."""
    fitting = [
        option
        for option in options
        if option.flash_bytes >= flash_bytes
        and option.psram_bytes >= psram_bytes
        and processor in (None, option.processor)
        and module in (None, option.module)
    ]
    return min(fitting, key=lambda option: _order(option, level=level), default=None)


def _order(option: BoardOption, *, level: PriceLevel) -> tuple[float, int, int, str]:
    """Cheapest first; of equal prices the larger memories, then the id."""
    return price_usd(option, level=level), -option.flash_bytes, -option.psram_bytes, option.id


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grid:
    """Cheapest option by required flash and PSRAM: ``table[f, p]`` for needs up to ``flash[f]`` and ``psram[p]``."""

    flash: npt.NDArray[np.int64]
    psram: npt.NDArray[np.int64]
    table: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionTable:
    """Options as arrays, for enumerating many candidates at once.

    Attributes:
        options: the non-dominated ones, by processor and price.
        processors: ids, in the order that ``processor`` counts them.
        price_usd: float64 [N].
        flash_bytes, psram_bytes: int64 [N].
        processor: int32 [N], index into ``processors``.
        level: of the prices.
    """

    options: tuple[BoardOption, ...]
    processors: tuple[str, ...]
    price_usd: npt.NDArray[np.float64]
    flash_bytes: npt.NDArray[np.int64]
    psram_bytes: npt.NDArray[np.int64]
    processor: npt.NDArray[np.int32]
    level: PriceLevel
    grids: tuple[_Grid, ...]

    def cheapest(
        self, *, processor: str, flash_bytes: npt.NDArray[np.int64], psram_bytes: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int32]:
        """Index into ``options`` of the cheapest board of a processor that fits each need.

        Args:
            processor: id; one that no option has fits nothing.
            flash_bytes, psram_bytes: int64 [M], what each candidate needs.

        Returns:
            int32 [M]; :data:`NONE_FITS` where no board is large enough.
        """
        if processor not in self.processors:
            return np.full(np.shape(flash_bytes), NONE_FITS, dtype=np.int32)
        grid = self.grids[self.processors.index(processor)]
        found: npt.NDArray[np.int32] = grid.table[
            np.searchsorted(grid.flash, flash_bytes), np.searchsorted(grid.psram, psram_bytes)
        ]
        return found

    def prices(self, indices: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        """US$ of options by index, float64 [M]; infinite for :data:`NONE_FITS`."""
        return np.append(self.price_usd, np.inf)[indices]


def option_table(options: Sequence[BoardOption], *, level: PriceLevel = "typical") -> OptionTable:
    """Arrays of the non-dominated options of each processor."""
    kept = non_dominated(options, level=level)
    processors = tuple(sorted({option.processor for option in kept}))
    return OptionTable(
        options=kept,
        processors=processors,
        price_usd=np.array([price_usd(option, level=level) for option in kept], dtype=np.float64),
        flash_bytes=np.array([option.flash_bytes for option in kept], dtype=np.int64),
        psram_bytes=np.array([option.psram_bytes for option in kept], dtype=np.int64),
        processor=np.array([processors.index(option.processor) for option in kept], dtype=np.int32),
        level=level,
        grids=tuple(_grid(kept, processor) for processor in processors),
    )


def _grid(options: Sequence[BoardOption], processor: str) -> _Grid:
    own = [(index, option) for index, option in enumerate(options) if option.processor == processor]
    flash = np.unique(np.array([option.flash_bytes for _, option in own], dtype=np.int64))
    psram = np.unique(np.array([option.psram_bytes for _, option in own], dtype=np.int64))
    table = np.full((len(flash) + 1, len(psram) + 1), NONE_FITS, dtype=np.int32)
    for index, option in reversed(own):  # cheapest last, so that it overwrites
        table[: np.searchsorted(flash, option.flash_bytes) + 1, : np.searchsorted(psram, option.psram_bytes) + 1] = (
            index
        )
    return _Grid(flash=flash, psram=psram, table=table)
