"""Average power of a device that decides at a schedule, where it goes, and how long a battery lasts.

One decision takes the energy of capture, sensors and networks. Between two decisions the device rests in the mode that
takes least of those that it has: deep sleep loses main memory, so that every wake is a start with the whole image to
read; light sleep keeps it; awake it only waits. What a board draws beside the chip, it draws all the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from tinysearch.core.platform import BoardOption, Chip
from tinysearch.core.provenance import Sourced
from tinysearch.core.schedule import DAY_S, Schedule
from tinysearch.core.supply import Battery, Draw

Floats = npt.NDArray[np.float64]

YEAR_S = 365.25 * DAY_S

Mode = Literal["deep sleep", "light sleep", "awake"]
MODES: tuple[Mode, ...] = get_args(Mode)

Share = Literal["sleep", "board", "wake", "sensor", "capture", "compute"]
SHARES: tuple[Share, ...] = get_args(Share)
"""Where power goes: the chip at rest (asleep, or awake without a sleep to go to); everything else on the board; starts
from deep sleep; sensors while the device is awake; the chip while it captures, and while the networks compute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """What some boards draw, W, and what a start takes, s: one number each, or one a board.

    Attributes:
        deep_w, light_w: of the chip asleep; NaN where nobody says, or it cannot.
        awake_w: of the chip with one core busy.
        idle_w: of everything else on the board; NaN where nobody says.
        sensing_w: of the sensors while the device is awake, beyond standby; NaN where nobody says.
        start_s: from deep sleep to the application, without the image.
        image_bytes_per_s: at which the image is read at a start.
    """

    deep_w: Floats
    light_w: Floats
    awake_w: Floats
    idle_w: Floats
    sensing_w: Floats
    start_s: Floats
    image_bytes_per_s: Floats

    def of(self, boards: npt.NDArray[np.int32]) -> Draws:
        """Those of some boards by index."""
        return Draws(**{field.name: getattr(self, field.name)[boards] for field in fields(self)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """Average power by share, W, each of one broadcast shape; NaN where a figure is not known.

    Attributes:
        mode: index into :data:`MODES`, how the device rests.
    """

    shares: dict[Share, Floats]
    mode: npt.NDArray[np.int64]

    @property
    def total_w(self) -> Floats:
        """Sum of the shares."""
        total: Floats = np.sum(list(self.shares.values()), axis=0)
        return total


def stacked(draws: Sequence[Draws]) -> Draws:
    """Draws of single boards as arrays, one entry a board."""
    return Draws(**{field.name: np.array([getattr(one, field.name) for one in draws]) for field in fields(Draws)})


def draws_of(option: BoardOption, chip: Chip) -> Draws:
    """What a board draws, by the catalogue."""
    rest, awake = chip.rest, chip.active_power_w if chip.one_core_power_w is None else chip.one_core_power_w
    start = light = deep = image = np.nan
    if rest is not None:
        deep, image = rest.deep_sleep_power_w.value, rest.image_bytes_per_s.value
        start, light = rest.boot_s.value, _value(rest.light_sleep_power_w)
        if option.psram_bytes:
            start += option.psram_bytes / _value(rest.psram_bytes_per_s)
            light += _value(rest.psram_sleep_power_w.get(option.psram_interface or ""))
    return Draws(
        deep_w=np.asarray(deep),
        light_w=np.asarray(light),
        awake_w=np.asarray(awake.value),
        idle_w=np.asarray(sum(_value(draw.power_w) for draw in option.idle)),
        sensing_w=np.asarray(sum(_value(draw.power_w) for draw in option.sensing)),
        start_s=np.asarray(start),
        image_bytes_per_s=np.asarray(image),
    )


def _value(figure: Sourced | None) -> float:
    return np.nan if figure is None else figure.value


def figures_of(option: BoardOption, chip: Chip, schedule: Schedule) -> tuple[Sourced, ...]:
    """The figures of the catalogue that the average power of a board rests on."""
    found = [chip.active_power_w, chip.one_core_power_w, *(draw.power_w for draw in (*option.idle, *option.sensing))]
    if schedule.sleeps and chip.rest is not None:
        found += [chip.rest.deep_sleep_power_w, chip.rest.boot_s, chip.rest.image_bytes_per_s]
        found += [chip.rest.psram_bytes_per_s] if option.psram_bytes else []
    return tuple(figure for figure in found if figure is not None)


def unknown_of(option: BoardOption, chip: Chip, schedule: Schedule) -> str:
    """What nobody says of a board, so that its power is not known; empty where everything is."""
    silent: list[Draw] = [draw for draw in (*option.idle, *option.sensing) if draw.power_w is None]
    missing = [f"what {draw.name} draws" for draw in silent]
    if schedule.sleeps and chip.rest is None:
        missing.append(f"what {chip.name} draws asleep")
    elif schedule.sleeps and chip.rest is not None and option.psram_bytes and chip.rest.psram_bytes_per_s is None:
        missing.append(f"how long PSRAM takes at a start of {chip.name}")
    return " and ".join(dict.fromkeys(missing))


def average_power(
    draws: Draws,
    schedule: Schedule,
    *,
    capture_s: npt.ArrayLike,
    compute_s: npt.ArrayLike,
    compute_mj: npt.ArrayLike,
    image_bytes: npt.ArrayLike,
) -> Power:
    """Average power of devices, all arguments broadcast against each other.

    A decision that takes longer than the schedule's interval is followed by the next one at once.

    Args:
        draws: of the boards.
        capture_s, compute_s: of one decision.
        compute_mj: energy of the chip while the networks of one decision compute.
        image_bytes: that a start reads.
    """
    capture, compute, energy_j = (np.asarray(value, np.float64) for value in (capture_s, compute_s, compute_mj))
    busy = capture + compute
    period = np.maximum(schedule.interval_s, busy)
    start = draws.start_s + np.asarray(image_bytes, np.float64) / draws.image_bytes_per_s
    active = {
        "sensor": draws.sensing_w * busy / period,
        "capture": draws.awake_w * capture / period,
        "compute": energy_j * 1e-3 / period,
    }
    pause = period - busy
    rest = np.stack(np.broadcast_arrays(draws.deep_w * (pause - start), draws.light_w * pause, draws.awake_w * pause))
    wake = np.stack(np.broadcast_arrays(draws.awake_w * start, 0.0 * pause, 0.0 * pause))
    possible = np.stack(np.broadcast_arrays(pause >= start, pause > 0, pause >= 0))
    mode = np.argmin(np.where(possible & ~np.isnan(rest + wake), rest + wake, np.inf), axis=0)
    chosen = [np.take_along_axis(each, mode[None], axis=0)[0] / period for each in (rest, wake)]
    if schedule.sleeps:  # a chip of which nobody says what it draws asleep is not one that stays awake
        chosen[0] = np.where(np.isnan(draws.deep_w + start), np.nan, chosen[0])
    # Nothing can be learned of sensors and boards that nobody measured: their NaN is everybody's.
    parts = {"sleep": chosen[0], "board": draws.idle_w, "wake": chosen[1], **active}
    shapes = np.broadcast_arrays(*(parts[name] for name in SHARES))
    return Power(shares={name: np.array(each) for name, each in zip(SHARES, shapes, strict=True)}, mode=mode)


def battery_days(power_w: npt.ArrayLike, battery: Battery) -> Floats:
    """Days until a battery no longer runs a device of some average power at the 3.3 V rail; NaN for NaN."""
    lost_w = battery.energy_j * battery.self_discharge_per_year.value / YEAR_S
    drawn_w = np.asarray(power_w, np.float64) / battery.conversion.value + lost_w
    days: Floats = battery.energy_j * battery.usable.value / drawn_w / DAY_S
    return days
