"""What the search itself takes beside training: milliseconds a trial, at 100, 1000 and 5000 trials.

A made-up space of 5400 branches and some hundred thousand designs, so that there is still something to choose after
5000 trials, and error rates that cost nothing. The study is first filled by the exhaustive sampler; then the memoized
sampler goes on from the journal for a few trials, each with its decision, the update of the front and the write to
disk; by the clock, and how much of it the processor worked. Optuna's own TPE, asked and told in memory on the same
variables, stands beside.

    python benchmarks/overhead.py

The last line is one JSON object.
"""

from __future__ import annotations

import json
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from toy_space import LAYOUTS, PRECISIONS, branch_size

from tinysearch.architectures.resnet import resnet_branch
from tinysearch.core.candidate import BranchSpec, PlatformChoice
from tinysearch.core.error_rates import ErrorRates
from tinysearch.core.protocols import ProgressCallback, TrainingRecord
from tinysearch.core.quantization import Precision
from tinysearch.search.events import SearchEvent
from tinysearch.search.known.design import DesignTable
from tinysearch.search.known.flat import FlatSpace
from tinysearch.search.loop import SearchOptions, SearchProblem, search

OBJECTIVES = ("eer", "bom_cost_usd", "latency_s")
WIDTHS = tuple(range(8, 38, 2))
SIDES = (48, 64, 80, 96, 112)
PARTNERS = 40
SIZES = (100, 1000, 5000)
MEASURED = 30


def make_table(rng: np.random.Generator) -> DesignTable:
    """5400 branches; every face goes with 40 voices drawn at random; two boards each."""
    branches = tuple(
        resnet_branch(m, blocks=blocks, precision=p, width=w, input_size=side)
        for m in ("face", "voice")
        for w in WIDTHS
        for side in SIDES
        for blocks in LAYOUTS
        for p in PRECISIONS
    )
    sizes = np.array([branch_size(branch) for branch in branches])
    count = len(branches) // 2
    faces = np.repeat(np.arange(count), PARTNERS)
    voices = count + rng.integers(count, size=len(faces))
    models = np.unique(np.column_stack([faces, voices]), axis=0)
    models = np.vstack([models, np.column_stack([np.arange(2 * count), np.full(2 * count, -1)])])
    seconds = sizes[:, 1] * np.array([Precision.parse(b.precision).activation_bits for b in branches]) * 1e-10
    kilobytes = sizes[:, 0] * np.array([Precision.parse(b.precision).weight_bits for b in branches]) / 8e3
    pair = models[:, 1] >= 0
    both = np.where(pair, models[:, 1], models[:, 0])
    latency = np.maximum(seconds[models[:, 0]], seconds[both])
    dollars = 4 + 0.002 * np.round(kilobytes[models[:, 0]] + pair * kilobytes[both], -2) + 3.0 * pair
    platforms = tuple(
        PlatformChoice(processor=name, flash_bytes=4 << 20, psram_bytes=0, board=name) for name in ("slow", "fast")
    )
    return DesignTable(
        branches=branches,
        params=sizes[:, 0],
        macs=sizes[:, 1],
        columns=("bom_cost_usd", "latency_s"),
        analytic=np.vstack([np.column_stack([dollars, latency]), np.column_stack([dollars + 1.5, latency / 3])]),
        needs=np.vstack([models, models]),
        platforms=platforms,
        platform=np.repeat([0, 1], len(models)),
    )


class FreeErrors:
    """Error rates by formula, at no cost."""

    evidence = "table"
    needs_training = True

    def __init__(self, table: DesignTable) -> None:
        self._log_params = {b: float(np.log10(p)) for b, p in zip(table.branches, table.params, strict=True)}

    def knows(self, branch: BranchSpec) -> bool:
        del branch
        return False

    def train(self, branch: BranchSpec, *, progress: ProgressCallback) -> TrainingRecord:
        del progress
        return TrainingRecord(branch=branch, seconds=1.0, remembered=False)

    def error_rates(self, branches: Sequence[BranchSpec]) -> ErrorRates:
        logs = [self._one(branch) for branch in branches]
        return ErrorRates(eer=float(np.exp(np.mean(logs) - (0.4 if len(logs) > 1 else 0.0))), evidence="table")

    def _one(self, branch: BranchSpec) -> float:
        precision = Precision.parse(branch.precision)
        coarse = 0.4 / (precision.activation_bits * precision.weight_bits) if precision.kind == "xnor" else 0.0
        scatter = 0.1 * np.sin(1000 * self._log_params[branch])
        return -1.6 - 0.5 * (self._log_params[branch] - 4.5) + coarse + scatter


def ms_per_trial(problem: SearchProblem, size: int, run_dir: Path) -> tuple[float, float]:
    """Median time between trials of the memoized sampler once a study has ``size`` trials: by the clock, processor."""
    search(problem, SearchOptions(sampler="exhaustive", n_trials=size), run_dir=run_dir)
    times: list[tuple[float, float]] = []

    def watch(event: SearchEvent) -> None:
        if event.kind in ("started", "trial"):
            times.append((time.perf_counter(), time.process_time()))

    options = SearchOptions(sampler="memoized", sampler_options={"stop_share": 0.0}, n_trials=size + MEASURED)
    search(problem, options, run_dir=run_dir, on_event=watch)
    # The first interval holds the import of the libraries.
    clock, processor = 1e3 * np.median(np.diff(times, axis=0)[1:], axis=0)
    return float(clock), float(processor)


def tpe_ms_per_trial(flat: FlatSpace, size: int) -> float:
    """Optuna's TPE in memory: median time of ask and tell after ``size`` trials."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    rng = np.random.default_rng(0)
    study = optuna.create_study(directions=["minimize"] * 3, sampler=optuna.samplers.RandomSampler(seed=0))
    distributions = flat.distributions()
    for _ in range(size):
        study.tell(study.ask(fixed_distributions=distributions), rng.random(3).tolist())
    study.sampler = optuna.samplers.TPESampler(seed=0)
    times = []
    for _ in range(MEASURED):
        began = time.perf_counter()
        study.tell(study.ask(fixed_distributions=distributions), rng.random(3).tolist())
        times.append(time.perf_counter() - began)
    return 1e3 * float(np.median(times))


def main() -> None:
    warnings.simplefilter("ignore")
    table = make_table(np.random.default_rng(0))
    flat = FlatSpace(
        branches=table.branches,
        modalities={"face": ("face",), "voice": ("voice",), "fusion": ("face", "voice")},
        processors=("slow", "fast"),
        flash_bytes=(4 << 20,),
        psram_bytes=(0,),
    )
    problem = SearchProblem(table=table, flat=flat, objectives=OBJECTIVES, error_model=FreeErrors(table))
    print(f"{len(table)} designs, {len(table.branches)} branches")
    out: dict[str, float] = {}
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            clock, processor = ms_per_trial(problem, size, Path(folder))
        out[f"ms_per_trial_{size}"], out[f"processor_ms_per_trial_{size}"] = round(clock, 2), round(processor, 2)
        print(f"memoized at {size:5d} trials: {clock:8.1f} ms a trial, {processor:.1f} of the processor", flush=True)
    out["optuna_tpe_ms_per_trial_1000"] = round(tpe_ms_per_trial(flat, 1000), 2)
    print(f"Optuna TPE at 1000 trials: {out['optuna_tpe_ms_per_trial_1000']:8.1f} ms a trial")
    print(json.dumps(out))


if __name__ == "__main__":
    main()
