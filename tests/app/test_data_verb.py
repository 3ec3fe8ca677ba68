"""`data inspect` names every broken file, also where a search would refuse them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinysearch.app.cli import main


def test_inspect_shows_all_broken_files_and_prepare_refuses_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for person in range(6):
        folder = tmp_path / "people" / f"p{person}" / "face"
        folder.mkdir(parents=True)
        for picture in range(3):
            Image.fromarray(np.full((16, 16), 40 * person, np.uint8)).save(folder / f"{picture}.png")
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
