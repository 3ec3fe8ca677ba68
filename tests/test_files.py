from __future__ import annotations

import os
import signal
import stat
from pathlib import Path

import pytest

from tinysearch import files
from tinysearch.core.errors import WritingError


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_replaced_in_one_step_and_kept_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    files.write_atomically(path, b"first")
    with pytest.raises(RuntimeError), files.replacing(path) as stream:
        stream.write(b"half of the seco")
        raise RuntimeError
    assert path.read_bytes() == b"first"
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]


def test_the_umask_holds_and_private_is_private(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        files.write_atomically(tmp_path / "plain", b"")
        files.write_atomically(tmp_path / "people" / "face", b"", private=True)
        files.write_atomically(tmp_path / "given", b"", mode=0o755)
    finally:
        os.umask(before)
    assert mode_of(tmp_path / "plain") == 0o640
    assert mode_of(tmp_path / "people") == 0o700
    assert mode_of(tmp_path / "people" / "face") == 0o600
    assert mode_of(tmp_path / "given") == 0o755


def test_a_folder_that_was_open_is_closed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    files.make_folder(tmp_path / "data", private=True)
    assert mode_of(tmp_path / "data") == 0o700


def test_folders_are_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "branch"
    for content in ("old", "new"):
        with files.fresh_folder(target) as fresh:
            (fresh / content).write_text(content)
            files.replace_folder(fresh, target)
    assert [path.name for path in target.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["branch"]


def test_strays_of_killed_writers_are_swept_and_the_living_are_let_be(tmp_path: Path) -> None:
    pid = os.fork()
    if not pid:
        with files.fresh_folder(tmp_path / "x") as fresh, files.replacing(tmp_path / "y"):
            (fresh / "part").touch()
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    assert len(list(tmp_path.iterdir())) == 4, "each with a lock beside"
    with files.replacing(tmp_path / "deep" / "z") as stream, files.fresh_folder(tmp_path / "deep" / "f") as fresh:
        assert files.sweep(tmp_path, depth=1) == 2
        assert fresh.is_dir()
        stream.write(b"alive")
    assert (tmp_path / "deep" / "z").read_bytes() == b"alive"
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WritingError, match="must be written"), files.writing(tmp_path):
        files.write_atomically(tmp_path / "file" / "below", b"")


def test_the_home_folder_has_a_short_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert files.home_path("~/people") == Path("/home/somebody/people")
    assert files.home_path("~nobody-of-that-name/x") == Path("~nobody-of-that-name/x")
