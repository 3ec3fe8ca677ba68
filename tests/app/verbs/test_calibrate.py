"""From the lines that a board prints to a table that makes points calibrated, and what is refused on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tinysearch.app.building.branches import branches_of
from tinysearch.app.building.wiring import build_models
from tinysearch.app.cli import main
from tinysearch.app.config.compose import compose_config, plain

SIZES = {"width": 8, "input_size": 40, "embedding": 16}
VOICE = ["modality=voice", "voice.blocks=[1,1]", *(f"voice.{name}={value}" for name, value in SIZES.items())]
CHIP = "platform.processor=esp32c3"
CYCLES_A_SECOND = 160e6


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    folder = tmp_path_factory.mktemp("projects")
    for precision in ("int8", "xnor1/1"):
        out = folder / precision.replace("/", "")
        assert main(["emit", *VOICE, f"voice.precision={precision}", CHIP, "trainer=none", f"out={out}"]) == 0
    return {"int8": folder / "int8", "xnor1/1": folder / "xnor11"}


def printed(
    precision: str,
    slower: Callable[[int, str], float],
    *,
    chip: str = "esp32c3",
    words: tuple[str, ...] = (),
) -> str:
    """What the command benchmark prints on a board whose layers take ``slower(index, operator)`` times the estimate."""
    config = plain(compose_config([*(words or VOICE), f"voice.precision={precision}"]))
    models = build_models(config)
    (branch,) = branches_of(config)
    program = models.needs(branch).program
    lines = ["I (312) main: ready", "> benchmark", f"benchmark {chip} {CYCLES_A_SECOND:.0f}"]
    for index, step in enumerate(program.steps):
        estimate = models.latency.step(program, step, processor=chip, weights_in_flash=True, arena_in_psram=False)
        cycles = estimate.seconds * CYCLES_A_SECOND * slower(index, step.operator.value)
        lines.append(f"layer voice {step.name} {cycles:.0f}\r")
    return "\n".join([*lines, "OK benchmark", ""])


def evaluated(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["evaluate", *words]) == 0
    return dict(json.loads(capsys.readouterr().out))


def test_a_whole_log_calibrates_the_points_that_it_covers(
    projects: Mapping[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, table = tmp_path / "serial.log", tmp_path / "table.yaml"
    log.write_text(printed("int8", lambda _, operator: 3.0 if operator == "conv" else 2.0))
    assert main(["calibrate", str(log), str(projects["int8"]), f"out={table}"]) == 0
    told = capsys.readouterr().out
    assert "3.000" in told
    assert "2.000" in told
    point = [*VOICE, "voice.precision=int8", CHIP]
    before, after = evaluated(capsys, *point), evaluated(capsys, *point, f"latency.table={table}")
    assert (before["evidence"]["latency"], after["evidence"]["latency"]) == ("uncalibrated", "calibrated")
    assert 2.0 < after["values"]["latency_s"] / before["values"]["latency_s"] < 3.0
    low, high = after["values"]["latency_range_s"]
    assert low == pytest.approx(0.95 * after["values"]["latency_s"])
    assert high == pytest.approx(1.05 * after["values"]["latency_s"])

    other_layout = [*point, "voice.blocks=[2,1]", "voice.width=12", f"latency.table={table}"]
    other_precision = [*VOICE, "voice.precision=xnor1/1", CHIP, f"latency.table={table}"]
    other_chip = [*VOICE, "voice.precision=int8", "platform.processor=esp32s3", f"latency.table={table}"]
    assert evaluated(capsys, *other_layout)["evidence"]["latency"] == "calibrated"
    for words in (other_precision, other_chip):
        assert evaluated(capsys, *words)["evidence"]["latency"] == "uncalibrated"


def test_the_range_holds_what_the_fit_leaves_over(
    projects: Mapping[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, table = tmp_path / "serial.log", tmp_path / "table.yaml"
    log.write_text(printed("int8", lambda index, _: 1.3 if index % 2 else 0.7))
    assert main(["calibrate", str(log), str(projects["int8"]), f"out={table}"]) == 0
    values = evaluated(capsys, *VOICE, "voice.precision=int8", CHIP, f"latency.table={table}")["values"]
    low, high = values["latency_range_s"]
    assert low < 0.9 * values["latency_s"]
    assert high > 1.1 * values["latency_s"]


def test_a_second_log_adds_to_the_first(
    projects: Mapping[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words: list[str] = []
    for precision, project in projects.items():
        log = tmp_path / "serial.log"
        log.write_text(printed(precision, lambda _index, _operator: 2.0))
        table = tmp_path / f"{project.name}.yaml"
        assert main(["calibrate", str(log), str(project), f"out={table}", *words]) == 0
        words = [f"latency.table={table}"]
    for precision in projects:
        assert evaluated(capsys, *VOICE, f"voice.precision={precision}", CHIP, *words)["evidence"] == {
            "eer": "none",
            "latency": "calibrated",
        }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("benchmark esp32c3 1", "benchmark esp32s3 1"),
        ("layer voice stem ", "layer face stem "),
        ("layer voice stem ", "layer voice root "),
        ("layer voice stem ", "layer voice stem 0\nlayer voice stem "),
        ("layer ", "lawyer "),
        # cut short, and damaged on the line
        ("OK benchmark", ""),
        ("OK benchmark", "benchmark esp32c3 160000000\nOK benchmark"),
        ("OK benchmark", "branch voice 1\nOK benchmark"),
        ("layer voice stem ", "layer voice stem\nlayer voice stem "),
        ("layer voice stem ", "layer voice stem 12layer voice stem "),
        ("layer voice s1b1_conv1 ", "layer voice s1b1_conv1 9"),
        ("layer voice stem ", "layer voice stem 999"),
        ("layer voice stem ", "layer voice stem 100\nlayer voice stem "),
    ],
)
def test_a_log_of_something_else_is_one_line(
    projects: Mapping[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str
) -> None:
    log, table = tmp_path / "serial.log", tmp_path / "table.yaml"
    text = printed("int8", lambda _index, _operator: 1.0)
    assert old in text
    log.write_text(text.replace(old, new))
    assert main(["calibrate", str(log), str(projects["int8"]), f"out={table}"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not table.exists()


def test_a_log_is_read_as_terminals_save_it(projects: Mapping[str, Path], tmp_path: Path) -> None:
    text = printed("int8", lambda _index, _operator: 2.0)
    total = sum(int(line.split()[3]) for line in text.splitlines() if line.startswith("layer"))
    text = text.replace("OK benchmark", f"branch voice {total}\nOK benchmark").replace("layer", "\x1b[0;32mlayer")
    tables = []
    for encoding in ("utf-8", "utf-16"):
        log, table = tmp_path / "serial.log", tmp_path / f"{encoding}.yaml"
        log.write_text(text.replace("\r", "\x1b[0m\r") * 2, encoding=encoding)
        assert main(["calibrate", str(log), str(projects["int8"]), f"out={table}"]) == 0
        tables.append(yaml.safe_load(table.read_text())["measured"])
    assert tables[0] == tables[1]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"id": "x", "branches": {"voice": {}}, "platform": {}}'])
def test_a_folder_that_is_no_project_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    (tmp_path / "candidate.json").write_text(content)
    (tmp_path / "serial.log").write_text("layer voice stem 1\n")
    assert main(["calibrate", str(tmp_path / "serial.log"), str(tmp_path), f"out={tmp_path}/t.yaml"]) == 2
    assert "candidate.json" in capsys.readouterr().err


def test_a_log_of_another_family_calibrates_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sizes = [f"voice.{name}={value}" for name, value in SIZES.items()]
    own = ("modality=voice", "voice.architecture=separable", "voice.stages=[1,2]", "voice.kernel=5", *sizes)
    point = [*own, "voice.precision=int8", CHIP]
    project, log, table = tmp_path / "project", tmp_path / "serial.log", tmp_path / "table.yaml"
    assert main(["emit", *point, "trainer=none", f"out={project}"]) == 0
    log.write_text(printed("int8", lambda _index, _operator: 2.0, words=own))
    assert main(["calibrate", str(log), str(project), f"out={table}"]) == 0
    before, after = evaluated(capsys, *point), evaluated(capsys, *point, f"latency.table={table}")
    assert after["evidence"]["latency"] == "calibrated"
    assert after["values"]["latency_s"] == pytest.approx(2.0 * before["values"]["latency_s"], rel=1e-4)


@pytest.mark.parametrize("fallen_back", [False, True])
def test_steps_of_a_backend_calibrate_the_backend(tmp_path: Path, fallen_back: bool) -> None:
    project, log, table = tmp_path / "project", tmp_path / "serial.log", tmp_path / "table.yaml"
    point = [*VOICE, "voice.precision=int8", "platform.processor=esp32s3", "firmware.backend=esp_nn"]
    assert main(["emit", *point, "trainer=none", f"out={project}"]) == 0
    warning = "WARN backend voice: esp_nn differs, portable kernels\n" if fallen_back else ""
    log.write_text(warning + printed("int8", lambda _index, _operator: 2.0, chip="esp32s3"))
    assert main(["calibrate", str(log), str(project), f"out={table}"]) == 0
    rows = {(row["arithmetic"], row["kernel"]) for row in yaml.safe_load(table.read_text())["measured"]}
    assert (("int8@esp_nn", "conv") in rows) is not fallen_back
    assert (("int8", "conv") in rows) is fallen_back


def test_counts_of_the_emulator_are_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As `calibrate emulator` writes them: instructions, without what turns them into cycles."""
    default = yaml.safe_load((Path(__file__).parents[3] / "hardware_catalog/latency/default.yaml").read_text())
    twice = {
        kernel: {name: 2 * value for name, value in row.items()}
        for kernel, row in default["instructions"]["int8"].items()
    }
    table = tmp_path / "counts.yaml"
    table.write_text(yaml.safe_dump({"counted": default["counted"], "instructions": {"int8": twice}}))
    for precision, factor in (("int8", 2.0), ("float32", 1.0)):
        point = [*VOICE, f"voice.precision={precision}", CHIP]
        before, after = evaluated(capsys, *point), evaluated(capsys, *point, f"latency.table={table}")
        assert after["values"]["latency_s"] == pytest.approx(factor * before["values"]["latency_s"])
        assert after["evidence"]["latency"] == "uncalibrated"  # instructions are not cycles


@pytest.mark.parametrize("content", ["", "- a", "counted: {}\ninstructions: 3", "measured: [{}]", "instructions: {}"])
def test_a_table_that_is_none_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str) -> None:
    table = tmp_path / "table.yaml"
    table.write_text(content)
    assert main(["evaluate", *VOICE, "voice.precision=int8", f"latency.table={table}"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
