"""Applications that decide on windows, on this machine: windows of files, their classes and alarms, as Python says."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from projects import WATCH, alarmed, classified, watching, wrist

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.program import FrozenNetwork
from tinysearch.data.image import prepare_image
from tinysearch.data.log_mel import LogMel, LogMelSettings
from tinysearch.data.recordings import window_settings
from tinysearch.data.window import Window, window_starts
from tinysearch.evaluation.answers import Classifier
from tinysearch.firmware.integer_network import run
from tinysearch.firmware.verify import anomaly, classes, project_rules, stack
from tinysearch.firmware.verify.objects import Objects, shared_objects
from tinysearch.firmware.verify.streamed import drawn_windows
from tinysearch.metrics import anomaly_distances, class_scores
from tinysearch.metrics.windows import UNKNOWN, Answers, alarm, answer

SANITIZED = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
NAMES = ("left", 'say "yes"', "silence")


@pytest.fixture(scope="module")
def objects() -> Iterator[Objects]:
    with shared_objects() as shared:
        yield shared


def built(project: Path, objects: Objects) -> Path:
    program = project.parent / "app"
    done = objects.link(project / "host", program, goal="list-app", options=SANITIZED)
    assert done.passed, done.text
    return program


def said(program: Path, folder: Path, *commands: str) -> list[str]:
    """Lines after the start."""
    done = subprocess.run(
        [program], input="\n".join(commands) + "\n", capture_output=True, text=True, cwd=folder, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = done.stdout.splitlines()
    return lines[lines.index("READY") + 1 :]


def windows_of(lines: Sequence[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines if line.startswith("{")]


def expected(
    inputs: dict[str, npt.NDArray[np.int8]], frozen: dict[str, FrozenNetwork], classifier: Classifier
) -> list[dict[str, Any]]:
    """What the application must say to these inputs, window after window."""
    count = len(next(iter(inputs.values())))
    scores = sum(class_scores(run(frozen[name], rows), classifier.prototypes[name]) for name, rows in inputs.items())
    found = answer(np.asarray(scores), np.zeros(count, np.int32), classifier.answers)
    names = classifier.answers.names
    shares = [int(abs(score) * 1_000_000 // (len(inputs) << 20)) * (1 if score >= 0 else -1) for score in found.score]
    return [
        {
            "window": place,
            "class": "unknown" if found.answer[place] == UNKNOWN else names[found.answer[place]],
            "score": shares[place] / 1e6,
            "nearest": names[found.nearest[place]],
            "event": bool(found.event[place]),
        }
        for place in range(count)
    ]


def without_time(lines: Sequence[str]) -> list[dict[str, Any]]:
    return [{key: value for key, value in window.items() if key != "ms"} for window in windows_of(lines)]


def test_a_recording_of_motions_is_classified_window_by_window(tmp_path: Path, objects: Objects) -> None:
    answers = Answers(names=NAMES, thresholds=(0, 400_000, -(1 << 20)), smooth=3, hold_off=2)
    project, frozen, classifier = classified(wrist(), out=tmp_path / "p", answers=answers)
    random = np.random.default_rng(2)
    steps = random.normal(0, 900, (400, 6)).cumsum(axis=0) + random.normal(0, 3000, (400, 6))
    counts = np.clip(np.rint(steps), -32768, 32767).astype(np.int16)
    (tmp_path / "walk.raw").write_bytes(counts.astype("<i2").tobytes())
    kind: Any = WATCH.input("wrist").kind
    starts = window_starts(len(counts), samples=kind.samples, hop=25)
    images = Window(window_settings(kind, input_size=10))(np.stack([counts[s : s + kind.samples] for s in starts]))
    (tmp_path / "short.raw").write_bytes(counts[:49].astype("<i2").tobytes())
    (tmp_path / "still.raw").write_bytes(np.full_like(counts, 7).astype("<i2").tobytes())
    (tmp_path / "walk.txt").write_bytes((tmp_path / "walk.raw").read_bytes())
    lines = said(
        *(
            built(project, objects),
            tmp_path,
            "stream walk.raw",
            "classify walk.raw",
            "stream walk.raw",
            *(f"classify {name}" for name in ("walk.txt", "short.raw", "still.raw")),
        ),
        "classes",
    )
    wanted = expected({"wrist": images}, frozen, classifier)
    assert len({window["class"] for window in wanted}) > 1
    assert without_time(lines[: len(wanted)]) == wanted
    assert lines[len(wanted)] == f"OK stream windows {len(wanted)}"
    assert lines[len(wanted) + 2] == "OK classify"
    assert without_time(lines[len(wanted) + 3 : 2 * len(wanted) + 3]) == wanted
    assert [line for line in lines if line.startswith("ERR ")] == [
        "ERR classify: a file of 16-bit samples must be named .raw",
        "ERR classify: this file does not hold a window of 16-bit samples, an axis after the other",
        "ERR classify: this window stands still to the last bit: is the sensor connected?",
    ]
    assert lines[-4:] == [
        'class "left" threshold 0.000000',
        'class "say \\"yes\\"" threshold 0.381469',
        'class "silence" threshold -1.000000 untold',
        "OK classes",
    ]


def samples_of(branch: BranchSpec, folder: Path, count: int) -> npt.NDArray[np.int8]:
    """Files of a branch, ``NAME.raw`` with all windows, and the inputs that Python makes of it."""
    random = np.random.default_rng(5)
    kind: Any = WATCH.input(branch.modality).kind
    path = folder / f"{branch.modality}.raw"
    if branch.modality == "eye":
        pictures = random.integers(0, 256, (count, 40, 60, 3)).astype(np.uint8)
        path.write_bytes(b"".join(b"P6 60 40 255\n" + picture.tobytes() for picture in pictures))
        size, channels = branch.input_size, branch.channels
        return np.stack([prepare_image(p, input_size=size, channels=channels) for p in pictures])
    if branch.modality == "word":
        clip = np.rint(random.normal(0, 4000, 16_000 + 8_000 * (count - 1))).astype(np.int16)
        path.write_bytes(clip.astype("<i2").tobytes())
        front_end = LogMel(LogMelSettings(size=branch.input_size, clip_s=1.0))
        return front_end(np.stack([clip[at : at + 16_000] for at in range(0, 8_000 * count, 8_000)]))
    hop = round(0.5 * kind.rate_hz)
    counts = np.rint(random.normal(0, 9000, (kind.samples + hop * (count - 1), len(kind.axes)))).astype(np.int16)
    path.write_bytes(counts.astype("<i2").tobytes())
    starts = window_starts(len(counts), samples=kind.samples, hop=hop)
    return Window(window_settings(kind, input_size=branch.input_size))(
        np.stack([counts[s : s + kind.samples] for s in starts])
    )


@pytest.mark.slow
def test_four_inputs_of_four_kinds_are_classified_together(tmp_path: Path, objects: Objects) -> None:
    branches = (watching("eye"), watching("hum"), watching("word", "xnor2/1"), wrist())
    project, frozen, classifier = classified(*branches, out=tmp_path / "p")
    inputs = {branch.modality: samples_of(branch, tmp_path, 4) for branch in branches}
    lines = said(built(project, objects), tmp_path, "stream eye.raw hum.raw word.raw wrist.raw")
    assert without_time(lines) == expected(inputs, frozen, classifier)
    assert lines[-1] == "OK stream windows 4"


def changed(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new, 1)


def test_what_was_changed_in_a_classification_is_found(tmp_path: Path, objects: Objects) -> None:
    answers = Answers(names=NAMES, thresholds=(500_000, 400_000, 700_000), smooth=3, hold_off=2)
    project, _, _ = classified(wrist(), out=tmp_path / "p", answers=answers)
    rung = classes.drive(project, objects=objects)
    assert (rung.name, rung.status) == ("classify", "passed"), rung.detail
    assert project_rules.project(project).status == "passed"
    assert stack.stacks(project).status != "failed"
    for name, change in (
        ("main/classes.c", changed("    500000,", "    480000,")),
        ("main/classes.c", changed("= {1, 1, 0}", "= {1, 1, 1}")),
        ("main/classes.c", changed(".hold_off = 2", ".hold_off = 1")),
        ("main/classes.c", lambda text: re.sub(r"(_prototypes\[\] = \{\n    )-?\d+", r"\g<1>3", text)),
        ("main/classes.c", changed('"left"', '"right"')),
        ("main/classes.h", changed("CLASSES_SMOOTH = 3", "CLASSES_SMOOTH = 2")),
        ("components/runtime/ts_recent.c", changed("row = 0; row < recent->count", "row = 1; row < recent->count")),
        ("components/runtime/ts_recent.c", changed("--recent->quiet;", "recent->quiet = hold_off / 2;")),
        ("main/app_classify.c", changed("result.answer < 0", "result.answer < 1")),
    ):
        before = (project / name).read_text()
        assert change(before) != before, name
        (project / name).write_text(change(before))
        rung = classes.drive(project, objects=objects)
        assert rung.status == "failed", (name, change(before))
        assert "must say" in rung.detail, rung.detail
        (project / name).write_text(before)


def test_inputs_of_several_kinds_raise_alarms_together(tmp_path: Path, objects: Objects) -> None:
    branches = (watching("hum", "float32"), wrist())
    project, frozen, detector = alarmed(*branches, out=tmp_path / "p", smooth=2, hold_off=1)
    inputs = {branch.modality: samples_of(branch, tmp_path, 5) for branch in branches}
    distances = anomaly_distances({name: run(frozen[name], rows) for name, rows in inputs.items()}, detector.normal)
    found = alarm(distances, np.zeros(5, np.int32), detector.alarms)
    lines = said(built(project, objects), tmp_path, "stream hum.raw wrist.raw", "check hum.raw wrist.raw", "normal")
    wanted = [
        {
            "window": place,
            "anomaly": bool(found.alarm[place]),
            "distance": int(found.distance[place]),
            "threshold": detector.alarms.threshold,
            "event": bool(found.event[place]),
        }
        for place in range(5)
    ]
    assert without_time(lines)[:5] == wanted
    assert lines[-3:] == ["branch wrist centers 3", f"threshold {detector.alarms.threshold} smooth 2", "OK normal"]


def test_what_was_changed_in_an_anomaly_task_is_found(tmp_path: Path, objects: Objects) -> None:
    project, _, detector = alarmed(wrist(), out=tmp_path / "p", smooth=3, hold_off=2)
    rung = anomaly.drive(project, objects=objects)
    assert (rung.name, rung.status) == ("anomaly", "passed"), rung.detail
    assert project_rules.project(project).status == "passed"
    threshold = detector.alarms.threshold
    for name, change in (
        ("main/normal.c", changed(f"INT64_C({threshold})", f"INT64_C({threshold + 1})")),
        ("main/normal.c", changed(".hold_off = 2", ".hold_off = 1")),
        ("main/normal.c", lambda text: re.sub(r"(_normal_matrix\[\d+\] = \{\n    )-?\d+", r"\g<1>3", text)),
        ("main/normal.c", lambda text: re.sub(r"(_normal_centers\[\d+\] = \{\n    )-?\d+", r"\g<1>3", text)),
        ("main/normal.h", changed("NORMAL_SMOOTH = 3", "NORMAL_SMOOTH = 2")),
        ("main/app_anomaly.c", changed("sum += branches", "sum = 1 + branches")),
        ("components/runtime/ts_alarm.c", changed("result.alarm = result", "result.alarm = 2 * result")),
        ("components/runtime/ts_normal.c", changed("found < least", "found > least")),
        ("components/runtime/ts_recent.c", changed("--recent->quiet;", "recent->quiet = hold_off / 2;")),
    ):
        before = (project / name).read_text()
        assert change(before) != before, name
        (project / name).write_text(change(before))
        rung = anomaly.drive(project, objects=objects)
        assert rung.status == "failed", (name, change(before))
        (project / name).write_text(before)


WAITING = """
#include "input_motion.h"
#include "window.h"
static int windows;
const char *motion_open(void) { return NULL; }
const char *motion_capture(const capture_target *target)
{
    int16_t *first;
    uint32_t count = window_advance(target, &first) * window_layer(target->branch)->axes;
    for (uint32_t i = 0; i < count; i++) {
        first[i] = (int16_t)(i * 37 % 1000 + windows * 100);
    }
    windows++;
    return window_image(target);
}
void motion_close(void) { }
"""
AWAKE = """
#define CONFIG_TS_CAPTURE_HARDWARE 1
#define CONFIG_TS_SLEEP_DEEP 1
#define CONFIG_TS_AWAKE_S 0
#define CONFIG_TS_STREAM_AT_START 1
#define CONFIG_TS_SELFTEST_AT_START 1
#define CONFIG_TS_BUTTON_GPIO (-1)
#define CONFIG_TS_EVENT_GPIO (-1)
"""


def test_a_device_decides_and_sleeps_until_the_next_decision_is_due(tmp_path: Path, objects: Objects) -> None:
    project, _, _ = classified(wrist(), out=tmp_path / "p", schedule="every:10s")
    (project / "host/app/sdkconfig.h").write_text(AWAKE)
    (project / "main/files.c").write_text(WAITING)
    port = project / "host/app/port_host.c"
    text = port.read_text()
    thrice = "    return fn() < 0 || fn() < 0 || fn() < 0 ? -1 : 0;"
    port.write_text(text.replace("    (void)fn;\n    return -1;", thrice, 1))
    program = tmp_path / "app"
    done = objects.link(project / "host", program, goal="list-app", options=SANITIZED)
    assert done.passed, done.text
    for woken in (False, True):
        variables = {"TS_WOKEN": "1"} if woken else {}
        told = subprocess.run([program], input="", capture_output=True, text=True, check=True, env=variables).stdout
        lines = told.splitlines()
        assert any("selftest" in line for line in lines) != woken
        after = [line for line in lines[lines.index("READY") + 1 :] if line.startswith(("{", "NOTE sleep"))]
        assert [line[0] for line in after] == list("{N{N{N")
        slept = [int(line.split()[3]) for line in after[1::2]]
        assert all(9000 < ms <= 10_000 for ms in slept[:1])
        assert all("NOTE sleep deep" in line and line.endswith("button -1") for line in after[1::2])


PRESSED = """static void (*on_press)(void);
int port_button_open(int gpio, void (*pressed)(void))
{
    on_press = pressed;
    return gpio == 4 ? 0 : -1;
}
"""


@pytest.mark.parametrize(("depth", "woken"), [("light", False), ("deep", False), ("deep", True)])
def test_a_button_wakes_a_device_that_sleeps(depth: str, woken: bool, tmp_path: Path, objects: Objects) -> None:
    """In light sleep the button's task sees the press; deep sleep ends in a start that decides at once."""
    project, _, _ = classified(wrist(), out=tmp_path / "p", schedule="button")
    settings = AWAKE.replace("SLEEP_DEEP", f"SLEEP_{depth.upper()}").replace("BUTTON_GPIO (-1)", "BUTTON_GPIO 4")
    (project / "host/app/sdkconfig.h").write_text(settings)
    (project / "main/files.c").write_text(WAITING)
    port = project / "host/app/port_host.c"
    text = port.read_text()
    start = text.index("int port_button_open")
    text = text[:start] + PRESSED + text[text.index("}\n", start) + 2 :]
    text = text.replace("    (void)fn;\n    return -1;", "    return fn() < 0 || fn() < 0 ? -1 : 0;", 1)
    press = 'button %d\\n", deep ? "deep" : "light", (long)ms, gpio);\n'
    assert press in text
    port.write_text(text.replace(press, f"{press}    if (!deep) on_press();\n"))
    program = tmp_path / "app"
    done = objects.link(project / "host", program, goal="list-app", options=SANITIZED)
    assert done.passed, done.text
    variables = {"TS_WOKEN": "1"} if woken else {}
    lines = subprocess.run([program], input="", capture_output=True, text=True, check=True, env=variables).stdout
    after = [line for line in lines.split("READY\n")[1].splitlines() if line.startswith(("{", "NOTE sleep"))]
    sleeps = f"NOTE sleep {depth} -1 ms, button 4"
    decided = ["{"] if depth == "light" or woken else []
    if depth == "light":
        assert [line if line.startswith("N") else "{" for line in after] == [sleeps, "{", sleeps, "{"]
    else:
        assert [line if line.startswith("N") else "{" for line in after] == [*decided, sleeps, sleeps]


@pytest.mark.parametrize("emitted", [classified, alarmed])
def test_an_embedding_that_is_no_number_is_no_window(
    emitted: Callable[..., Any], tmp_path: Path, objects: Objects
) -> None:
    """No class, no alarm, no event."""
    project, *_ = emitted(wrist("float32"), out=tmp_path / "p")
    models = project / "host" / "app" / "scripted_models.c"
    copied = "values[i] = input[i % MODEL_WRIST_INPUT_BYTES];"
    assert copied in models.read_text()
    bad = "{NAN, INFINITY, -INFINITY, 0.0f}[input[0] + 128]"
    broken = f"values[i] = input[0] < -124 ? ((const float[]){bad}) : input[i % MODEL_WRIST_INPUT_BYTES];"
    models.write_text(models.read_text().replace(copied, broken).replace("<string.h>", "<math.h>\n#include <string.h>"))
    drawn = np.random.default_rng(0).integers(-120, 128, (6, 16)).astype(np.int8)
    drawn[1:5, 0] = [-128, -127, -126, -125]
    lines = drawn_windows(project, {"wrist": drawn}, objects)
    nothing = "the networks make nothing of this capture"
    assert [line.get("error") for line in lines] == [None, *[nothing] * 4, None]
    assert all(line.keys() == {"window", "ms", "error"} for line in lines[1:5])
