"""Two runs with one cache: what one of them is training the other waits for, and nothing is trained twice."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import scripted_search
from scripted_search import Patient, errors_of

from tinysearch import locks
from tinysearch.architectures.resnet import resnet_branch
from tinysearch.evaluation import memo as memo_module

FACE = resnet_branch("face", blocks=(1,), precision="int8", width=4, input_size=16, channels=1, embedding=16)


@pytest.fixture(autouse=True)
def counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Counter[str]]:
    """How often each branch was trained, in whatever process."""
    fits, fit = tmp_path / "fits", Patient.fit
    fits.touch()

    def counting(self: Patient, branch, *rest, **more):
        with fits.open("a") as file:
            file.write(f"{branch.key}\n")
        return fit(self, branch, *rest, **more)

    monkeypatch.setattr(Patient, "fit", counting)
    monkeypatch.setattr(locks, "POLL_S", 0.02)
    return lambda: Counter(fits.read_text().split())


def test_two_searches_at_once_train_every_branch_once(tmp_path: Path, counted) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    (tmp_path / "cache").mkdir()
    for folder in folders:
        folder.mkdir()
        (folder / "cache").symlink_to(tmp_path / "cache")
    runs = [scripted_search.fork(folder, sampler="memoized", seed=3, pause_s=0.02) for folder in folders]
    for pid, pipe in runs:
        assert os.waitpid(pid, 0)[1] == 0
        os.close(pipe)
    done = [json.loads((folder / "summary.json").read_text())["trainings"] for folder in folders]
    assert set(counted().values()) == {1}
    assert sum(counted().values()) >= max(done) > 3  # who starts later knows more from the start, and decides otherwise


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGSTOP])
def test_a_claim_does_not_outlive_its_process(sent: int, tmp_path: Path, counted, monkeypatch) -> None:
    monkeypatch.setattr(memo_module, "PATIENCE_S", 0.2)
    ours, theirs = os.pipe()
    pid = os.fork()
    if not pid:
        errors_of(tmp_path, pause_s=30.0).train(FACE, progress=lambda _: os.write(theirs, b"1"))
        os._exit(0)
    os.read(ours, 1)
    told = threading.Event()

    def watch(tick) -> None:
        if tick.waits_for is not None and not told.is_set():
            assert f"process {pid} on" in tick.waits_for
            told.set()
            os.kill(pid, sent)

    assert not errors_of(tmp_path, pause_s=0.0).train(FACE, progress=watch).remembered
    assert told.is_set()
    assert counted()[FACE.key] == 2
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    for descriptor in (ours, theirs):
        os.close(descriptor)
