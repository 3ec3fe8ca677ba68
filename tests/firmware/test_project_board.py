"""Partition tables and configuration keys follow ESP-IDF's rules, whatever the candidate."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from projects import TASK, TEMPLATES, classified, emitted, evaluated, face, models, networks, voice, watching

from tinysearch.core.errors import UserError
from tinysearch.core.platform import Sensor
from tinysearch.evaluation.boards import PlatformWish
from tinysearch.firmware import partitions, project, sdkconfig, wiring

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
    with pytest.raises(UserError, match="fit in flash"):
        partitions.lay_out(flash_bytes=flash_bytes, app_bytes=flash_bytes, nvs=pages * 0x1000)


def test_a_flash_that_esp_idf_does_not_know_is_refused() -> None:
    with pytest.raises(UserError, match="a flash part must be of"):
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


CHIPS = models().catalog.chips
SETTINGS = {
    "flash_mb": 4,
    "psram_interface": None,
    "buffers_in_psram": False,
    "microphone_pdm": False,
    "board": {},
    "longest_s": 1.0,
}


def keys_of(processor: str, **settings: object) -> dict[str, str]:
    return sdkconfig.chip_keys(CHIPS[processor], **(SETTINGS | settings))  # type: ignore[arg-type]


@pytest.mark.parametrize("processor", sorted(CHIPS))
def test_the_configuration_is_what_the_catalogue_says(processor: str) -> None:
    """Clock of cores and of PSRAM, bus width, cores, revision: latencies are predicted for what the firmware sets."""
    chip = CHIPS[processor]
    psram = () if chip.psram is None else chip.psram.interfaces
    for interface in (None, *psram):
        pdm = "pdm" in chip.microphones
        keys = keys_of(processor, psram_interface=interface, buffers_in_psram=True, microphone_pdm=pdm, longest_s=100)
        text = sdkconfig.to_text(keys, known=sdkconfig.known_keys(chip), header="x")
        assert sdkconfig.broken_rules(text, known=sdkconfig.known_keys(chip), target=chip.idf_target) == []
        assert keys[f"CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ_{chip.frequency_hz.value / 1e6:.0f}"] == "y"
        assert ("CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU1" in keys) == (chip.cores > 1)
        assert ("CONFIG_ESP32P4_SELECTS_REV_LESS_V3" in keys) == (chip.revision == "v1.x")
        speeds = [key for key in keys if key.startswith("CONFIG_SPIRAM_SPEED_")]
        clocks = [] if interface is None else [chip.psram.clock_hz[interface].value / 1e6]  # type: ignore[union-attr]
        assert speeds == [f"CONFIG_SPIRAM_SPEED_{clock:.0f}M" for clock in clocks]
        assert ("CONFIG_SPIRAM" in keys) == (interface is not None)


SPEEDS_MHZ = {"esp32": 40, "esp32s2": 80, "esp32s3": 80, "esp32c5": 80, "esp32c61": 80, "esp32p4": 200}
"""Of PSRAM, as Kconfig.spiram of ESP-IDF 6.0 offers them."""


@pytest.mark.parametrize(("processor", "mhz"), SPEEDS_MHZ.items())
def test_psram_runs_at_a_speed_that_the_chip_offers(processor: str, mhz: int) -> None:
    psram = CHIPS[processor].psram
    assert psram is not None
    assert {clock.value / 1e6 for clock in psram.clock_hz.values()} == {mhz}


def test_revisions_of_the_p4_are_never_mixed() -> None:
    """Parts without an X are revision 1: 360 MHz, and a key without which ESP-IDF builds what they cannot run."""
    parts = {name: part for name, part in models().catalog.parts.items() if name.startswith("esp32-p4nrw")}
    assert {name: part.processor for name, part in parts.items()} == {
        "esp32-p4nrw16": "esp32p4-v1",
        "esp32-p4nrw32": "esp32p4-v1",
        "esp32-p4nrw16x": "esp32p4",
        "esp32-p4nrw32x": "esp32p4",
    }
    old, new = keys_of("esp32p4-v1"), keys_of("esp32p4")
    assert {"CONFIG_ESP32P4_SELECTS_REV_LESS_V3", "CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ_360"} <= set(old)
    assert "CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ_400" in new
    assert not any("REV" in key for key in new)
    evaluations = [
        models().choose((voice("int8"),), PlatformWish(processor="esp32p4", module=module))
        for module in ("esp32-p4nrw16", "esp32-p4nrw16x")
    ]
    assert [evaluation.to_dict()["platform"]["processor"] for evaluation in evaluations] == ["esp32p4", "esp32p4"]
    assert evaluations[0].latency_s == pytest.approx(evaluations[1].latency_s * 400 / 360)


def test_every_board_of_the_catalogue_is_known_to_the_application() -> None:
    kconfig = (TEMPLATES / "esp_idf/main/Kconfig.options").read_text()
    for part in models().catalog.parts.values():
        if part.kconfig:
            assert f"config {part.kconfig.removeprefix('CONFIG_')}\n" in kconfig
            assert sdkconfig.BOARDS[part.kconfig] == CHIPS[str(part.processor)].idf_target


def test_what_a_chip_cannot_drive_is_refused() -> None:
    with pytest.raises(UserError, match="PSRAM of ESP32-C3 must be absent"):
        keys_of("esp32c3", psram_interface="quad")
    with pytest.raises(UserError, match="a microphone of ESP32-C6 must be i2s"):
        keys_of("esp32c6", microphone_pdm=True)


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
    known = sdkconfig.known_keys(CHIPS["esp32c3"])
    text = sdkconfig.to_text(keys_of("esp32c3"), known=known, header="x") + line + "\n"
    assert any(message in problem for problem in sdkconfig.broken_rules(text, known=known, target="esp32c3"))


@pytest.mark.parametrize(
    ("target", "board"),
    [
        *[("esp32", ""), ("esp32s2", ""), ("esp32s3", ""), ("esp32c3", ""), ("esp32c6", ""), ("esp32", "ESP_EYE")],
        *[("esp32", "ESP32_CAM"), ("esp32s3", "XIAO_ESP32S3_SENSE"), ("esp32s3", "ESP32S3_EYE")],
    ],
)
def test_no_pin_serves_two_signals(target: str, board: str) -> None:
    kconfig = (TEMPLATES / "esp_idf/main/Kconfig.options").read_text()
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
    known = sdkconfig.KNOWN_TO_ALL
    with pytest.raises(ValueError, match="must be one that its target knows"):
        sdkconfig.to_text({"CONFIG_NO_SUCH": "y"}, known=known, header="x")
    with pytest.raises(ValueError, match="must be one that its target knows"):
        sdkconfig.to_text({"CONFIG_PARTITION_TABLE_CUSTOM": "y\nCONFIG_X=y"}, known=known, header="x")


@pytest.mark.parametrize("processor", sorted(CHIPS))
def test_the_watchdog_is_off_where_a_step_may_outlast_it(processor: str) -> None:
    assert "CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU0" not in keys_of(processor)
    assert keys_of(processor, longest_s=100.0)["CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU0"] == "n"


@pytest.mark.parametrize("processor", sorted(CHIPS))
def test_nvs_can_be_encrypted(processor: str) -> None:
    """By a key in an eFuse where the chip has that, else by flash encryption, whose keys need a partition."""
    chip = CHIPS[processor]
    keys, known = sdkconfig.encryption_keys(chip), sdkconfig.known_keys(chip)
    text = sdkconfig.to_text(keys, known=known, header="x")
    assert sdkconfig.broken_rules(text, known=known, target=chip.idf_target) == []
    assert keys["CONFIG_NVS_ENCRYPTION"] == "y"
    assert ("CONFIG_SECURE_FLASH_ENC_ENABLED" in keys) != ("CONFIG_NVS_SEC_HMAC_EFUSE_KEY_ID" in keys)
    table = partitions.lay_out(flash_bytes=1 << 20, app_bytes=1000, nvs=0x6000)
    assert [(row.subtype, row.flags) for row in table if row.flags] == [("nvs_keys", "encrypted")]
    flagged = [replace(row, flags="readonly-ish") for row in table]
    assert any("unknown flag" in problem for problem in partitions.broken_rules(flagged, flash_bytes=1 << 20))


def test_the_usb_console_is_not_opened_for_reads_without_waiting() -> None:
    """ESP-IDF 5.5 and 6.0 would never return a byte then, where USB has no driver."""
    assert "O_NONBLOCK)" not in (TEMPLATES / "esp_idf/components/port/port_chip.c").read_text()


def test_files_of_the_project_name_the_chips_that_the_catalogue_does() -> None:
    """Lists that C build files need as text: who turns PDM into samples, and who has the kernels of a backend."""
    kconfig = (TEMPLATES / "esp_idf/main/Kconfig.options").read_text()
    pdm = {f"IDF_TARGET_{chip.idf_target.upper()}" for chip in CHIPS.values() if "pdm" in chip.microphones}
    choice = kconfig.split("config TS_MICROPHONE_PDM\n")[1].split("depends on ")[1].split("\n")[0]
    assert set(choice.split(" || ")) == pdm
    for name in ("pie", "xespv", "esp_nn", "esp_dsp"):
        targets = {chip.idf_target for chip in CHIPS.values() if name in chip.kernels}
        folder = TEMPLATES / f"esp_idf/components/backend_{name}"
        for file in folder.iterdir():
            if file.suffix in (".c", ".txt", ".yml"):
                named = re.findall(r"\besp32[a-z0-9]*\b|IDF_TARGET_ESP32[A-Z0-9]*", file.read_text())
                found = {word.removeprefix("IDF_TARGET_").lower() for word in named} - {"esp32-camera"}
                assert found in (set(), targets), file


def test_a_project_asks_for_the_camera_of_its_own_chip(tmp_path: Path) -> None:
    for processor, driven in (("esp32s3", True), ("esp32p4", False)):
        folder = emitted(face("int8"), out=tmp_path / processor, processor=processor)
        manifest = (folder / "main/idf_component.yml").read_text()
        kconfig = (folder / "main/Kconfig.projbuild").read_text()
        assert ("esp32-camera" in manifest) == ("Camera (parallel)" in kconfig) == driven
        assert not driven or f'if: "target in [{processor}]"' in manifest


def test_two_slots_halve_the_room_and_have_their_data() -> None:
    table = partitions.lay_out(flash_bytes=4 << 20, app_bytes=1_500_000, nvs=0x6000, slots=2)
    assert [(row.name, row.subtype, row.offset, row.size) for row in table] == [
        ("nvs", "nvs", 0x9000, 0x6000),
        ("nvs_keys", "nvs_keys", 0xF000, 0x1000),
        ("otadata", "ota", 0x10000, 0x2000),
        ("ota_0", "ota_0", 0x20000, 0x1F0000),
        ("ota_1", "ota_1", 0x210000, 0x1F0000),
    ]
    assert partitions.broken_rules(table, flash_bytes=4 << 20) == []
    assert partitions.from_csv(partitions.to_csv(table, header="x")) == table
    with pytest.raises(UserError, match="6000000 bytes in 4194304"):
        partitions.lay_out(flash_bytes=4 << 20, app_bytes=3_000_000, nvs=0x6000, slots=2)


def test_an_encrypted_build_has_room_for_its_bootloader() -> None:
    """0x8740 bytes with its messages on the ESP32-C61, where 0x8000 are free."""
    for chip in models().catalog.chips.values():
        silent = "CONFIG_BOOTLOADER_LOG_LEVEL_NONE" in sdkconfig.encryption_keys(chip)
        assert silent == ("CONFIG_SECURE_FLASH_ENC_ENABLED" in sdkconfig.encryption_keys(chip))


@pytest.mark.parametrize(("processor", "lines"), [("esp32s31", 2), ("esp32s3", 0)])
def test_a_preview_target_is_built_as_one(processor: str, lines: int, tmp_path: Path) -> None:
    branch = voice("int8", (1,), width=4)
    project.emit(
        evaluated(branch, processor="esp32s3"),
        networks(branch),
        chip=models().catalog.chip(processor),
        task=TASK,
        out=tmp_path / "p",
        templates=TEMPLATES,
        version="0.0.0",
        digest="0123abcd",
    )
    readme = (tmp_path / "p/README.md").read_text()
    told = [line for line in readme.splitlines() if f"set-target {processor}" in line]
    assert len(told) == 2
    assert len([line for line in told if line.strip().startswith("idf.py --preview ")]) == lines
    assert ("With ESP-IDF 6.1 or later installed" in readme) == (lines == 2)


@pytest.mark.parametrize(
    ("interface", "key", "wired"),
    [
        ("adc", "CONFIG_TS_SIGNAL_ADC=y", "| signal | Analog output |"),
        ("uart", "CONFIG_TS_SIGNAL_OWN=y", None),
        ("spi", None, "| signal | Data (SDA) |"),
    ],
)
def test_a_signal_is_read_as_its_sensor_is_attached(
    interface: str, key: str | None, wired: str | None, tmp_path: Path
) -> None:
    boards = models("watch").board_options(["hum"])
    sensor = Sensor(kind="signal", interface=interface, name="a sensor")
    board = replace(next(board for board in boards if board.processor == "esp32s3"), fitted=(sensor,))
    project = classified(watching("hum"), out=tmp_path / "p", board=board)[0]
    keys = (project / "sdkconfig.defaults.esp32s3").read_text(encoding="utf-8").splitlines()
    assert [line for line in keys if "TS_SIGNAL" in line] == ([key] if key else [])
    text = (project / "README.md").read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.startswith("| signal |")] or wired is None
    assert wired is None or wired in text
