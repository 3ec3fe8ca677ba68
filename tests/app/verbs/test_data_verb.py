"""`data inspect` names every broken file, also where a search would refuse them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from tinysearch.app.cli import main


def _people(root: Path, *, pictures: int) -> None:
    rng = np.random.default_rng(0)
    for person in range(6):
        folder = root / f"p{person}" / "face"
        folder.mkdir(parents=True)
        for picture in range(pictures):
            Image.fromarray(rng.integers(0, 256, (16, 16), np.uint8)).save(folder / f"{picture}.png")


def _speak(folder: Path) -> None:
    """A good recording of a second, a loud one, one that was cut off and turned down, and one of swapped bytes."""
    folder.mkdir()
    wave = 0.3 * np.sin(np.arange(16_000) / 12)
    samples = {name: np.rint(32_768 * np.clip(wave, -limit, limit)) for name, limit in LIMITS.items()}
    for name, values in samples.items():
        stored = values.astype(np.int16).byteswap() if name == "swapped" else values.astype(np.int16)
        soundfile.write(folder / f"{name}.wav", stored, 16_000)


LIMITS = {"good": 1.0, "swapped": 1.0, "loud": 0.29, "turned_down": 0.1}


def test_inspect_tells_of_everything_before_anything_is_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _people(tmp_path / "people", pictures=1)
    (tmp_path / "people" / "p0" / "face" / "1.heic").write_bytes(b"")
    Image.fromarray(np.arange(1024, dtype=np.uint16).reshape(32, 32)).save(tmp_path / "people/p1/face/deep.png")
    (tmp_path / "people/p2/face/0.png").write_bytes((tmp_path / "people/p1/face/0.png").read_bytes())
    words = ["data=folder", f"data.root={tmp_path}/people", f"cache.dir={tmp_path}/cache"]
    assert main(["data", "inspect", *words]) == 0
    told = capsys.readouterr().out
    assert "not read 1: suffix .heic: convert it" in told
    assert "1 taken as 10 bits a pixel in a wider file (p1/face/deep.png)" in told
    assert "skipped p2/face/0.png: the same as p1/face/0.png of another person" in told
    assert "face cannot be judged: " in told
    train = ["train", *words, "modality=face", "face.blocks=[1]", "face.precision=int8", "data.broken_limit=0.9"]
    assert main(train) == 2
    assert "folder/" in capsys.readouterr().err


def test_inspect_shows_all_broken_files_and_prepare_refuses_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _people(tmp_path / "people", pictures=3)
    for name in ("0.png", "2.png"):
        (tmp_path / "people" / "p3" / "face" / name).write_bytes(b"")
    _speak(tmp_path / "people" / "p3" / "voice")
    words = ["data=folder", f"data.root={tmp_path}/people", f"cache.dir={tmp_path}/cache"]
    assert main(["data", "inspect", *words]) == 0
    told = capsys.readouterr().out
    assert "skipped p3/face/0.png: empty file" in told
    assert "skipped p3/face/2.png: empty file" in told
    assert "skipped p3/voice/swapped.wav: wrongly scaled: the bytes of each sample are in the other order" in told
    assert "skipped p3/voice/turned_down.wav: no signal: it is nearly all at its limits" in told
    assert "1 clipped in more than 4 % of its samples: recorded too loud (p3/voice/loud.wav)" in told
    assert "2 of 6 are too many for data.broken_limit=0.05" in told
    assert main(["data", "prepare", *words]) == 2
    assert "2 of 6" in capsys.readouterr().err


PUMP = """
decision: {decision}
inputs:
  pump: {{kind: signal, window_s: 0.64, rate_hz: 100, axes: [x], units: [g], full_scale: [16], content: samples,
    center: false, width: 8, input_size: 8, channels: 1, embedding: 8, architecture: windowed}}
"""


def _pump(root: Path, *, decision: str) -> str:
    (root / "pump.yaml").write_text(PUMP.format(decision=decision), encoding="utf-8")
    return f"task={root}/pump.yaml"


def _series(root: Path, *, files: int = 4) -> Path:
    for name in ("good", "worn"):
        for number in range(files):
            path = root / "pumps" / name / f"{number}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("time,x\n" + "".join(f"{n / 100:.2f},{n % 7}\n" for n in range(150)), encoding="utf-8")
    return root / "pumps"


def test_inspect_tells_of_series_by_file_and_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = _series(tmp_path)
    lines = (root / "good" / "0.csv").read_text().splitlines()
    lines[30] = "0.29,"
    (root / "good" / "0.csv").write_text("\n".join(lines), encoding="utf-8")
    (root / "worn" / "0.csv").write_text("time,y\n0,1\n", encoding="utf-8")
    (root / "worn" / "1.csv").write_text("hello", encoding="utf-8")
    words = [_pump(tmp_path, decision="anomaly"), "data=series", f"data.root={root}", "data.normal=[good]"]
    assert main(["data", "inspect", *words, "data.broken_limit=0.3"]) == 2
    error = capsys.readouterr().err
    assert "a class must have 3 usable files or more, one a split; got class worn has 2" in error
    _series(tmp_path, files=8)
    (root / "worn" / "0.csv").write_text("time,y\n0,1\n", encoding="utf-8")
    (root / "worn" / "1.csv").write_text("hello", encoding="utf-8")
    (root / "good" / "0.csv").write_text("\n".join(lines), encoding="utf-8")
    assert main(["data", "inspect", *words]) == 0
    told = capsys.readouterr().out
    assert "skipped worn/0.csv: has no column x; its first line names time, y" in told
    assert "good/0.csv: 1 row left out, first 0.csv:31: x is empty" in told
    assert "2 of 16 files are too many for data.broken_limit=0.05" in told
    assert "samples of    4 classes" in told  # normal, and itself faster, slower, sharper


def test_an_anomaly_task_without_what_is_normal_is_one_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [_pump(tmp_path, decision="anomaly"), "data=series", f"data.root={_series(tmp_path)}"]
    words += ["modality=pump", "pump.blocks=[1]", "pump.precision=int8", f"cache.dir={tmp_path}/cache"]
    assert main(["train", *words]) == 2
    error = capsys.readouterr().err
    assert "an anomaly task must have data that say what is normal" in " ".join(error.split())
    assert "Traceback" not in error
