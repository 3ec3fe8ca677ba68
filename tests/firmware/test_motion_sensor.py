"""Drivers of motion sensors against a bus that pretends: who answers, what is set, and what a count is worth."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from projects import TEMPLATES

MAIN = TEMPLATES / "esp_idf/main"

PROGRAM = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "motion_sensor.h"
static uint8_t registers[256], address, stuck, loaded[8192];
static int read_registers(uint8_t at, uint8_t reg, uint8_t *bytes, unsigned count)
{
    if (at != address) return -1;
    if (getenv("IDLE") != NULL) { /* a BMI270 by SPI sends a byte of nothing first */
        *bytes++ = 0x5a;
        count--;
    } else if (getenv("SPI") != NULL && count > 1) {
        if ((reg & 0x40) == 0) return -1; /* an ADXL345 would read one register again and again */
        reg &= 0x3f;
    }
    memcpy(bytes, registers + reg, count);
    return 0;
}
/* The memory of a BMI270, which starts the program of main() and no other. */
static void load(const uint8_t *bytes, unsigned count)
{
    memcpy(loaded + 2 * (registers[0x5b] | registers[0x5c] << 4), bytes, count);
}
static void start(void)
{
    unsigned right = 0;
    while (right < sizeof loaded && loaded[right] == (uint8_t)(right * 7 + right / 256)) right++;
    registers[0x21] = right == sizeof loaded ? 0x01 : 0x02;
}
static int write_registers(uint8_t at, uint8_t reg, const uint8_t *bytes, unsigned count)
{
    if (at != address || count > MOTION_MOST_BYTES) return -1;
    if (reg == 0x5e) {
        load(bytes, count);
        return 0;
    }
    if (reg != 0x5b) printf("%02x=%02x ", reg, *bytes);
    if (reg == 0x59 && *bytes == 1) start();
    if (reg != stuck) memcpy(registers + reg, bytes, count);
    return 0;
}
static void wait_ms(unsigned ms) { (void)ms; }
int main(int argc, char **argv)
{
    const motion_bus bus = {read_registers, write_registers, wait_ms, getenv("SPI") != NULL};
    static uint8_t program[sizeof loaded];
    for (unsigned i = 0; i < sizeof program; i++) program[i] = (uint8_t)(i * 7 + i / 256);
    if (getenv("WRONG") != NULL) program[4711]++;
    const motion_settings settings = {
        .range_mg = 8000,
        .range_mdps = 2000000,
        .rate_mhz = 50000,
        .axes = (unsigned)atoi(argv[4]),
        .program = getenv("BARE") != NULL ? NULL : program,
        .program_bytes = sizeof program,
    };
    motion_sensor sensor;
    int16_t values[6] = {0};
    address = (uint8_t)strtoul(argv[1], NULL, 16);
    stuck = (uint8_t)strtoul(argv[5], NULL, 16);
    registers[strtoul(argv[2], NULL, 16)] = (uint8_t)strtoul(argv[3], NULL, 16);
    for (int i = 6; i + 1 < argc; i += 2) {
        registers[strtoul(argv[i], NULL, 16)] = (uint8_t)strtoul(argv[i + 1], NULL, 16);
    }
    const char *problem = motion_sensor_open(&sensor, &bus, &settings);
    printf("\n%s\n", problem == NULL ? motion_sensor_name(&sensor) : problem);
    if (problem == NULL && motion_sensor_read(&sensor, values) == 0) {
        for (int i = 0; i < 6; i++) printf("%d ", values[i]);
    }
    return 0;
}
"""

Chip = tuple[str, str, str, str, int, list[str], str, str]
CHIPS: list[Chip] = [
    # name, address, register and value of WHO_AM_I, axes, bytes of a sample, what is written, what is read
    (
        *("MPU-6050", "68", "75", "68", 6, ["3f", "10", "43", "20"]),  # az 0x1000 = 1 g, wx 0x2000 = 500 dps
        *("6b=80 6b=01 1a=03 1c=10 1b=18 19=13", "0 0 4096 8192 0 0"),
    ),
    (
        *("LSM6DS3TR-C", "6b", "0f", "6a", 6, ["2d", "10", "23", "20"]),  # 0x1000 * 0.244 mg, 0x2000 * 70 mdps
        *("12=01 12=44 10=3c 11=3c", "0 0 4093 9395 0 0"),
    ),
    (
        *("QMI8658", "6b", "00", "05", 6, ["3a", "10", "3c", "20"]),  # 0x2000 of 2048 dps
        *("60=b0 02=40 03=27 04=77 08=03", "0 0 4096 8389 0 0"),
    ),
    (
        *("BMI270", "69", "00", "24", 6, ["11", "10", "13", "20"]),  # az 0x1000 = 1 g, wx 0x2000 = 500 dps
        *("7e=b6 7c=00 59=00 59=01 41=02 43=00 40=a7 42=e7 7d=06", "0 0 4096 8192 0 0"),
    ),
    (
        *("ADXL345", "53", "00", "e5", 3, ["37", "01"]),  # 256 counts are 1 g
        *("2d=00 31=0a 2c=09 2d=08", "0 0 4096 0 0 0"),
    ),
]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("motion")
    (folder / "main.c").write_text(PROGRAM)
    flags = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wsign-compare", "-O1", "-fsanitize=address,undefined"]
    command = ["gcc", *flags, f"-I{MAIN}", folder / "main.c", MAIN / "motion_sensor.c", "-o", folder / "motion"]
    subprocess.run(command, check=True)
    return folder / "motion"


def opened(
    program: Path, chip: Chip, *, axes: int | None = None, who: str | None = None, stuck: str = "fe"
) -> list[str]:
    _, address, register, value, own, sample, _, _ = chip
    words = [address, register, who or value, str(axes or own), stuck, *sample]
    return subprocess.run([program, *words], capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize("chip", CHIPS, ids=[chip[0] for chip in CHIPS])
def test_a_sensor_is_found_set_and_read_in_the_counts_of_the_task(program: Path, chip: Chip) -> None:
    said = opened(program, chip)
    assert [line.strip() for line in said] == [chip[6], chip[0], chip[7]]


@pytest.mark.parametrize("chip", CHIPS, ids=[chip[0] for chip in CHIPS])
def test_another_who_am_i_is_refused(program: Path, chip: Chip) -> None:
    assert "no motion sensor that is known says who it is" in opened(program, chip, who="7f")[1]


def test_a_setting_that_does_not_stay_another_scale_and_a_missing_gyroscope_are_refused(program: Path) -> None:
    assert "does not take its settings" in opened(program, CHIPS[0], stuck="1c")[1]
    heavy = (*CHIPS[0][:5], ["3f", "40"], *CHIPS[0][6:])
    assert "does not feel 1 g" in opened(program, heavy)[1]
    assert "no gyroscope" in opened(program, CHIPS[-1], axes=6)[1]


def test_by_spi_an_adxl345_is_told_that_several_bytes_are_read(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPI", "1")
    assert [line.strip() for line in opened(program, CHIPS[-1])][1:] == ["ADXL345", CHIPS[-1][7]]


def test_a_bmi270_is_loaded_with_its_program_by_spi_too(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPI", "1")
    monkeypatch.setenv("IDLE", "1")
    assert [line.strip() for line in opened(program, CHIPS[3])] == [CHIPS[3][6], "BMI270", CHIPS[3][7]]


@pytest.mark.parametrize(
    ("given", "said"), [("BARE", "emit the project with emit.bmi270_config=FILE"), ("WRONG", "is it the right one?")]
)
def test_a_bmi270_without_its_program_is_refused(
    program: Path, monkeypatch: pytest.MonkeyPatch, given: str, said: str
) -> None:
    monkeypatch.setenv(given, "1")
    assert said in opened(program, CHIPS[3])[1]
