"""Camera and microphone as the application opens, reads and closes them, with stand-ins for both drivers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from projects import emitted, face, voice

SENSORS = """
#include <stdio.h>
#include "candidate.h"
#include "input_camera.h"
#include "input_microphone.h"
static const char *say(const char *what, const capture_target *target)
{
    printf("# %s\\n", what);
    if (target != NULL) {
        ts_model_pattern(target->model, 3, target->input);
    }
    return NULL;
}
const char *camera_open(void) { return say("camera opens", NULL); }
const char *camera_capture(const capture_target *target) { return say("picture", target); }
void camera_close(void) { say("camera closes", NULL); }
const char *microphone_open(void) { return SILENT ? "no I2S channel" : say("microphone opens", NULL); }
const char *microphone_capture(const capture_target *target) { return say("sound", target); }
void microphone_close(void) { say("microphone closes", NULL); }
"""

CONFIGURATION = """
#define CONFIG_TS_CAPTURE_HARDWARE 1
#define CONFIG_TS_FEED 1
#define CONFIG_TS_DEBUG_SCORES 1
#define CONFIG_TS_OPEN_S 120
#define CONFIG_TS_BUTTON_GPIO (-1)
#define CONFIG_TS_ATTEMPTS 5
#define CONFIG_TS_LOCKOUT_S 30
"""

ONCE = ["# camera opens", "camera ready", "# microphone opens", "microphone ready"]
TURNS = ["# camera opens", "camera ready", "# camera closes", "# microphone opens", "microphone ready"]
TURNS += ["# microphone closes"]
TAKE_TURNS = ["# camera opens", "# picture", "# camera closes", "# microphone opens", "# sound", "# microphone closes"]


def answers(project: Path, commands: str, *flags: str, silent: bool = False) -> list[str]:
    """What the application says and what its sensors do, after the start."""
    (project / "host/app/sdkconfig.h").write_text(CONFIGURATION)
    (project / "main/files.c").write_text(SENSORS)
    options = " ".join(["-O1", f"-DSILENT={int(silent)}", *(f"-D{flag}=1" for flag in flags)])
    folder = project.parent / "build"
    command = ["make", "-s", "-B", "-C", str(project / "host"), f"BUILD={folder}", "CC=gcc", f"CFLAGS={options}", "app"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    done = subprocess.run([folder / "app"], input=commands, capture_output=True, text=True, check=True, timeout=60)
    lines = done.stdout.splitlines()
    return lines[lines.index("READY") + 1 :]


@pytest.mark.parametrize(
    ("processor", "flags", "turns"),
    [
        ("esp32s2", ("CONFIG_IDF_TARGET_ESP32S2", "CONFIG_TS_MICROPHONE_I2S"), True),
        ("esp32", ("CONFIG_IDF_TARGET_ESP32", "CONFIG_TS_MICROPHONE_PDM"), True),
        ("esp32", ("CONFIG_IDF_TARGET_ESP32", "CONFIG_TS_MICROPHONE_I2S"), False),
        ("esp32s3", ("CONFIG_IDF_TARGET_ESP32S3", "CONFIG_TS_MICROPHONE_PDM"), False),
    ],
)
def test_camera_and_microphone_take_turns_where_they_share_a_controller(
    processor: str, flags: tuple[str, ...], turns: bool, tmp_path: Path
) -> None:
    """The ESP32's camera is on the controller that receives PDM, and the ESP32-S2 has no other one."""
    project = emitted(face(), voice(input_size=48), out=tmp_path / "p", processor=processor)
    said = answers(project, "sensors\nenroll ann\nverify ann\nfeed face seed 1\nverify ann\n", *flags)
    start, take = (TURNS, TAKE_TURNS) if turns else (ONCE, ["# picture", "# sound"])
    assert said[: len(start) + 1] == [*start, "OK sensors"]
    rest = said[len(start) + 1 :]
    rest.remove(next(line for line in rest if line.startswith("NOTE the first person")))
    assert rest[: 2 * len(take) + 1] == [*take, "OK enroll ann", *take]
    assert rest[2 * len(take) + 1].startswith(f"OK verify ann {2 << 20} ")
    alone = TAKE_TURNS[3:] if turns else ["# sound"]
    assert rest[2 * len(take) + 2 : -1] == ["OK feed ready", *alone]


def test_a_silent_sensor_stops_only_what_needs_it(tmp_path: Path) -> None:
    project = emitted(face(), voice(input_size=48), out=tmp_path / "p", processor="esp32s2")
    commands = "enroll ann\nfeed face seed 1\nfeed voice seed 1\nenroll ann\n"
    said = answers(project, commands, "CONFIG_IDF_TARGET_ESP32S2", silent=True)
    assert "ERR microphone: no I2S channel" in said
    assert "ERR enroll ann: no I2S channel" in said
    assert said[-1] == "OK enroll ann"
