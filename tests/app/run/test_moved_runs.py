"""A run can be used from any folder, moved, and used without the files that it was started with."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from tinysearch.app.cli import main
from tinysearch.app.config.paths import from_home
from tinysearch.app.run.run_dir import make_run_dir, read_config
from tinysearch.search.study.storage import run_lock

RATES = """kind,modality,face_blocks,face_precision,voice_blocks,voice_precision,eer,eer_lo,eer_hi,train_s
branch,voice,,,1-1,int8,0.20,0.18,0.22,60
"""
WORDS = ["trainer=table", "budget=15usd", "space.modalities=[voice]", "emit.top=none", "cache.dir=cache", "-q"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "a").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "home" / "a")
    Path("rates.csv").write_text(RATES)
    return tmp_path


def point_of(run: Path) -> str:
    return json.loads((run / "front.json").read_text())["points"][0]["id"]


def test_a_run_is_used_from_anywhere_moved_and_without_its_table(here: Path, monkeypatch) -> None:
    assert main(["search", *WORDS, "trainer.path=rates.csv", "run_dir=run"]) == 0
    words = ["emit", f"id={point_of(Path('run'))}", f"cache.dir={here / 'cache'}", "emit.verify=false"]
    monkeypatch.chdir("/")
    assert main([*words, f"run_dir={here / 'home/a/run'}", f"out={here / 'p1'}"]) == 0
    (here / "home/a").rename(here / "home/b")
    (here / "home/b/rates.csv").unlink()
    monkeypatch.chdir(here / "home/b")
    assert main([*words, "run_dir=run", f"out={here / 'p2'}"]) == 0
    assert main([*words, "run_dir=~/b/run", "out=~/p3"]) == 0
    assert (here / "home/p3/candidate.json").is_file()
    assert (here / "p1/candidate.json").read_bytes() == (here / "p2/candidate.json").read_bytes()


def test_home_is_home_for_every_path(here: Path) -> None:
    assert main(["search", *WORDS, "trainer.path=~/a/rates.csv", "run_dir=~/run"]) == 0
    assert (here / "home/run/front.json").is_file()
    assert Path(read_config(here / "home/run")["cache"]["dir"]) == here / "home/a/cache"
    assert main(["compare", "~/run", "~/run"]) == 0
    assert from_home({"figures": "~/figures"}) == {"figures": str(here / "home/figures")}
    assert not Path("~").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["catalog", "check", "~/shop"],
        ["compare", "~/a", "~/b"],
        ["evaluate", "modality=face", "task=~/task.yaml"],
        ["data", "inspect", "data=voxceleb", "data.root=~/a", "data.pairs=~/list.txt"],
        ["evaluate", "network=~/model.tflite"],
        ["verify", "~/project", "run_dir=~/run"],
    ],
)
def test_a_complaint_names_the_home_folder(words: list[str], here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert f"got {here / 'home'}" in capsys.readouterr().err


def test_a_run_that_names_a_file_outside_of_itself_reads_it_as_it_stands(here: Path) -> None:
    assert main(["search", *WORDS, "trainer.path=rates.csv", "run_dir=run"]) == 0
    config = Path("run/config.yaml")
    config.write_text(config.read_text().replace("inputs/trainer.path.csv", "inputs/../../secret"))
    assert read_config(Path("run"))["trainer"]["path"] == "inputs/../../secret"


def test_a_second_process_is_told_who_writes(here: Path, capsys) -> None:
    assert main(["search", *WORDS, "trainer.path=rates.csv", "run_dir=run"]) == 0
    with run_lock(Path("run").absolute()):
        assert main(["search", *WORDS, "trainer.path=rates.csv", "run_dir=run"]) == 2
        assert main(["report", "run_dir=run"]) == 2
    said = capsys.readouterr().err
    assert said.count(f"process {os.getpid()} on ") == 2
    assert main(["report", "run_dir=run"]) == 0


def test_the_lock_is_held_until_everything_is_written(here: Path, monkeypatch) -> None:
    from tinysearch.app.run import main_job as job
    from tinysearch.core.errors import UserError

    seen = []

    def watched(study, folder, *rest) -> None:
        with pytest.raises(UserError, match="one process at a time"), run_lock(folder):
            pass
        seen.append(folder)

    monkeypatch.setattr(job, "publish", watched)
    assert main(["search", *WORDS, "trainer.path=rates.csv", "run_dir=run"]) == 0
    assert seen


def test_runs_of_one_second_have_folders_of_their_own() -> None:
    assert len({make_run_dir(None) for _ in range(3)}) == 3


def test_strays_in_a_run_are_swept(here: Path) -> None:
    assert main(["search", *WORDS, "trainer.path=rates.csv", "run_dir=run"]) == 0
    for stray in ("run/.new-1", "run/models/.new-2", "run/artifacts/.new-3"):
        Path(stray).parent.mkdir(exist_ok=True)
        Path(stray).touch()
    assert main(["search", *WORDS, "trainer.path=rates.csv", "run_dir=run"]) == 0
    assert not list(Path("run").rglob(".new-*"))


@pytest.mark.parametrize("words", [["data", "inspect", "data=embedded"], ["train", "modality=face", "face.blocks=[1]"]])
def test_a_home_that_cannot_be_written_names_the_option(words: list[str], monkeypatch, capsys) -> None:
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, "/proc/nobody")
    more = [] if words[0] == "data" else ["face.precision=int8"]
    assert main([*words, *more]) == 2
    said = capsys.readouterr().err
    assert "cache.dir=" in said and len(said.splitlines()) == 1


def test_a_search_that_trains_nothing_needs_no_cache(here: Path) -> None:
    assert main(["search", *WORDS, "trainer.path=rates.csv", "run_dir=run", "cache.dir=/proc/nobody"]) == 0


def test_the_cache_says_what_it_holds(here: Path) -> None:
    from tinysearch.app.config.resources import usable_cache

    cache = usable_cache("~/cache")
    assert cache == here / "home/cache"
    for folder in (cache, cache / "data", cache / "branches"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert "biometric" in (cache / "data/README.txt").read_text()
