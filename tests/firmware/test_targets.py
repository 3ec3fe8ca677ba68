"""Projects for every chip of the first release are emitted and obey ESP-IDF's rules."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from projects import emitted, face, voice

from tinysearch.firmware.verify import project_rules

PROCESSORS = ("esp32", "esp32s2", "esp32s3", "esp32c3", "esp32c6", "esp32p4")
WITH_CAMERA = ("esp32", "esp32s2", "esp32s3")
"""Chips whose parallel camera the emitted firmware drives."""
NETWORKS = {
    "voice": (voice("xnor2/1"),),
    "face": (face("int8"),),
    "fusion": (face("int8"), voice("float32", (1,))),
}


@pytest.mark.parametrize("processor", PROCESSORS)
def test_projects_for_every_chip_obey_the_rules(processor: str, tmp_path: Path) -> None:
    modalities = NETWORKS if processor in WITH_CAMERA else ("voice",)
    for modality in modalities:
        project = emitted(*NETWORKS[modality], out=tmp_path / modality, processor=processor)
        rung = project_rules.project(project)
        assert rung.status == "passed", (processor, modality, rung.detail)
        point = json.loads((project / "candidate.json").read_text())
        assert point["feasible"], point["violations"]
        assert point["platform"]["processor"] == point["firmware_facts"]["target"] == processor
        defaults = (project / f"sdkconfig.defaults.{processor}").read_text()
        assert f"CONFIG_ESPTOOLPY_FLASHSIZE_{point['platform']['flash_bytes'] >> 20}MB=y" in defaults
