"""Laws of average power and battery life, on a board with round figures."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysearch.analytic.power import MODES, SHARES, Draws, average_power, battery_days
from tinysearch.core.provenance import Sourced
from tinysearch.core.schedule import ALWAYS, Schedule
from tinysearch.core.supply import Battery

BOARD = Draws(
    deep_w=np.float64(20e-6),
    light_w=np.float64(1e-3),
    awake_w=np.float64(0.1),
    idle_w=np.float64(50e-6),
    sensing_w=np.float64(0.01),
    start_s=np.float64(0.2),
    image_bytes_per_s=np.float64(4e6),
)
DECISION = {"capture_s": 0.5, "compute_s": 0.25, "compute_mj": 50.0, "image_bytes": 400_000}
"""0.1 s to read the image; 50 mJ in 0.25 s are two busy cores, 0.2 W."""

NAN = np.float64(np.nan)


def figure(value: float, unit: str) -> Sourced:
    return Sourced(value=value, unit=unit, source="round", date="2026-11-29", kind="assumed")


CELL = Battery(
    id="cell",
    label="a cell",
    capacity_ah=figure(1.0, "Ah"),
    voltage_v=figure(3.6, "V"),
    usable=figure(0.8, "share"),
    conversion=figure(0.9, "share"),
    self_discharge_per_year=figure(0.0, "share/year"),
    max_current_a=figure(1.0, "A"),
)


def every(seconds: float) -> Schedule:
    return Schedule(kind="every", interval_s=seconds)


def total(draws: Draws, schedule: Schedule) -> float:
    return float(average_power(draws, schedule, **DECISION).total_w)


def test_always_is_the_active_power_of_chip_sensors_and_board() -> None:
    active = (0.1 * 0.5 + 0.05) / 0.75 + 0.01 + 50e-6
    assert total(BOARD, ALWAYS) == pytest.approx(active, rel=1e-12)
    assert total(BOARD, every(0.1)) == total(BOARD, ALWAYS)  # faster than it can


def test_energy_of_one_interval_is_the_sum_of_what_happens_in_it() -> None:
    power = average_power(BOARD, every(60.0), **DECISION)
    spent = {name: 60.0 * float(watts) for name, watts in power.shares.items()}
    wanted = (20e-6 * (60 - 0.75 - 0.3), 50e-6 * 60, 0.1 * 0.3, 0.01 * 0.75, 0.1 * 0.5, 0.05)
    assert MODES[int(power.mode)] == "deep sleep"
    assert spent == pytest.approx(dict(zip(SHARES, wanted, strict=True)), rel=1e-12)
    assert 60.0 * float(power.total_w) == pytest.approx(sum(wanted), rel=1e-12)


def test_memory_that_is_kept_pays_at_short_intervals_and_not_at_long_ones() -> None:
    rests = [MODES[int(average_power(BOARD, every(s), **DECISION).mode)] for s in (1.0, 20.0, 40.0, 3600.0)]
    assert rests == ["light sleep", "light sleep", "deep sleep", "deep sleep"]  # 30 mJ a start, 0.98 mW more asleep
    larger = DECISION | {"image_bytes": 4_000_000}
    paid = average_power(BOARD, every(3600.0), **larger).shares["wake"] * 3600.0
    assert float(paid) == pytest.approx(0.1 * 1.2)  # weights are read again at every wake
    without = replace(BOARD, light_w=NAN)
    assert MODES[int(average_power(without, every(1.0), **DECISION).mode)] == "awake"


@given(seconds=st.lists(st.floats(0.01, 1e5), min_size=2, max_size=8), light=st.booleans())
def test_a_longer_interval_never_shortens_a_battery_life(seconds: list[float], light: bool) -> None:
    board = BOARD if light else replace(BOARD, light_w=NAN)
    days = [float(battery_days(total(board, every(s)), CELL)) for s in sorted(seconds)]
    assert all(later >= earlier * (1 - 1e-12) for earlier, later in pairwise(days))


def test_days_are_usable_energy_over_power_and_self_discharge_ends_them() -> None:
    assert float(battery_days(0.01, CELL)) == pytest.approx(3.6 * 0.8 * 0.9 / 0.01 / 24)
    leaky = replace(CELL, self_discharge_per_year=figure(0.5, "share/year"))
    assert float(battery_days(0.0, leaky)) == pytest.approx(365.25 * 0.8 / 0.5)
    assert float(battery_days(0.01, leaky)) < float(battery_days(0.01, CELL))


@pytest.mark.parametrize("name", ["deep_w", "idle_w", "sensing_w", "start_s"])
def test_what_nobody_says_is_unknown_and_never_zero(name: str) -> None:
    gap = replace(BOARD, **{name: NAN})
    assert np.isnan(total(gap, every(60.0)))
    assert np.isnan(float(battery_days(total(gap, every(60.0)), CELL)))
    needless = name in ("deep_w", "start_s")  # who never sleeps needs no figure of sleep
    assert np.isnan(total(gap, ALWAYS)) != needless


def test_many_boards_at_once_give_what_each_gives_alone() -> None:
    many = Draws(**{name: np.array([getattr(BOARD, name)] * 3) for name in Draws.__dataclass_fields__})
    many = replace(many, light_w=np.array([1e-3, np.nan, 1e-5]))
    found = average_power(many, every(10.0), **(DECISION | {"compute_s": np.array([0.25, 0.5, 5.0])})).total_w
    alone = [
        float(average_power(many.of(np.array([i])), every(10.0), **(DECISION | {"compute_s": s})).total_w[0])
        for i, s in enumerate((0.25, 0.5, 5.0))
    ]
    assert found == pytest.approx(alone, rel=1e-15)
