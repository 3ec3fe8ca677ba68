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
import csv
import heapq
import json
import math
import multiprocessing
import os
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from drawn_errors import DrawnErrors
from sampler_parts import PARTS
from toy_space import SyntheticErrors, ToySpace

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.error_rates import ErrorRates
from tinysearch.core.protocols import TrainingProgress
from tinysearch.search.known.assess import Assessor, constraint_values
from tinysearch.search.known.design import NO_BRANCH, DesignTable
from tinysearch.search.known.fidelity import Hint, Source, WarmStart
from tinysearch.search.known.flat import FlatSpace
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.known.objective_values import ObjectiveVector
from tinysearch.search.known.pareto import hypervolume, is_nondominated
from tinysearch.search.samplers import Outcome, Proposal, make_sampler

OBJECTIVES = ("eer", "bom_cost_usd", "latency_s")
LEVELS = {"hv90": 0.90, "hv95": 0.95, "hv99": 0.99}
PEERS = ("random", "tpe", "nsga2", "nsga3", "gp", "pymoo_nsga2", "pymoo_nsga3", "pymoo_agemoea", "botorch_qlogehvi")
MOST_PROPOSALS = 2000
ENOUGH = 0.999
"""Of the hypervolume, to be had where the search stops by itself."""
HINT_SPREAD = 0.1
"""Of a drawn table's hints, as the search takes the same branch of another run."""
FOREIGN = 5000
"""Added to the seed of a drawn table for one that has nothing in common with it."""
FEW_SEEDS = {"gp": 10, "tpe": 10}
FEW_PROPOSALS = {"gp": 200}
"""Samplers whose own work takes so long that they get no more than these."""


class Errors(Protocol):
    """Error rates of anything, and what training a branch would take."""

    def error_rates(self, branches: Sequence[BranchSpec]) -> ErrorRates: ...

    def seconds(self, branch: BranchSpec) -> float: ...

    def has(self, branches: Sequence[BranchSpec]) -> bool: ...


ORDER = ("build=any", "quantity=100")
"""Boards and designs of every build at prices of 100 pieces, the setting of figures from before 29 November 2026. Ready
boards have come into the catalogue since, so fronts are not those of then to the cent."""


class RealSpace:
    """Boards and designs of the default catalogue within a budget, and its space or that of a table."""

    def __init__(self, budget: str | None, overrides: Sequence[str], table: Path | None = None) -> None:
        from tinysearch.app.building.designs import build_designs
        from tinysearch.app.building.spaces import build_space, table_of
        from tinysearch.app.building.wiring import build_models
        from tinysearch.app.config.compose import compose_config, plain
        from tinysearch.app.config.words import overrides_of

        words = [*ORDER, *([f"budget={budget}"] if budget else [])]
        if table is not None:
            words += ["trainer=table", *overrides_of({"trainer": {"path": table}})]
        config = plain(compose_config([*words, *overrides]))
        has = None if table is None else table_of(config).has
        designs = build_designs(build_models(config), build_space(config), has=has)
        self.table, self.flat, self.assessor = designs.table, designs.flat, designs.assessor
        self.branches = designs.table.branches
        sizes = zip(designs.table.params, designs.table.macs, strict=True)
        self.size = {branch: (float(p), float(m)) for branch, (p, m) in zip(self.branches, sizes, strict=True)}

    def models(self) -> list[tuple[BranchSpec, ...]]:
        faces = [b for b in self.branches if b.modality == "face"]
        voices = [b for b in self.branches if b.modality == "voice"]
        return [(b,) for b in self.branches] + [(f, v) for f in faces for v in voices]


class TableErrors:
    """A CSV of error rates, optionally as another measurement might have given them.

    Args:
        noise: draw every rate by itself, log-normal with its 95 % interval.
        people: CSV of the same rates for other draws of people, ``eer_1``, ``eer_2`` .. (tools/make_error_table.py):
            those of column ``seed`` modulo their number, of everything the same people.
    """

    def __init__(self, path: Path, *, seed: int, noise: bool = False, people: Path | None = None) -> None:
        from tinysearch.evaluation.table import TableErrors as Table

        self._table = Table(path=path)
        self._seed = seed if noise else None
        self._drawn: dict[tuple[BranchSpec, ...], ErrorRates] = {}
        self._people = {} if people is None else read_people(people, draw=seed)

    def error_rates(self, branches: Sequence[BranchSpec]) -> ErrorRates:
        key = tuple(branches)
        if key not in self._drawn:
            rates = self._table.error_rates(branches)
            if self._people:
                rates = ErrorRates(eer=self._people[model_key(branches)], evidence="table")
            if self._seed is not None and rates.eer and rates.eer_ci95:
                low, high = (max(bound, 1e-3) for bound in rates.eer_ci95)
                words = [int.from_bytes(b.key.encode()[-8:], "little") ^ len(b.key) for b in branches]
                digest = [int(x) for b in branches for x in b.key.encode()]
                rng = np.random.default_rng([self._seed, *words, *digest])
                eer = rates.eer * math.exp(rng.normal(0.0, math.log(high / low) / 3.92))
                rates = ErrorRates(eer=min(0.5, eer), evidence="table", frr_at_far=rates.frr_at_far)
            self._drawn[key] = rates
        return self._drawn[key]

    def seconds(self, branch: BranchSpec) -> float:
        return self._table.train(branch, progress=_ignore).seconds

    def has(self, branches: Sequence[BranchSpec]) -> bool:
        return self._table.has(branches)


def model_key(branches: Sequence[BranchSpec]) -> tuple[tuple[str, str], ...]:
    """Blocks and precision, as a table spells them, of the face and of the voice branch; empty without one."""
    spelled = {b.modality: (b.architecture.label, str(b.precision)) for b in branches}
    return tuple(spelled.get(modality, ("", "")) for modality in ("face", "voice"))


def read_people(path: Path, *, draw: int) -> dict[tuple[tuple[str, str], ...], float]:
    """EER by model for one draw of people."""
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        names = [name for name in reader.fieldnames or () if name.startswith("eer_")]
        name = names[draw % len(names)]
        return {
            tuple((row[f"{m}_blocks"], row[f"{m}_precision"]) for m in ("face", "voice")): float(row[name])
            for row in reader
        }


def _ignore(progress: TrainingProgress) -> None:
    del progress


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One replay's truth: space, errors, the whole front's hypervolume."""

    table: DesignTable
    flat: FlatSpace
    assessor: Assessor
    errors: Errors
    objectives: ObjectiveVector
    whole: float
    warm: WarmStart | None = None

    def knowledge(self) -> Knowledge:
        """Nothing is known yet but what a warm start tells."""
        known = Knowledge(self.table, self.objectives, self.errors.error_rates)
        if self.warm is not None:
            known.warm(self.warm)
        return known

    def has(self, branches: Sequence[int]) -> bool:
        """Whether there are error rates of branches; a table may lack some that the space can spell."""
        return self.errors.has([self.table.branches[b] for b in branches])


@dataclass(slots=True, kw_only=True)
class Curve:
    """Trainings and seconds spent, and the share of the hypervolume reached by then."""

    trainings: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    asking_s: float = 0.0
    proposals: int = 0

    def add(self, trainings: int, seconds: float, share: float) -> None:
        self.trainings.append((self.trainings[-1] if self.trainings else 0) + trainings)
        self.seconds.append((self.seconds[-1] if self.seconds else 0.0) + seconds)
        self.shares.append(share)

    def first(self, level: float) -> tuple[float, float]:
        """Trainings and seconds when a share was first reached; infinite if never."""
        for trainings, seconds, share in zip(self.trainings, self.seconds, self.shares, strict=True):
            if share >= level - 1e-12:
                return float(trainings), seconds
        return math.inf, math.inf


def make_world(space: Any, errors: Errors, *, warm: WarmStart | None = None) -> World:
    objectives = ObjectiveVector(OBJECTIVES)
    everything = Knowledge(space.table, objectives, errors.error_rates)
    everything.learn(np.flatnonzero(space.table.useful()))
    everything.complete()
    return World(
        table=space.table,
        flat=space.flat,
        assessor=getattr(space, "assessor", space),
        errors=errors,
        objectives=objectives,
        whole=everything.hypervolume(),
        warm=warm,
    )


def replay(
    world: World,
    name: str,
    *,
    seed: int,
    memo: bool,
    most: int,
    options: dict[str, Any],
    level: float = 0.99,
    cheap: tuple[float, float, bool] | None = None,
) -> Curve:
    """One run of one sampler until a level is reached, or ``most`` trainings (or as many proposals as it gets) made."""
    sampler = make_sampler(
        name,
        flat=world.flat,
        objectives=len(OBJECTIVES),
        constraints=len(world.assessor.rules),
        seed=seed,
        options=options,
    )
    state, curve = world.knowledge(), Curve()
    if cheap is not None:
        take_hints(world, state, curve, cheap, np.random.default_rng([seed, 5]))
    tried = np.zeros((0, len(OBJECTIVES)))
    spent = 0
    for number in range(FEW_PROPOSALS.get(name, MOST_PROPOSALS)):
        began = time.perf_counter()
        proposal = sampler.propose(state, np.random.default_rng([seed, number]))
        curve.asking_s += time.perf_counter() - began
        curve.proposals += 1
        if not isinstance(proposal, Proposal):
            break
        branches, analytic, constraints = _resolve(world, proposal)
        if memo:
            missing = [b for b in branches if not state.known[b]] if max(constraints) <= 0 else []
            for branch in missing:
                seconds = world.errors.seconds(world.table.branches[branch])
                state.seconds[branch] = seconds
                state.learn([branch])
                curve.add(1, seconds, state.hypervolume() / world.whole)
        listed = world.has(branches)
        values = _values(world, branches, analytic, trained=listed and (max(constraints) <= 0 or not memo))
        if not memo:
            if max(constraints) <= 0 and values is not None:
                tried = np.vstack([tried, state.scale.transform(np.array([values]))])
                tried = tried[is_nondominated(tried)]
            took = sum(world.errors.seconds(world.table.branches[b]) for b in branches) if listed else 0.0
            curve.add(max(1, len(branches)), took, hypervolume(tried, state.corner) / world.whole)
        sampler.told(proposal, Outcome(values=values, constraints=constraints))
        spent = curve.trainings[-1] if curve.trainings else 0
        if spent >= most or (curve.shares and curve.shares[-1] >= level):
            break
    return curve


def take_hints(
    world: World, state: Knowledge, curve: Curve, cheap: tuple[float, float, bool], rng: np.random.Generator
) -> None:
    """Short trainings before the first real one: their spread, share of the seconds, and whether of float32 alone."""
    spread, share, starts = cheap
    for at in np.flatnonzero(world.table.useful()).tolist():
        branch = world.table.branches[at]
        if not starts or branch.precision.kind == "float32":
            eer = float(world.errors.error_rates([branch]).eer or 0.0) * math.exp(rng.normal(0.0, spread))
            state.hints[at] = Hint(eer=min(0.5, eer), spread=spread)
            curve.add(0, share * world.errors.seconds(branch), 0.0)


def replay_beside(world: World, *, seed: int, workers: int, options: dict[str, Any]) -> Curve:
    """One run of our sampler with several workers at a time, until 99 % are reached.

    A training takes the seconds that its table has, and counts from when it is begun; seconds are by the clock.
    """
    sampler = make_sampler(
        "memoized",
        flat=world.flat,
        objectives=len(OBJECTIVES),
        constraints=len(world.assessor.rules),
        seed=seed,
        options=options,
    )
    state, curve, now, begun = world.knowledge(), Curve(), 0.0, 0
    running: list[tuple[float, int]] = []
    while True:
        while len(running) < workers:
            began = time.perf_counter()
            proposal = sampler.propose(state, np.random.default_rng([seed, curve.proposals]))
            curve.asking_s += time.perf_counter() - began
            curve.proposals += 1
            if not isinstance(proposal, Proposal):
                break
            branches, *_ = _resolve(world, proposal)
            for branch in branches:
                if not state.known[branch] and not state.pending[branch]:
                    state.pending[branch] = True
                    begun += 1
                    heapq.heappush(running, (now + world.errors.seconds(world.table.branches[branch]), branch))
        if not running:
            return curve
        then, branch = heapq.heappop(running)
        state.seconds[branch] = world.errors.seconds(world.table.branches[branch])
        state.learn([branch])
        fresh = begun - (curve.trainings[-1] if curve.trainings else 0)
        curve.add(fresh, then - now, state.hypervolume() / world.whole)
        now = then
        if curve.shares[-1] >= max(LEVELS.values()):
            return curve


def _resolve(world: World, proposal: Proposal) -> tuple[list[int], dict[str, float] | None, tuple[float, ...]]:
    table = world.table
    if proposal.row is not None:
        analytic = dict(zip(table.columns, table.analytic[proposal.row].tolist(), strict=True))
        return [int(b) for b in table.needs[proposal.row] if b != NO_BRANCH], analytic, (0.0,)
    if proposal.point is None:
        raise ValueError("a proposal is a row or a point")
    assessed = world.assessor.assess(proposal.point)
    constraints = constraint_values(assessed.violations, world.assessor.rules)
    analytic = dict(assessed.analytic) if assessed.analytic is not None else None
    return [table.branch_index(b) for b in assessed.branches], analytic, constraints


def _values(
    world: World, branches: Sequence[int], analytic: dict[str, float] | None, *, trained: bool
) -> tuple[float, ...] | None:
    vector = world.objectives
    if analytic is None or not set(vector.analytic) <= set(analytic):
        return None
    metrics = vector.chance_metrics()
    if trained and branches:
        metrics = vector.metrics_of(world.errors.error_rates([world.table.branches[b] for b in branches]))
    columns = tuple(analytic)
    row = np.array([[analytic[c] for c in columns]], np.float64)
    return tuple(float(v) for v in vector.combine(columns, row, metrics[None])[0])


def clairvoyant(world: World) -> Curve:
    """Greedy with the truth in hand: the branch, or pair, with the largest gain a training."""
    truth, state, curve = world.knowledge(), world.knowledge(), Curve()
    truth.learn(np.flatnonzero(world.table.useful()))
    truth.complete()
    for j in np.flatnonzero(~truth.model_done):
        truth._compute(np.array([j]))
    everything = truth.points(np.arange(len(truth.boards)), truth.model_metrics[truth.board_model])
    needs = world.table.models[truth.board_model]
    while not curve.shares or curve.shares[-1] < max(LEVELS.values()):
        known = np.append(state.known, True)
        front = state.front_points
        hopeful = is_nondominated(everything)
        actions = {(int(b),) for b in np.flatnonzero(state.trainable())}
        actions |= {tuple(int(b) for b in n if not known[b]) for n in needs[hopeful]} - {()}
        best, rate = (), -1.0
        for action in sorted(actions):
            reach = known.copy()
            reach[list(action)] = True
            rows = reach[needs].all(axis=1) & ~known[needs].all(axis=1)
            gain = hypervolume(np.vstack([front, everything[rows]]), state.corner) - state.hypervolume()
            if gain / len(action) > rate:
                best, rate = action, gain / len(action)
        for branch in best:
            state.learn([branch])
            seconds = world.errors.seconds(world.table.branches[branch])
            curve.add(1, seconds, state.hypervolume() / world.whole)
    return curve


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


def told_by(errors: Errors, space: Any) -> WarmStart:
    """All that a table tells, as ``warm_start`` reads it."""
    singles = {(b,): float(errors.error_rates([b]).eer or 0.0) for b in space.branches if errors.has([b])}
    pairs = [model for model in space.models() if len(model) == 2 and errors.has(model)]
    fusions = [(singles[m[:1]], singles[m[1:]], float(errors.error_rates(m).eer or 0.0)) for m in pairs]
    hints = {model[0].key: Hint(eer=eer, spread=HINT_SPREAD) for model, eer in singles.items()}
    return WarmStart(sources=(Source(hints=hints, fusions=tuple(fusions[:: max(1, len(fusions) // 500)])),))


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
