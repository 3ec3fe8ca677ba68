"""`data inspect` names every broken file, also where a search would refuse them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinysearch.app.cli import main


def _people(root: Path, *, pictures: int) -> None:
    rng = np.random.default_rng(0)
    for person in range(6):
        folder = root / f"p{person}" / "face"
        folder.mkdir(parents=True)
        for picture in range(pictures):
            Image.fromarray(rng.integers(0, 256, (16, 16), np.uint8)).save(folder / f"{picture}.png")


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
    words = ["data=folder", f"data.root={tmp_path}/people", f"cache.dir={tmp_path}/cache"]
    assert main(["data", "inspect", *words]) == 0
    told = capsys.readouterr().out
    assert "skipped p3/face/0.png: empty file" in told
    assert "skipped p3/face/2.png: empty file" in told
    assert "2 of 6 are too many for data.broken_limit=0.05" in told
    assert main(["data", "prepare", *words]) == 2
    assert "2 of 6" in capsys.readouterr().err
