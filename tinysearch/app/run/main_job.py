"""The main job: search, then front, firmware and report, all in one run directory that can be resumed."""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from tinysearch.app.building.decision import far_of
from tinysearch.app.building.training import borrow_kept
from tinysearch.app.building.wiring import Config
from tinysearch.app.config.resources import processors
from tinysearch.app.run import run_dir as files
from tinysearch.app.run.artifacts import publish
from tinysearch.app.run.asked import remember_asked
from tinysearch.app.run.cascades import cascades
from tinysearch.app.run.emit_settings import EmitSettings, built_settings
from tinysearch.app.run.firmware import emit_front
from tinysearch.app.run.report import ReportSettings, report_settings, write_report, write_report_data
from tinysearch.app.run.resumed import other_settings
from tinysearch.app.run.settings import digest_of
from tinysearch.app.run.setup import Setup, set_up
from tinysearch.app.run.watchers import watched
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import UserError
from tinysearch.core.evaluation import Evaluation
from tinysearch.core.safe_text import redacted
from tinysearch.distribution import DISTRIBUTION, version_of
from tinysearch.evaluation.operating import operating_far
from tinysearch.files import sweep
from tinysearch.firmware.verify import Rung
from tinysearch.search.events import EventCallback
from tinysearch.search.events import ignore as ignore_events
from tinysearch.search.loop import search as run_search
from tinysearch.search.result import SearchResult
from tinysearch.search.study.storage import JOURNAL, OtherRulesError, run_lock
from tinysearch.search.study.studies import readable_errors

logger = logging.getLogger(__name__)

Say = Callable[[str], None]
_PACKAGES = (DISTRIBUTION, "torch", "optuna", "numpy", "pymoo")


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
class JobSettings:
    """What a configuration says of a run around its search.

    Attributes:
        run_dir: as configured; None for a new one.
        events: name of the hook that watches; None for none.
        far: false accept rates of which one becomes the operating point's.
        keep_embeddings: whether those of people stay behind.
        storage: address of the study's database without its password; None where there is none.
        emission: how firmware is written.
        report: what its page shows.
    """

    run_dir: str | None
    events: str | None
    far: tuple[float, ...]
    keep_embeddings: bool
    storage: str | None
    emission: EmitSettings
    report: ReportSettings


def job_settings(config: Config) -> JobSettings:
    """Parse and check what a configuration says of a run around its search.

    Raises:
        UserError: anything wrong with it.
    """
    return JobSettings(
        run_dir=config["run_dir"],
        events=config.get("events"),
        far=far_of(config),
        keep_embeddings=bool(config.get("keep_embeddings", True)),
        storage=redacted(config["storage"]) if config["storage"] else None,
        emission=built_settings(config, of="a search"),
        report=report_settings(config),
    )


def _refuse_candidate(config: Config) -> None:
    """Refuse what names one candidate: a search takes its candidates from the space.

    Raises:
        UserError: something of a candidate is set.
    """
    for name, instead in (
        ("modality", "modalities"),
        ("branches", "layouts"),
        ("platform", "processors"),
    ):
        given = config[name]
        if given and not (isinstance(given, Mapping) and all(value is None for value in given.values())):
            raise UserError(
                "a search must take its candidates from the space; one candidate is for evaluate, train and emit",
                value=f"{name}={given}" if isinstance(given, str) else ", ".join(given) if name == "branches" else name,
                remedy=f"choose space.{instead} instead",
            )


def run(config: Config, *, on_event: EventCallback = ignore_events, say: Say = logger.info) -> FinishedRun:
    """Search, write the front, emit and verify firmware, write the report.

    Args:
        config: composed configuration, plain.
        on_event: watches the search.
        say: told what happens after the search, one line at a time.
    """
    started = time.time()
    _refuse_candidate(config)
    settings = job_settings(config)
    setup = set_up(config)
    folder = files.make_run_dir(settings.run_dir)
    with run_lock(folder):
        sweep(folder, depth=2)
        watching = watched(on_event, settings.events, folder)
        result = _searched(folder, setup, config, on_event=watching)
        return _finished(folder, setup, settings, result, started, say=say)


def _searched(folder: Path, setup: Setup, config: Config, *, on_event: EventCallback) -> SearchResult:
    """Search in a run directory that is locked.

    A run that is not resumed keeps the configuration that it was started with.

    Raises:
        UserError: the run was started under other rules; the message names the settings that differ.
    """
    resumed = all((folder / name).exists() for name in (files.CONFIG, JOURNAL))
    if not resumed:
        files.write_config(folder, config)
    borrow_kept(setup.problem.error_model, setup.problem.table.branches, folder)
    try:
        result = run_search(setup.problem, setup.options, run_dir=folder, locked=True, on_event=on_event)
    except OtherRulesError as error:
        raise other_settings(error, folder, config) from error
    if resumed:
        files.write_config(folder, config)
    return result


def _finished(
    folder: Path, setup: Setup, settings: JobSettings, result: SearchResult, started: float, *, say: Say
) -> FinishedRun:
    """Write everything that belongs into a run directory once its search is over."""
    far = operating_far((point.rates for point in result.points), settings.far)
    evaluations = tuple(setup.evaluate(point.candidate, point.rates, far=far) for point in result.points)
    if not result.interrupted:
        evaluations = _joined(evaluations, cascades(setup, result, far=far))
    _keep_models(setup, evaluations, folder, embeddings=settings.keep_embeddings)
    documents = [evaluation.to_dict() for evaluation in evaluations]
    finish = _Finish(
        setup=setup,
        settings=settings,
        folder=folder,
        result=result,
        far=far,
        evaluations=evaluations,
        documents=documents,
        say=say,
    )
    finish.write_front()
    # Somebody who interrupts does not want to wait for compilers; the next run emits what is missing.
    rungs = {} if result.interrupted else finish.emit()
    finish.write_front()
    with readable_errors(setup.options.shared):
        finish.write_rest(started, rungs)
    if not settings.keep_embeddings:
        _forget_people(setup)
    return FinishedRun(
        folder=folder,
        evaluations=evaluations,
        documents=tuple(documents),
        result=result,
        rungs=rungs,
        storage=settings.storage,
    )


def _joined(evaluations: Sequence[Evaluation], others: Sequence[Evaluation]) -> tuple[Evaluation, ...]:
    """Points and cascades by their error, which both have."""
    if not others:
        return tuple(evaluations)
    return tuple(sorted((*evaluations, *others), key=lambda each: each.errors.eer or 0.0))


def _keep_models(setup: Setup, evaluations: Sequence[Evaluation], folder: Path, *, embeddings: bool) -> None:
    branches: dict[BranchSpec, None] = dict.fromkeys(b for e in evaluations for b in e.candidate.branches)
    for memo, branch in product(setup.errors.memos, branches):
        if not memo.has(branch):  # read for the last time before it is copied
            logger.warning("%s is not kept with the run: what is remembered of it was damaged meanwhile", branch.short)
            continue
        files.copy_model(memo.folder(branch), folder, branch.key, embeddings=embeddings)


def _forget_people(setup: Setup) -> None:
    """Leave no embedding behind that this search, or an earlier one of the same data and trainer, has made."""
    for memo in setup.errors.memos:
        memo.forget_people()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Finish:
    """What follows the search, in the order in which a user would miss it: front, firmware, tables, report."""

    setup: Setup
    settings: JobSettings
    folder: Path
    result: SearchResult
    far: float | None
    evaluations: Sequence[Evaluation]
    documents: list[dict[str, Any]]
    say: Say

    def write_front(self) -> None:
        files.write_front(
            self.folder,
            budget_usd=self.setup.models.budget_usd,
            objectives=self.setup.settings.objectives,
            points=self.documents,
        )

    def emit(self) -> Mapping[str, Sequence[Rung]]:
        """Firmware of the points asked for, verified; the documents learn where it lies."""
        rungs = emit_front(self.setup, self.settings.emission, self.evaluations, self.folder / "firmware", say=self.say)
        for document in self.documents:
            if document["id"] in rungs:
                document["firmware"] = f"firmware/{document['id']}"
        return rungs

    def write_rest(self, started: float, rungs: Mapping[str, Sequence[Rung]]) -> None:
        files.write_trials(self.folder, self.result.study, operating_far=self.far)
        files.write_json(self.folder / files.MANIFEST, self._manifest(started, rungs))
        write_report_data(self.setup, self.settings.report, self.result, self.evaluations, self.folder, far=self.far)
        write_report(self.folder)
        if not self.result.interrupted:
            remember_asked(self.setup.settings.cache, digest_of(dict(self.setup.problem.rules)))
        publish(self.result.study, self.folder, self.evaluations, self.documents)

    def _manifest(self, started: float, rungs: Mapping[str, Sequence[Rung]]) -> dict[str, Any]:
        rules = dict(self.setup.problem.rules)
        return {
            "schema": files.SCHEMA,
            "versions": {name: version_of(name) for name in _PACKAGES} | {"python": platform.python_version()},
            "machine": {"system": platform.platform(), "processors": processors()},
            "seed": self.setup.options.seed,
            "rules": rules,
            "digest": digest_of(rules),
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
