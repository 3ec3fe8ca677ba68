"""Partition tables and configuration keys follow ESP-IDF's rules, whatever the candidate."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from projects import TEMPLATES

from tinysearch.core.errors import UserError
from tinysearch.firmware import partitions, sdkconfig, wiring

FLASHES = st.sampled_from([size << 20 for size in partitions.FLASH_SIZES_MB])
PAGES = st.integers(6, 60)


@given(FLASHES, PAGES, st.integers(0, 400_000), st.integers(0, 300_000))
def test_laid_out_tables_obey_every_rule(flash_bytes: int, pages: int, app_bytes: int, model_bytes: int) -> None:
    table = partitions.lay_out(
        flash_bytes=flash_bytes, app_bytes=app_bytes, nvs=pages * 0x1000, model_bytes=model_bytes
    )
    assert partitions.broken_rules(table, flash_bytes=flash_bytes) == []
    assert partitions.from_csv(partitions.to_csv(table, header="x")) == table
    assert next(row for row in table if row.kind == "app").size >= app_bytes
    assert sum(row.size for row in table if row.name == "model") >= model_bytes


@given(FLASHES, PAGES)
def test_what_does_not_fit_is_refused(flash_bytes: int, pages: int) -> None:
    with pytest.raises(UserError, match="fit the flash"):
        partitions.lay_out(flash_bytes=flash_bytes, app_bytes=flash_bytes, nvs=pages * 0x1000)


def test_a_flash_that_esp_idf_does_not_know_is_refused() -> None:
    with pytest.raises(UserError, match="ESP-IDF knows flash parts"):
        partitions.lay_out(flash_bytes=3 << 20, app_bytes=1000, nvs=0x6000)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("factory", {"offset": 0x18000}, "not aligned"),
        ("factory", {"offset": 0x0}, "before the end of"),
        ("factory", {"size": 0x1000000}, "beyond the flash"),
        ("nvs", {"size": 0x2000}, "less than a writable NVS"),
        ("nvs_keys", {"offset": 0x9000}, "before the end of"),
        ("nvs_keys", {"name": "a label that is too long"}, "a label has"),
        ("nvs_keys", {"name": "nvs"}, "two partitions of one name"),
        ("factory", {"kind": "data"}, "no application partition"),
        ("nvs", {"size": 0x6001}, "not aligned"),
    ],
)
def test_broken_tables_are_found(name: str, change: dict[str, object], message: str) -> None:
    table = partitions.lay_out(flash_bytes=4 << 20, app_bytes=1000, nvs=0x6000)
    broken = [replace(row, **change) if row.name == name else row for row in table]
    assert any(message in problem for problem in partitions.broken_rules(broken, flash_bytes=4 << 20))


@given(st.integers(1, 16), st.integers(1, 4), st.integers(4, 4096))
def test_nvs_holds_every_template_with_room_to_rewrite_one(people: int, captures: int, template_bytes: int) -> None:
    size = partitions.nvs_bytes(people=people, captures=captures, template_bytes=template_bytes)
    assert size % 0x1000 == 0
    assert size >= (people + 1) * captures * template_bytes + 0x1000
    assert size <= partitions.nvs_bytes(people=people + 1, captures=captures, template_bytes=template_bytes)


@pytest.mark.parametrize("target", sorted(sdkconfig.TARGETS))
def test_every_target_gets_known_keys_only(target: str) -> None:
    interfaces = [None, *sdkconfig.TARGETS[target].psram]
    for psram in interfaces:
        for board in ("own", *sdkconfig.BOARDS):
            keys = sdkconfig.chip_keys(
                target,
                flash_mb=4,
                psram_interface=psram,
                buffers_in_psram=True,
                microphone_pdm=True,
                board=f"{board}+inmp441",
                longest_s=100,
            )
            text = sdkconfig.to_text(keys, target=target, header="x")
            assert sdkconfig.broken_rules(text, target=target) == []
            assert ("CONFIG_SPIRAM" in keys) == (psram is not None)


def test_psram_that_a_chip_cannot_drive_is_refused() -> None:
    with pytest.raises(UserError, match="drives PSRAM"):
        sdkconfig.chip_keys(
            "esp32c3",
            flash_mb=4,
            psram_interface="quad",
            buffers_in_psram=False,
            microphone_pdm=False,
            board="",
            longest_s=1,
        )
    with pytest.raises(UserError, match="the emitter knows the targets"):
        sdkconfig.known_keys("esp8266")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("CONFIG_SPIRAM=y", "esp32c3 does not know CONFIG_SPIRAM"),
        ("CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ_240=y", "does not know"),
        ("CONFIG_ESPTOOLPY_FLASHSIZE_8MB=y", "one of a choice"),
        ("CONFIG_TS_FEED=maybe", "not an assignment"),
        ("CONFIG_ESP_TASK_WDT_TIMEOUT_S=9", "set twice"),
        ("rm -rf", "not an assignment"),
    ],
)
def test_wrong_lines_are_found(line: str, message: str) -> None:
    keys = sdkconfig.chip_keys(
        "esp32c3", flash_mb=4, psram_interface=None, buffers_in_psram=False, microphone_pdm=False, board="", longest_s=1
    )
    text = sdkconfig.to_text(keys, target="esp32c3", header="x") + line + "\n"
    assert any(message in problem for problem in sdkconfig.broken_rules(text, target="esp32c3"))


@pytest.mark.parametrize(
    ("target", "board"),
    [
        *[("esp32", ""), ("esp32s2", ""), ("esp32s3", ""), ("esp32c3", ""), ("esp32c6", ""), ("esp32", "ESP_EYE")],
        *[("esp32", "ESP32_CAM"), ("esp32s3", "XIAO_ESP32S3_SENSE"), ("esp32s3", "ESP32S3_EYE")],
    ],
)
def test_no_pin_serves_two_signals(target: str, board: str) -> None:
    kconfig = (TEMPLATES / "esp_idf/main/Kconfig.projbuild").read_text()
    chosen = frozenset({f"IDF_TARGET_{target.upper()}", f"TS_BOARD_{board}"})
    camera = wiring.pins(kconfig, group="CAMERA", chosen=chosen)
    microphone = dict(wiring.pins(kconfig, group="MICROPHONE", chosen=chosen))
    assert (len(camera), len(microphone)) == (16, 3)
    if board == "XIAO_ESP32S3_SENSE":
        microphone.pop("TS_MICROPHONE_PIN_WORD")  # its microphone is a PDM one
    both = {**microphone} if target.startswith("esp32c") else {**camera, **microphone}
    used = [gpio for _, gpio in both.values() if gpio >= 0]
    assert len(set(used)) == len(used)
    assert max(used) <= 48


def test_unknown_keys_are_never_written() -> None:
    with pytest.raises(ValueError, match="not a key"):
        sdkconfig.to_text({"CONFIG_NO_SUCH": "y"}, target=None, header="x")
    with pytest.raises(ValueError, match="not a key"):
        sdkconfig.to_text({"CONFIG_PARTITION_TABLE_CUSTOM": "y\nCONFIG_X=y"}, target=None, header="x")


@pytest.mark.parametrize("target", sorted(sdkconfig.TARGETS))
def test_the_watchdog_is_off_where_a_step_may_outlast_it(target: str) -> None:
    def keys(longest_s: float) -> dict[str, str]:
        return sdkconfig.chip_keys(
            target,
            flash_mb=4,
            psram_interface=None,
            buffers_in_psram=False,
            microphone_pdm=False,
            board="",
            longest_s=longest_s,
        )

    assert "CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU0" not in keys(1.0)
    assert keys(100.0)["CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU0"] == "n"


@pytest.mark.parametrize("target", sorted(sdkconfig.TARGETS))
def test_nvs_can_be_encrypted(target: str) -> None:
    """By a key in an eFuse where the chip has that, else by flash encryption, whose keys need a partition."""
    keys = sdkconfig.encryption_keys(target)
    text = sdkconfig.to_text(keys, target=target, header="x")
    assert sdkconfig.broken_rules(text, target=target) == []
    assert keys["CONFIG_NVS_ENCRYPTION"] == "y"
    assert ("CONFIG_SECURE_FLASH_ENC_ENABLED" in keys) != ("CONFIG_NVS_SEC_HMAC_EFUSE_KEY_ID" in keys)
    table = partitions.lay_out(flash_bytes=1 << 20, app_bytes=1000, nvs=0x6000)
    assert [(row.subtype, row.flags) for row in table if row.flags] == [("nvs_keys", "encrypted")]
    flagged = [replace(row, flags="readonly-ish") for row in table]
    assert any("unknown flag" in problem for problem in partitions.broken_rules(flagged, flash_bytes=1 << 20))


def test_the_usb_console_is_not_opened_for_reads_without_waiting() -> None:
    """ESP-IDF 5.5 and 6.0 would never return a byte then, where USB has no driver."""
    assert "O_NONBLOCK)" not in (TEMPLATES / "esp_idf/components/port/port_chip.c").read_text()
