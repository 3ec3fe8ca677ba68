"""No file can have code imported: a run, a project, a table of what was trained, a task of somebody else's."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tinysearch.app.building.branches import branches_of
from tinysearch.app.cli import main
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.config.plugins import KINDS, plugin
from tinysearch.core import trust
from tinysearch.core.errors import UserError
from tinysearch.core.trust import trusting

PAYLOAD = """
import pathlib
pathlib.Path(__file__).with_name("owned").touch()
from tinysearch.architectures.resnet import resnet as network
class Code:
    def __init__(self, **settings): pass
"""
FACE = ("modality=face", "face.blocks=[1]", "face.precision=float32", "face.width=4", "face.input_size=24")
RATES = """kind,modality,face_blocks,face_precision,voice_blocks,voice_precision,eer,eer_lo,eer_hi,train_s
branch,voice,,,1-1,int8,0.20,0.18,0.22,60
"""


@pytest.fixture(autouse=True)
def evil(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module that is within reach, and a process in which nobody has typed anything."""
    (tmp_path / "evil.py").write_text(PAYLOAD)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(trust, "_trusted", set())
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.chdir(tmp_path)
    yield tmp_path / "owned"
    sys.modules.pop("evil", None)


def changed(path: Path, keys: tuple[str, ...], value: Any) -> None:
    document = yaml.safe_load(path.read_text())
    inner = document
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    path.write_text(json.dumps(document))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["evil:Code", "evil.Code"])
def test_nothing_is_imported_by_a_name_that_nobody_typed(kind: str, name: str, evil: Path) -> None:
    with pytest.raises(UserError, match="not by a file alone") as caught:
        plugin(kind, name)
    assert name in caught.value.remedy
    assert not evil.exists()
    trust.trust_words([f"plug_ins=[{name}]"])
    assert plugin(kind, name).__name__ == "Code"


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    (tmp_path / "rates.csv").write_text(RATES)
    words = ["trainer=table", "trainer.path=rates.csv", "budget=15usd", "space.modalities=[voice]", "emit.top=none"]
    assert main(["search", *words, "run_dir=run", "cache.dir=cache", "-q"]) == 0
    return tmp_path / "run"


@pytest.mark.parametrize(
    "keys",
    [
        ("firmware", "backend"),
        ("latency", "model"),
        ("task", "inputs", "voice", "architecture"),
        ("task", "inputs", "voice", "kind"),
        ("trainer", "name"),
    ],
)
def test_a_run_of_somebody_else_names_no_code(
    keys: tuple[str, ...], run_dir: Path, evil: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(run_dir / "config.yaml", keys, "evil:Code")
    point = json.loads((run_dir / "front.json").read_text())["points"][0]
    words = ["emit", "run_dir=run", f"id={point['id']}", "out=project", "cache.dir=cache"]
    status = main(words)
    assert not evil.exists()
    said = capsys.readouterr().err
    if status:  # a name that is not needed any more may be passed over
        assert status == 2
        assert "evil:Code" in said and "add " in said and len(said.splitlines()) == 1


def test_a_backend_of_a_run_is_given_again(run_dir: Path, evil: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed(run_dir / "config.yaml", ("firmware", "backend"), "evil:Code")
    point = json.loads((run_dir / "front.json").read_text())["points"][0]
    words = ["emit", "run_dir=run", f"id={point['id']}", "out=project", "cache.dir=cache"]
    assert main(words) == 2
    option = capsys.readouterr().err.split("add ")[1].split()[0]
    assert option == "firmware.backend=evil:Code"
    main([*words, option])
    assert evil.exists()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    words = [*FACE, "platform.processor=esp32s3", "emit.verify=false", "trainer=none", "out=project", "cache.dir=cache"]
    assert main(["emit", *words]) == 0
    return tmp_path / "project"


def test_a_project_of_somebody_else_names_no_code(
    project: Path, evil: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    candidate = json.loads((project / "candidate.json").read_text())
    candidate["firmware_facts"]["branches"]["face"]["architecture"] = "evil:network"
    candidate["branches"]["face"]["architecture"] = "evil:network"
    (project / "candidate.json").write_text(json.dumps(candidate))
    Path("serial.log").write_text("benchmark esp32s3 240\nlayer face stem 1000\nOK benchmark\n")
    words = ["calibrate", "serial.log", "project", "out=table.yaml"]
    assert main(words) == 2
    said = capsys.readouterr().err
    assert not evil.exists()
    assert "plug_ins=[evil:network]" in said
    main([*words, "plug_ins=[evil:network]"])
    assert evil.exists()


def test_verify_imports_no_data_set_that_a_run_names(
    project: Path, run_dir: Path, evil: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tinysearch.app.run import held_out

    changed(run_dir / "config.yaml", ("data", "name"), "evil:Code")
    monkeypatch.setattr(held_out, "_kept", lambda *_: held_out._Kept(embeddings=np.empty(0), rounded=None))
    with pytest.raises(UserError, match=r"data\.name=evil:Code"):
        held_out.load_held_out(project, run_dir)
    assert not evil.exists()


@pytest.mark.parametrize("verb", ["search", "evaluate", "enumerate"])
def test_a_task_of_somebody_else_names_no_code(
    verb: str, tmp_path: Path, evil: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "task.yaml").write_text("inputs: {arm: {kind: 'evil:Code', width: 4}}")
    words = [verb, "task=task.yaml", "trainer=none", "cache.dir=cache"]
    assert main(words) == 2
    said = capsys.readouterr().err
    assert not evil.exists()
    assert "plug_ins=[evil:Code]" in said and len(said.splitlines()) == 1
    main([*words, "plug_ins=[evil:Code]"])
    assert evil.exists()


def test_other_processes_take_the_trust_along(tmp_path: Path) -> None:
    """Workers of a search build what was typed to their coordinator."""
    words = [*FACE, "face.architecture=evil:network"]
    branches_of(plain(compose_config(words)))
    (tmp_path / "payload").write_bytes(pickle.dumps((trusting(plugin), plugin)))
    script = """
import pickle, sys
carried, plain = pickle.load(open("payload", "rb"))
try:
    plain("architectures", "evil:network")
except Exception as error:
    print(type(error).__name__)
print(carried("architectures", "evil:network").__name__)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["UserError", "resnet"], done.stderr


def test_words_that_name_no_plug_in_are_not_trusted() -> None:
    trust.trust_words(["out=evil.Code", "run_dir=a/evil.Code", "storage=postgresql://evil:Code@h/d", "seed=0"])
    assert not trust.is_trusted("evil.Code") and not trust.is_trusted("evil:Code")


@pytest.mark.parametrize("keys", [("trainer", "path"), ("latency", "table"), ("space", "path"), ("data", "root")])
def test_a_character_of_value_0_is_refused_before_any_file_is_opened(
    keys: tuple[str, ...], run_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(run_dir / "config.yaml", keys, "a\0b")
    point = json.loads((run_dir / "front.json").read_text())["points"][0]["id"]
    capsys.readouterr()
    assert main(["emit", "run_dir=run", f"id={point}", "out=project"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "must hold no character of value 0" in line and "\0" not in line


@pytest.mark.parametrize("words", [("verify", "a\0b"), ("report", "run_dir=a\0b"), ("evaluate", "network=a\0b.tflite")])
def test_words_with_a_character_of_value_0_are_refused(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert "must hold no character of value 0" in capsys.readouterr().err
