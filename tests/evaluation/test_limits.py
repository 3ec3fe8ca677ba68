"""Battery life and limits in the enumeration of a space: exact, and refused in one line where nothing fits."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import pytest

from tinysearch.app.building.designs import ModelAssessor, build_designs
from tinysearch.app.building.spaces import build_space
from tinysearch.app.building.wiring import build_models
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.core.errors import UserError
from tinysearch.core.limits import LIMITS, parse_limits
from tinysearch.core.objectives import OBJECTIVES
from tinysearch.evaluation.analytic import AnalyticModels
from tinysearch.evaluation.boards import PlatformWish
from tinysearch.search.known.design import DesignTable
from tinysearch.search.known.flat import FlatPoint

SPACE = ("space.layouts=[[1,1]]", "space.precisions=[int8,xnor2/1]", "space.modalities=[voice]")
LIVES = ("schedule=every:1min", "battery=18650", "objectives=[bom_cost_usd,battery_days]")


def table(*words: str) -> DesignTable:
    config = plain(compose_config([*SPACE, *words]))
    return build_designs(build_models(config), build_space(config)).table


def point(*words: str) -> dict[str, Any]:
    config = plain(compose_config(["voice.blocks=[1,1]", "voice.precision=int8", *words]))
    models, space = build_models(config), build_space(config)
    branch = next(b for b in space.branches("voice") if b.short == "voice 1-1 int8")
    found: dict[str, Any] = models.choose([branch], PlatformWish(module="xiao-esp32c3")).to_dict()
    return found


def test_rows_have_the_days_that_one_by_one_evaluation_gives() -> None:
    config = plain(compose_config([*SPACE, *LIVES]))
    models = build_models(config)
    found = build_designs(models, build_space(config)).table
    for row in range(len(found)):
        candidate = found.candidate(row)
        option = models.board_option(candidate.platform.board, ["voice"])
        evaluation = models.evaluate(candidate.branches, option)
        assert evaluation.feasible
        assert evaluation.power is not None
        assert -found.column("negative_battery_days")[row] == pytest.approx(evaluation.power.battery_days, rel=1e-12)
        assert found.column("power_mw")[row] == pytest.approx(evaluation.power.total_mw, rel=1e-12)


def test_a_dearer_board_that_draws_less_is_offered_too() -> None:
    words = ("schedule=button:1/day", "battery=18650", "build=any")  # what draws all the time decides
    cheapest, every = table(*words), table(*words, "objectives=[bom_cost_usd,battery_days]")
    assert {p.board for p in cheapest.platforms} != {p.board for p in every.platforms}
    rows = every.best_boards(("bom_cost_usd", "negative_battery_days"))
    price, days = every.column("bom_cost_usd")[rows], every.column("negative_battery_days")[rows]
    for model in np.unique(every.model[rows]):
        own = every.model[rows] == model
        assert len(set(price[own])) == len(set(days[own])) > 1  # none beats another


def test_every_limit_that_needs_no_training_is_kept_exactly() -> None:
    free = table(*LIVES)
    for name, option in (("latency_s", "max_latency_s"), ("ram_bytes", "max_ram_bytes"), ("power_mw", "max_power_mw")):
        bound = float(np.median(free.column(name)))
        kept = table(*LIVES, f"{option}={bound!r}" if name != "ram_bytes" else f"{option}={bound:.0f}")
        assert len(kept) == (free.column(name) <= bound).sum()
    bound = -float(np.median(free.column("negative_battery_days")))
    assert len(table(*LIVES, f"min_battery_days={bound!r}")) == (free.column("negative_battery_days") <= -bound).sum()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("max_latency_s=1ms",), "limits must leave at least one design .* latency_s "),
        (("max_latency_s=1ms", "max_ram_bytes=1KiB"), "has latency_s .*, ram_bytes "),
        ((*LIVES, "min_battery_days=1e6"), "min_battery_days=1000000: the nearest, voice on .*, has battery_days "),
        (("battery=cr2032",), "a battery must be able to feed at least one board; got a CR2032 gives at most 37 mW"),
        (("objectives=[battery_days]",), "a battery life must have a battery"),
        (("battery.in_bill=true",), "a battery life must have a battery; got battery.in_bill=true"),
        (("battery=car",), "a battery of catalogue espressif must be one of"),
        (("max_error=2",), "max_error must be a share between 0 and 1; got 2"),
        (("max_power_mw=-1",), "max_power_mw must be a positive number; got -1"),
        (("max_ram_bytes=many",), "max_ram_bytes must be a positive number; got many"),
        (("max_latency_s=nan",), "max_latency_s must be a positive number; got nan"),
    ],
)
def test_what_cannot_be_had_is_one_line(words: tuple[str, ...], line: str) -> None:
    with pytest.raises(UserError, match=line):
        table(*words)


def test_limits_are_spelled_with_units() -> None:
    words = {"max_error": "5%", "max_latency_s": "500ms", "max_ram_bytes": "200KiB", "min_battery_days": 90}
    bounds = {limit.option: limit.bound for limit in parse_limits(words)}
    assert bounds == {"max_error": 0.05, "max_latency_s": 0.5, "max_ram_bytes": 204800, "min_battery_days": 90}
    assert set(LIMITS.values()) | {"bom_cost_usd"} == set(OBJECTIVES)  # which budget limits


def test_small_and_large_numbers_are_numbers_however_they_are_written() -> None:
    (short, small) = parse_limits({"max_latency_s": 0.000001, "max_ram_bytes": 2e5})
    assert (short.bound, small.bound) == (1e-6, 200_000)
    with pytest.raises(UserError, match="max_latency_s must be a positive number; got 1e999"):
        parse_limits({"max_latency_s": "1e999"})


def test_a_value_and_an_array_of_it_keep_a_limit_alike_up_to_the_last_bit() -> None:
    for option, beyond in (("max_latency_s", math.inf), ("min_battery_days", 0.0)):
        (limit,) = parse_limits({option: 0.1})
        values = np.array([0.1, math.nextafter(0.1, beyond)])
        assert limit.keeps(values).tolist() == [True, False]
        assert [limit.violation(float(value)) is None for value in values] == [True, False]


def test_a_point_says_where_power_goes_only_where_somebody_asked() -> None:
    assert "power" not in point()
    assert {"power_mw", "battery_days"}.isdisjoint(point()["values"])
    asked = point("schedule=every:10s", "battery=2xaa")
    power, values = asked["power"], asked["values"]
    assert sum(power["shares_mw"].values()) == pytest.approx(values["power_mw"])
    assert power["range_mw"][0] <= values["power_mw"] <= power["range_mw"][1]
    assert power["text"] == f"runs {values['battery_days']:.0f} days on 2 AA, deciding every 10 s"
    rarer = point("schedule=every:10min", "battery=2xaa")["values"]
    assert rarer["battery_days"] > values["battery_days"]


def test_what_nobody_says_is_null_with_its_reason() -> None:
    config = plain(compose_config(["schedule=button", "battery=18650"]))
    models, space = build_models(config), build_space(config)
    silent = models.choose([space.branches("voice")[0]], PlatformWish(module="esp-eye"))
    document = silent.to_dict()
    assert (document["values"]["power_mw"], document["values"]["battery_days"]) == (None, None)
    assert document["power"]["unknown"] == "what ESP-EYE draws"
    assert document["power"]["text"] == "how long it runs is not known: nobody says what ESP-EYE draws"


def test_the_bill_has_the_battery_only_where_it_is_asked_for() -> None:
    without, within = point("battery=2xaa"), point("battery=2xaa", "battery.in_bill=true")
    more = within["values"]["bom_cost_usd"] - without["values"]["bom_cost_usd"]
    assert math.isclose(more, within["bom"][-1]["usd"])
    assert within["bom"][-1]["part"] == "2 x AA alkaline"


def test_a_point_that_a_sampler_has_asked_about_is_not_evaluated_again(monkeypatch: pytest.MonkeyPatch) -> None:
    config = plain(compose_config([*SPACE]))
    models, space = build_models(config), build_space(config)
    asked: list[object] = []
    choose = AnalyticModels.choose
    monkeypatch.setattr(
        AnalyticModels, "choose", lambda *given, **how: (asked.append(given[1]), choose(*given, **how))[1]
    )
    assessor, (first, second) = ModelAssessor(models, space), space.branches("voice")[:2]
    point_of = partial(FlatPoint, processor="esp32s3", flash_bytes=2**23, psram_bytes=2**23)
    found = [assessor.assess(point_of(branches=(branch,))) for branch in (first, first, second, first)]
    assert len(asked) == 3
    assert found[0] is found[1] and found[0] == found[3] != found[2]
