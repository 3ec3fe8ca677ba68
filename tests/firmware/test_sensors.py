"""Camera and microphone as the application opens, reads and closes them, with stand-ins for both drivers."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from projects import TEMPLATES, emitted, face, voice

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
#define CONFIG_TS_AWAKE_S 60
"""

STAND = "stand still, the face in the middle of the picture"
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
        ("esp32s2", ("CONFIG_TS_MICROPHONE_I2S",), True),
        pytest.param("esp32", ("CONFIG_TS_MICROPHONE_PDM",), True, marks=pytest.mark.slow),
        ("esp32", ("CONFIG_TS_MICROPHONE_I2S",), False),
        pytest.param("esp32s3", ("CONFIG_TS_MICROPHONE_PDM",), False, marks=pytest.mark.slow),
    ],
)
def test_camera_and_microphone_take_turns_where_they_share_a_controller(
    processor: str, flags: tuple[str, ...], turns: bool, tmp_path: Path
) -> None:
    """The ESP32's camera is on the controller that receives PDM, and the ESP32-S2 has no other one."""
    project = emitted(face(), voice(input_size=48), out=tmp_path / "p", processor=processor)
    everything = answers(project, "sensors\nenroll ann\nverify ann\nfeed face seed 1\nverify ann\n", *flags)
    assert [line for line in everything if line.startswith("NOTE camera")] == [f"NOTE camera: {STAND}"] * 2
    assert [line for line in everything if line.startswith("NOTE microphone")] == ["NOTE microphone: speak now"] * 3
    assert sum(line.startswith("signal ") for line in everything) == 2
    said = [line for line in everything if not line.startswith(("NOTE", "signal"))]
    start, take = (TURNS, TAKE_TURNS) if turns else (ONCE, ["# picture", "# sound"])
    assert said[: len(start) + len(take) + 1] == [*start, *take, "OK sensors"]
    rest = said[len(start) + len(take) + 1 :]
    assert rest[: 2 * len(take) + 1] == [*take, "OK enroll ann", *take]
    assert rest[2 * len(take) + 1].startswith(f"OK verify ann {2 << 20} ")
    alone = TAKE_TURNS[3:] if turns else ["# sound"]
    assert rest[2 * len(take) + 2 : -1] == ["OK feed ready", *alone]


def test_a_silent_sensor_stops_only_what_needs_it(tmp_path: Path) -> None:
    project = emitted(face(), voice(input_size=48), out=tmp_path / "p", processor="esp32s2")
    commands = "enroll ann\nfeed face seed 1\nfeed voice seed 1\nenroll ann\n"
    said = answers(project, commands, silent=True)
    assert "ERR microphone: no I2S channel" in said
    assert "ERR enroll ann: no I2S channel" in said
    assert said[-1] == "OK enroll ann"


def test_help_and_readme_name_the_same_commands() -> None:
    main = TEMPLATES / "esp_idf/main"

    def table(name: str) -> dict[str, str]:
        rows = re.findall(r'^    \{"(\w+)", \w+, \d, "([^"]*)"\},$', (main / name).read_text(), re.MULTILINE)
        return {command: usage for command, usage in rows if not usage.startswith("as ")}

    shared = (TEMPLATES / "esp_idf/README.commands.md.jinja").read_text()
    for application in ("lock", "classify", "anomaly"):
        known = table(f"app_{application}.c") | table("commands.c")
        readme = (TEMPLATES / f"esp_idf/README.{application}.md.jinja").read_text()
        readme = readme.replace('{% include "esp_idf/README.commands.md.jinja" %}', shared)
        named = set(re.findall(r"`(\w+)", readme))
        assert set(known) <= named
        commands = readme.split("| command | does |")[1].split("\n\n")[0]
        rows = re.findall(r"^\| (`.*?`) \|", commands, re.MULTILINE)
        assert {name for row in rows for name in re.findall(r"`(\w+)", row)} <= set(known)


def test_a_typed_line_is_echoed_and_can_be_erased(tmp_path: Path) -> None:
    port = TEMPLATES / "esp_idf/components/port"
    main = tmp_path / "main.c"
    main.write_text(
        '#include "line.h"\n#include <stdio.h>\n#include <string.h>\n'
        "int main(void)\n{\n    char text[8] = {0};\n    line typed = {.text = text, .size = sizeof text};\n"
        "    for (int c = getchar(); c != EOF; c = getchar()) {\n        const char *echo;\n"
        "        text[typed.length] = 0;\n"
        '        const int length = line_take(&typed, (char)c, strncmp(text, "pin ", 4) == 0, &echo);\n'
        "        fputs(echo, stdout);\n        if (length > 0) {\n"
        '            printf("[%d %s]", length, text);\n        }\n    }\n}\n'
    )
    command = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", f"-I{port}/include", main, port / "line.c"]
    subprocess.run([*command, "-o", tmp_path / "line"], check=True)

    def shown(typed: str) -> str:
        done = subprocess.run([tmp_path / "line"], input=typed.encode(), capture_output=True, check=True)
        return done.stdout.decode()

    assert shown("\r\nlist\n") == "list\r\n[4 list]"
    assert shown("lixx\b\x7fst\rok\n") == "lixx\b \b\b \bst\r\n[4 list]ok\r\n[2 ok]"
    assert shown("\b\x7fa\n") == "a\r\n[1 a]"
    assert shown("pin 12\n") == "pin **\r\n[6 pin 12]"
    assert shown("abcdefghij\n") == "abcdefg\r\n[7 abcdefg]"


def test_a_pin_is_hidden_however_its_command_is_spaced(tmp_path: Path) -> None:
    source = (TEMPLATES / "esp_idf/main/commands.c").read_text()
    blanks = re.search(r"^#define BLANKS .*$", source, re.MULTILINE)
    hides = re.search(r"^int commands_hides\(.*?^\}$", source, re.MULTILINE | re.DOTALL)
    assert blanks
    assert hides
    main = tmp_path / "main.c"
    main.write_text(
        f"#include <stdio.h>\n#include <string.h>\n{blanks[0]}\n{hides[0]}\n"
        "int main(int count, char **words)\n{\n    for (int i = 1; i < count; i++) {\n"
        "        putchar(commands_hides(words[i]) ? '1' : '0');\n    }\n}\n"
    )
    subprocess.run(["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", main, "-o", tmp_path / "hides"], check=True)
    hidden = ("pin ", "owner ", " owner 1", "pin\t1", "\t pin  12")
    shown = ("", "pin", "owner", "pins 1", "owners ", "list pin 1")
    done = subprocess.run([tmp_path / "hides", *hidden, *shown], capture_output=True, check=True)
    assert done.stdout.decode() == "1" * len(hidden) + "0" * len(shown)
