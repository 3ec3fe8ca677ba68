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
    python benchmarks/search.py --ablation --stopping --workers 4  # .. and after 5 or 10 in vain, pending ones ignored
    python benchmarks/search.py --modes memo --give-up 60 --runs runs.csv  # runs are kept; ratios.py compares them

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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from drawn_errors import DrawnErrors
from ideal_beliefs import ideal_beliefs
from kept_runs import Run, RunFile, medians, summary
from replays import LEVELS, clairvoyant, replay, replay_beside
from sampler_parts import PARTS
from smac_sampler import SmacParego, require_smac
from toy_space import SyntheticErrors, ToySpace
from worlds import Errors, RealSpace, TableErrors, World, make_world, told_by

from tinysearch.core.errors import UserError

PEERS = ("random", "tpe", "nsga2", "nsga3", "gp", "pymoo_nsga2", "pymoo_nsga3", "pymoo_agemoea", "botorch_qlogehvi")
PATIENCES = (5, 10)
"""Trainings in a row without any gain, after which a search that knows nothing better would stop."""
ENOUGH = 0.999
"""Of the hypervolume, to be had where the search stops by itself."""
FOREIGN = 5000
"""Added to the seed of a drawn table for one that has nothing in common with it."""
FEW_SEEDS = {"gp": 10}
"""Samplers whose own work takes so long that they get no more than these."""


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
    parser.add_argument("--alike", action="store_true", help="drawn: the first law for every seed")
    parser.add_argument(
        "--warm",
        choices=("related", "foreign"),
        help="drawn: our sampler starts from a relative's rates, or a stranger's",
    )
    parser.add_argument(
        "--ideal", action="store_true", help="drawn: also our sampler with beliefs of one who knows the laws"
    )
    parser.add_argument("--people", type=Path, help="CSV of the table's rates for other draws of people, one a seed")
    parser.add_argument("--most", type=int, default=600, help="trainings after which a plain run is given up")
    parser.add_argument("--give-up", type=int, default=10**9, help="trainings after which a run with memo is given up")
    parser.add_argument("--modes", default="plain,memo")
    parser.add_argument(
        "--runs",
        type=Path,
        help="CSV of single runs: those in it (of the same commit!) are not made again, others are added",
    )
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
    if options.ideal and options.drawn is None:
        parser.error("ideal beliefs are of laws by which errors are drawn: --ideal needs --drawn")
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
    named: tuple[str, str]
    """World and sampler, as a run is called."""
    name: str
    seed: int
    memo: bool
    most: int
    options: dict[str, Any]
    workers: int = 0
    blind: bool = False
    to_the_end: bool = False
    cheap: tuple[float, float, bool] | None = None
    patience: int | None = None

    @property
    def key(self) -> tuple[str, str, str, int]:
        return *self.named, "memo" if self.memo else "plain", self.seed


WORLDS: list[World] = []
"""Of the budget under way; forked processes find them here."""


def run_job(job: Job) -> Run:
    warnings.simplefilter("ignore")
    options = dict(job.options)
    if job.workers:
        curve = replay_beside(WORLDS[job.world], seed=job.seed, workers=job.workers, options=options, blind=job.blind)
    else:
        curve = replay(
            WORLDS[job.world],
            job.name,
            seed=job.seed,
            memo=job.memo,
            most=job.most,
            options=options,
            level=math.inf if job.to_the_end else max(LEVELS.values()),
            cheap=job.cheap,
            patience=job.patience,
        )
    world, sampler, mode, seed = job.key
    return summary(curve, world=world, sampler=sampler, mode=mode, seed=seed)


def run_jobs(jobs: Sequence[Job], processes: int, kept: RunFile) -> list[Run]:
    """Runs in order, made side by side (they are independent and seeded); those kept are not made again."""
    missing = [job for job in jobs if job.key not in kept.found]
    made = []
    with _pool(min(processes, len(missing))) as mapped:
        for run in mapped(run_job, missing):
            kept.add(run)
            made.append(run)
    runs = kept.found | {run.key: run for run in made}
    return [runs[job.key] for job in jobs]


@contextmanager
def _pool(processes: int) -> Iterator[Callable[[Callable[[Job], Run], Sequence[Job]], Iterable[Run]]]:
    """What maps a function over jobs, in other processes where there are several; results come as they are ready."""
    if processes <= 1:
        yield map
        return
    context = multiprocessing.get_context("fork")
    with context.Pool(processes, initializer=use_one_thread) as pool:
        yield partial(pool.imap_unordered, chunksize=1)


def use_one_thread() -> None:
    """Threads of processes side by side would only wait for one another."""
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    threadpool_limits(limits=1)


def main(arguments: Sequence[str]) -> int:
    options = parse(arguments)
    warnings.simplefilter("ignore")
    kept = RunFile(options.runs)
    try:
        if SmacParego.name in options.samplers.split(","):
            require_smac()
        found = {budget: measure(options, budget, kept) for budget in options.budget.split(",")}
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(found.get(options.budget, found)))
    return 0


def make_worlds(options: argparse.Namespace, space: Any) -> list[World]:
    """A world a seed, or one for all where they would not differ."""
    worlds: list[World] = []
    alike = options.alike if options.drawn is not None else options.table is not None
    for seed in range(1 if alike and not options.noise and options.people is None else options.seeds):
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
        worlds.append(make_world(space, errors, warm=warm))
    return worlds


def name_of_world(options: argparse.Namespace, budget: str) -> str:
    """What runs on these error rates within this budget are called."""
    if options.drawn is not None:
        source = f"drawn {options.drawn}" if options.alike else f"drawn {options.drawn} and on"
        source += f", {options.warm} table told" if options.warm else ""
    elif options.table is not None:
        source = options.table.stem if options.people is None else options.people.stem
        source += ", rate by rate" if options.noise else ""
    else:
        source = f"made up, scatter {options.noise}"
    return ", ".join([source, budget, *options.override])


def measure(options: argparse.Namespace, budget: str, kept: RunFile) -> dict[str, dict[str, dict[str, float | None]]]:
    """Every sampler within one budget; median trainings by sampler, mode and level."""
    space = make_space(options, budget)
    WORLDS[:] = make_worlds(options, space)
    world = name_of_world(options, budget)
    print(f"{len(space.table)} designs, {int(space.table.useful().sum())} branches, {world}")
    heads = " ".join(f"{name:>7s}" for name in (*LEVELS, "mean99"))
    times = " ".join(f"{name:>8s}" for name in (*(f"s {name[2:]} %" for name in LEVELS), "s mean"))
    print(f"{'sampler':26s} {'mode':6s} {'seeds':>5s} {heads} {times}  CPU ms a proposal")
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
                    named=(world, name),
                    name=name,
                    seed=seed,
                    memo=mode == "memo",
                    most=options.give_up if mode == "memo" else options.most,
                    options=ours if own else {},
                )
                for seed in range(min(options.seeds, FEW_SEEDS.get(name, options.seeds)))
            ]
            runs = run_jobs(jobs, options.jobs, kept)
            for label in ("plain", "memo") if own else (mode,):
                out[name][label] = medians(runs)
            show(name, mode, runs)
    out |= further(options, ours, world, kept)
    show("clairvoyant", "memo", [clairvoyant_run(seed, world) for seed in range(min(5, len(WORLDS)))])
    return out


def clairvoyant_run(seed: int, world: str) -> Run:
    return summary(clairvoyant(WORLDS[seed]), world=world, sampler="clairvoyant", mode="memo", seed=seed)


def further(
    options: argparse.Namespace, ours: Mapping[str, Any], world: str, kept: RunFile
) -> dict[str, dict[str, dict[str, float | None]]]:
    """What else is asked of our sampler: with several workers, without its parts, until it stops by itself."""
    out: dict[str, dict[str, dict[str, float | None]]] = {}

    def own(label: str, settings: Mapping[str, Any] = ours, **more: Any) -> list[Run]:
        """Our sampler with some settings, once a seed."""
        given = {"name": "memoized", "memo": True, "most": 10**9, "options": dict(settings)} | more
        seeds = range(options.seeds)
        jobs = [Job(world=seed % len(WORLDS), named=(world, label), seed=seed, **given) for seed in seeds]
        runs = run_jobs(jobs, options.jobs, kept)
        show(label, "memo", runs)
        return runs

    for workers in map(int, options.workers.split(",") if options.workers else ()):
        out[f"memoized_{workers}_workers"] = {"memo": medians(own(f"{workers} workers", workers=workers))}
        if options.ablation:
            runs = own(f"{workers} workers, pending ignored", workers=workers, blind=True)
            out[f"without pending trainings, {workers} workers"] = {"memo": medians(runs)}
    for spelled in options.cheap:
        spread, share, *rest = spelled.split(",")
        runs = own(f"cheap {spelled}", cheap=(float(spread), float(share), bool(rest)))
        out[f"cheap {spelled}"] = {"memo": medians(runs), "seconds": medians(runs, seconds=True)}
    if options.stopping:
        settings = {name: value for name, value in ours.items() if name != "stop_share"}
        out["stopping"] = {"memo": stopping("stops by itself", own("to its own stop", settings, to_the_end=True))}
        for patience in PATIENCES if options.ablation else ():
            label = f"after {patience} without gain"
            out[label] = {"memo": stopping(f"stops {label}", own(label, to_the_end=True, patience=patience))}
    if options.ideal:
        with ideal_beliefs():
            out["with ideal beliefs"] = {"memo": medians(own("ideal beliefs"))}
    for name, part in PARTS.items() if options.ablation else ():
        with part.left_out():
            out[f"without {name}"] = {"memo": medians(own(f"- {name}", {**ours, **part.options}))}
    return out


def stopping(how: str, runs: Sequence[Run]) -> dict[str, float | None]:
    """Where runs ended: trainings, and the share of the hypervolume that they had by then."""
    shares = sorted(run.share for run in runs)
    trainings = [run.trainings for run in runs]
    enough = sum(share >= ENOUGH for share in shares)
    print(
        f"{how}: {enough} of {len(shares)} runs at {ENOUGH:.1%} or more, the worst at {shares[0]:.3%}, "
        f"the median at {np.median(shares):.3%}, after {min(trainings)} to {max(trainings)} trainings"
    )
    return {
        "enough": float(enough),
        "runs": float(len(shares)),
        "worst": shares[0],
        "median": float(np.median(shares)),
        "trainings": float(np.mean(trainings)),
    }


def show(name: str, mode: str, runs: Sequence[Run]) -> None:
    found, seconds = medians(runs), medians(runs, seconds=True)
    cells = " ".join("  never" if v is None else f"{v:7.1f}" for v in found.values())
    times = " ".join("   never" if v is None else f"{v:8.0f}" for v in seconds.values())
    pace = 1e3 * sum(r.asking_s for r in runs) / max(1, sum(r.proposals for r in runs))
    print(f"{name:26s} {mode:6s} {len(runs):5d} {cells} {times} {pace:14.1f}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
