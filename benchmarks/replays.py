"""One run of one sampler on a world: what it trains, and how near it comes to the true front after how much of that."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from smac_sampler import SmacParego
from worlds import OBJECTIVES, World

from tinysearch.search.known.assess import constraint_values
from tinysearch.search.known.design import NO_BRANCH, DesignTable
from tinysearch.search.known.fidelity import Hint
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.known.pareto import hypervolume, is_nondominated
from tinysearch.search.samplers import Outcome, Proposal, SamplerFactory, make_sampler

LEVELS = {"hv90": 0.90, "hv95": 0.95, "hv99": 0.99}
MOST_PROPOSALS = 2000
FEW_PROPOSALS = {"gp": 200}
"""Samplers whose own work takes so long that they get no more than these."""
BENCHMARK_ONLY: Mapping[str, SamplerFactory] = {SmacParego.name: SmacParego}
"""Samplers that ``sampler=`` does not have."""


@dataclass(slots=True, kw_only=True)
class Curve:
    """Trainings and seconds spent, the share of the hypervolume reached by then; the processor's seconds of asking."""

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
    patience: int | None = None,
) -> Curve:
    """One run of one sampler until a level is reached, or ``most`` trainings (or as many proposals as it gets) made.

    Args:
        patience: the run ends after so many trainings in a row that added nothing to the front.
    """
    sampler = make_sampler(
        name,
        flat=world.flat,
        objectives=len(OBJECTIVES),
        constraints=len(world.assessor.rules),
        seed=seed,
        options=options,
        factory=BENCHMARK_ONLY.get(name),
    )
    state, curve = world.knowledge(), Curve()
    if cheap is not None:
        take_hints(world, state, curve, cheap, np.random.default_rng([seed, 5]))
    tried = np.zeros((0, len(OBJECTIVES)))
    spent = 0
    for number in range(FEW_PROPOSALS.get(name, MOST_PROPOSALS)):
        began = time.process_time()
        proposal = sampler.propose(state, np.random.default_rng([seed, number]))
        curve.asking_s += time.process_time() - began
        curve.proposals += 1
        if not isinstance(proposal, Proposal):
            break
        branches, analytic, constraints = _resolve(world, state.table, proposal)
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
        if patience is not None and spent > patience and curve.shares[-1] <= curve.shares[-1 - patience]:
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


def replay_beside(world: World, *, seed: int, workers: int, options: dict[str, Any], blind: bool = False) -> Curve:
    """One run of our sampler with several workers at a time, until 99 % are reached.

    A training takes the seconds that its table has, and counts from when it is begun; seconds are by the clock.

    Args:
        blind: the sampler does not know what trainings under way will unlock, only that they are not to be begun again.
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
            began = time.process_time()
            with _without_pending(state) if blind else nullcontext():
                proposal = sampler.propose(state, np.random.default_rng([seed, curve.proposals]))
            curve.asking_s += time.process_time() - began
            curve.proposals += 1
            if not isinstance(proposal, Proposal):
                break
            branches, *_ = _resolve(world, state.table, proposal)
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


@contextmanager
def _without_pending(state: Knowledge) -> Iterator[None]:
    """Within this, branches in training look like such as cannot be trained."""
    pending, failed = state.pending.copy(), state.failed.copy()
    state.pending[:] = False
    state.failed[:] |= pending
    try:
        yield
    finally:
        state.pending[:], state.failed[:] = pending, failed


def _resolve(
    world: World, table: DesignTable, proposal: Proposal
) -> tuple[list[int], dict[str, float] | None, tuple[float, ...]]:
    """Branches, analytic figures and constraints of what is proposed; ``table`` is the run's own, which may grow."""
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
