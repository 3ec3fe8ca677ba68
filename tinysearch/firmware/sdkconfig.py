"""``sdkconfig.defaults`` and its files by target: only keys that the target's Kconfig knows.

ESP-IDF ignores an unknown key with a line on the console, so a misspelt option would silently not hold. The lists below
were read from the Kconfig files of ESP-IDF 5.5 and 6.0, what differs between chips is read from the catalogue, and both
are checked whenever a file is written or verified.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from tinysearch.core.errors import UserError
from tinysearch.core.platform import Chip

BOARDS: Mapping[str, str] = {
    "CONFIG_TS_BOARD_XIAO_ESP32S3_SENSE": "esp32s3",
    "CONFIG_TS_BOARD_ESP32S3_EYE": "esp32s3",
    "CONFIG_TS_BOARD_FREENOVE_ESP32S3_CAM": "esp32s3",
    "CONFIG_TS_BOARD_ESP_EYE": "esp32",
    "CONFIG_TS_BOARD_ESP32_CAM": "esp32",
}
"""Boards whose pins main/Kconfig.options knows, with the target that each depends on there."""

_COMMON = frozenset(
    {
        "CONFIG_COMPILER_OPTIMIZATION_PERF",
        "CONFIG_ESP_MAIN_TASK_STACK_SIZE",
        "CONFIG_PARTITION_TABLE_CUSTOM",
        "CONFIG_PARTITION_TABLE_CUSTOM_FILENAME",
    }
)
_APPLICATION = frozenset(
    {
        *("CONFIG_TS_ATTEMPTS", "CONFIG_TS_BUTTON_GPIO", "CONFIG_TS_CAPTURE_CONSOLE", "CONFIG_TS_FEED"),
        *("CONFIG_TS_DEBUG_SCORES", "CONFIG_TS_LOCKOUT_S", "CONFIG_TS_OPEN_S", "CONFIG_TS_SELFTEST_AT_START"),
        *("CONFIG_TS_STRICTER", "CONFIG_TS_THRESHOLD", "CONFIG_TS_EVENT_GPIO", "CONFIG_TS_STREAM_AT_START"),
        *("CONFIG_TS_SENSORS_AT_START", "CONFIG_TS_AWAKE_S"),
    }
)
_LINUX_ONLY = frozenset({"CONFIG_ESP_PARTITION_ERASE_CHECK", "CONFIG_FREERTOS_HZ", "CONFIG_TS_CAPTURE_FILE"})
KNOWN_TO_ALL = _COMMON
KNOWN_TO_LINUX = _COMMON | _APPLICATION | _LINUX_ONLY
_CHIP_ONLY = frozenset(
    {
        *(f"CONFIG_ESPTOOLPY_FLASHSIZE_{size}MB" for size in (1, 2, 4, 8, 16, 32)),
        *("CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU0", "CONFIG_ESP_TASK_WDT_TIMEOUT_S"),
        *("CONFIG_FREERTOS_HZ", "CONFIG_TS_BOARD_OWN"),
        *("CONFIG_TS_SLEEP_DEEP", "CONFIG_TS_SLEEP_LIGHT", "CONFIG_TS_MOTION_SPI"),
        *("CONFIG_TS_SIGNAL_ADC", "CONFIG_TS_SIGNAL_OWN"),
        *("CONFIG_TS_CAPTURE_HARDWARE", "CONFIG_TS_ECHO", "CONFIG_TS_MICROPHONE_I2S"),
        *(f"CONFIG_TS_MICROPHONE_PIN_{signal}" for signal in ("CLOCK", "WORD", "DATA")),
    }
)
_HMAC = {"CONFIG_NVS_ENCRYPTION": "y", "CONFIG_NVS_SEC_HMAC_EFUSE_KEY_ID": "5"}
_FLASH_ENCRYPTION = {
    "CONFIG_SECURE_FLASH_ENC_ENABLED": "y",
    "CONFIG_NVS_ENCRYPTION": "y",
    "CONFIG_BOOTLOADER_LOG_LEVEL_NONE": "y",
}
"""The bootloader that encrypts flash is too long for the room before the table (ESP32-C61: 0x8740 bytes for 0x8000); it
takes 0x54f0 without its messages."""
_PSRAM = frozenset({"CONFIG_SPIRAM", "CONFIG_SPIRAM_IGNORE_NOTFOUND", "CONFIG_SPIRAM_USE_CAPS_ALLOC"})
_PSRAM_MODES = {"quad": "CONFIG_SPIRAM_MODE_QUAD", "octal": "CONFIG_SPIRAM_MODE_OCT", "hex": "CONFIG_SPIRAM_MODE_HEX"}
_PDM = "CONFIG_TS_MICROPHONE_PDM"

WATCHDOG_S = 30
"""The idle task's watchdog. Steps of a network do not yield; where one may take half as long, nothing is watched."""

_LINE = re.compile(r"^(CONFIG_[A-Z0-9_]+)=(y|n|-?\d+|0x[0-9A-Fa-f]+|\"[A-Za-z0-9._/-]*\")$")


def known_keys(chip: Chip) -> frozenset[str]:
    """Keys that may stand in ``sdkconfig.defaults.<target>`` of a project for a chip."""
    known = {*_COMMON, *_APPLICATION, *_CHIP_ONLY, *encryption_keys(chip), *chip.kconfig.always, _cpu_key(chip)}
    known |= {key for key, target in BOARDS.items() if target == chip.idf_target}
    if chip.cores > 1:
        known.add("CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU1")
    if "pdm" in chip.microphones:
        known.add(_PDM)
    if chip.psram is not None:
        known |= _PSRAM | set(chip.kconfig.psram_buffers)
        for interface in chip.psram.interfaces:
            known |= set(_psram_keys(chip, interface))
    return frozenset(known)


def _cpu_key(chip: Chip) -> str:
    """The key of the frequency that latencies are predicted for; ESP-IDF's default is lower on some chips."""
    return f"CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ_{round(chip.frequency_hz.value / 1e6)}"


def _psram_keys(chip: Chip, interface: str) -> tuple[str, ...]:
    """Keys of the bus width, where it is one, and of the clock that the catalogue names."""
    clock = None if chip.psram is None else chip.psram.clock_hz.get(interface)
    mode = (_PSRAM_MODES[interface],) if chip.kconfig.psram_mode else ()
    return mode if clock is None else (*mode, f"CONFIG_SPIRAM_SPEED_{round(clock.value / 1e6)}M")


def encryption_keys(chip: Chip) -> Mapping[str, str]:
    """``sdkconfig.encrypted``: keys that a build takes on top of the defaults to encrypt NVS."""
    return _HMAC if chip.kconfig.nvs_by_hmac else _FLASH_ENCRYPTION


def common_keys() -> dict[str, str]:
    """``sdkconfig.defaults``: keys of every target, linux included."""
    return {
        "CONFIG_COMPILER_OPTIMIZATION_PERF": "y",
        "CONFIG_PARTITION_TABLE_CUSTOM": "y",
        "CONFIG_PARTITION_TABLE_CUSTOM_FILENAME": '"partitions.csv"',
        "CONFIG_ESP_MAIN_TASK_STACK_SIZE": "8192",
    }


def linux_keys() -> dict[str, str]:
    """``sdkconfig.defaults.linux``."""
    return {"CONFIG_FREERTOS_HZ": "100", "CONFIG_ESP_PARTITION_ERASE_CHECK": "y"}


def chip_keys(
    chip: Chip,
    *,
    flash_mb: int,
    psram_interface: str | None,
    buffers_in_psram: bool,
    microphone_pdm: bool,
    board: Mapping[str, str],
    longest_s: float,
) -> dict[str, str]:
    """``sdkconfig.defaults.<target>``.

    Args:
        chip: the processor.
        flash_mb: size of the part in MiB.
        psram_interface: ``quad``, ``octal``, ``hex``, or None for a board without PSRAM.
        buffers_in_psram: networks work in PSRAM: worth a larger cache with longer lines, which takes internal RAM.
        microphone_pdm: the board's microphone is a PDM one.
        board: keys of the application that the board asks for: its name, and pins of what is wired to it.
        longest_s: no step of a network takes longer, as far as predicted.

    Raises:
        UserError: PSRAM or a microphone that the chip cannot drive.
    """
    keys = {f"CONFIG_ESPTOOLPY_FLASHSIZE_{flash_mb}MB": "y"}
    keys |= dict.fromkeys((*chip.kconfig.always, _cpu_key(chip)), "y")
    keys["CONFIG_ESP_TASK_WDT_TIMEOUT_S"] = str(WATCHDOG_S)
    if longest_s > WATCHDOG_S / 2:
        keys["CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU0"] = "n"
    if chip.cores > 1:
        keys["CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU1"] = "n"
    if psram_interface is not None:
        drives = () if chip.psram is None else chip.psram.interfaces
        if psram_interface not in drives:
            raise UserError(
                f"PSRAM of {chip.name} must be {' or '.join(drives) or 'absent'}",
                value=psram_interface,
                remedy="choose another processor or platform.psram=0MB",
            )
        keys |= dict.fromkeys(("CONFIG_SPIRAM", *_psram_keys(chip, psram_interface)), "y")
        keys |= {"CONFIG_SPIRAM_USE_CAPS_ALLOC": "y", "CONFIG_SPIRAM_IGNORE_NOTFOUND": "y"}
        if buffers_in_psram:
            keys |= dict.fromkeys(chip.kconfig.psram_buffers, "y")
    keys |= board
    if microphone_pdm:
        if "pdm" not in chip.microphones:
            raise UserError(
                f"a microphone of {chip.name} must be {' or '.join(chip.microphones) or 'absent'}",
                value="pdm",
                remedy="choose an I2S microphone, or a chip that turns PDM into samples",
            )
        keys[_PDM] = "y"
    return keys


def to_text(keys: Mapping[str, str], *, known: Collection[str], header: str) -> str:
    """A defaults file.

    Raises:
        ValueError: a key that is not known, or a line that Kconfig would misread.
    """
    lines = [f"{key}={value}" for key, value in keys.items()]
    for key, line in zip(keys, lines, strict=True):
        if key not in known or _LINE.match(line) is None:
            raise ValueError(f"a key must be one that its target knows: {line}")
    return "\n".join([f"# {header}", *lines]) + "\n"


def broken_rules(text: str, *, known: Collection[str], target: str) -> list[str]:
    """What is wrong with a defaults file, one line each; empty if nothing."""
    problems, seen = [], set()
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.match(line)
        if match is None:
            problems.append(f"not an assignment: {line}")
        elif match.group(1) not in known:
            problems.append(f"{target} does not know {match.group(1)}")
        elif match.group(1) in seen:
            problems.append(f"{match.group(1)} is set twice")
        else:
            seen.add(match.group(1))
    for pattern in (r"CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ_\d+", r"CONFIG_ESPTOOLPY_FLASHSIZE_\d+MB"):
        chosen = [key for key in seen if re.fullmatch(pattern, key)]
        if len(chosen) > 1:
            problems.append(f"one of a choice alone may be set: {', '.join(sorted(chosen))}")
    return problems
