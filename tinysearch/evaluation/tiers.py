"""Boards told apart by what they draw: a dearer board may be the better one where a battery is to last."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tinysearch.analytic.bom import OptionTable, option_table
from tinysearch.analytic.power import average_power, battery_days, draws_of, stacked
from tinysearch.core.objectives import recorded_name
from tinysearch.core.platform import BoardOption, Chip
from tinysearch.evaluation.analytic import AnalyticModels
from tinysearch.evaluation.chunk import NO_OPTION, DesignChunk

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def tiers(models: AnalyticModels, options: Sequence[BoardOption], chip: Chip) -> tuple[OptionTable, ...]:
    """Boards of a chip in sets that draw ever less, of all whose draw is known: the cheapest of each may be the best.

    What a board adds to the average power of a candidate grows with three numbers: what draws all the time, what
    senses, and how long a start takes. For each combination that some board has, all boards that exceed it in none.
    """
    starts = models.supply is not None and models.supply.schedule.sleeps
    known = []
    for option in options:
        draws = draws_of(option, chip)
        own = float(draws.idle_w), float(draws.sensing_w), float(draws.start_s) if starts else 0.0
        if option.processor == chip.id and not np.isnan(own).any():
            known.append((option, own))
    bounds = sorted({own for _, own in known}, reverse=True)
    sets = ([option for option, own in known if np.less_equal(own, bound).all()] for bound in bounds)
    return tuple(option_table(chosen, level=models.price_level) for chosen in sets)


def first_time(
    option: npt.NDArray[np.int32], boards: OptionTable, had: list[npt.NDArray[np.str_]]
) -> npt.NDArray[np.int32]:
    """Boards of rows, without those that their row has had in another tier.

    Args:
        option: int32 [n], index into the tier's boards.
        had: ids of the boards of every row by tier, to which this one's are added.
    """
    names = np.array([*(each.id for each in boards.options), ""])[option]
    fresh = np.logical_and.reduce([names != earlier for earlier in had]) if had else names != ""
    had.append(names)
    return np.where(fresh & (option != NO_OPTION), option, np.int32(NO_OPTION))


def power_columns(
    models: AnalyticModels, chip: Chip, chunk: DesignChunk, *, image_bytes: npt.NDArray[np.int64]
) -> dict[str, Floats]:
    """Average power and negative days on a battery of a chunk's rows, where boards are told apart by them."""
    supply = models.supply
    if supply is None or not models.tells_power:
        return {}
    power = average_power(
        stacked([draws_of(option, chip) for option in chunk.options]).of(chunk.option),
        supply.schedule,
        capture_s=chunk.acquisition_s,
        compute_s=chunk.latency_s,
        compute_mj=chunk.energy_mj,
        image_bytes=image_bytes,
    ).total_w
    found = {"power_mw": 1e3 * power}
    if supply.battery is not None:
        found[recorded_name("battery_days")] = -battery_days(power, supply.battery)
    return found
