from __future__ import annotations

import pytest
from rich.console import Console
from rich.table import Table

from tinysearch.app.network_names import networks, telling_apart
from tinysearch.app.terminal import front_table, listing_table, listing_width, order_table
from tinysearch.catalog.listing import Listing
from tinysearch.report.picks import Pick, Picks


def test_the_widest_front_fits_eighty_columns() -> None:
    branch = {"layout": "2-2-2-2", "precision": "float32"}
    point = {
        "branches": {"face": branch, "voice": branch},
        "values": {"eer": 0.1234, "eer_ci95": [0.1, 0.15], "bom_cost_usd": 113.82, "latency_s": 0.9994},
        "operating_point": {
            "far": 0.1,
            "threshold": 700_000,
            "frr": 0.452,
            "usable": False,
            "effective_latency_s": 119.94,
        },
        "platform": {"processor": "esp32c61", "flash_bytes": 16 << 20, "psram_bytes": 32 << 20},
        "evidence": {"eer": "table", "latency": "uncalibrated"},
        "bom": [{"part": "a chip", "kind": "assumed"}],
        "order": {"ready": False, "quantity": 1},
    }
    console = Console(width=80, record=True, file=None, quiet=False)
    with console.capture() as capture:
        console.print(front_table([point]))
    text = capture.get()
    assert "…" not in text
    assert "esp32c61" in text
    assert "32 MB" in text
    assert "face 2222 float32" in text
    assert "EER: table; latency: uncalibrated" in text
    assert "113.82*~" in text
    assert "* a design, not an order" in text
    assert "prices in an order of 1 piece" in text
    assert "45.2!" in text
    assert "119.94 s" in text and "in after" in text
    assert "at FAR 10 %, as emitted; !: hardly usable" in text


def test_a_front_on_a_battery_fits_too_and_has_no_empty_column() -> None:
    point = {
        "branches": {"wrist": {"layout": "separable-1-2-2-width16", "precision": "xnor2/1from2"}},
        "values": {"eer": 0.1234, "eer_ci95": [0.1, 0.15], "bom_cost_usd": 113.82, "latency_s": 0.9994}
        | {"acquisition_s": 1.5},
        "operating_point": None,
        "platform": {"processor": "esp32c61", "flash_bytes": 16 << 20, "psram_bytes": 0},
        "evidence": {"eer": "trained", "latency": "uncalibrated"},
        "bom": [{"part": "a chip", "kind": "assumed"}],
        "order": {"ready": True, "quantity": 1},
        "power": {"battery": None, "schedule": "20 times a day"},
    }
    text = "\n".join(lines(front_table([point]), 80))
    assert "…" not in text
    assert "EER %" in text
    assert "FRR %" not in text
    assert "not known" in text
    assert "answer: after capture and computing of one attempt" in text and "in after" not in text
    text = "\n".join(lines(front_table([point | {"decision": "classification"}], objectives=["eer"]), 80))
    assert "error %" in text and "error: trained" in text and "EER" not in text


def test_latency_has_a_column_where_capturing_hides_it() -> None:
    point = {
        "branches": {"wrist": {"layout": "1-1", "precision": "int8"}},
        "values": {"eer": 0.12, "eer_ci95": [0.1, 0.15], "bom_cost_usd": 7.9, "acquisition_s": 2.0, "latency_s": 1e-3},
        "operating_point": None,
        "platform": {"processor": "esp32c3", "flash_bytes": 4 << 20, "psram_bytes": 0},
        "evidence": {"eer": "trained", "latency": "uncalibrated"},
        "decision": "classification",
    }
    sooner = point | {"values": point["values"] | {"latency_s": 1.6e-4}}
    objectives = ["eer", "bom_cost_usd", "latency_s"]
    for points, told in (([point, sooner], True), ([point, point], False)):
        text = "\n".join(lines(front_table(points, objectives=objectives), 80))
        assert ("0.16 ms" in text) == told and text.count("2.00 s") == 2
    apart = point | {"values": point["values"] | {"latency_s": 0.5}}
    assert "500 ms" not in "\n".join(lines(front_table([point, apart], objectives=objectives), 80))


def test_what_was_limited_has_a_column_in_the_room_of_the_boards_memories() -> None:
    branch = {"layout": "2-2-2-2", "precision": "float32"}
    point = {
        "branches": {"face": branch, "voice": branch},
        "values": {"eer": 0.1234, "eer_ci95": [0.1, 0.15], "bom_cost_usd": 13.5, "latency_s": 0.098}
        | {"acquisition_s": 1.5, "energy_mj": 19.5, "power_mw": 3.25},
        "requires": {"flash_bytes": 589824, "ram_bytes": 98960},
        "operating_point": None,
        "platform": {"processor": "esp32s3", "flash_bytes": 16 << 20, "psram_bytes": 8 << 20},
        "evidence": {"eer": "table", "latency": "uncalibrated"},
        "bom": [],
        "order": {"ready": True, "quantity": 1},
        "power": {"battery": None, "schedule": "every 10 s"},
    }
    limited = ["eer", "latency_s", "ram_bytes", "flash_bytes", "power_mw"]
    table = front_table([point], objectives=["eer", "bom_cost_usd", "latency_s"], limited=limited)
    names = [str(column.header) for column in table.columns]
    assert names[-5:] == ["latency", "RAM", "flash", "power", "chip"]
    assert "psram" not in names and "runs" not in names
    text = "\n".join(lines(table, 80))
    assert "98 ms" in text and "96.6 KiB" in text and "576 KiB" in text and "…" not in text
    asked = front_table([point], objectives=["bom_cost_usd", "energy_mj"], limited=["energy_mj"])
    assert [str(column.header) for column in asked.columns].count("energy") == 1


LISTING = Listing(
    title="Parts",
    columns=("part", "name", "usd", "source"),
    rows=(("esp32-cam", "a board with a camera", 7.0, "a shop that says much, " * 9), ("psram", "", 1.9, None)),
)


@pytest.mark.parametrize(
    ("days", "told"), [(41.0, "runs on 2 AA, deciding every 10 s"), (None, "nobody says what a part of it draws")]
)
def test_a_battery_is_told_of_and_what_is_unknown_only_where_it_is(days: float | None, told: str) -> None:
    point = {
        "branches": {"voice": {"layout": "2-2", "precision": "int8"}},
        "values": {"bom_cost_usd": 5.0, "battery_days": days},
        "power": {"battery": "2 AA", "schedule": "every 10 s"},
        "platform": {"processor": "esp32c3"},
        "evidence": {"eer": "none", "latency": "uncalibrated"},
        "bom": [],
        "order": {"ready": True, "quantity": 1},
    }
    caption = str(front_table([point], objectives=("bom_cost_usd", "battery_days")).caption)
    assert told in caption
    assert ("nobody says" in caption) == (days is None)


def lines(table: Table, width: int) -> list[str]:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(table)
    return [line.rstrip() for line in capture.get().splitlines()]


@pytest.mark.parametrize("width", [24, 40, 60, 80, 120])
def test_a_listing_keeps_what_matters_and_names_what_is_left_out(width: int) -> None:
    text = lines(listing_table(LISTING, width=width), width)
    assert max(map(len, text)) <= width
    assert text[1].startswith("part")
    shown = text[1].split()
    assert {"part", "usd"} <= set(shown)
    left = " ".join(text).partition("not shown: ")[2]
    assert all(name in shown or name in left for name in LISTING.columns)


def test_a_listing_in_a_pipe_has_one_line_a_row() -> None:
    text = lines(listing_table(LISTING, width=10**6), listing_width(LISTING))
    assert len(text) == 4
    assert "much, a shop that says" in text[2]


def test_what_to_order_fits_eighty_columns() -> None:
    pick = Pick(
        id="a",
        labels=("Cheapest", "Most accurate"),
        price="$14.83",
        quality="EER 3.3 % [2.3-5.2 %]",
        meaning="Hardly usable.",
        usable=False,
        latency="45.84 s",
        network="face 2-2 int8",
        order=(("ESP32-S3R2", "$2.48"), ("2 × W25Q128 flash 16 MB", "$2.20"), ("OV2640", "$6.50")),
        step="",
        problem="no such bus",
        standing="Design, not an order",
    )
    text = lines(order_table(Picks(cards=(pick,), note="")), 80)
    assert max(map(len, text)) <= 80
    whole = " ".join(" ".join(text).split())
    assert "Cheapest = Most accurate $14.83 EER 3.3 % [2.3-5.2 %], 45.84 s: ESP32-S3R2 + 2 ×" in whole
    assert "Hardly usable. Design, not an order cannot be built: no such bus" in whole


def test_networks_of_one_layout_are_told_apart_by_what_differs() -> None:
    face = {"layout": "separable-1-1", "precision": "int8", "width": 4, "input_size": 48, "channels": 3}
    face["input_kind"] = "camera"
    voice = {"layout": "1-1", "precision": "int8", "width": 16, "input_size": 64, "channels": 1}

    def shown(point: dict[str, object]) -> list[str]:
        wider = {"branches": {"face": {**face, "width": 8}, "voice": voice}}
        return networks(point, apart=telling_apart([point, wider])).split("\n")

    assert shown({"branches": {"face": face}}) == ["face separable11 int8 w4"]
    assert shown({"branches": {"face": {**face, "input_size": 64, "channels": 1}}}) == [
        "face separable11 int8 w4 64x64 gray"
    ]
    assert shown({"branches": {"voice": {**voice, "frames": 32}}}) == ["voice 11 int8 32x64"]
    both = {"branches": {"face": {**face, "width": 8}, "voice": voice}}
    assert shown(both) == ["face separable11 int8", "+ voice 11 int8"]
    assert shown(both | {"fusion": {"first": "voice"}}) == ["voice 11 int8", "if unsure face separable11 int8"]
