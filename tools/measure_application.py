"""Measure the application around the networks: python tools/measure_application.py PROJECT --idf IDF.

PROJECT is an emitted project, IDF a checkout of ESP-IDF (headers are enough; nothing of it is built). Compiles main/,
the components port, store and model and the front-ends for RV32IMC with the headers of an ESP32-C3 and prints text,
data and bss of each object: what ``feature_program_bytes.application`` of hardware_catalog/software/espidf.yaml states,
tables of the log-mel front-end (in ``candidate.o``) left out, for they are counted with the microphone.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

COMPILER, SIZE = "riscv64-unknown-elf-gcc", "riscv64-unknown-elf-size"
OPTIONS = (
    *("-march=rv32imc", "-mabi=ilp32", "-misa-spec=2.2", "--specs=picolibc.specs"),
    *("-std=gnu17", "-O2", "-ffunction-sections", "-fdata-sections", "-DESP_PLATFORM", "-D_GNU_SOURCE", "-w"),
)
SOURCES = (
    "main/*.c",
    "components/port/line.c",
    "components/port/port_chip.c",
    "components/port/tasks.c",
    "components/store/*.c",
)
SOURCES += ("components/model/*.c", "components/runtime/ts_image.c", "components/runtime/ts_log_mel.c")
LINUX_ONLY, TABLES = {"files"}, {"candidate"}

CHIP = "esp32c3"
SETTINGS = {
    **{f"CONFIG_{name}": "1" for name in ("IDF_TARGET_ESP32C3", "IDF_TARGET_ARCH_RISCV", "ESP_CONSOLE_UART")},
    **{f"CONFIG_FREERTOS_{name}": "1" for name in ("UNICORE", "NUMBER_OF_CORES", "TIMER_TASK_PRIORITY")},
    **{f"CONFIG_FREERTOS_{name}": "1" for name in ("THREAD_LOCAL_STORAGE_POINTERS", "TASK_NOTIFICATION_ARRAY_ENTRIES")},
    **{f"CONFIG_FREERTOS_{name}": "1536" for name in ("ISR_STACKSIZE", "IDLE_TASK_STACKSIZE")},
    "CONFIG_FREERTOS_QUEUE_REGISTRY_SIZE": "0",
    "CONFIG_IDF_TARGET": '"esp32c3"',
    "CONFIG_FREERTOS_HZ": "100",
    "CONFIG_FREERTOS_MAX_TASK_NAME_LEN": "16",
    "CONFIG_FREERTOS_TIMER_QUEUE_LENGTH": "10",
    "CONFIG_FREERTOS_TIMER_TASK_STACK_DEPTH": "2048",
    "CONFIG_FREERTOS_TIMER_SERVICE_TASK_NAME": '"Tmr"',
    "CONFIG_ESP_CONSOLE_UART_NUM": "0",
    "CONFIG_LOG_DEFAULT_LEVEL": "3",
    "CONFIG_LOG_MAXIMUM_LEVEL": "3",
    "CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ": "160",
    "CONFIG_TS_CAPTURE_HARDWARE": "1",
    "CONFIG_TS_SELFTEST_AT_START": "1",
    "CONFIG_TS_ATTEMPTS": "5",
    "CONFIG_TS_LOCKOUT_S": "30",
    "CONFIG_TS_OPEN_S": "120",
    "CONFIG_TS_AWAKE_S": "60",
    "CONFIG_SOC_RTC_MEM_SUPPORTED": "1",
    "CONFIG_SOC_RTC_FAST_MEM_SUPPORTED": "1",
    "CONFIG_TS_SLEEP_DEEP": "1",
    "CONFIG_TS_EVENT_GPIO": "(-1)",
    "CONFIG_TS_STREAM_AT_START": "1",
    "CONFIG_TS_MOTION_SPI": "1",
    **{f"CONFIG_TS_MOTION_PIN_{pin}": "5" for pin in ("SCLK", "MOSI", "MISO", "CS")},
    "CONFIG_TS_SIGNAL_ACCELEROMETER": "1",
    "CONFIG_TS_BUTTON_GPIO": "(-1)",
    "CONFIG_TS_MICROPHONE_I2S": "1",
    "CONFIG_TS_MICROPHONE_PIN_CLOCK": "4",
    "CONFIG_TS_MICROPHONE_PIN_WORD": "5",
    "CONFIG_TS_MICROPHONE_PIN_DATA": "6",
    "CONFIG_TS_MICROPHONE_SHIFT": "14",
    "RVHAL_EXCM_LEVEL_CLIC": "4",  # named by a macro of spinlock.h that nothing calls on this chip
}
"""What the headers and the application ask of sdkconfig.h, as Kconfig chooses it for this chip."""


def header_folders(components: Path) -> list[Path]:
    """Folders that ESP-IDF's build would put on the path of an application for ``CHIP``, roughly."""
    patterns = (
        *("*/include", f"*/{CHIP}/include", f"*/{CHIP}/register", "*/platform_include", "*/etm/include"),
        *("freertos/config/include/freertos", "freertos/config/riscv/include", "freertos/FreeRTOS-Kernel/include"),
        *(
            "freertos/FreeRTOS-Kernel/portable/riscv/include",
            "freertos/FreeRTOS-Kernel/portable/riscv/include/freertos",
        ),
        *("freertos/esp_additions/include", "freertos/config/include", "hal/platform_port/include"),
        *(f"esp_rom/{CHIP}/include/{CHIP}", f"esp_rom/{CHIP}"),
    )
    skipped = ("linux", "xtensa", "mbedtls", "wpa_supplicant", "lwip", "bt", "unity", "cmock")
    found = [path for pattern in patterns for path in sorted(components.glob(pattern))]
    return [path for path in found if path.relative_to(components).parts[0] not in skipped]


def sizes(project: Path, idf: Path, folder: Path, *, options: tuple[str, ...] = ()) -> dict[str, tuple[int, int, int]]:
    """Text with constants, data and bss (bytes) by source file; the object files come to lie in ``folder``."""
    (folder / "sdkconfig.h").write_text("".join(f"#define {name} {value}\n" for name, value in SETTINGS.items()))
    own = [path for path in sorted(project.glob("components/*")) for path in (path / "include", path)]
    includes = [f"-I{path}" for path in (folder, project / "main", *own, *header_folders(idf / "components"))]
    found = {}
    for source in (path for pattern in SOURCES for path in sorted(project.glob(pattern))):
        if source.stem in LINUX_ONLY:
            continue
        target = folder / f"{source.stem}.o"
        subprocess.run([COMPILER, *OPTIONS, *options, *includes, "-c", source, "-o", target], check=True)
        rows = subprocess.run([SIZE, target], check=True, capture_output=True, text=True).stdout.splitlines()
        text, data, bss = (int(word) for word in rows[-1].split()[:3])
        found[source.stem] = (text, data, bss)
    return found


def main() -> None:
    """Print one line for each object and the sum without tables."""
    parser = argparse.ArgumentParser(description="Measure the application around the networks.")
    parser.add_argument("project", type=Path, help="an emitted project")
    parser.add_argument("--idf", type=Path, required=True, help="a checkout of ESP-IDF")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tinysearch-size-") as name:
        found = sizes(arguments.project, arguments.idf, Path(name))
    for stem, (text, data, bss) in found.items():
        print(f"{stem:16}{text:8}{data:8}{bss:8}")
    counted = [row for stem, row in found.items() if stem not in TABLES]
    print("{:16}{:8}{:8}{:8}".format("sum, no tables", *(sum(column) for column in zip(*counted, strict=True))))


if __name__ == "__main__":
    main()
