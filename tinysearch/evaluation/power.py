"""From one board and what one decision takes to its power report, and whether its battery is strong enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from tinysearch.analytic.power import (
    MODES,
    Draws,
    average_power,
    battery_days,
    draws_of,
    figures_of,
    unknown_of,
)
from tinysearch.core.limits import Violation
from tinysearch.core.platform import BoardOption, BomItem, Chip
from tinysearch.core.power import PowerReport
from tinysearch.core.protocols import LatencyEstimate
from tinysearch.core.provenance import Kind
from tinysearch.core.schedule import ALWAYS, Schedule
from tinysearch.core.supply import Battery

_STRENGTH: Mapping[Kind, int] = {"measured": 0, "datasheet": 1, "derived": 2, "assumed": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """When a device decides, and what it runs on.

    Attributes:
        battery: None for a supply that never ends.
        bill: the battery as a line of every bill; None leaves it out.
    """

    schedule: Schedule = ALWAYS
    battery: Battery | None = None
    bill: BomItem | None = None

    def billed(self, option: BoardOption) -> BoardOption:
        """A board with the battery on its bill, where it belongs there."""
        return option if self.bill is None else replace(option, items=(*option.items, self.bill))

    def report(
        self,
        option: BoardOption,
        chip: Chip,
        *,
        latency: LatencyEstimate,
        capture_s: float,
        compute_mj: float,
        image_bytes: int,
    ) -> PowerReport:
        """Average power of a board whose decisions take so long and so much, and days on the battery.

        Args:
            latency: of the networks of one decision.
            capture_s: capture and front-end of one decision.
            compute_mj: while the networks of one decision compute.
            image_bytes: that a start from deep sleep reads.
        """
        draws, totals = draws_of(option, chip), []
        for seconds in (latency.low, latency.high, latency.seconds):
            power = average_power(
                draws,
                self.schedule,
                capture_s=capture_s,
                compute_s=seconds,
                compute_mj=compute_mj * seconds / latency.seconds,
                image_bytes=image_bytes,
            )
            totals.append(float(power.total_w))
        known = not np.isnan(totals[-1])
        return PowerReport(
            schedule=self.schedule,
            rests=MODES[int(power.mode)],
            shares_mw={name: 1e3 * float(watts) for name, watts in power.shares.items()} if known else None,
            range_mw=(1e3 * min(totals), 1e3 * max(totals)) if known else None,
            kind=self._kind(option, chip),
            unknown=unknown_of(option, chip, self.schedule),
            battery="" if self.battery is None else self.battery.label,
            battery_days=self.days(totals[-1]) if known else None,
            battery_range_days=self._range_days(totals) if known else None,
        )

    def days(self, power_w: float) -> float | None:
        """Days on the battery; None without one."""
        return None if self.battery is None else float(battery_days(power_w, self.battery))

    def _range_days(self, totals: list[float]) -> tuple[float, float] | None:
        if self.battery is None:
            return None
        least, most = sorted(float(battery_days(total, self.battery)) for total in (min(totals), max(totals)))
        return least, most

    def _kind(self, option: BoardOption, chip: Chip) -> Kind:
        """The weakest kind of figure that the answer rests on."""
        found = figures_of(option, chip, self.schedule) + (() if self.battery is None else self.battery.figures)
        return max((figure.kind for figure in found), key=_STRENGTH.__getitem__)

    def too_weak(self, option: BoardOption, chip: Chip) -> Violation | None:
        """The broken rule where the battery cannot give what the chip, its board and its sensors draw at once."""
        if self.battery is None:
            return None
        peak, most = peak_w(draws_of(option, chip), chip), self.battery.max_power_w
        if not peak > most:
            return None
        message = f"{self.battery.label} gives at most {1e3 * most:.0f} mW; the board draws {1e3 * peak:.0f} mW at once"
        return Violation(rule="battery", limit=most, actual=peak, message=message)


def peak_w(draws: Draws, chip: Chip) -> float:
    """What chip, board and sensors draw at once; of what nobody measured nothing is taken."""
    return chip.active_power_w.value + float(np.nansum([draws.idle_w, draws.sensing_w]))
