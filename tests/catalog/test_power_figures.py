"""Batteries and what boards draw, as files say it."""

from pathlib import Path

import pytest

from tinysearch.catalog import Catalog, check_catalog, load_catalog
from tinysearch.core.errors import UserError

SOURCED = "source: its data sheet, date: 2026-11-29, kind: datasheet"
PRICE = "price: {low: 1, typical: 2, high: 3, quantity: 1, source: my shop, date: 2026-11-29, kind: measured}"
FIGURES = {
    "capacity": "2500, unit: mAh",
    "voltage": "1.2, unit: V",
    "usable": "0.9, unit: share",
    "conversion": "85, unit: '%'",
    "self_discharge": "2, unit: '%/year'",
    "max_current": "500, unit: mA",
}


def battery(folder: Path, **figures: str) -> Path:
    lines = [f"{name}: {{value: {text}, {SOURCED}}}" for name, text in (FIGURES | figures).items() if text]
    path = folder / "parts" / "cell.yaml"
    path.write_text("\n".join(["id: my-cell", "kind: battery", "name: My cell", "label: my cell", PRICE, *lines]))
    return path


@pytest.fixture(scope="module")
def espressif(root: Path) -> Catalog:
    return load_catalog("espressif", root=root)


def test_a_battery_is_read_in_base_units(mine: Path, root: Path) -> None:
    battery(mine)
    part = load_catalog(mine, root=root).battery("my-cell")
    assert part.battery is not None
    assert part.battery.energy_j == pytest.approx(2.5 * 1.2 * 3600)
    assert part.battery.max_power_w == pytest.approx(0.5 * 1.2 * 0.85)
    assert (part.battery.self_discharge_per_year.value, part.battery.label) == (pytest.approx(0.02), "my cell")


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        ("usable", "1.2, unit: share", "usable must be a share of at most 1"),
        ("conversion", "120, unit: '%'", "conversion must be a share of at most 1"),
        ("capacity", "0, unit: Ah", "capacity must be more than 0"),
        ("capacity", "3, unit: V", "the unit of capacity must be one of Ah, mAh"),
        ("voltage", "-1, unit: V", "must not be negative"),
        ("max_current", "", "max_current must be given"),
    ],
)
def test_a_wrong_battery_is_refused_by_rule(mine: Path, root: Path, name: str, text: str, rule: str) -> None:
    battery(mine, **{name: text})
    (problem,) = check_catalog(mine, root=root)
    assert rule in problem.rule


def test_an_unknown_battery_gets_the_list(espressif: Catalog, root: Path) -> None:
    with pytest.raises(UserError, match=r"must be one of .*2xaa.*; got 9v;"):
        espressif.battery("9v")
    with pytest.raises(UserError, match="lists no battery"):
        load_catalog("paper2023", root=root).battery("2xaa")


def test_boards_say_what_draws_beside_the_chip(espressif: Catalog) -> None:
    wired = espressif.board_option("xiao-esp32c3+inmp441", ["microphone"])
    assert [draw.name for draw in wired.idle] == ["Seeed XIAO ESP32C3", "INMP441"]
    assert [draw.power_w is not None for draw in wired.idle] == [True, True]
    assert [draw.name for draw in wired.sensing] == ["INMP441"]
    camera = espressif.board_option("esp32-cam", ["camera"])
    assert camera.sensing[0].power_w == espressif.parts["ov2640"].active_power_w
    silent = espressif.board_option("esp-eye", ["camera"])
    assert silent.idle[0].power_w is None  # nobody measured it: unknown, not 0
    design = next(o for o in espressif.board_options(["microphone"]) if o.kind == "module")
    assert design.idle[0].name == "base board for a module"
