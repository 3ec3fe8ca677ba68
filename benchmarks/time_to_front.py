"""How long ``search`` takes to a front: an earlier build beside this one.

    python benchmarks/time_to_front.py [--before 9b2c275] [--seconds 540] [--times 8] [--seeds 3]
                                       [--tasks face_voice,motions] [OPTION=VALUE ..]

The earlier build is a git worktree of a revision, made for this and removed again. Of each build one search with so
many times the training seconds says what front there is, with another seed than those that are timed. Then each seed
searches with an empty cache; a point of its front counts from the moment when all of its branches were trained, after
the start of the command. Catalogues and latency models of two builds differ, so each is measured by its own longer
run: by the share of its hypervolume, bounded by chance, the budget and a second of computing, latency by its
logarithm.

Last line, medians over seeds: ``seconds_to_99_over_before`` of the first task, the same for 95 %, and for 90 and 80 %,
which shorter runs reach; then by task and build ``seconds_to_..``, those of every seed, and ``share``, what was reached
in the end. Null where a median seed does not get there, or where the earlier build has no such task.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from tinysearch.search.known.pareto import Scale

ROOT = Path(__file__).parents[1]
LEVELS = (80, 90, 95, 99)
WORST_ERROR = {"eer": 0.5, "error": 1.0}
SLOWEST_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A finished trial: its branches, its objectives by name, and when it ended (s since the epoch)."""

    branches: tuple[str, ...]
    values: dict[str, float]
    ended: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One design of a run: objectives by name, and how long after the command's start they were known (s)."""

    seconds: float
    values: dict[str, float]


def known(trials: Sequence[Trial], *, started: float) -> list[Known]:
    """Designs in the order in which they were known: when the last of their branches was trained.

    A design that follows from trainings is recorded at the end of a search, so its own time says nothing.
    """
    trained: dict[str, float] = {}
    for trial in trials:
        for branch in trial.branches:
            trained[branch] = min(trained.get(branch, np.inf), trial.ended)
    found = [
        Known(seconds=max(trained[branch] for branch in trial.branches) - started, values=trial.values)
        for trial in trials
    ]
    return sorted(found, key=lambda design: design.seconds)


def volumes(designs: Sequence[Known], *, budget_usd: float) -> list[float]:
    """Hypervolume of the first one, the first two, .. designs."""
    if not designs:
        return []
    names = list(designs[0].values)
    worst = WORST_ERROR | {"bom_cost_usd": budget_usd, "latency_s": SLOWEST_S}
    scale = Scale(
        logarithmic=np.array([name == "latency_s" for name in names]), reference=np.array([worst[n] for n in names])
    )
    points = np.array([[design.values[name] for name in names] for design in designs])
    return [scale.hypervolume(points[: count + 1]) for count in range(len(points))]


def seconds_to(designs: Sequence[Known], whole: float, *, percent: int, budget_usd: float) -> float | None:
    """Seconds to so much of a hypervolume; None where a run never gets there."""
    for design, volume in zip(designs, volumes(designs, budget_usd=budget_usd), strict=True):
        if volume >= percent / 100 * whole:
            return design.seconds
    return None


def trials_of(journal: Path) -> list[Trial]:
    """Feasible trials of a run's journal."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.load_study(study_name=None, storage=JournalStorage(JournalFileBackend(str(journal))))
    return [
        Trial(
            branches=tuple(trial.user_attrs["branches"]),
            values=dict(zip(study.metric_names, trial.values, strict=True)),
            ended=_since_epoch(trial.datetime_complete),
        )
        for trial in study.get_trials(states=[optuna.trial.TrialState.COMPLETE])
        if trial.user_attrs.get("feasible")
    ]


def _since_epoch(moment: datetime | None) -> float:
    assert moment is not None  # noqa: S101 - complete trials have one
    return moment.timestamp()


@contextmanager
def worktree(revision: str, folder: Path) -> Iterator[Path]:
    """A checkout of a revision, for as long as it is needed."""
    path = folder / "before"
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(path), revision], check=True)
    try:
        yield path
    finally:
        subprocess.run([*git, "remove", "--force", str(path)], check=True)


def has_task(build: Path, task: str) -> bool:
    """Whether a build knows a task."""
    return (build / "conf" / "task" / f"{task}.yaml").exists()


def search(build: Path, words: Sequence[str], folder: Path) -> list[Known]:
    """What a build finds, by a command of its own with an empty cache."""
    command = [sys.executable, "-m", "tinysearch", "search", *words]
    command += [f"run_dir={folder / 'run'}", f"cache.dir={folder / 'cache'}", "emit.top=none"]
    environment = {**os.environ, "PYTHONPATH": str(build)}
    started = time.time()
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=build, env=environment)
    if done.returncode != 0:
        raise SystemExit(f"{build}: {' '.join(command)}: {done.stderr[-2000:]}")
    return known(trials_of(folder / "run" / "journal.log"), started=started)


def measured(build: Path, words: Sequence[str], asked: argparse.Namespace) -> dict[str, Any]:
    """Seconds and shares of a build at one task."""
    runs: list[list[Known]] = []
    for seed in (asked.seeds, *range(asked.seeds)):
        seconds = asked.seconds * (asked.times if seed == asked.seeds else 1)
        with tempfile.TemporaryDirectory(prefix="tinysearch-time-") as name:
            runs.append(search(build, [*words, f"seed={seed}", f"training_time={seconds}s"], Path(name)))
    whole = volumes(runs[0], budget_usd=asked.budget)[-1]
    shares = [volumes(run, budget_usd=asked.budget)[-1] / whole for run in runs[1:]]
    found: dict[str, Any] = {"share": statistics.median(shares), "share_range": [min(shares), max(shares)]}
    for percent in LEVELS:
        each = [seconds_to(run, whole, percent=percent, budget_usd=asked.budget) for run in runs[1:]]
        found |= {
            f"seconds_to_{percent}": median([np.inf if one is None else one for one in each]),
            f"seconds_to_{percent}_each": each,
        }
    return found


def median(seconds: Sequence[float]) -> float | None:
    """Of times that may be infinite; None where it is."""
    middle = statistics.median(seconds)
    return middle if np.isfinite(middle) else None


def ratio(after: float | None, before: float | None) -> float | None:
    """Of two times that may not be known."""
    return None if after is None or before is None else after / before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", default="9b2c275", help="a revision")
    parser.add_argument("--seconds", type=int, default=540, help="of training that a timed search may take")
    parser.add_argument("--times", type=int, default=8, help="how much longer the reference runs")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budget", type=float, default=20.0, help="US$")
    parser.add_argument("--tasks", default="face_voice,motions")
    parser.add_argument("options", nargs="*")
    asked = parser.parse_args()
    tasks = asked.tasks.split(",")
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="tinysearch-before-") as name, worktree(asked.before, Path(name)) as before:
        for task in tasks:
            words = [f"task={task}", f"budget={asked.budget:g}usd", "n_trials=null", "timeout=24h"]
            words += asked.options
            found[task] = {}
            for label, build in {"before": before, "after": ROOT}.items():
                found[task][label] = measured(build, words, asked) if has_task(build, task) else None
                print(f"{task}, {label}: {found[task][label]}", flush=True)
    last: dict[str, Any] = {"before": asked.before, "seconds": asked.seconds, "times": asked.times}
    first = found[tasks[0]]
    for percent in reversed(LEVELS):
        key = f"seconds_to_{percent}"
        sides = [None if first[label] is None else first[label][key] for label in ("after", "before")]
        last[f"{key}_over_before"] = ratio(*sides)
    print(json.dumps(last | found))


if __name__ == "__main__":
    main()
