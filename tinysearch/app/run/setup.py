"""Everything that a configuration stands for: models, designs, error rates, the problem and how it is searched."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tinysearch.app.building.designs import build_designs
from tinysearch.app.building.spaces import build_space
from tinysearch.app.building.training import build_errors, build_finalists, decision_of, far_of, fusion_of
from tinysearch.app.building.wiring import Config, build_models
from tinysearch.app.config.plugins import built_in, own_words, plugin
from tinysearch.app.config.resources import cache_dir, processors
from tinysearch.app.run.asked import asked_before
from tinysearch.app.run.warm_start import warm_start_of
from tinysearch.core.candidate import BranchSpec, Candidate
from tinysearch.core.error_rates import ErrorEvidence, ErrorRates
from tinysearch.core.errors import UserError
from tinysearch.core.evaluation import Evaluation
from tinysearch.core.limits import Limit
from tinysearch.core.objectives import ERROR_OBJECTIVES, FAR_OF_OBJECTIVE, check_objectives, recorded_name
from tinysearch.core.platform import BoardOption
from tinysearch.core.units import parse_duration
from tinysearch.evaluation.analytic import AnalyticModels
from tinysearch.evaluation.operating import rated
from tinysearch.evaluation.source import ErrorSource
from tinysearch.search.engines import check_engine
from tinysearch.search.known.objective_values import ObjectiveVector
from tinysearch.search.loop import SearchOptions, StudyProblem
from tinysearch.search.study.shared import SharedStudy

logger = logging.getLogger(__name__)

FIRST_ANSWER_S = 540.0
"""Training over all workers that ``training_time=auto`` allows: on two processors an answer within ten minutes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setup:
    """Everything that a configuration stands for, built once."""

    config: Config = field(repr=False)
    models: AnalyticModels
    errors: ErrorSource
    objectives: tuple[str, ...]
    problem: StudyProblem
    options: SearchOptions

    def option(self, candidate: Candidate) -> BoardOption:
        """The board of a candidate."""
        return self.models.board_option(candidate.platform.board, [branch.modality for branch in candidate.branches])

    def evaluate(self, candidate: Candidate, rates: ErrorRates, *, far: float | None = None) -> Evaluation:
        """Full evaluation of a candidate with its error rates; ``far`` is that of the operating point."""
        found = self.models.evaluate(candidate.branches, self.option(candidate))
        return rated(found, rates, far=far, limits=self.models.limits)


def set_up(config: Config) -> Setup:
    """Build the objects of a search.

    Raises:
        UserError: anything wrong with the configuration, or nothing feasible within the budget.
    """
    began = time.monotonic()
    models, space = build_models(config), build_space(config)
    objectives = objectives_of(config)
    _check_task(config, objectives)
    _check_far(config, objectives)
    limits = tuple(limit for limit in models.limits if limit.is_error)
    _check_limits(limits, objectives)
    _check_numbers(config)
    n_workers = workers_of(config)
    errors = build_errors(config, threads=_threads(config, n_workers))
    finalists = build_finalists(config, errors, threads=_threads(config, n_workers))
    designs = build_designs(
        models, space, has=errors.has if errors.evidence == "table" else None, tick=_deadline(config, began)
    )
    _check_rates(errors, designs.table.branches, objectives)
    if len(objectives) < len(config["objectives"]["names"]):
        logger.warning("trainer=none knows no error rates; searching %s only", ", ".join(objectives))
    if config["trainer"]["name"] == "table" and any(options.has_sizes for options in space.options.values()):
        logger.warning(
            "a table has no columns for widths, input sizes and embeddings; all get their layout's error rates"
        )
    rules = _rules(config, models, errors, space_digest=space.digest)
    setup = Setup(
        config=config,
        models=models,
        errors=finalists or errors,
        objectives=objectives,
        problem=StudyProblem(
            table=designs.table,
            flat=designs.flat,
            objectives=tuple(recorded_name(name) for name in objectives),
            limits=limits,
            error_model=errors,
            finalists=finalists,
            warm_start=warm_start_of(config.get("warm_start"), designs.table.branches),
            assessor=designs.assessor,
            rules=rules,
        ),
        options=_options(config, n_workers, _training_limits(config, errors.evidence, question=digest_of(rules))),
    )
    return replace(
        setup,
        problem=replace(setup.problem, describe=lambda c: _describe(setup, c)),
        options=replace(setup.options, spent_s=time.monotonic() - began),
    )


def _deadline(config: Config, began: float) -> Callable[[], None]:
    """Raises when the time of a run is over before its search begins."""
    timeout = config["timeout"]
    end = math.inf if timeout is None else began + parse_duration(timeout)

    def tick() -> None:
        if time.monotonic() > end:
            raise UserError(
                "a run must have time to build its space, and then to search it",
                value=f"timeout={timeout}, and the space is not built yet",
                remedy="write a longer timeout, or choose a smaller space",
            )

    return tick


def objectives_of(config: Config) -> tuple[str, ...]:
    """The objectives that a search can have: without a trainer those that need error rates fall away."""
    names = check_objectives(config["objectives"]["names"])
    if config["trainer"]["name"] != "none":
        return names
    return check_objectives([name for name in names if name not in ERROR_OBJECTIVES])


def _check_task(config: Config, objectives: Sequence[str]) -> None:
    """Refuse objectives that a classification cannot have: it accepts and rejects nobody."""
    retried = [name for name in objectives if name in ERROR_OBJECTIVES and name != "eer"]
    if decision_of(config) != "verification" and retried:
        raise UserError(
            "an effective latency must be that of a verification",
            value=f"{retried[0]} with task={config['task']['name']}",
            remedy="write objectives=[eer,bom_cost_usd,latency_s]",
        )


def _check_far(config: Config, objectives: Sequence[str]) -> None:
    """Refuse objectives at a false accept rate for which no threshold is set."""
    if not trains(config):
        return
    for name in objectives:
        far = FAR_OF_OBJECTIVE.get(name)
        if far is not None and far not in far_of(config):
            raise UserError(
                f"far must list the rate that objective {name} needs, {far:g}",
                value=f"far={config['far']}",
                remedy="add it to far",
            )


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


def trains(config: Config) -> bool:
    """Whether error rates are measured on networks that are trained here."""
    return config["trainer"]["name"] not in own_words("trainers")


def workers_of(config: Config) -> int:
    """How many trainings run at once: as configured, or one a processor for trainings, one for everything else.

    Raises:
        UserError: not a positive whole number.
    """
    wanted = config["n_workers"]
    if wanted == "auto":
        return processors() if trains(config) else 1
    if not isinstance(wanted, int) or wanted < 1:
        raise UserError("n_workers must be auto or a positive whole number", value=wanted, remedy="write n_workers=2")
    return wanted


def _threads(config: Config, n_workers: int) -> int | None:
    """Threads of one training: Ray's share of processors, one where others train beside it, else all (None)."""
    if config["engine"] == "ray":
        cpus = config["ray"]["num_cpus"]
        return max(1, int(cpus)) if isinstance(cpus, int | float) else None
    return 1 if n_workers > 1 else None


def _shared(config: Config) -> SharedStudy | None:
    """The study in a database, if one is configured."""
    if config["storage"] is None:
        return None
    return SharedStudy(
        url=str(config["storage"]), name=str(config["study"]), expire_s=parse_duration(config["claims_expire"])
    )


def _check_numbers(config: Config) -> None:
    """Refuse a wrong number before data are read and models are built."""
    for name in ("n_trials", "n_trainings"):
        value = config[name]
        if value is not None and (not isinstance(value, int) or value < 1):
            raise UserError(f"{name} must be a positive whole number", value=value, remedy=f"write {name}=40")
    check_engine(config["engine"])


def _own_settings(config: Config) -> dict[str, Any]:
    """What a sampler of one's own is given."""
    settings = config["sampler"].get("settings", {})
    if not isinstance(settings, dict):
        raise UserError(
            "sampler.settings must be options by name", value=settings, remedy="write sampler.settings.NAME=VALUE"
        )
    return settings


def _options(config: Config, n_workers: int, training: _TrainingLimits) -> SearchOptions:
    sampler = {
        key: value for key, value in config["sampler"].items() if key != "name" and (key, value) != ("settings", {})
    }
    name, own = str(config["sampler"]["name"]), None
    if not built_in("samplers", name):
        own, sampler = plugin("samplers", name), _own_settings(config)
    return SearchOptions(
        sampler=name,
        sampler_factory=own,
        sampler_options=sampler,
        n_trials=config["n_trials"],
        n_trainings=config["n_trainings"],
        training_s=training.own_s,
        answer_s=training.answer_s,
        timeout_s=None if config["timeout"] is None else parse_duration(config["timeout"]),
        seed=config["seed"],
        engine=config["engine"],
        engine_options=config["ray"] if config["engine"] == "ray" else {},
        n_workers=n_workers,
        shared=_shared(config),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _TrainingLimits:
    """Seconds that a run may train itself, and seconds behind its answer with what is remembered; None for no limit."""

    own_s: float | None = None
    answer_s: float | None = None


def _training_limits(config: Config, evidence: ErrorEvidence, *, question: str) -> _TrainingLimits:
    """What ``training_time`` stands for; ``auto`` limits only what is really trained."""
    value = config["training_time"]
    if value != "auto":
        return _TrainingLimits(own_s=None if value is None else parse_duration(value))
    if evidence != "trained":
        return _TrainingLimits()
    if asked_before(cache_dir(config["cache"]["dir"]), question):
        return _TrainingLimits(own_s=FIRST_ANSWER_S)
    return _TrainingLimits(answer_s=FIRST_ANSWER_S)


def _rules(config: Config, models: AnalyticModels, errors: ErrorSource, *, space_digest: str) -> dict[str, str]:
    """What a resumed run may not change: short settings as they are spelled, everything else as a digest."""
    spelled = {name: str(config[name]) for name in ("price_level", "build", "quantity", "flash", "memory")}
    return {
        "space": space_digest,
        "task": digest_of(config["task"]),
        "catalog": models.catalog.digest[:16],
        "budget": "none" if models.budget_usd is None else f"{models.budget_usd:.6g} usd",
        **spelled,
        "latency": digest_of(_by_content(config["latency"])),
        "backend": str(config["firmware"]["backend"]),
        "backend settings": digest_of(config["firmware"]["settings"]),
        "data": "+".join(memo.key for memo in errors.memos) or _file_digest(config["trainer"].get("path")),
        "trainer": str(config["trainer"]["name"]),
        "fusion": digest_of(fusion_of(config)),
        **_added_rules(config, models),
    }


def _added_rules(config: Config, models: AnalyticModels) -> dict[str, str]:
    """Rules that came later: only where they are used, so that earlier runs go on."""
    battery = config.get("battery", {})
    limits = {limit.option: f"{limit.bound:.6g}" for limit in models.limits}
    if battery.get("part") is None:
        return limits
    return {"battery": f"{battery['part']}{', in the bill' if battery.get('in_bill') else ''}", **limits}


def _by_content(latency: Mapping[str, Any]) -> dict[str, Any]:
    """The options of the latency model, a table by what it holds, wherever it lies."""
    table = latency["table"]
    return dict(latency) if table is None else {**latency, "table": _file_digest(table)}


def digest_of(value: object) -> str:
    """Digest of a value made of plain ones (16 hex digits)."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _file_digest(path: str | None) -> str:
    return "none" if path is None else hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]


def _describe(setup: Setup, candidate: Candidate) -> dict[str, Any]:
    """What a trial tells people of its board."""
    option = setup.option(candidate)
    level = setup.models.price_level
    return {
        "board_name": option.name,
        "bom": {item.name: round(item.price.at(level), 4) for item in option.items},
        "params": {b.modality: setup.models.needs(b).params for b in candidate.branches},
    }
