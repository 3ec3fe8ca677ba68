"""Disks that fill up during a search, real file systems of some kilobytes: one line, and nothing lost."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from scripted_search import errors_of, memo_of, stored
from test_kill import Typed
from toy_space import SyntheticErrors, ToySpace

from tinysearch.core.errors import UserError
from tinysearch.files import write_atomically
from tinysearch.search.loop import SearchOptions, StudyProblem, search

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root may mount a small file system")


class SmallDisk:
    """A file system in memory, of a size that can be changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def resize(self, size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", self.folder], check=True, capture_output=True)

    @property
    def free_bytes(self) -> int:
        return os.statvfs(self.folder).f_bavail * os.statvfs(self.folder).f_frsize


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]
    done = subprocess.run(mount, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no small file system can be mounted here: {done.stderr.strip()}")
    try:
        yield SmallDisk(folder)
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            subprocess.run(["umount", "-l", folder], check=True, capture_output=True)


def problem_with(errors, space: ToySpace) -> StudyProblem:
    return StudyProblem(
        table=space.table,
        flat=space.flat,
        objectives=("eer", "bom_cost_usd", "latency_s"),
        error_model=errors,
        assessor=space,
    )


def test_a_journal_that_fills_its_disk_is_taken_up_again(disk: SmallDisk) -> None:
    space = ToySpace(budget_usd=11.0)
    options = SearchOptions(sampler="random", n_trials=120, seed=4)
    errors = SyntheticErrors(space, seed=0)
    sizes = 0
    for size in ("64k", "96k", "128k", "160k"):
        disk.resize(size)
        with pytest.raises(UserError, match="must be space") as caught:
            search(problem_with(errors, space), options, run_dir=disk.folder / "run")
        assert "\n" not in str(caught.value)
        assert disk.free_bytes < 4096
        sizes += 1
    disk.resize("8m")
    result = search(problem_with(errors, space), options, run_dir=disk.folder / "run")
    whole = search(problem_with(SyntheticErrors(space, seed=0), space), options)
    assert len(errors.trainings) == len(set(errors.trainings))
    assert [t.user_attrs.get("id") for t in result.study.trials] == [t.user_attrs.get("id") for t in whole.study.trials]
    assert [p.candidate.id for p in result.points] == [p.candidate.id for p in whole.points]
    assert sizes == 4


def test_a_memo_on_a_full_disk_keeps_what_it_has(disk: SmallDisk) -> None:
    space = ToySpace(budget_usd=11.0, widths=(4,))
    disk.resize("100k")
    problem = problem_with(errors_of(disk.folder, pause_s=0.0), space)
    options = SearchOptions(sampler="exhaustive", n_trials=12)
    with pytest.raises(UserError, match="must be space") as caught:
        search(problem, options)
    assert "no space left" in str(caught.value)
    before = stored(disk.folder)
    assert 0 < len(before) < 12
    assert not list((disk.folder / "cache").rglob(".new-*"))
    disk.resize("16m")
    again = replace(problem, error_model=errors_of(disk.folder, pause_s=0.0))
    result = search(again, options)
    after = stored(disk.folder)
    assert {key: after[key] for key in before} == before
    memo = memo_of(disk.folder)
    for branch in space.branches:
        if memo.has(branch):
            assert memo.network(branch).parameters
            assert set(memo.embeddings(branch)) == {"validation", "test"}
    assert result.points


def test_a_checkpoint_on_a_full_disk_says_so(disk: SmallDisk) -> None:
    import torch

    from tinysearch.training.stages import save_atomically

    target = disk.folder / "stage.pt"
    save_atomically({"weights": torch.zeros(100)}, target)
    before = target.read_bytes()
    with pytest.raises(OSError, match="No space left") as caught:
        save_atomically({"weights": torch.zeros(100_000)}, target)
    assert caught.value.errno == errno.ENOSPC
    assert target.read_bytes() == before
    with pytest.raises(OSError, match="No space left"):
        write_atomically(disk.folder / "front.json", bytes(100_000))
    assert [path.name for path in disk.folder.iterdir()] == ["stage.pt"]


@pytest.mark.slow
@pytest.mark.parametrize("place", ["cache", "run"])
def test_the_command_ends_with_one_line_and_status_2(disk: SmallDisk, tmp_path: Path, place: str) -> None:
    typed = Typed(tmp_path)
    (tmp_path / place).symlink_to(disk.folder)
    disk.resize("12k")
    said, _ = (process := typed.start(0.0)).communicate(timeout=120)
    assert process.returncode == 2, said
    complaints = [line for line in said.splitlines() if line.startswith("tinysearch: ")]
    assert len(complaints) == 1
    assert "space" in complaints[0]
    assert "Traceback" not in said
    disk.resize("64m")
    said, _ = (process := typed.start(0.0, "emit.top=none")).communicate(timeout=120)
    assert process.returncode == 0, said
    assert typed.front()
