"""A search whose trainings take some milliseconds and whose memo is the real one, to be killed again and again.

``kill_and_resume`` forks the search, kills it at a random moment, and forks it again, until it has been killed often
enough and is let run to its end. Forking spares the imports; the parent itself never searches and has no threads.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
import traceback
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from toy_space import ToySpace

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.network import NetworkSpec
from tinysearch.core.program import FrozenNetwork, lower
from tinysearch.core.protocols import SPLITS, Dataset, ProgressCallback, Samples, TrainingProgress, TrainingRecord
from tinysearch.core.quantization import Precision
from tinysearch.evaluation.memo import BranchMemo
from tinysearch.evaluation.trained import TrainedErrors
from tinysearch.evaluation.verification import Verification
from tinysearch.firmware.untrained import untrained
from tinysearch.search.events import SearchEvent
from tinysearch.search.loop import SearchOptions, StudyProblem, search

PEOPLE, IMAGES, TICKS = 12, 3, 4
KEY = "data-trainer"


class FewPeople(Dataset):
    """A data set of random patterns."""

    name, digest, modalities = "few", "few", ("face", "voice")

    def load(self, modality: str, split: str, *, input_size: int, channels: int) -> Samples:
        rng = np.random.default_rng([SPLITS.index(split), len(modality)])
        inputs = rng.integers(-128, 128, (PEOPLE, input_size, input_size, channels)).repeat(IMAGES, axis=0)
        return Samples(inputs=inputs.astype(np.int8), identities=np.arange(PEOPLE).repeat(IMAGES).astype(np.int32))

    def people(self, split: str) -> Mapping[str, np.ndarray]:
        everyone = np.arange(PEOPLE, dtype=np.int32)
        return dict.fromkeys(self.modalities, everyone)


class Patient:
    """A trainer that mostly sleeps."""

    digest = "patient"

    def __init__(self, pause_s: float) -> None:
        self.pause_s = pause_s

    def fit(
        self,
        branch: BranchSpec,
        network: NetworkSpec,
        data: FewPeople,
        *,
        workspace: Path,
        progress: ProgressCallback,
    ) -> FrozenNetwork:
        for tick in range(TICKS):
            progress(TrainingProgress(branch=branch, phase="epoch", fraction=tick / TICKS))
            time.sleep(self.pause_s)
        return untrained(lower(network, Precision.parse(branch.precision)), zlib.crc32(branch.key.encode()))


class SteadyErrors(TrainedErrors):
    """Trained error rates; seconds by size instead of by clock, so that two runs can be compared."""

    def train(self, branch: BranchSpec, *, progress: ProgressCallback) -> TrainingRecord:
        return replace(super().train(branch, progress=progress), seconds=1.0 + sum(branch.architecture.blocks))


def embed(frozen: FrozenNetwork, inputs: np.ndarray) -> np.ndarray:
    """Random projections, the noisier the smaller the network: [N, 16]."""
    rng = np.random.default_rng(frozen.seed)
    weights = sum(values.size for tensors in frozen.parameters.values() for values in tensors.values())
    few = inputs.reshape(len(inputs), -1)[:, :64].astype(np.float64) / 64
    noise = 40.0 / np.log(weights) * rng.normal(size=(len(inputs), 16))
    return np.clip(np.round(8 * (few @ rng.normal(size=(64, 16)) / 8 + noise)), -127, 127).astype(np.int8)


def memo_of(folder: Path) -> BranchMemo:
    return BranchMemo(root=folder / "cache", key=KEY)


def errors_of(folder: Path, *, pause_s: float) -> SteadyErrors:
    return SteadyErrors(
        memo=memo_of(folder),
        make_dataset=FewPeople,
        make_trainer=lambda: Patient(pause_s),
        embed=embed,
        judge=Verification(resamples=10),
    )


def run(folder: Path, *, sampler: str, seed: int, pause_s: float, started: Callable[[], object]) -> None:
    """Search or go on searching in ``folder``; at the end write what must be the same in every run."""

    def watch(event: SearchEvent) -> None:
        if event.kind == "started":
            started()

    space = ToySpace(budget_usd=11.0, widths=(4,))
    problem = StudyProblem(
        table=space.table,
        flat=space.flat,
        objectives=("eer", "bom_cost_usd", "latency_s"),
        error_model=errors_of(folder, pause_s=pause_s),
        assessor=space,
        rules={"space": "toy"},
    )
    options = SearchOptions(sampler=sampler, n_trials=12, seed=seed)
    result = search(problem, options, run_dir=folder / "run", on_event=watch)
    summary = {
        "trials": [[t.number, t.state.name, t.values, t.params, t.user_attrs] for t in result.study.get_trials()],
        "front": [[point.candidate.id, point.values, point.shown] for point in result.points],
        "trainings": result.trainings,
        "training_s": result.training_s,
        "hypervolume": result.hypervolume,
        "reason": result.reason,
    }
    (folder / "part").write_text(json.dumps(summary, sort_keys=True))
    (folder / "part").replace(folder / "summary.json")


def fork(folder: Path, **settings: object) -> tuple[int, int]:
    """Start the search in a forked process; gives its id and a pipe that becomes readable once it is under way."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid:
        os.close(theirs)
        return pid, ours
    status = 1
    try:
        os.close(ours)
        run(folder, started=lambda: os.write(theirs, b"1"), **settings)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def stored(folder: Path) -> dict[str, int]:
    """Complete branches of the memo and when each became complete."""
    records = (folder / "cache" / "branches" / KEY).glob("[!.]*/record.json")
    return {path.parent.name: path.stat().st_mtime_ns for path in records}


def kill_and_resume(folder: Path, *, kills: int, rng: np.random.Generator, **settings: object) -> dict[str, object]:
    """Kill the search ``kills`` times, or as often as it gives occasion, then let it end.

    Returns:
        Kills by what had been stored when they came, and the finished trainings that a later run lost or repeated.
    """
    folder.mkdir()
    moments, wrong, before = [], [], {}
    while True:
        pid, pipe = fork(folder, **settings)
        last = len(moments) == kills
        if not last:
            if rng.random() < 0.8:
                select.select([pipe], [], [], 60.0)
                time.sleep(float(rng.exponential(0.3)))
            else:
                time.sleep(float(rng.uniform(0.0, 0.1)))
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        os.close(pipe)
        now = stored(folder)
        wrong += [key for key, moment in before.items() if now.get(key) != moment]
        before = now
        if os.WIFSIGNALED(status):
            moments.append(len(now))
            continue
        if os.WEXITSTATUS(status):
            raise AssertionError("a run that was resumed after a kill has failed; see its traceback above")
        return {"moments": moments, "wrong": wrong}


def main(words: list[str]) -> int:
    """``scripted_search.py FOLDER SAMPLER KILLS SEED``: compare killed runs with the undisturbed one."""
    root, sampler, kills, seed = Path(words[0]), words[1], int(words[2]), int(words[3])
    rng = np.random.default_rng(seed)
    done, round_, report = 0, 0, []
    while done < kills:
        settings = {"sampler": sampler, "seed": seed + round_, "pause_s": 0.01}
        whole, killed = root / f"whole-{round_}", root / f"killed-{round_}"
        kill_and_resume(whole, kills=0, rng=rng, **settings)
        found = kill_and_resume(killed, kills=kills - done, rng=rng, **settings)
        same = (whole / "summary.json").read_bytes() == (killed / "summary.json").read_bytes()
        report.append(found | {"same": same, "branches": sorted(stored(killed)) == sorted(stored(whole))})
        done, round_ = done + len(found["moments"]), round_ + 1
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
