"""The study loop: one coordinator asks a sampler, has branches trained, tells, and records."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import TinysearchError, UserError
from tinysearch.core.objectives import ErrorRates, check_objectives
from tinysearch.core.protocols import TrainingRecord
from tinysearch.search import storage
from tinysearch.search.assess import Assessor, TableAssessor, constraint_values
from tinysearch.search.design import NO_BRANCH
from tinysearch.search.engines import Engine, TrainingReport, make_engine
from tinysearch.search.events import EventCallback, ignore
from tinysearch.search.interrupts import Interrupts
from tinysearch.search.knowledge import Knowledge
from tinysearch.search.objective_values import ObjectiveVector
from tinysearch.search.problem import SearchOptions, SearchProblem
from tinysearch.search.progress import Progress
from tinysearch.search.recorder import Design, Recorder, TrialKind, TrialNote
from tinysearch.search.result import SearchResult, front_points
from tinysearch.search.samplers import Outcome, Proposal, Stop, StudySampler, Wait, make_sampler

__all__ = ["SearchOptions", "SearchProblem", "search"]

_LOGGER = logging.getLogger(__name__)

MOST_FAILURES = 3
"""So many trainings that fail one after the other, and none that succeeds, end the search with the last one's error."""

MOST_STALE = 1000
"""So many proposals one after the other that need no training and are not new end the search."""


def search(
    problem: SearchProblem,
    options: SearchOptions,
    *,
    run_dir: Path | None = None,
    on_event: EventCallback = ignore,
) -> SearchResult:
    """Search, or go on with the search of ``run_dir``.

    Args:
        run_dir: where journal.log lies or will lie; None keeps the study in memory.
        on_event: called from this thread for everything that happens; should return fast.

    Raises:
        UserError: no feasible design, unknown names, changed rules, a full disk, a trainer's complaint.
        TinysearchError: every training fails.
    """
    if not len(problem.table):
        raise UserError(
            "a search needs at least one feasible design", value="none", remedy="raise the budget or widen the space"
        )
    with ExitStack() as stack:
        if run_dir is not None:
            stack.enter_context(storage.run_lock(run_dir))
        interrupts = stack.enter_context(Interrupts())
        session = _Session(problem, options, run_dir, on_event, interrupts)
        try:
            session.run()
        except KeyboardInterrupt:
            session.interrupted = True
        finally:
            session.engine.close()
        return session.finish()


@dataclass(slots=True, kw_only=True, eq=False)
class _InFlight:
    """A proposal that waits for trainings."""

    proposal: Proposal
    design: Design
    started: datetime
    missing: set[int]
    records: list[TrainingRecord] = field(default_factory=list)
    error: str | None = None


class _Session:
    """The state of one run of :func:`search`."""

    def __init__(
        self,
        problem: SearchProblem,
        options: SearchOptions,
        run_dir: Path | None,
        on_event: EventCallback,
        interrupts: Interrupts,
    ) -> None:
        self.problem, self.options, self.interrupts = problem, options, interrupts
        self.objectives = ObjectiveVector(check_objectives(problem.objectives))
        self.assessor: Assessor = problem.assessor or TableAssessor(problem.table)
        self.knowledge = Knowledge(problem.table, self.objectives, self._rates_of)
        self.recorder = Recorder(problem.flat, problem.describe)
        self.study = storage.open_study(run_dir, objectives=self.objectives.names)
        storage.check_rules(self.study, {"objectives": ",".join(self.objectives.names)} | dict(problem.rules))
        self.sampler: StudySampler = make_sampler(
            options.sampler,
            flat=problem.flat,
            objectives=len(self.objectives.names),
            constraints=len(self.assessor.rules),
            seed=options.seed,
            options=options.sampler_options,
        )
        self.progress = Progress(self.knowledge, options.n_trials, options.timeout_s, on_event)
        self.engine: Engine = make_engine(
            options.engine,
            problem.error_model,
            n_workers=options.n_workers,
            on_progress=self._tick,
            options=options.engine_options,
        )
        self.in_flight: list[_InFlight] = []
        self.recorded: set[str] = set()
        self.told = 0
        self.trainings = 0
        self.training_s = 0.0
        self.reason = ""
        self.interrupted = False
        self._stale = 0
        self._failures = 0
        self._succeeded = False
        self._restore()

    def _rates_of(self, branches: Sequence[BranchSpec]) -> ErrorRates:
        return self.problem.error_model.error_rates(branches)

    def _restore(self) -> None:
        """Take up what earlier runs of this study found."""
        table, model = self.problem.table, self.problem.error_model
        by_key = {branch.key: i for i, branch in enumerate(table.branches)}
        known = [b.key for b in table.branches if model.knows(b)] if self.objectives.metrics else []
        at_hand = set(known)
        at_start = storage.known_at_start(self.study, known)
        self.knowledge.learn(i for key, i in by_key.items() if key in at_start & at_hand)
        trials = storage.finished_trials(self.study)
        for trial in trials:
            attributes = trial.user_attrs
            if attributes.get("kind") == "proposal":
                self.told += 1
            if trial.values is not None and attributes.get("feasible"):
                self.recorded.add(str(attributes.get("id")))
            self.trainings += len(attributes.get("trained", ()))
            # One at a time and in the order of then: the surrogate's decisions depend on it.
            for key, seconds in attributes.get("training_s", {}).items():
                self.training_s += seconds * (key in attributes.get("trained", ()))
                if key in by_key and (key in at_hand or self._answers(table.branches[by_key[key]])):
                    self.knowledge.seconds[by_key[key]] = seconds
                    self.knowledge.learn([by_key[key]])
        self.sampler.resume(trials)
        if trials:
            _LOGGER.info("going on with a study of %d trials", len(trials))

    def _answers(self, branch: BranchSpec) -> bool:
        """Whether a branch trained by an earlier run can still be answered; a table can, a deleted memo cannot."""
        try:
            self.problem.error_model.error_rates([branch])
        except Exception as error:
            _LOGGER.warning("%s was trained but is not remembered any more: %s", branch.short, error)
            return False
        return True

    def run(self) -> None:
        """Ask and tell until something ends it; leaves the reason in ``reason``."""
        self.progress.emit("started", self, message=f"{len(self.problem.table)} feasible designs")
        while True:
            self._fill()
            if self._should_stop():
                return
            if not self.in_flight:
                if self.reason:
                    return
                continue
            with self.interrupts.interruptible():
                reports = self.engine.wait(self._should_stop)
            for report in reports:
                self._take_report(report)
            self._tell_settled()

    def _should_stop(self) -> bool:
        if self.interrupts.requested:
            self.interrupted = True
        elif self.options.timeout_s is not None and self.progress.elapsed_s() >= self.options.timeout_s:
            self.reason = "the time is up"
        else:
            return False
        return True

    def _fill(self) -> None:
        """Ask for proposals while workers are idle and the limits allow."""
        while not self.reason and not self._should_stop():
            waiting = sum(len(item.missing) for item in self.in_flight)
            if waiting >= self.engine.n_workers:
                return
            if self.options.n_trials is not None and self.told + len(self.in_flight) >= self.options.n_trials:
                self.reason = f"all {self.options.n_trials} trials are done"
                return
            proposal = self.sampler.propose(self.knowledge, self._rng())
            if isinstance(proposal, Stop):
                self.reason = proposal.reason
                return
            if isinstance(proposal, Wait):
                return
            self._take(proposal)

    def _rng(self, stream: int = 0) -> np.random.Generator:
        """Randomness for the next decision: a function of the seed and of how many there were, not of this run."""
        return np.random.default_rng([self.options.seed, self.told + len(self.in_flight), stream])

    def _take(self, proposal: Proposal) -> None:
        design = self._resolve(proposal)
        item = _InFlight(proposal=proposal, design=design, started=datetime.now(UTC), missing=set())
        if design.violations or design.candidate is None:
            self._stale += 1
            self._tell(item)
        else:
            failed = [b for b in design.branches if self.knowledge.failed[b]]
            item.missing = {b for b in design.branches if not self.knowledge.known[b]} - set(failed)
            fresh = [b for b in sorted(item.missing) if not self.knowledge.pending[b]]
            busy = int(self.knowledge.pending.sum())
            limit = self.options.n_trainings
            if limit is not None and self.trainings + busy + len(fresh) > limit and fresh:
                self.reason = f"all {limit} trainings are done"
                return
            if failed:
                item.error, item.missing = "a branch of it could not be trained", set()
            new = bool(item.missing) or design.candidate.id not in self.recorded
            self._stale = 0 if new else self._stale + 1
            if item.missing:
                self._submit(item, fresh)
            else:
                self._tell(item)
        if self._stale >= MOST_STALE:
            self.reason = f"{MOST_STALE} proposals in a row brought nothing new"

    def _submit(self, item: _InFlight, fresh: list[int]) -> None:
        self.in_flight.append(item)
        for branch in fresh:
            self.knowledge.pending[branch] = True
            self.engine.submit(self.problem.table.branches[branch])

    def _resolve(self, proposal: Proposal) -> Design:
        table = self.problem.table
        if proposal.row is not None:
            return Design(
                branches=tuple(int(b) for b in table.needs[proposal.row] if b != NO_BRANCH),
                row=proposal.row,
                candidate=table.candidate(proposal.row),
                analytic=dict(zip(table.columns, table.analytic[proposal.row].tolist(), strict=True)),
            )
        if proposal.point is None:
            raise TinysearchError(f"sampler {self.sampler.name} proposed neither a row nor a point")
        assessed = self.assessor.assess(proposal.point)
        candidate = assessed.candidate
        return Design(
            branches=tuple(table.branch_index(b) for b in assessed.branches),
            row=None if candidate is None else table.row_of(candidate),
            candidate=candidate,
            analytic=assessed.analytic,
            violations=assessed.violations,
        )

    def _tick(self, report: TrainingReport) -> None:
        """A progress report, from wherever the training runs."""
        if report.progress is not None:
            self.progress.ticked(report.branch, report.progress, self)

    def _take_report(self, report: TrainingReport) -> None:
        if report.progress is not None:
            self._tick(report)
            return
        branch = self.problem.table.branch_index(report.branch)
        waiting = [item for item in self.in_flight if branch in item.missing]
        self.progress.ended(report.branch)
        if report.record is not None:
            record = report.record
            self._succeeded, self._failures = True, 0
            self.trainings += not record.remembered
            self.training_s += 0.0 if record.remembered else record.seconds
            self.knowledge.seconds[branch] = record.seconds
            self.knowledge.learn([branch])
            if waiting:
                waiting[0].records.append(record)
            self.progress.emit("trained", self, branch=report.branch, fraction=1.0)
        else:
            self._take_failure(branch, report, waiting)
        for item in waiting:
            item.missing.discard(branch)

    def _take_failure(self, branch: int, report: TrainingReport, waiting: list[_InFlight]) -> None:
        error = report.error
        if isinstance(error, UserError):
            raise error
        if isinstance(error, OSError) and isinstance(storage.storage_error(error), UserError):
            raise storage.storage_error(error)
        self._failures += 1
        self.knowledge.pending[branch] = False
        self.knowledge.failed[branch] = True
        message = f"training {report.branch.short} failed: {type(error).__name__}: {error}"
        _LOGGER.warning(message)
        self.progress.emit("failed", self, branch=report.branch, message=message)
        for item in waiting:
            item.error = message
        if self._failures >= MOST_FAILURES and not self._succeeded:
            raise TinysearchError(
                f"{self._failures} trainings failed and none succeeded; the last: {message}"
            ) from error

    def _tell_settled(self) -> None:
        for item in [item for item in self.in_flight if not item.missing]:
            self.in_flight.remove(item)
            self._tell(item)

    def _tell(self, item: _InFlight) -> None:
        """Evaluate a proposal that waits for nothing more, tell the sampler, record the trial."""
        design = item.design
        constraints = constraint_values(design.violations, self.assessor.rules)
        rates, values = self._values(design, item.error)
        outcome = Outcome(values=values, constraints=constraints, failed=item.error is not None)
        system = self.sampler.told(item.proposal, outcome)
        note = TrialNote(
            kind="proposal",
            design=design,
            params=item.proposal.params,
            values=values,
            rates=rates,
            constraints=constraints,
            records=item.records,
            started=item.started,
            attributes=item.proposal.attributes or {},
            system=system,
            error=item.error,
        )
        self._record(note)
        self.told += 1
        self.progress.emit(
            "trial",
            self,
            candidate=design.candidate.id if design.candidate else None,
            feasible=not design.violations,
            message=design.violations[0].message if design.violations else "",
        )

    def _values(self, design: Design, error: str | None) -> tuple[ErrorRates | None, tuple[float, ...] | None]:
        """Error rates as far as known, and the objectives; what was not trained counts as guessing."""
        if error is not None or design.analytic is None:
            return None, None
        known = bool(design.branches) and all(self.knowledge.known[b] for b in design.branches)
        rates = (
            self.knowledge.rates(design.branches)
            if known and self.objectives.metrics and not design.violations
            else None
        )
        metrics = self.objectives.chance_metrics() if rates is None else self.objectives.metrics_of(rates)
        columns = tuple(design.analytic)
        if not set(self.objectives.analytic) <= set(columns):
            return rates, None
        analytic = np.array([[design.analytic[name] for name in columns]], np.float64)
        values = self.objectives.combine(columns, analytic, metrics[None])[0]
        return rates, tuple(float(v) for v in values)

    def _record(self, note: TrialNote) -> None:
        storage.record(self.study, self.recorder.trial(note, self._rng(1)))
        if note.values is not None and note.design.candidate is not None and not note.design.violations:
            self.recorded.add(note.design.candidate.id)

    def _complete_front(self) -> None:
        """Record every design of the exact front of what is known that is not a trial yet; it costs no training."""
        self.knowledge.complete()
        missing = [
            row for row in self.knowledge.front if self.problem.table.candidate(int(row)).id not in self.recorded
        ]
        if missing:
            self.progress.emit("completing", self, message=f"{len(missing)} designs follow from what is trained")
        for row in missing:
            design = self._resolve(Proposal(row=int(row)))
            rates, values = self._values(design, None)
            kind: TrialKind = "completion"
            self._record(
                TrialNote(
                    kind=kind,
                    design=design,
                    params=None,
                    values=values,
                    rates=rates,
                    constraints=constraint_values((), self.assessor.rules),
                    records=(),
                    started=datetime.now(UTC),
                    attributes={},
                    system={},
                )
            )

    def finish(self) -> SearchResult:
        """Fill up the front and sum up."""
        if self.interrupted:
            self.reason = "interrupted; run again with the same run_dir to go on"
        started = time.perf_counter()
        self._complete_front()
        points = front_points(self.knowledge)
        _LOGGER.debug("completed the front in %.2f s", time.perf_counter() - started)
        self.progress.emit("stopped", self, message=self.reason)
        return SearchResult(
            points=points,
            study=self.study,
            reason=self.reason,
            interrupted=self.interrupted,
            trials=self.told,
            trainings=self.trainings,
            training_s=self.training_s,
            hypervolume=self.knowledge.hypervolume(),
            knowledge=self.knowledge,
        )
