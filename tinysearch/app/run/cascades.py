"""Cascades of what a search has trained: the same two branches by another rule, which costs no training.

A search decides by sums of scores. When it ends, pairs of trained branches are priced a second time: their error as a
cascade, and the board that they need when they take turns. A cascade joins the front where no point beats it, with the
time and energy that an owner's attempt takes on average in place of those of both branches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import Any

import numpy as np

from tinysearch.app.building.branches import branches_of_document
from tinysearch.app.run.setup import Setup
from tinysearch.core.candidate import BranchSpec, Candidate, PlatformChoice
from tinysearch.core.evaluation import Evaluation
from tinysearch.core.execution import CASCADE
from tinysearch.core.objectives import FAR_OF_OBJECTIVE, objective_of, recorded_value
from tinysearch.core.platform import BoardOption
from tinysearch.core.task import Task
from tinysearch.metrics import effective_latency_s
from tinysearch.metrics.cascade import SURE
from tinysearch.search.known.pareto import is_nondominated
from tinysearch.search.result import SearchResult
from tinysearch.search.study.recorder import candidate_attributes, rate_attributes
from tinysearch.search.study.storage import constraint_attributes

MOST_PAIRS = 64
"""So many pairs are priced, those of the best branches: each costs a measurement over all pairs of people."""


def cascades(setup: Setup, result: SearchResult, *, far: float | None) -> tuple[Evaluation, ...]:
    """Cascades that belong on the front of a search; recorded as trials of its study, which pays no training for them.

    Args:
        far: of the operating point.
    """
    if setup.cascade_errors is None or "eer" not in result.knowledge.objectives.metrics:
        return ()
    found = [each for pair in _pairs(setup, result) for each in _evaluations(setup, pair, far=far)]
    names = result.knowledge.objectives.names
    kept = found
    for shown in (False, True):  # as fronts are chosen: by validation people, then by what readers see
        values = [list((point.shown if shown else point.values).values()) for point in result.points]
        values += [_values(each, names, shown=shown) for each in kept]
        alive = is_nondominated(np.reshape(values, (-1, len(names))))[len(result.points) :]
        kept = [each for each, stays in zip(kept, alive, strict=True) if stays]
    _record(setup, result, kept, names)
    return tuple(kept)


def cascade_of_document(task: Task, point: Mapping[str, Any]) -> Candidate | None:
    """The candidate of a point of front.json that became a cascade after its search; None for any other point."""
    platform = point["platform"]
    if platform.get("fusion") != "cascade":
        return None
    return Candidate(
        branches=branches_of_document(task, point),
        platform=PlatformChoice(
            processor=platform["chip"],
            flash_bytes=platform["flash_bytes"],
            psram_bytes=platform["psram_bytes"],
            board=platform["board"],
            execution=CASCADE,
        ),
    )


def _pairs(setup: Setup, result: SearchResult) -> list[tuple[BranchSpec, ...]]:
    """Pairs of known branches that the space combines, the ones of the smallest errors."""
    knowledge = result.knowledge
    known = {
        branch: float(knowledge.branch_metrics[i, 0])
        for i, branch in enumerate(knowledge.table.branches)
        if knowledge.known[i]
    }
    pairs = [
        pair
        for names in setup.space.combinations
        if len(names) == 2
        for pair in product(*([branch for branch in known if branch.modality == name] for name in sorted(names)))
    ]
    return sorted(pairs, key=lambda pair: known[pair[0]] * known[pair[1]])[:MOST_PAIRS]


def _evaluations(setup: Setup, pair: tuple[BranchSpec, ...], *, far: float | None) -> Iterator[Evaluation]:
    """The pair as a cascade on the cheapest board of every chip that carries it."""
    assert setup.cascade_errors is not None  # noqa: S101 - the caller asked
    rates = setup.cascade_errors.error_rates(pair)
    if far is not None and rates.thresholds.get(far, 0) >= SURE:  # where it operates, only the first branch accepts
        return
    models, chips = setup.models.executing(CASCADE), setup.space.processors
    boards: dict[str, list[BoardOption]] = {}
    for option in models.board_options([branch.modality for branch in pair]):
        if chips is None or {option.processor, option.family} & set(chips):
            boards.setdefault(option.processor, []).append(option)
    for options in boards.values():
        for option in sorted(options, key=lambda each: (each.price_usd(models.price_level), each.id)):
            evaluation = models.evaluate(pair, option)
            if evaluation.feasible:
                found = setup.evaluate(evaluation.candidate, rates, far=far)
                if found.feasible:
                    yield found
                break


def _values(evaluation: Evaluation, names: Sequence[str], *, shown: bool) -> list[float]:
    """Objectives of a cascade as recorded, with means over an owner's attempts; NaN where one is not known."""
    rates, means = evaluation.errors, evaluation.cascade
    assert means is not None  # noqa: S101 - of a cascade
    values = evaluation.values() | {
        "eer": rates.eer if shown else rates.decision_eer,
        "latency_s": means.latency_s,
        "energy_mj": means.energy_mj,
    }
    for name, level in FAR_OF_OBJECTIVE.items():
        frr = (rates.frr_at_far if shown else rates.decision_frr_at_far).get(level)
        attempt_s = means.acquisition_s + means.latency_s
        values[name] = None if frr is None else float(effective_latency_s(attempt_s, frr))
    found = [recorded_value(name, values[objective_of(name)]) for name in names]
    return [float("nan") if value is None else float(value) for value in found]


def _record(setup: Setup, result: SearchResult, kept: Sequence[Evaluation], names: Sequence[str]) -> None:
    """Have cascades among the trials of the study, each once however often the run goes on."""
    from optuna.trial import create_trial

    assessor = setup.problem.assessor
    rules = () if assessor is None else assessor.rules
    there = {trial.user_attrs.get("id") for trial in result.study.get_trials(deepcopy=False)}
    for evaluation in kept:
        candidate = evaluation.candidate
        if candidate.id in there:
            continue
        trial = create_trial(
            values=_values(evaluation, names, shown=False),
            user_attrs={"kind": "completion", "feasible": True}
            | candidate_attributes(candidate)
            | rate_attributes(evaluation.errors),
            system_attrs=constraint_attributes([0.0] * len(rules)),
        )
        trial.datetime_start = datetime.now()
        result.study.add_trial(trial)
