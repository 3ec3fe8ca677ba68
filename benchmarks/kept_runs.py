"""Runs of samplers in a file: one line a run, added as it ends, so that a benchmark that was cut short goes on."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from replays import LEVELS, Curve


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is kept of one run.

    Attributes:
        world: table and budget.
        sampler: its name, or what was changed about ours.
        mode: plain or memo.
        seed: paired: of one seed all samplers see the same error rates.
        hv90, hv95, hv99: trainings to so much of the hypervolume; infinite if never.
        s90, s95, s99: seconds of training, likewise.
        trainings, share: when the run ended, or was given up.
        proposals, asking_s: how many, and seconds of the processor for all of them.
    """

    world: str
    sampler: str
    mode: str
    seed: int
    hv90: float
    hv95: float
    hv99: float
    s90: float
    s95: float
    s99: float
    trainings: int
    share: float
    proposals: int
    asking_s: float

    @property
    def key(self) -> tuple[str, str, str, int]:
        return self.world, self.sampler, self.mode, self.seed

    @property
    def counted(self) -> float:
        """Trainings to 99 %; of a run that never came there those that it made, fewer than it would have taken."""
        return self.hv99 if math.isfinite(self.hv99) else float(self.trainings)


def summary(curve: Curve, *, world: str, sampler: str, mode: str, seed: int) -> Run:
    """What is kept of a curve."""
    reached = [curve.first(level) for level in LEVELS.values()]
    at = {name: trainings for name, (trainings, _) in zip(LEVELS, reached, strict=True)}
    took = {f"s{name[2:]}": seconds for name, (_, seconds) in zip(LEVELS, reached, strict=True)}
    return Run(
        world=world,
        sampler=sampler,
        mode=mode,
        seed=seed,
        **at,
        **took,
        trainings=curve.trainings[-1] if curve.trainings else 0,
        share=curve.shares[-1] if curve.shares else 0.0,
        proposals=curve.proposals,
        asking_s=round(curve.asking_s, 3),
    )


def medians(runs: Sequence[Run], *, seconds: bool = False) -> dict[str, float | None]:
    """Median trainings (or seconds) to each level, and the mean to 99 %; None where runs never reach it."""
    out: dict[str, float | None] = {}
    for name in LEVELS:
        median = float(np.median([getattr(run, f"s{name[2:]}" if seconds else name) for run in runs]))
        out[name] = median if math.isfinite(median) else None
    mean = float(np.mean([run.s99 if seconds else run.hv99 for run in runs]))
    return out | {"mean99": round(mean, 2) if math.isfinite(mean) else None}


class RunFile:
    """Runs that were made, by key, and where others are added.

    Args:
        path: a CSV with a column for each field of :class:`Run`; None where nothing is found and nothing kept.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        made = read_runs(path) if path is not None and path.exists() else []
        self.found: Mapping[tuple[str, str, str, int], Run] = {run.key: run for run in made}

    def add(self, run: Run) -> None:
        """Keep a run that has just ended."""
        if self._path is None:
            return
        fresh = not self._path.exists()
        with self._path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [item.name for item in fields(Run)], lineterminator="\n")
            if fresh:
                writer.writeheader()
            writer.writerow(asdict(run))


def read_runs(path: Path) -> list[Run]:
    """All runs of a file."""
    with path.open(newline="", encoding="utf-8") as file:
        return [_run(row) for row in csv.DictReader(file)]


def _run(row: Mapping[str, str]) -> Run:
    words = {name: row[name] for name in ("world", "sampler", "mode")}
    whole = {name: int(row[name]) for name in ("seed", "trainings", "proposals")}
    rest = {item.name: float(row[item.name]) for item in fields(Run) if item.name not in words | whole}
    return Run(**words, **whole, **rest)  # type: ignore[arg-type]  # the three have the fields between them
