"""What the search itself takes beside training: milliseconds a trial, at 100, 1000 and 5000 trials.

A made-up space of 5400 branches and some hundred thousand designs, so that there is still something to choose after
5000 trials, and error rates that cost nothing. The study is first filled by the exhaustive sampler; then the memoized
sampler goes on from the journal for a few trials, each with its decision, the update of the front and the write to
disk; by the clock, and how much of it the processor worked. Optuna's own TPE, asked and told in memory on the same
variables, stands beside.

Then what a wide space takes: made-up ones of three inputs, whose designs are priced as they come to matter, and the
real ``space=extended``: seconds and memory to build it, and a decision after some trainings.

    python benchmarks/overhead.py
    python benchmarks/overhead.py --wide-only

The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
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
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.known.objective_values import ObjectiveVector
from tinysearch.search.loop import SearchOptions, StudyProblem, search
from tinysearch.search.memoized.sampler import MemoizedSampler
from tinysearch.search.proposals import Proposal

OBJECTIVES = ("eer", "bom_cost_usd", "latency_s")
WIDTHS = tuple(range(8, 38, 2))
SIDES = (48, 64, 80, 96, 112)
PARTNERS = 40
SIZES = (100, 1000, 5000)
MEASURED = 30
WIDE = (72, 7200, 100_000)
WIDE_TRAININGS = 12


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


def ms_per_trial(problem: StudyProblem, size: int, run_dir: Path) -> tuple[float, float]:
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


class MadeUpPricing:
    """Boards of networks of three inputs: memory adds up, the networks compute one after the other.

    Each input alone, and all three together.
    """

    boards = ((4.0, 1.0, 1e6), (5.5, 0.4, 4e6), (9.0, 0.3, 3e7))
    """US$, seconds for a second of the slowest chip, and bytes of each board."""

    def __init__(self, kilobytes: np.ndarray, seconds: np.ndarray) -> None:
        self._bytes = np.append(1e3 * kilobytes, 0.0)
        self._seconds = np.append(seconds, 0.0)
        own = np.array_split(np.arange(len(seconds)), 3)
        self.combinations = (*((each,) for each in own), tuple(own))

    def designs(self, models: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        needed, seconds = self._bytes[models].sum(axis=1), self._seconds[models].sum(axis=1)
        parts = []
        for board, (usd, speed, most) in enumerate(self.boards):
            of = np.flatnonzero(needed <= most)
            price = usd + 2.0 * (models[of] >= 0).sum(axis=1)
            parts.append((of, np.column_stack([price, speed * seconds[of]]), np.full(len(of), board)))
        of, analytic, platform = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return of, analytic, platform


def make_wide_table(count: int, rng: np.random.Generator) -> DesignTable:
    """About so many branches of three inputs, of which the table holds no fusion to begin with."""
    of_one_size = 3 * len(PRECISIONS) * len(LAYOUTS)
    sides = SIDES[: -(-count // of_one_size)]
    widths = range(8, 8 + -(-count // (of_one_size * len(sides))))
    branches = tuple(
        resnet_branch(m, blocks=blocks, precision=p, width=w, input_size=side)
        for m in ("face", "hand", "voice")
        for w in widths
        for side in sides
        for blocks in LAYOUTS
        for p in PRECISIONS
    )
    sizes = np.array([branch_size(branch) for branch in branches])
    bits = np.array([[b.precision.activation_bits, b.precision.weight_bits] for b in branches])
    seconds = sizes[:, 1] * bits[:, 0] * 1e-10 * rng.uniform(0.8, 1.25, len(branches))
    pricing = MadeUpPricing(sizes[:, 0] * bits[:, 1] / 8e3, seconds)
    alone = np.full((len(branches), 3), -1)
    alone[:, 0] = np.arange(len(branches))
    of, analytic, platform = pricing.designs(alone)
    names = ("small", "middle", "large")
    return DesignTable(
        branches=branches,
        params=sizes[:, 0],
        macs=sizes[:, 1],
        columns=("bom_cost_usd", "latency_s"),
        analytic=analytic,
        needs=alone[of],
        platforms=tuple(PlatformChoice(processor=n, flash_bytes=4 << 20, psram_bytes=0, board=n) for n in names),
        platform=platform,
        pricing=pricing,
    )


def wide(count: int) -> dict[str, float]:
    """What a space of about so many branches takes: the table, then a decision after some tens of trainings."""
    began = time.perf_counter(), time.process_time()
    table = make_wide_table(count, np.random.default_rng(0))
    errors = FreeErrors(table)
    knowledge = Knowledge(table, ObjectiveVector(OBJECTIVES), errors.error_rates)
    built_s, built_processor_s = time.perf_counter() - began[0], time.process_time() - began[1]
    sampler, times = MemoizedSampler(stop_share=0.0), []
    for number in range(WIDE_TRAININGS):
        start = time.perf_counter(), time.process_time()
        proposal = sampler.propose(knowledge, np.random.default_rng([0, number]))
        times.append((time.perf_counter() - start[0], time.process_time() - start[1]))
        if not isinstance(proposal, Proposal) or proposal.row is None:
            break
        knowledge.learn([int(b) for b in knowledge.table.needs[proposal.row] if b >= 0])
    clock, processor = 1e3 * np.median(times[len(times) // 2 :], axis=0)
    front = {(knowledge.table.needs[row] >= 0).sum() for row in knowledge.front}
    return {
        "branches": len(table.branches),
        "built_s": round(built_s, 2),
        "built_processor_s": round(built_processor_s, 2),
        "ms_per_decision": round(float(clock), 2),
        "processor_ms_per_decision": round(float(processor), 2),
        "designs_priced": len(knowledge.table),
        "front": len(knowledge.front),
        "largest_on_front": int(max(front, default=0)),
        "peak_gb": peak_gb(),
    }


def extended() -> dict[str, float]:
    """What building the real ``space=extended`` takes."""
    from tinysearch.app.building.designs import build_designs
    from tinysearch.app.building.spaces import build_space
    from tinysearch.app.building.wiring import build_models
    from tinysearch.app.config.compose import compose_config, plain

    config = plain(compose_config(["space=extended"]))
    began = time.perf_counter(), time.process_time()
    table = build_designs(build_models(config), build_space(config)).table
    return {
        "branches": len(table.branches),
        "built_s": round(time.perf_counter() - began[0], 2),
        "built_processor_s": round(time.process_time() - began[1], 2),
        "designs_priced": len(table),
        "peak_gb": peak_gb(),
    }


def peak_gb() -> float:
    """The most memory that this process has had, in units of 1e9 bytes.

    Where Linux tells it by process: what ``getrusage`` says begins with what the parent had when it started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text(encoding="ascii").splitlines())
        return round(1024 * int(lines["VmHWM"].split()[0]) / 1e9, 3)
    return round(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e9, 3)


def in_a_process(task: Callable[..., dict[str, float]], *given: object) -> dict[str, float]:
    """What a task finds in a process of its own, so that its memory is its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(task, *given).result()


def measure_wide() -> dict[str, object]:
    """Of all wide spaces, printed on the way."""
    found: dict[str, object] = {"extended": in_a_process(extended)}
    print(f"space=extended: {found['extended']}", flush=True)
    by_branches = {}
    for count in WIDE:
        by_branches[str(count)] = in_a_process(wide, count)
        print(f"three inputs, made up: {by_branches[str(count)]}", flush=True)
    times = {count: each["ms_per_decision"] for count, each in by_branches.items()}
    return found | {"wide": by_branches, "ms_per_trial_by_branches": times}


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wide-only", action="store_true", help="only spaces whose designs are priced as they matter")
    only_wide = parser.parse_args().wide_only
    out: dict[str, object] = {} if only_wide else measure_trials()
    print(json.dumps(out | measure_wide()))


def measure_trials() -> dict[str, object]:
    """Of a study that is filled, and Optuna's TPE beside it."""
    table = make_table(np.random.default_rng(0))
    flat = FlatSpace(
        branches=table.branches,
        modalities={"face": ("face",), "voice": ("voice",), "fusion": ("face", "voice")},
        processors=("slow", "fast"),
        flash_bytes=(4 << 20,),
        psram_bytes=(0,),
    )
    problem = StudyProblem(table=table, flat=flat, objectives=OBJECTIVES, error_model=FreeErrors(table))
    print(f"{len(table)} designs, {len(table.branches)} branches")
    out: dict[str, object] = {}
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            clock, processor = ms_per_trial(problem, size, Path(folder))
        out[f"ms_per_trial_{size}"], out[f"processor_ms_per_trial_{size}"] = round(clock, 2), round(processor, 2)
        print(f"memoized at {size:5d} trials: {clock:8.1f} ms a trial, {processor:.1f} of the processor", flush=True)
    out["optuna_tpe_ms_per_trial_1000"] = round(tpe_ms_per_trial(flat, 1000), 2)
    print(f"Optuna TPE at 1000 trials: {out['optuna_tpe_ms_per_trial_1000']:8.1f} ms a trial")
    return out


if __name__ == "__main__":
    main()
