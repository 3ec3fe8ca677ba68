"""``sdkconfig.defaults`` and its files by target: only keys that the target's Kconfig knows.

ESP-IDF ignores an unknown key with a line on the console, so a misspelt option would silently not hold. The lists below
were read from the Kconfig files of ESP-IDF 5.5 and 6.0 and are checked whenever a file is written or verified.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tinysearch.core.errors import UserError

LINUX = "linux"

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
        *("CONFIG_TS_LOCKOUT_S", "CONFIG_TS_SELFTEST_AT_START"),
        "CONFIG_TS_SENSORS_AT_START",
    }
)
_LINUX_ONLY = frozenset({"CONFIG_ESP_PARTITION_ERASE_CHECK", "CONFIG_FREERTOS_HZ", "CONFIG_TS_CAPTURE_FILE"})
_CHIP_ONLY = frozenset(
    {
        *(f"CONFIG_ESPTOOLPY_FLASHSIZE_{size}MB" for size in (1, 2, 4, 8, 16, 32)),
        *("CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU0", "CONFIG_ESP_TASK_WDT_TIMEOUT_S"),
        *("CONFIG_FREERTOS_HZ", "CONFIG_TS_BOARD_OWN"),
        *("CONFIG_TS_CAPTURE_HARDWARE", "CONFIG_TS_MICROPHONE_I2S"),
    }
)
_HMAC = {"CONFIG_NVS_ENCRYPTION": "y", "CONFIG_NVS_SEC_HMAC_EFUSE_KEY_ID": "5"}
_FLASH_ENCRYPTION = {"CONFIG_SECURE_FLASH_ENC_ENABLED": "y", "CONFIG_NVS_ENCRYPTION": "y"}
_PSRAM = frozenset({"CONFIG_SPIRAM", "CONFIG_SPIRAM_IGNORE_NOTFOUND", "CONFIG_SPIRAM_USE_CAPS_ALLOC"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What ESP-IDF's Kconfig offers on one chip.

    Attributes:
        cpu_mhz: highest frequency that has a key, None where the default is the highest already.
        cores: two need a key more for the watchdog.
        psram: PSRAM keys by interface that are set where the board has it; empty without PSRAM support.
        hmac: NVS can be encrypted with a key that an eFuse keeps; elsewhere it takes encryption of the flash.
        extra: other keys that exist.
    """

    cpu_mhz: int | None
    cores: int = 1
    psram: Mapping[str, tuple[str, ...]]
    hmac: bool = True
    extra: frozenset[str] = frozenset()

    @property
    def encryption(self) -> Mapping[str, str]:
        """Keys that encrypt NVS."""
        return _HMAC if self.hmac else _FLASH_ENCRYPTION

    @property
    def keys(self) -> frozenset[str]:
        """Every key that may stand in this target's file."""
        known = set(_COMMON | _APPLICATION | _CHIP_ONLY | self.extra | frozenset(self.encryption))
        if self.cpu_mhz is not None:
            known.add(f"CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ_{self.cpu_mhz}")
        if self.cores > 1:
            known.add("CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU1")
        for keys in self.psram.values():
            known |= _PSRAM | set(keys)
        return frozenset(known)


_QUAD = ("CONFIG_SPIRAM_MODE_QUAD", "CONFIG_SPIRAM_SPEED_80M")
_PDM = "CONFIG_TS_MICROPHONE_PDM"

TARGETS: Mapping[str, Target] = {
    "esp32": Target(
        cpu_mhz=240,
        cores=2,
        # The mode has no prompt, and 80 MHz would ask the same of the flash: the default of 40 MHz runs everywhere.
        psram={"quad": ()},
        hmac=False,
        extra=frozenset({"CONFIG_TS_BOARD_ESP_EYE", "CONFIG_TS_BOARD_ESP32_CAM", _PDM}),
    ),
    "esp32s2": Target(cpu_mhz=240, psram={"quad": ("CONFIG_SPIRAM_SPEED_80M",)}),
    "esp32s3": Target(
        cpu_mhz=240,
        cores=2,
        psram={"quad": _QUAD, "octal": ("CONFIG_SPIRAM_MODE_OCT", "CONFIG_SPIRAM_SPEED_80M")},
        extra=frozenset(
            {
                *("CONFIG_TS_BOARD_XIAO_ESP32S3_SENSE", "CONFIG_TS_BOARD_ESP32S3_EYE", _PDM),
                *("CONFIG_ESP32S3_DATA_CACHE_64KB", "CONFIG_ESP32S3_DATA_CACHE_LINE_64B"),
            }
        ),
    ),
    "esp32c3": Target(cpu_mhz=160, psram={}),
    "esp32c5": Target(cpu_mhz=240, psram={"quad": _QUAD}),
    "esp32c6": Target(cpu_mhz=160, psram={}),
    "esp32c61": Target(cpu_mhz=160, psram={"quad": _QUAD}, hmac=False),
    # Revisions differ in their highest frequency, and the default is the highest of the one that is chosen.
    "esp32p4": Target(cpu_mhz=None, cores=2, psram={"hex": ("CONFIG_SPIRAM_MODE_HEX",)}, extra=frozenset({_PDM})),
}

BOARDS: Mapping[str, str] = {
    "xiao-esp32s3-sense": "CONFIG_TS_BOARD_XIAO_ESP32S3_SENSE",
    "esp32-s3-eye": "CONFIG_TS_BOARD_ESP32S3_EYE",
    "esp-eye": "CONFIG_TS_BOARD_ESP_EYE",
    "esp32-cam": "CONFIG_TS_BOARD_ESP32_CAM",
}
"""Boards of the catalogue whose pins main/Kconfig.projbuild knows."""

WATCHDOG_S = 30
"""The idle task's watchdog. Steps of a network do not yield; where one may take half as long, nothing is watched."""

_LINE = re.compile(r"^(CONFIG_[A-Z0-9_]+)=(y|n|-?\d+|0x[0-9A-Fa-f]+|\"[A-Za-z0-9._/-]*\")$")


def known_keys(target: str) -> frozenset[str]:
    """Keys that may stand in ``sdkconfig.defaults.<target>``.

    Raises:
        UserError: a target that is not listed.
    """
    if target == LINUX:
        return _COMMON | _APPLICATION | _LINUX_ONLY
    if target not in TARGETS:
        raise UserError(
            f"the emitter knows the targets {', '.join(TARGETS)}",
            value=target,
            remedy="add it to firmware/sdkconfig.py",
        )
    return TARGETS[target].keys


def encryption_keys(target: str) -> Mapping[str, str]:
    """``sdkconfig.encrypted``: keys that a build takes on top of the defaults to encrypt NVS."""
    known_keys(target)
    return TARGETS[target].encryption


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
    target: str,
    *,
    flash_mb: int,
    psram_interface: str | None,
    buffers_in_psram: bool,
    microphone_pdm: bool,
    board: str,
    longest_s: float,
) -> dict[str, str]:
    """``sdkconfig.defaults.<target>``.

    Args:
        target: of ESP-IDF.
        flash_mb: size of the part in MiB.
        psram_interface: ``quad``, ``octal``, ``hex``, or None for a board without PSRAM.
        buffers_in_psram: networks work in PSRAM: worth a larger cache with longer lines, which takes internal RAM.
        microphone_pdm: the board's microphone is a PDM one.
        board: id of the board option, parts joined by ``+``.
        longest_s: no step of a network takes longer, as far as predicted.

    Raises:
        UserError: an unknown target, or PSRAM that the target cannot drive.
    """
    known = known_keys(target)
    facts = TARGETS[target]
    keys = {f"CONFIG_ESPTOOLPY_FLASHSIZE_{flash_mb}MB": "y"}
    if facts.cpu_mhz is not None:
        keys[f"CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ_{facts.cpu_mhz}"] = "y"
    keys["CONFIG_ESP_TASK_WDT_TIMEOUT_S"] = str(WATCHDOG_S)
    if longest_s > WATCHDOG_S / 2:
        keys["CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU0"] = "n"
    if facts.cores > 1:
        keys["CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU1"] = "n"
    if psram_interface is not None:
        if psram_interface not in facts.psram:
            raise UserError(
                f"{target} drives PSRAM by {' or '.join(facts.psram) or 'nothing'}",
                value=psram_interface,
                remedy="choose another processor or platform.psram=0MB",
            )
        keys |= dict.fromkeys(("CONFIG_SPIRAM", *facts.psram[psram_interface]), "y")
        keys |= {"CONFIG_SPIRAM_USE_CAPS_ALLOC": "y", "CONFIG_SPIRAM_IGNORE_NOTFOUND": "y"}
        if target == "esp32s3" and buffers_in_psram:
            keys |= {"CONFIG_ESP32S3_DATA_CACHE_64KB": "y", "CONFIG_ESP32S3_DATA_CACHE_LINE_64B": "y"}
    named = [BOARDS[part] for part in board.split("+") if part in BOARDS and BOARDS[part] in known]
    keys |= dict.fromkeys(named[:1], "y")
    if microphone_pdm and _PDM in known:
        keys[_PDM] = "y"
    return keys


def to_text(keys: Mapping[str, str], *, target: str | None, header: str) -> str:
    """A defaults file; ``target`` None for the common one.

    Raises:
        ValueError: a key that the target does not know, or a line that Kconfig would misread.
    """
    known = _COMMON if target is None else known_keys(target)
    lines = [f"{key}={value}" for key, value in keys.items()]
    for key, line in zip(keys, lines, strict=True):
        if key not in known or _LINE.match(line) is None:
            raise ValueError(f"not a key of {target or 'every target'}: {line}")
    return "\n".join([f"# {header}", *lines]) + "\n"


def broken_rules(text: str, *, target: str | None) -> list[str]:
    """What is wrong with a defaults file, one line each; empty if nothing."""
    known = _COMMON if target is None else known_keys(target)
    problems, seen = [], set()
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.match(line)
        if match is None:
            problems.append(f"not an assignment: {line}")
        elif match.group(1) not in known:
            problems.append(f"{target or 'some target'} does not know {match.group(1)}")
        elif match.group(1) in seen:
            problems.append(f"{match.group(1)} is set twice")
        else:
            seen.add(match.group(1))
    for pattern in (r"CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ_\d+", r"CONFIG_ESPTOOLPY_FLASHSIZE_\d+MB"):
        chosen = [key for key in seen if re.fullmatch(pattern, key)]
        if len(chosen) > 1:
            problems.append(f"one of a choice alone may be set: {', '.join(sorted(chosen))}")
    return problems
