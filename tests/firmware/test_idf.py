"""The rung ``idf`` with a stand-in for ESP-IDF: what a build made of the options, and the sizes of its images."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinysearch.firmware.verify import idf

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
