"""How many trainings each sampler needs to come near the true front, replayed on a table of error rates.

The true front is known by having every branch and fusion; a run is measured by the share of its hypervolume. Every
sampler is replayed twice: *plain*, as its users run it (every trial trains its branches, a fusion two, whether feasible
or not, and only what was tried counts), and *memo*, with our memo of branches, our feasibility filter and our
completion of the front given to it (only branches not seen before are trained, and every design they unlock counts).
Our own sampler always has the memo.

    python benchmarks/search.py                                  # made-up error rates over the real space
    python benchmarks/search.py --table FILE.csv --budget 10usd,none  # a measured table, that of trainer=table
    python benchmarks/search.py --table FILE.csv --noise 1       # .. every rate drawn anew within its interval
    python benchmarks/search.py --table FILE.csv --people FILE-people.csv  # .. as other people would have given them
    python benchmarks/search.py --space toy --noise 0.12 --samplers memoized,nsga2
    python benchmarks/search.py --samplers memoized --workers 1,4,8
    python benchmarks/search.py --drawn 0 --warm related         # errors by laws of many shapes, hints of a relative
    python benchmarks/search.py --table FILE.csv --ablation      # our sampler without one of its parts at a time
    python benchmarks/search.py --table FILE.csv --cheap 0.3,0.1 # after short trainings of every branch
    python benchmarks/search.py --table FILE.csv --stopping      # our sampler until it stops by itself

The last line is one JSON object: for each sampler median trainings to 90, 95 and 99 %, null where never reached, and
``mean99``, the mean of those to 99 %; with several budgets, such an object for each.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from drawn_errors import DrawnErrors
from replays import LEVELS, Curve, clairvoyant, replay, replay_beside
from sampler_parts import PARTS
from toy_space import SyntheticErrors, ToySpace
from worlds import Errors, RealSpace, TableErrors, World, make_world, told_by

PEERS = ("random", "tpe", "nsga2", "nsga3", "gp", "pymoo_nsga2", "pymoo_nsga3", "pymoo_agemoea", "botorch_qlogehvi")
ENOUGH = 0.999
"""Of the hypervolume, to be had where the search stops by itself."""
FOREIGN = 5000
"""Added to the seed of a drawn table for one that has nothing in common with it."""
FEW_SEEDS = {"gp": 10, "tpe": 10}
"""Samplers whose own work takes so long that they get no more than these."""


def medians(curves: Sequence[Curve], *, seconds: bool = False) -> dict[str, float | None]:
    """Median trainings (or seconds) to each level, and the mean to 99 %; None where runs never reach it."""
    out: dict[str, float | None] = {}
    for name, level in LEVELS.items():
        median = float(np.median([curve.first(level)[seconds] for curve in curves]))
        out[name] = median if math.isfinite(median) else None
    mean = float(np.mean([curve.first(LEVELS["hv99"])[seconds] for curve in curves]))
    return out | {"mean99": round(mean, 2) if math.isfinite(mean) else None}


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=Path, help="CSV of error rates; without it they are made up")
    parser.add_argument(
        "--budget", default="15usd", help="as for the search; 'none' for no limit; several with commas between"
    )
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--samplers", default=",".join(("memoized", *PEERS)))
    parser.add_argument("--space", choices=("real", "toy"), default="real")
    parser.add_argument("--noise", type=float, default=0.0, help="made-up: relative scatter; table: above 0 resamples")
    parser.add_argument(
        "--drawn", type=int, metavar="FIRST", help="error rates drawn by laws of many shapes: those from this seed on"
    )
    parser.add_argument(
        "--warm",
        choices=("related", "foreign"),
        help="drawn: our sampler starts from a relative's rates, or a stranger's",
    )
    parser.add_argument("--people", type=Path, help="CSV of the table's rates for other draws of people, one a seed")
    parser.add_argument("--most", type=int, default=600, help="trainings after which a plain run is given up")
    parser.add_argument("--modes", default="plain,memo")
    parser.add_argument("--option", action="append", default=[], help="NAME=NUMBER for the memoized sampler")
    parser.add_argument("--ablation", action="store_true", help="also our sampler without one of its parts at a time")
    parser.add_argument("--stopping", action="store_true", help="also our sampler until it stops by itself")
    parser.add_argument(
        "--cheap",
        action="append",
        default=[],
        metavar="SPREAD,SHARE[,float32]",
        help="also our sampler with a short training of every branch (or of every float32 one) before the first real "
        "one: of so much of its seconds, which are counted, and off by so much in the logarithm",
    )
    parser.add_argument("--workers", default="", help="also our sampler with so many workers at a time: 1,4,8")
    parser.add_argument(
        "--override", action="append", default=[], help="configuration of the real space, e.g. space=.."
    )
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="replays side by side")
    options = parser.parse_args(arguments)
    if options.people is not None and options.noise > 0:
        parser.error("rates are those of other people, or drawn one by one: leave out --people or --noise")
    return options


def make_space(options: argparse.Namespace, spelled: str) -> Any:
    budget = None if spelled == "none" else spelled
    if options.space == "toy":
        return ToySpace(budget_usd=float(budget.removesuffix("usd")) if budget else math.inf)
    return RealSpace(budget, options.override, options.table)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One replay to be done, perhaps in another process."""

    world: int
    name: str
    seed: int
    memo: bool
    most: int
    options: dict[str, Any]
    workers: int = 0
    to_the_end: bool = False
    cheap: tuple[float, float, bool] | None = None


WORLDS: list[World] = []
"""Of the budget under way; forked processes find them here."""


def run_job(job: Job) -> Curve:
    warnings.simplefilter("ignore")
    if job.workers:
        return replay_beside(WORLDS[job.world], seed=job.seed, workers=job.workers, options=dict(job.options))
    return replay(
        WORLDS[job.world],
        job.name,
        seed=job.seed,
        memo=job.memo,
        most=job.most,
        options=dict(job.options),
        level=math.inf if job.to_the_end else max(LEVELS.values()),
        cheap=job.cheap,
    )


def run_jobs(jobs: Sequence[Job], processes: int) -> list[Curve]:
    """Replays in order, side by side where that helps; they are independent and seeded."""
    if processes == 1 or len(jobs) == 1:
        return [run_job(job) for job in jobs]
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(max_workers=processes, mp_context=context, initializer=use_one_thread) as pool:
        return list(pool.map(run_job, jobs))


def use_one_thread() -> None:
    """Threads of processes side by side would only wait for one another."""
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    threadpool_limits(limits=1)


def main(arguments: Sequence[str]) -> None:
    options = parse(arguments)
    warnings.simplefilter("ignore")
    found = {budget: measure(options, budget) for budget in options.budget.split(",")}
    print(json.dumps(found.get(options.budget, found)))


def measure(options: argparse.Namespace, budget: str) -> dict[str, dict[str, dict[str, float | None]]]:
    """Every sampler within one budget; median trainings by sampler, mode and level."""
    space = make_space(options, budget)
    WORLDS.clear()
    for seed in range(options.seeds):
        errors: Errors
        warm = None
        if options.drawn is not None:
            errors = DrawnErrors(space, seed=options.drawn + seed)
            if options.warm is not None:
                foreign = options.warm == "foreign"
                teller = DrawnErrors(space, seed=options.drawn + seed + FOREIGN * foreign, relative=1)
                warm = told_by(teller, space)
        elif options.table is not None:
            errors = TableErrors(options.table, seed=seed, noise=options.noise > 0, people=options.people)
        else:
            errors = SyntheticErrors(space, seed=seed, noise=options.noise)
        if not WORLDS or options.table is None or options.noise > 0 or options.people is not None:
            WORLDS.append(make_world(space, errors, warm=warm))
    print(f"{len(space.table)} designs, {int(space.table.useful().sum())} branches, budget {budget}")
    heads = " ".join(f"{name:>7s}" for name in (*LEVELS, "mean99"))
    times = " ".join(f"{f's {name[2:]} %':>8s}" for name in (*LEVELS, "mean"))
    print(f"{'sampler':22s} {'mode':6s} {'seeds':>5s} {heads} {times}  ms a proposal")
    # Where the search would end by itself is another question than how soon it comes near the front.
    ours: dict[str, Any] = {"stop_share": 0.0}
    for name, value in (word.split("=") for word in options.option):
        ours[name] = int(value) if value.isdigit() and name != "cost_exponent" else float(value)
    out: dict[str, dict[str, dict[str, float | None]]] = {}
    for name in options.samplers.split(","):
        own = name in ("memoized", "auto")
        out[name] = {}
        for mode in ("memo",) if own else options.modes.split(","):
            jobs = [
                Job(
                    world=seed % len(WORLDS),
                    name=name,
                    seed=seed,
                    memo=mode == "memo",
                    most=10**9 if mode == "memo" else options.most,
                    options=ours if own else {},
                )
                for seed in range(min(options.seeds, FEW_SEEDS.get(name, options.seeds)))
            ]
            curves = run_jobs(jobs, options.jobs)
            for label in ("plain", "memo") if own else (mode,):
                out[name][label] = medians(curves)
            show(name, mode, curves)
    out |= further(options, ours)
    show("clairvoyant", "memo", [clairvoyant(world) for world in WORLDS[:5]])
    return out


def further(options: argparse.Namespace, ours: Mapping[str, Any]) -> dict[str, dict[str, dict[str, float | None]]]:
    """What else is asked of our sampler: with several workers, without its parts, until it stops by itself."""
    out: dict[str, dict[str, dict[str, float | None]]] = {}
    for workers in map(int, options.workers.split(",") if options.workers else ()):
        curves = run_jobs(own_jobs(options, ours, workers=workers), options.jobs)
        out[f"memoized_{workers}_workers"] = {"memo": medians(curves)}
        show(f"{workers} workers", "memo", curves)
    for spelled in options.cheap:
        spread, share, *rest = spelled.split(",")
        curves = run_jobs(own_jobs(options, ours, cheap=(float(spread), float(share), bool(rest))), options.jobs)
        out[f"cheap {spelled}"] = {"memo": medians(curves), "seconds": medians(curves, seconds=True)}
        show(f"cheap {spelled}", "memo", curves)
    if options.stopping:
        out["stopping"] = {"memo": stopping(options, ours)}
    if options.ablation:
        out |= {f"without {name}": {"memo": found} for name, found in ablation(options, ours).items()}
    return out


def own_jobs(options: argparse.Namespace, settings: Mapping[str, Any], **more: Any) -> list[Job]:
    """Our sampler with some settings, once a seed."""
    given = {"name": "memoized", "memo": True, "most": 10**9, "options": dict(settings)} | more
    return [Job(world=seed % len(WORLDS), seed=seed, **given) for seed in range(options.seeds)]


def ablation(options: argparse.Namespace, ours: Mapping[str, Any]) -> dict[str, dict[str, float | None]]:
    """Our sampler without one of its parts at a time."""
    found = {}
    for name, part in PARTS.items():
        with part.left_out():
            curves = run_jobs(own_jobs(options, {**ours, **part.options}), options.jobs)
        found[name] = medians(curves)
        show(f"- {name}", "memo", curves)
    return found


def stopping(options: argparse.Namespace, ours: Mapping[str, Any]) -> dict[str, float | None]:
    """Our sampler until it stops by itself: trainings, and the share of the hypervolume that it has by then."""
    settings = {name: value for name, value in ours.items() if name != "stop_share"}
    curves = run_jobs(own_jobs(options, settings, to_the_end=True), options.jobs)
    shares = sorted(curve.shares[-1] for curve in curves)
    trainings = [curve.trainings[-1] for curve in curves]
    enough = sum(share >= ENOUGH for share in shares)
    print(
        f"stops by itself: {enough} of {len(shares)} runs at {ENOUGH:.1%} or more, the worst at {shares[0]:.3%}, "
        f"the median at {np.median(shares):.3%}, after {min(trainings)} to {max(trainings)} trainings"
    )
    return {
        "enough": float(enough),
        "runs": float(len(shares)),
        "worst": shares[0],
        "median": float(np.median(shares)),
        "trainings": float(np.mean(trainings)),
    }


def show(name: str, mode: str, curves: Sequence[Curve]) -> None:
    found, seconds = medians(curves), medians(curves, seconds=True)
    cells = " ".join("  never" if v is None else f"{v:7.1f}" for v in found.values())
    times = " ".join("   never" if v is None else f"{v:8.0f}" for v in seconds.values())
    pace = 1e3 * sum(c.asking_s for c in curves) / max(1, sum(c.proposals for c in curves))
    print(f"{name:22s} {mode:6s} {len(curves):5d} {cells} {times} {pace:14.1f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
