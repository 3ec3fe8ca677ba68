"""The rung ``idf`` with a stand-in for ESP-IDF: what a build made of the options, and the sizes of its images."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinysearch.app.building.wiring import build_catalog
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.config.resources import data_dir
from tinysearch.catalog.idf_options import load_idf_options
from tinysearch.firmware import sdkconfig
from tinysearch.firmware.kconfig import kconfig_for
from tinysearch.firmware.verify import idf

OPTIONS = load_idf_options(data_dir("hardware_catalog") / "software/kconfig.yaml")

TAKEN = """# Automatically generated file. DO NOT EDIT.
CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ_240=y
CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ=240
# CONFIG_SPIRAM is not set
CONFIG_ESP_MAIN_TASK_STACK_SIZE=8192
CONFIG_PARTITION_TABLE_CUSTOM_FILENAME="partitions.csv"
"""


@pytest.mark.parametrize(
    ("wanted", "lost"),
    [
        ("CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ_240=y\n# CONFIG_SPIRAM is not set\n", ""),
        ('CONFIG_PARTITION_TABLE_CUSTOM_FILENAME="partitions.csv"\nCONFIG_SPIRAM=n\n', ""),
        ("CONFIG_OF_ANOTHER_CHIP=n\n", ""),
        ("CONFIG_OF_ANOTHER_CHIP=y\n", "CONFIG_OF_ANOTHER_CHIP must be an option of this target"),
        ("CONFIG_SPIRAM=y\n", "CONFIG_SPIRAM must be y, the build took n"),
        ("CONFIG_ESP_MAIN_TASK_STACK_SIZE=16384\n", "must be 16384, the build took 8192"),
        ("CONFIG_ESP_MAIN_TASK_STACK_SIZE=1\nCONFIG_ESP_MAIN_TASK_STACK_SIZE=8192\n", ""),
    ],
)
def test_options_that_a_build_did_not_take_are_named(wanted: str, lost: str) -> None:
    found = "; ".join(idf.lost_options(wanted, TAKEN))
    assert lost in found
    assert bool(found) == bool(lost)


STAND_IN = """#!/bin/sh
mkdir -p "$2/build/bootloader"
printf '%s' '{sdkconfig}' > "$2/sdkconfig"
head -c 300 /dev/zero > "$2/build/tinysearch_app.bin"
head -c 100 /dev/zero > "$2/build/bootloader/bootloader.bin"
"""


@pytest.mark.parametrize(
    ("sdkconfig", "status", "detail"),
    [
        ("CONFIG_A=y", "passed", "bootloader 100 bytes, tinysearch_app 300 bytes; every option was taken"),
        ("# CONFIG_A is not set", "failed", "CONFIG_A must be y, the build took n"),
    ],
)
def test_a_build_is_judged_by_what_it_took(
    sdkconfig: str, status: str, detail: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, tools = tmp_path / "project", tmp_path / "tools"
    project.mkdir()
    tools.mkdir()
    (project / "candidate.json").write_text(json.dumps({"firmware_facts": {"target": "esp32s3"}}))
    (project / "sdkconfig.defaults").write_text("")
    (project / "sdkconfig.defaults.esp32s3").write_text("CONFIG_A=y\n")
    (tools / "idf.py").write_text(STAND_IN.format(sdkconfig=sdkconfig))
    (tools / "idf.py").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=":")
    monkeypatch.setenv("IDF_PATH", str(tools))
    rung = idf.build(project)
    assert rung.status == status
    assert detail in rung.detail


def test_the_oldest_esp_idf_of_every_chip_takes_all_that_projects_set() -> None:
    for chip in build_catalog(plain(compose_config([]))).chips.values():
        version = max(chip.idf_minimum, (5, 5))
        known = [key for key in sdkconfig.known_keys(chip) if not key.startswith("CONFIG_TS_")]
        found = {key: OPTIONS.refusal(key, target=chip.idf_target, version=version) for key in known}
        unset = {"CONFIG_FREERTOS_HZ", "CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU0"}  # known to be set by hand
        assert not {key: problem for key, problem in found.items() if problem is not None and key not in unset}, chip.id
    for key in sdkconfig.linux_keys():
        assert OPTIONS.refusal(key, target="linux", version=(5, 5)) is None


@pytest.fixture
def unbuilt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the rung reads of a project, on a machine without ESP-IDF."""
    monkeypatch.delenv("IDF_PATH", raising=False)
    (tmp_path / "main").mkdir()
    whole = (data_dir("firmware_templates") / "esp_idf/main/Kconfig.options").read_text()
    (tmp_path / "main/Kconfig.projbuild").write_text(kconfig_for(whole, {"lock", "camera"}))
    (tmp_path / "main/idf_component.yml").write_text('dependencies:\n  idf:\n    version: ">=5.5"\n')
    (tmp_path / "candidate.json").write_text(json.dumps({"firmware_facts": {"target": "esp32s3"}}))
    (tmp_path / "sdkconfig.defaults").write_text("CONFIG_COMPILER_OPTIMIZATION_PERF=y\n")
    return tmp_path


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("CONFIG_SPIRAM=y", ""),
        ("CONFIG_SPIRAM_SPEED_200M=y", "must be an option of esp32s3; esp32p4"),
        ("CONFIG_SPRIAM=y", "CONFIG_SPRIAM must be an option of ESP-IDF 5.5 to"),
        ("CONFIG_TS_BOARD_ESP32S3_EYE=y", ""),
        ("CONFIG_TS_BOARD_ESP_EYE=y", "CONFIG_TS_BOARD_ESP_EYE must be an option of this target"),
        ("CONFIG_TS_BOARD_MINE=y", "CONFIG_TS_BOARD_MINE must be an option of this target"),
        ("CONFIG_TS_ATTEMPTS=5000", "CONFIG_TS_ATTEMPTS must be 5000, the build took 5"),
    ],
)
def test_without_esp_idf_options_are_judged_by_what_is_known_of_it(line: str, problem: str, unbuilt: Path) -> None:
    pytest.importorskip("kconfgen")
    (unbuilt / "sdkconfig.defaults.esp32s3").write_text(f"{line}\n")
    rung = idf.build(unbuilt, options=OPTIONS)
    assert rung.status == ("failed" if problem else "not run"), rung.detail
    assert (problem or "esp-idf-kconfig took all of its own") in rung.detail


def test_a_project_of_an_older_esp_idf_is_told_from_which_on_a_chip_is_whole(unbuilt: Path) -> None:
    (unbuilt / "candidate.json").write_text(json.dumps({"firmware_facts": {"target": "esp32h4"}}))
    (unbuilt / "sdkconfig.defaults.esp32h4").write_text("CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ_96=y\n")
    (problem,) = idf.refused_options(unbuilt, OPTIONS)
    assert "must have ESP-IDF 6.1 or later on esp32h4, the project asks for 5.5" in problem
