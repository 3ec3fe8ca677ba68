"""Chips, parts and boards as values."""

from dataclasses import FrozenInstanceError, replace

import pytest

from tinysearch.core.platform import BoardOption, BomItem, Chip, Part, Psram, Sensor
from tinysearch.core.provenance import Price, Sourced

MIB = 2**20


def sourced(value: float, unit: str = "bytes") -> Sourced:
    return Sourced(value=value, unit=unit, source="test", date="2026", kind="assumed")


CHIP = Chip(
    id="chip",
    name="Chip",
    isa="rv32imc",
    cores=1,
    fpu=False,
    simd=None,
    frequency_hz=sourced(160e6, "Hz"),
    sram_bytes=sourced(400 * 1024),
    heap_bytes=sourced(300 * 1024),
    largest_block_bytes=sourced(200 * 1024),
    psram=Psram(interfaces=("quad",), addressable_bytes=sourced(4 * MIB), shared_with_flash=False),
    flash_max_bytes=sourced(16 * MIB),
    flash_window_bytes=sourced(8 * MIB),
    cameras=("dvp",),
    microphones=(),
    bootloader_offset=0,
    idf_target="chip",
    idf_minimum=(5, 1),
    active_power_w=sourced(0.1, "W"),
    source="test",
    date="2026",
)

PRICE = Price(low=1.0, typical=2.0, high=4.0, quantity=1, source="shop", date="2026", kind="assumed")


def test_psram_counts_up_to_what_is_addressable() -> None:
    assert [CHIP.counted_psram_bytes(size * MIB) for size in (0, 2, 4, 8)] == [0, 2 * MIB, 4 * MIB, 4 * MIB]
    assert replace(CHIP, psram=None).counted_psram_bytes(8 * MIB) == 0


def test_interfaces_by_kind_of_sensor() -> None:
    assert CHIP.sensor_interfaces("camera") == ("dvp",)
    assert CHIP.sensor_interfaces("microphone") == ()


def test_only_sensor_parts_are_sensors() -> None:
    camera = Part(id="c", name="C", kind="camera", price=PRICE, interface="dvp")
    assert camera.sensor == Sensor(kind="camera", interface="dvp", name="C")
    assert Part(id="f", name="F", kind="flash", price=PRICE, interface="quad", flash_bytes=MIB).sensor is None


def test_a_board_sums_its_parts_at_each_level() -> None:
    board = BoardOption(
        id="b",
        name="B",
        processor="chip",
        cores=1,
        module="m",
        kind="module",
        serves=("camera",),
        flash_bytes=MIB,
        psram_bytes=0,
        psram_interface=None,
        fitted=(Sensor(kind="microphone", interface="i2s", name="M"), Sensor(kind="camera", interface="dvp", name="C")),
        items=(BomItem(part="m", name="M", price=PRICE), BomItem(part="c", name="C", price=PRICE)),
    )
    assert [board.price_usd(level) for level in ("low", "typical", "high")] == [2.0, 4.0, 8.0]
    assert [line.usd for line in board.bom] == [2.0, 2.0]
    assert board.bom[0].source == "shop (2026)"
    assert board.sensors == ("camera", "microphone")
    assert board.sensor_names == ("M", "C")
    assert board.sensor("camera") == board.fitted[1]
    assert replace(board, fitted=()).sensor("camera") is None
    with pytest.raises(FrozenInstanceError):
        board.flash_bytes = 2  # type: ignore[misc]
