"""A search killed at random moments, interrupted, and out of disk space."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def killed(folder: Path, *, sampler: str, kills: int, seed: int) -> list[dict]:
    command = [sys.executable, HERE / "scripted_search.py", folder, sampler, str(kills), str(seed)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("sampler", "kills"),
    [
        ("memoized", 4),
        pytest.param("memoized", 12, marks=pytest.mark.slow),
        pytest.param("nsga2", 6, marks=pytest.mark.slow),
    ],
)
def test_a_killed_run_ends_like_the_undisturbed_one(tmp_path: Path, sampler: str, kills: int) -> None:
    """Equal to the byte: trials in order with their attributes, front, counts of trainings; every memo entry once."""
    rounds = killed(tmp_path, sampler=sampler, kills=kills, seed=7)
    assert sum(len(found["moments"]) for found in rounds) == kills
    assert len({moment for found in rounds for moment in found["moments"]}) > 1
    for found in rounds:
        assert found["wrong"] == []
        assert found["same"]
        assert found["branches"]


TRAINER = """
import os
import time
from tinysearch.core.protocols import TrainingProgress
from tinysearch.core.program import lower
from tinysearch.core.quantization import Precision
from tinysearch.firmware.untrained import untrained


class Slow:
    digest = "slow"

    def __init__(self, **settings):
        pass

    def fit(self, branch, network, data, *, workspace, progress):
        print("training", branch.short, flush=True)
        until = time.monotonic() + float(os.environ["PAUSE_S"])
        while time.monotonic() < until:
            progress(TrainingProgress(branch=branch, phase="epoch", fraction=0.5))
            time.sleep(0.02)
        return untrained(lower(network, Precision.parse(branch.precision)), 0)
"""


class Typed:
    """``python -m tinysearch`` with a trainer that takes as long as it is told, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "slow_trainer.py").write_text(TRAINER)

    def words(self, *more: str) -> list[str]:
        sizes = [f"task.{modality}.{size}" for modality in ("face", "voice") for size in ("width=4", "input_size=24")]
        space = ["space.modalities=[voice]", "space.layouts=[[1],[1,1]]", "space.precisions=[int8,xnor1/1]"]
        return [
            "budget=15usd",
            *sizes,
            *space,
            "trainer.name=slow_trainer:Slow",
            "sampler=exhaustive",
            f"cache.dir={self.folder}/cache",
            f"run_dir={self.folder}/run",
            "n_trials=4",
            "n_workers=1",
            *more,
        ]

    def start(self, pause_s: float, *more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tinysearch", *self.words(*more)],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(self.folder), "OMP_NUM_THREADS": "1", "PAUSE_S": str(pause_s)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def complete(self) -> list[Path]:
        return list((self.folder / "cache").glob("branches/*/[!.]*/record.json"))

    def front(self) -> list[dict]:
        return json.loads((self.folder / "run" / "front.json").read_text())["points"]


@pytest.fixture
def typed(tmp_path: Path) -> Typed:
    return Typed(tmp_path)


def lines_until(process: subprocess.Popen[str], word: str, count: int = 1) -> None:
    """Read what a process prints until ``count`` lines have begun with a word."""
    assert process.stdout is not None
    for line in process.stdout:
        count -= line.startswith(word)
        if count == 0:
            return
    raise AssertionError(f"it ended with {process.wait()} before it said {word}")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_still_writes_front_and_report_and_the_run_goes_on(typed: Typed, number: int) -> None:
    process = typed.start(1.0, "emit.top=none")
    lines_until(process, "training", 2)
    process.send_signal(number)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert len(typed.complete()) == 1
    before = [path.stat().st_mtime_ns for path in typed.complete()]
    assert len({key for point in typed.front() for key in point["branches"]}) == 1
    for name in ("report.html", "trials.csv", "manifest.json", "config.yaml"):
        assert (typed.folder / "run" / name).stat().st_size > 0
    again = typed.start(0.0, "emit.top=none")
    said, _ = again.communicate(timeout=120)
    assert again.returncode == 0, said
    assert said.count("training voice") == 3
    assert len(typed.complete()) == 4
    assert set(before) <= {path.stat().st_mtime_ns for path in typed.complete()}


@pytest.mark.slow
def test_a_second_interrupt_stops_at_once(typed: Typed) -> None:
    process = typed.start(60.0, "n_workers=2", "engine=processes")
    lines_until(process, "training", 2)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    # The journal is whole: the next run takes it up.
    again = typed.start(0.0, "emit.top=none")
    said, _ = again.communicate(timeout=120)
    assert again.returncode == 0, said
    assert len(typed.complete()) == 4
