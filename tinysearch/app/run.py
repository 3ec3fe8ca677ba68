"""The main job: search, then front, firmware and report, all in one run directory that can be resumed."""

from __future__ import annotations

import hashlib
import json
import logging
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinysearch.app import run_dir as files
from tinysearch.app.artifacts import publish
from tinysearch.app.config import hide_passwords
from tinysearch.app.designs import build_designs
from tinysearch.app.resources import processors
from tinysearch.app.training import build_errors, build_finalists, fusion_of, task_error
from tinysearch.app.warm_start import warm_start_of
from tinysearch.app.wiring import Config, build_models, build_space
from tinysearch.core.candidate import BranchSpec, Candidate
from tinysearch.core.errors import UserError
from tinysearch.core.objectives import ERROR_OBJECTIVES, ErrorEvidence, ErrorRates, Evaluation, check_objectives
from tinysearch.core.platform import BoardOption
from tinysearch.core.protocols import ErrorModel
from tinysearch.core.units import parse_duration
from tinysearch.evaluation.analytic import AnalyticModels
from tinysearch.search.events import EventCallback
from tinysearch.search.events import ignore as ignore_events
from tinysearch.search.loop import SearchOptions, SearchProblem
from tinysearch.search.loop import search as run_search
from tinysearch.search.result import SearchResult
from tinysearch.search.shared import SharedStudy

if TYPE_CHECKING:
    from tinysearch.firmware.verify import Rung

logger = logging.getLogger(__name__)

Say = Callable[[str], None]
FIRST_ANSWER_S = 540.0
"""Training over all workers that ``training_time=auto`` allows: on two processors an answer within ten minutes."""

_PACKAGES = ("tinysearch", "torch", "optuna", "numpy", "scikit-learn", "pymoo")


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """What a search leaves behind.

    Attributes:
        folder: the run directory.
        evaluations: of the front, in its order; ``documents`` the same as front.json has them.
        rungs: verification of each emitted point by id.
        storage: address of the study's database without its password; None where it is the run's journal.
    """

    folder: Path
    evaluations: tuple[Evaluation, ...]
    documents: tuple[dict[str, Any], ...]
    result: SearchResult
    rungs: Mapping[str, Sequence[Rung]] = field(default_factory=dict)
    storage: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setup:
    """Everything that a configuration stands for, built once."""

    config: Config
    models: AnalyticModels
    errors: ErrorModel
    objectives: tuple[str, ...]
    problem: SearchProblem
    options: SearchOptions

    def option(self, candidate: Candidate) -> BoardOption:
        """The board of a candidate."""
        modalities = [branch.modality for branch in candidate.branches]
        return self.models.catalog.board_option(candidate.platform.board, modalities)

    def evaluate(self, candidate: Candidate, rates: ErrorRates) -> Evaluation:
        """Full evaluation of a candidate with its error rates."""
        return replace(self.models.evaluate(candidate.branches, self.option(candidate)), errors=rates)


def set_up(config: Config) -> Setup:
    """Build the objects of a search.

    Raises:
        UserError: anything wrong with the configuration, or nothing feasible within the budget.
    """
    models, space = build_models(config), build_space(config)
    objectives = objectives_of(config)
    _check_task(config, objectives)
    _check_numbers(config)
    n_workers = workers_of(config)
    errors = build_errors(config, threads=_threads(config, n_workers))
    finalists = build_finalists(config, errors, threads=_threads(config, n_workers))
    designs = build_designs(models, space, has=getattr(errors, "has", None))
    if not errors.needs_training:
        for branch in designs.table.branches:
            errors.knows(branch)  # refuses what it never will know, before a run directory has rules of its own
    if len(objectives) < len(config["objectives"]["names"]):
        logger.warning("trainer=none knows no error rates; searching %s only", ", ".join(objectives))
    setup = Setup(
        config=config,
        models=models,
        errors=finalists or errors,
        objectives=objectives,
        problem=SearchProblem(
            table=designs.table,
            flat=designs.flat,
            objectives=objectives,
            error_model=errors,
            finalists=finalists,
            warm_start=warm_start_of(config.get("warm_start"), designs.table.branches),
            assessor=designs.assessor,
            rules=_rules(config, models, errors, space_digest=space.digest),
        ),
        options=_options(config, n_workers, evidence=errors.evidence),
    )
    return replace(setup, problem=replace(setup.problem, describe=lambda c: _describe(setup, c)))


def objectives_of(config: Config) -> tuple[str, ...]:
    """The objectives that a search can have: without a trainer those that need error rates fall away."""
    names = check_objectives(config["objectives"]["names"])
    if config["trainer"]["name"] != "none":
        return names
    return check_objectives([name for name in names if name not in ERROR_OBJECTIVES])


def _check_task(config: Config, objectives: Sequence[str]) -> None:
    """Refuse objectives that a classification cannot have: it accepts and rejects nobody."""
    retried = [name for name in objectives if name in ERROR_OBJECTIVES and name != "eer"]
    if task_error(config) == "classification" and retried:
        raise UserError(
            "effective latency is that of a verification",
            value=f"{retried[0]} with task={config['task']['name']}",
            remedy="write objectives=[eer,bom_cost_usd,latency_s]",
        )


def workers_of(config: Config) -> int:
    """How many trainings run at once: as configured, or one a processor for trainings, one for everything else.

    Raises:
        UserError: not a positive whole number.
    """
    wanted = config["n_workers"]
    if wanted == "auto":
        trains = config["trainer"]["name"] not in ("table", "published", "none")
        return processors() if trains else 1
    if not isinstance(wanted, int) or wanted < 1:
        raise UserError("n_workers is auto or a positive whole number", value=wanted, remedy="write n_workers=2")
    return wanted


def _threads(config: Config, n_workers: int) -> int | None:
    """Threads of one training: as many processors as Ray gives it, one beside others, else all."""
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
            raise UserError(f"{name} is a positive whole number", value=value, remedy=f"write {name}=40")
    if not isinstance(config["seed"], int) or config["seed"] < 0:
        raise UserError("seed is a whole number from 0", value=config["seed"], remedy="write seed=0")


def _options(config: Config, n_workers: int, *, evidence: ErrorEvidence) -> SearchOptions:
    sampler = dict(config["sampler"])
    return SearchOptions(
        sampler=sampler.pop("name"),
        sampler_options=sampler,
        n_trials=config["n_trials"],
        n_trainings=config["n_trainings"],
        training_s=_training_s(config["training_time"], evidence=evidence),
        timeout_s=None if config["timeout"] is None else parse_duration(config["timeout"]),
        seed=config["seed"],
        engine=config["engine"],
        engine_options=config["ray"] if config["engine"] == "ray" else {},
        n_workers=n_workers,
        shared=_shared(config),
    )


def _training_s(value: Any, *, evidence: ErrorEvidence) -> float | None:
    """Seconds of training behind an answer; ``auto`` limits only what is really trained."""
    if value == "auto":
        return FIRST_ANSWER_S if evidence == "trained" else None
    return None if value is None else parse_duration(value)


def _rules(config: Config, models: AnalyticModels, errors: ErrorModel, *, space_digest: str) -> dict[str, str]:
    """What a resumed run may not change: short settings as they are spelled, everything else as a digest."""
    spelled = {name: str(config[name]) for name in ("price_level", "flash", "memory")}
    budget = "none" if models.budget_usd is None else f"{models.budget_usd:.6g} usd"
    backend = config.get("firmware", {}).get("backend", "portable")
    memo = getattr(errors, "memo", None)
    table = config["trainer"].get("path")
    fusion = fusion_of(config)
    return {
        # only where it is not the default, so that runs from before there was a choice go on
        **({"fusion": _digest(fusion)} if fusion["rule"] != "concatenation" else {}),
        "space": space_digest,
        "task": _digest(config["task"]),
        "catalog": models.catalog.digest[:16],
        "budget": budget,
        **spelled,
        # only where it is not the default, as with fusion
        **({"backend": str(backend)} if backend != "portable" else {}),
        "latency": _digest(config["latency"]),
        "data": str(memo.key) if memo is not None else _file_digest(table),
        "trainer": str(config["trainer"]["name"]),
    }


def _digest(value: object) -> str:
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


def run(config: Config, *, on_event: EventCallback = ignore_events, say: Say = logger.info) -> FinishedRun:
    """Search, write the front, emit and verify firmware, write the report.

    Args:
        config: composed configuration, plain.
        on_event: watches the search.
        say: told what happens after the search, one line at a time.
    """
    from tinysearch.app.firmware import backend_of, top_of
    from tinysearch.app.report import check_options

    started = time.time()
    check_options(config)
    backend_of(config)
    top_of(config, evidence="none", available=0)
    setup = set_up(config)
    folder = files.make_run_dir(config["run_dir"])
    result = run_search(setup.problem, setup.options, run_dir=folder, on_event=on_event)
    files.write_config(folder, config)
    evaluations = tuple(setup.evaluate(point.candidate, point.rates) for point in result.points)
    _keep_models(setup, evaluations, folder)
    documents = [evaluation.to_dict() for evaluation in evaluations]
    finish = _Finish(setup=setup, folder=folder, result=result, evaluations=evaluations, documents=documents, say=say)
    finish.write_front()
    # Somebody who interrupts does not want to wait for compilers; the next run emits what is missing.
    rungs = {} if result.interrupted else finish.emit()
    finish.write_front()
    finish.write_rest(started, rungs)
    return FinishedRun(
        folder=folder,
        evaluations=evaluations,
        documents=tuple(documents),
        result=result,
        rungs=rungs,
        storage=hide_passwords(config["storage"]) if config["storage"] else None,
    )


def _keep_models(setup: Setup, evaluations: Sequence[Evaluation], folder: Path) -> None:
    memo = getattr(setup.errors, "memo", None)
    if memo is None:
        return
    branches: dict[BranchSpec, None] = dict.fromkeys(b for e in evaluations for b in e.candidate.branches)
    for branch in branches:
        files.copy_model(memo.folder(branch), folder, branch.key)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Finish:
    """What follows the search, in the order in which a user would miss it: front, firmware, tables, report."""

    setup: Setup
    folder: Path
    result: SearchResult
    evaluations: Sequence[Evaluation]
    documents: list[dict[str, Any]]
    say: Say

    def write_front(self) -> None:
        files.write_front(
            self.folder,
            budget_usd=self.setup.models.budget_usd,
            objectives=self.setup.objectives,
            points=self.documents,
        )

    def emit(self) -> dict[str, Sequence[Rung]]:
        """Firmware of the points asked for, verified; the documents learn where it lies."""
        from tinysearch.app.firmware import emit_front

        rungs = emit_front(self.setup, self.evaluations, self.folder / "firmware", say=self.say)
        for document in self.documents:
            if document["id"] in rungs:
                document["firmware"] = f"firmware/{document['id']}"
        return rungs

    def write_rest(self, started: float, rungs: Mapping[str, Sequence[Rung]]) -> None:
        from tinysearch.app.report import write_report, write_report_data

        files.write_trials(self.folder, self.result.study)
        files.write_json(self.folder / files.MANIFEST, self._manifest(started, rungs))
        write_report_data(self.setup, self.result, self.evaluations, self.folder)
        write_report(self.folder)
        publish(self.result.study, self.folder, self.evaluations, self.documents)

    def _manifest(self, started: float, rungs: Mapping[str, Sequence[Rung]]) -> dict[str, Any]:
        rules = dict(self.setup.problem.rules)
        return {
            "schema": files.SCHEMA,
            "versions": {name: _version(name) for name in _PACKAGES} | {"python": platform.python_version()},
            "machine": {"system": platform.platform(), "processors": processors()},
            "seed": self.setup.options.seed,
            "rules": rules,
            "digest": _digest(rules),
            "search": {
                "reason": self.result.reason,
                "trials": self.result.trials,
                "trainings": self.result.trainings,
                "training_s": round(self.result.training_s, 3),
                "hypervolume": self.result.hypervolume,
            },
            "wall_s": round(time.time() - started, 3),
            "designs": len(self.setup.problem.table),
            "verify": {name: [rung.to_dict() for rung in found] for name, found in rungs.items()},
            "evidence": self.setup.errors.evidence,
        }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
