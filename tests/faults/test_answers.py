"""What was typed by nobody but a fuzzer: one line and status 2, or an answer, and never a traceback.

``benchmarks/faults.py`` makes thousands of these; here stand those that once failed, and a few of it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tinysearch.app.cli import main

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "benchmarks" / "data" / "embedded.csv"
FACE = ("modality=face", "face.blocks=[1,1]", "face.precision=int8")
MANY = "[" + ",".join(["2"] * 60) + "]"
DEEP = "[" * 400 + "1" + "]" * 400


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("evaluate", "modality=face", f"face.blocks={MANY}", "face.precision=int8"), "fewer than 10^15"),
        (("enumerate", "space.widths=[1000000000]"), "fewer than 10^15"),
        (("evaluate", *FACE, f"trainer.weight_decay={DEEP}"), "at most 32 deep"),
        (("evaluate", *FACE, "task=[0]"), "task must be one of"),
        (("catalog", "list", "task=digits", "task=[[]]"), "task must be one of"),
        (("emit", *FACE, "trainer=none", "trainer.name=1e-300", "out=p"), "must have a name"),
        (("evaluate", *FACE, "space.modalities={a:1}"), "space.modalities must be a list"),
        (("data", "inspect", "task.face.input_size=100000"), "input_size must be 1 to 4096"),
        (("evaluate", *FACE, "face.channels=7"), "channels must be 1"),
    ],
)
def test_words_of_a_fuzzer(
    words: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and said in lines[0] and len(lines[0]) < 1000


def test_a_layout_that_is_listed_twice_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    few = ("enumerate", "space.modalities=[face]", "space.processors=[esp32s3]")
    assert main((*few, "space.layouts=[[1],[2]]", "space.precisions=[int8]", "space.widths=[8]")) == 0
    assert main((*few, "space.layouts=[[1],[2],[1]]", "space.precisions=[int8,int8]", "space.widths=[8,8]")) == 0
    once, twice = capsys.readouterr().out.splitlines()
    assert once.split(",")[:2] == twice.split(",")[:2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("layouts: 3\n", "layouts of a space must be a list"),
        ("families: x\n", "space.families must be"),
        ("families: {separable: 3}\narchitectures: [separable]\n", "space.families.separable must be"),
        ("a: &a [*a]\n", "deep"),
    ],
)
def test_spaces_of_wrong_kinds(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text(text)
    assert main(("enumerate", "space=s.yaml")) == 2
    assert said in capsys.readouterr().err


@pytest.mark.slow
def test_the_short_form_of_the_benchmark_finds_nothing(tmp_path: Path) -> None:
    command = [sys.executable, ROOT / "benchmarks" / "faults.py", "--folder", tmp_path, "--share", "0.0005"]
    kinds = "command lines,,files"
    done = subprocess.run([*command, "--kinds", kinds], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["tried"] > 4 and figures["lost"] == figures["tracebacks"] == figures["other"] == 0
