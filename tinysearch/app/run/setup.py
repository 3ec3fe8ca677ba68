"""Everything that a configuration stands for: models, designs, error rates, the problem and how it is searched."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tinysearch.app.building.designs import build_designs
from tinysearch.app.building.errors import build_cascade_errors, build_errors, build_finalists
from tinysearch.app.building.spaces import build_space
from tinysearch.app.building.wiring import Config, build_models
from tinysearch.app.run.asked import asked_before
from tinysearch.app.run.settings import SearchSettings, digest_of, file_digest, search_settings
from tinysearch.app.run.warm_start import warm_start_of
from tinysearch.core.candidate import BranchSpec, Candidate
from tinysearch.core.error_rates import ErrorEvidence, ErrorRates
from tinysearch.core.errors import UserError
from tinysearch.core.evaluation import Evaluation
from tinysearch.core.limits import Limit
from tinysearch.core.objectives import recorded_name
from tinysearch.core.platform import BoardOption
from tinysearch.evaluation.analytic import AnalyticModels
from tinysearch.evaluation.operating import rated
from tinysearch.evaluation.source import ErrorSource
from tinysearch.search.known.objective_values import ObjectiveVector
from tinysearch.search.loop import SearchOptions, StudyProblem
from tinysearch.space import Space

logger = logging.getLogger(__name__)

FIRST_ANSWER_S = 540.0
"""Training over all workers that ``training_time=auto`` allows: on two processors an answer within ten minutes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setup:
    """Everything that a configuration stands for, built once.

    Attributes:
        space: what is searched in.
        cascade_errors: rates of the same branches as cascades; None where the space has none.
    """

    models: AnalyticModels
    errors: ErrorSource
    settings: SearchSettings
    problem: StudyProblem
    options: SearchOptions
    space: Space
    cascade_errors: ErrorSource | None = None

    def rates(self, candidate: Candidate) -> ErrorRates:
        """Error rates of a candidate whose branches are known, by its rule of fusion.

        Raises:
            UserError: a cascade, and the configuration has none.
        """
        if not candidate.platform.execution.cascade:
            return self.errors.error_rates(candidate.branches)
        if self.cascade_errors is None:
            raise UserError(
                "a cascade must be of a search that has them",
                value=candidate.id,
                remedy="add space.fusion_rules=[concatenation,cascade]",
            )
        return self.cascade_errors.error_rates(candidate.branches)

    def option(self, candidate: Candidate) -> BoardOption:
        """The board of a candidate."""
        return self.models.board_option(candidate.platform.board, [branch.modality for branch in candidate.branches])

    def evaluate(self, candidate: Candidate, rates: ErrorRates, *, far: float | None = None) -> Evaluation:
        """Full evaluation of a candidate with its error rates; ``far`` is that of the operating point."""
        found = self.models.executing(candidate.platform.execution).evaluate(candidate.branches, self.option(candidate))
        return rated(found, rates, far=far, limits=self.models.limits)


def set_up(config: Config) -> Setup:
    """Build the objects of a search.

    Raises:
        UserError: anything wrong with the configuration, or nothing feasible within the budget.
    """
    began = time.monotonic()
    models, space, settings = build_models(config), build_space(config), search_settings(config)
    limits = tuple(limit for limit in models.limits if limit.is_error)
    _check_limits(limits, settings.objectives)
    errors = build_errors(config, threads=settings.threads)
    finalists = build_finalists(config, errors, threads=settings.threads)
    designs = build_designs(
        models, space, has=errors.has if errors.evidence == "table" else None, tick=_deadline(settings, began)
    )
    _check_rates(errors, designs.table.branches, settings.objectives)
    if settings.dropped:
        logger.warning("trainer=none knows no error rates; searching %s only", ", ".join(settings.objectives))
    if settings.trainer == "table" and any(options.has_sizes for options in space.options.values()):
        logger.warning(
            "a table has no columns for widths, input sizes and embeddings; all get their layout's error rates"
        )
    data = "+".join(memo.key for memo in errors.memos) or file_digest(config["trainer"].get("path"))
    rules = _rules(settings, models, space_digest=space.digest, data=data)
    setup = Setup(
        models=models,
        errors=finalists or errors,
        settings=settings,
        problem=StudyProblem(
            table=designs.table,
            flat=designs.flat,
            objectives=tuple(recorded_name(name) for name in settings.objectives),
            limits=limits,
            error_model=errors,
            finalists=finalists,
            warm_start=warm_start_of(settings.warm_start, designs.table.branches),
            assessor=designs.assessor,
            rules=rules,
        ),
        options=_options(settings, _training_limits(settings, errors.evidence, question=digest_of(rules))),
        space=space,
        cascade_errors=build_cascade_errors(space.fusion_rules, finalists or errors),
    )
    return replace(
        setup,
        problem=replace(setup.problem, describe=lambda c: _describe(setup, c)),
        options=replace(setup.options, spent_s=time.monotonic() - began),
    )


def _deadline(settings: SearchSettings, began: float) -> Callable[[], None]:
    """Raises when the time of a run is over before its search begins."""
    end = began + settings.timeout_s

    def tick() -> None:
        if time.monotonic() > end:
            raise UserError(
                "a run must have time to build its space, and then to search it",
                value=f"timeout={settings.timeout}, and the space is not built yet",
                remedy="write a longer timeout, or choose a smaller space",
            )

    return tick


def _check_limits(limits: Sequence[Limit], objectives: Sequence[str]) -> None:
    """Refuse a limit of an error that the search does not look at."""
    for limit in limits:
        if limit.objective not in objectives:
            raise UserError(
                f"{limit.option} must limit an objective of the search",
                value=f"objectives=[{','.join(objectives)}]",
                remedy=f"add {limit.objective} to objectives, or leave the limit out",
            )


def _check_rates(errors: ErrorSource, branches: Sequence[BranchSpec], objectives: Sequence[str]) -> None:
    """Refuse what is looked up and will never be known, before a run directory has rules of its own."""
    if not errors.needs_training:
        for branch in branches:
            errors.knows(branch)
    elif errors.evidence == "table":
        vector = ObjectiveVector(objectives)
        for branch in branches:
            if errors.has([branch]):
                vector.metrics_of(errors.error_rates([branch]))


def _options(settings: SearchSettings, training: _TrainingLimits) -> SearchOptions:
    return SearchOptions(
        sampler=settings.sampler.name,
        sampler_factory=settings.sampler.factory,
        sampler_options=settings.sampler.options,
        n_trials=settings.n_trials,
        n_trainings=settings.n_trainings,
        training_s=training.own_s,
        answer_s=training.answer_s,
        timeout_s=settings.timeout_s if settings.timeout_s < math.inf else None,
        seed=settings.seed,
        engine=settings.engine,
        engine_options=settings.engine_options,
        n_workers=settings.n_workers,
        shared=settings.shared,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _TrainingLimits:
    """Seconds that a run may train itself, and seconds behind its answer with what is remembered; None for no limit."""

    own_s: float | None = None
    answer_s: float | None = None


def _training_limits(settings: SearchSettings, evidence: ErrorEvidence, *, question: str) -> _TrainingLimits:
    """What ``training_time`` stands for; ``auto`` limits only what is really trained."""
    if settings.training_time != "auto":
        return _TrainingLimits(own_s=settings.training_time)
    if evidence != "trained":
        return _TrainingLimits()
    if asked_before(settings.cache, question):
        return _TrainingLimits(own_s=FIRST_ANSWER_S)
    return _TrainingLimits(answer_s=FIRST_ANSWER_S)


def _rules(settings: SearchSettings, models: AnalyticModels, *, space_digest: str, data: str) -> dict[str, str]:
    """What a resumed run may not change."""
    return {
        **settings.rules,
        "space": space_digest,
        "catalog": models.catalog.digest[:16],
        "budget": "none" if models.budget_usd is None else f"{models.budget_usd:.6g} usd",
        "data": data,
        **{limit.option: f"{limit.bound:.6g}" for limit in models.limits},
    }


def _describe(setup: Setup, candidate: Candidate) -> dict[str, Any]:
    """What a trial tells people of its board."""
    option = setup.option(candidate)
    level = setup.models.price_level
    return {
        "board_name": option.name,
        "bom": {item.name: round(item.price.at(level), 4) for item in option.items},
        "params": {b.modality: setup.models.needs(b).params for b in candidate.branches},
    }
