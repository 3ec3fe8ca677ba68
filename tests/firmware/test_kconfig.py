"""menuconfig shows what a project has: options of its application and of its inputs, and all that its C asks for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from projects import alarmed, classified, emitted, voice, wrist

from tinysearch.app.config.resources import data_dir
from tinysearch.firmware.kconfig import kconfig_for

WHOLE = (data_dir("firmware_templates") / "esp_idf/main/Kconfig.options").read_text()


def options(kconfig: str) -> set[str]:
    return set(re.findall(r"^ *config (TS_\w+)", kconfig, re.M))


def test_a_lock_has_no_options_of_streams_and_of_sensors_that_it_lacks() -> None:
    shown = kconfig_for(WHOLE, {"lock", "microphone"})
    assert {"TS_ATTEMPTS", "TS_MICROPHONE_PIN_DATA", "TS_ECHO"} <= options(shown)
    assert not options(shown) & {"TS_STREAM_AT_START", "TS_EVENT_GPIO", "TS_CAMERA_PIN_D0", "TS_MOTION_PIN_SDA"}
    assert "# only" not in shown and "# end" not in shown and "\n\n\n" not in shown


def test_every_option_is_somebodys() -> None:
    everything = {"lock", "stream", "camera", "microphone", "motion", "signal"}
    assert options(kconfig_for(WHOLE, everything)) == options(WHOLE)
    assert options(kconfig_for(WHOLE, ())) < options(WHOLE)
    assert kconfig_for(WHOLE, everything).count("menu") == WHOLE.count("menu")


@pytest.mark.parametrize("made", ["lock", "classes", "alarm"])
def test_what_the_files_of_a_project_ask_for_is_there(made: str, tmp_path: Path) -> None:
    if made == "lock":
        project = emitted(voice(), out=tmp_path / "p")
    else:
        project = (classified if made == "classes" else alarmed)(wrist(), out=tmp_path / "p")[0]
    shown = options((project / "main/Kconfig.projbuild").read_text())
    built = set(re.findall(r'"([a-z_]+\.c)"', (project / "main/CMakeLists.txt").read_text()))
    text = "".join((project / "main" / path).read_text() for path in built)
    asked = set(
        re.findall(r"CONFIG_(TS_\w+)", re.sub(r"^#(?:el)?if (?:.*\\\n)*.*", "", text, flags=re.M))
    )  # undefined is 0 there
    assert asked and asked <= shown, sorted(asked - shown)
