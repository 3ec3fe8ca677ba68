"""The study loop: one coordinator asks a sampler, has branches trained, tells, and records."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import TinysearchError, UserError
from tinysearch.core.objectives import ErrorRates, check_objectives
from tinysearch.core.protocols import TrainingRecord
from tinysearch.search import storage
from tinysearch.search.assess import Assessor, TableAssessor, constraint_values
from tinysearch.search.claims import Claims
from tinysearch.search.engines import Engine, TrainingReport, make_engine
from tinysearch.search.events import EventCallback, EventKind, ignore
from tinysearch.search.finalists import closing_designs, relearned, repeat_finalists
from tinysearch.search.history import History
from tinysearch.search.interrupts import Interrupts
from tinysearch.search.judge import Judge
from tinysearch.search.knowledge import Knowledge
from tinysearch.search.objective_values import ObjectiveVector
from tinysearch.search.peers import Peers
from tinysearch.search.problem import SearchOptions, SearchProblem, WarmStart
from tinysearch.search.progress import Progress
from tinysearch.search.recorder import Design, Recorder, TrialNote
from tinysearch.search.result import SearchResult, front_points
from tinysearch.search.samplers import Outcome, Proposal, Stop, StudySampler, Wait, make_sampler

if TYPE_CHECKING:
    import optuna

__all__ = ["SearchOptions", "SearchProblem", "search"]

_LOGGER = logging.getLogger(__name__)

MOST_FAILURES = 3
"""So many trainings that fail one after the other, and none that succeeds, end the search with the last one's error."""

_PAUSE_S = 0.2
"""Between two looks at what other processes do, while there is nothing to do here."""

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
        stack.enter_context(storage.readable_errors(options.shared))
        if run_dir is not None:
            stack.enter_context(storage.run_lock(run_dir))
        interrupts = stack.enter_context(Interrupts())
        objectives = ObjectiveVector(check_objectives(problem.objectives))
        study, claims = storage.open_study(run_dir, objectives=objectives.names, shared=options.shared)
        stack.callback(claims.close)
        session = _Session(
            problem,
            options,
            objectives=objectives,
            study=study,
            claims=claims,
            on_event=on_event,
            interrupts=interrupts,
        )
        try:
            session.run()
            session.repeat_finalists()
        except KeyboardInterrupt:  # a person's, or the way out of a training in this process when the time is up
            session.interrupted = interrupts.requested or not session.reason
        finally:
            session.engine.close()
        return session.finish()


@dataclass(slots=True, kw_only=True, eq=False)
class _InFlight:
    """A proposal that waits for trainings: ``missing`` ones, of which ``claimed`` are or were done here."""

    proposal: Proposal
    design: Design
    started: datetime
    missing: set[int]
    claimed: set[int] = field(default_factory=set)
    failed: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    records: list[TrainingRecord] = field(default_factory=list)
    early: dict[str, Any] = field(default_factory=dict)
    error: str | None = None


class _Session:
    """The state of one run of :func:`search`."""

    def __init__(
        self,
        problem: SearchProblem,
        options: SearchOptions,
        *,
        objectives: ObjectiveVector,
        study: optuna.Study,
        claims: Claims,
        on_event: EventCallback,
        interrupts: Interrupts,
    ) -> None:
        self.problem, self.options, self.interrupts = problem, options, interrupts
        self.objectives, self.study = objectives, study
        self.assessor: Assessor = problem.assessor or TableAssessor(problem.table)
        self.knowledge = Knowledge(problem.table, self.objectives, self._rates_of)
        self.judge = Judge(problem.table, self.assessor, self.knowledge)
        self.recorder = Recorder(problem.flat, problem.describe)
        storage.check_rules(self.study, {"objectives": ",".join(self.objectives.names)} | dict(problem.rules))
        self.sampler: StudySampler = make_sampler(
            options.sampler,
            flat=problem.flat,
            objectives=len(self.objectives.names),
            constraints=len(self.assessor.rules),
            seed=options.seed,
            options=options.sampler_options,
            factory=options.sampler_factory,
        )
        self.in_flight: list[_InFlight] = []
        self.reason = ""
        self.interrupted = False
        self._stale = 0
        self._failures = 0
        self._succeeded = False
        self.history = History(study, problem.error_model, self.knowledge)
        self.history.warm(problem.warm_start or WarmStart())
        trials = storage.finished_trials(study)
        self.peers = Peers(study, claims, self.history, self.knowledge, seen=len(trials))
        for trial in trials:
            self.history.adopt(trial)
        self.sampler.resume(trials)
        if trials:
            _LOGGER.info("going on with a study of %d trials", len(trials))
        self.progress = Progress(self.knowledge, options.n_trials, options.timeout_s, on_event)
        self.engine: Engine = make_engine(
            options.engine,
            problem.error_model,
            n_workers=options.n_workers,
            on_progress=self._tick,
            options=options.engine_options,
        )

    def _rates_of(self, branches: Sequence[BranchSpec]) -> ErrorRates:
        return self.problem.error_model.error_rates(branches)

    def run(self) -> None:
        """Ask and tell until something ends it; leaves the reason in ``reason``."""
        self.progress.emit("started", self.history, message=f"{len(self.problem.table)} feasible designs")
        while True:
            self._fill()
            if self._should_stop():
                return
            if not self.in_flight:
                if self.reason and not self.peers.elsewhere:
                    return
                # If a peer dies, its trainings are done here: only then is the search at its end.
                if self.peers.elsewhere and self._wait_for_peers():
                    self.reason = ""
                continue
            with self.interrupts.interruptible():
                reports = self.engine.wait(self._should_stop)
                if not reports and not any(item.missing & item.claimed for item in self.in_flight):
                    time.sleep(_PAUSE_S)
            for report in reports:
                self._take_report(report)
            self._revise_waiting()
            self._tell_settled()

    def _wait_for_peers(self) -> bool:
        """Pause a little; whether peers have brought any news."""
        time.sleep(_PAUSE_S)
        return self._catch_up()

    def _catch_up(self) -> bool:
        """Adopt what peers have found; a sampler with nothing open here is told, too."""
        changed = self.peers.catch_up()
        if self.peers.news and not self.in_flight:
            self.sampler.resume(storage.finished_trials(self.study))
            self.peers.news = False
        return changed

    def _revise_waiting(self) -> None:
        """Proposals that wait for a peer's training: it has ended, or failed, or its process died and it is ours."""
        if self.peers.alone or not any(item.missing - item.claimed for item in self.in_flight):
            return
        self._catch_up()
        for item in self.in_flight:
            for branch in sorted(item.missing - item.claimed):
                if self.knowledge.failed[branch]:
                    item.error = "a branch of it could not be trained"
                if self.knowledge.failed[branch] or self.knowledge.known[branch]:
                    item.missing.discard(branch)
                elif not self.knowledge.pending[branch] and self.peers.claim([branch]):
                    self._train(item, [branch])

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
            self._catch_up()
            if self.options.n_trials is not None and self._decisions() >= self.options.n_trials:
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
        return np.random.default_rng([self.options.seed, self._decisions(), stream])

    def _decisions(self) -> int:
        """Proposals so far, those under way here and elsewhere included."""
        return self.history.told + len(self.in_flight) + len(self.peers.elsewhere)

    def _take(self, proposal: Proposal) -> None:
        design = self.judge.design(proposal)
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
            if limit is not None and self.history.trainings + busy + len(fresh) > limit and fresh:
                self.reason = f"all {limit} trainings are done"
                return
            if fresh and self._training_is_spent():
                return
            if failed:
                item.error, item.missing = "a branch of it could not be trained", set()
            new = bool(item.missing) or design.candidate.id not in self.history.recorded
            self._stale = 0 if new else self._stale + 1
            if item.missing:
                self._submit(item, fresh)
            else:
                self._tell(item)
        if self._stale >= MOST_STALE:
            self.reason = f"{MOST_STALE} proposals in a row brought nothing new"

    def _training_is_spent(self) -> bool:
        limit = self.options.training_s
        if limit is None:
            return False
        now = datetime.now(UTC)
        running = sum((now - item.started).total_seconds() for item in self.in_flight if item.claimed)
        spent = sum(self.knowledge.seconds.values()) + running
        if spent < limit:
            return False
        self.reason = f"{spent / 60:.1f} of {limit / 60:g} minutes of training are behind this answer"
        return True

    def _submit(self, item: _InFlight, fresh: list[int]) -> None:
        """Have the fresh branches of a proposal trained here; if a peer was faster, propose anew or wait for it."""
        self.in_flight.append(item)
        if self.peers.claim(fresh):
            self._train(item, fresh)
        elif item.proposal.token is None:
            # Nothing is lost: the knowledge now says what is under way elsewhere, and something else is proposed.
            self.in_flight.remove(item)
            self._catch_up()

    def _train(self, item: _InFlight, branches: list[int]) -> None:
        item.claimed.update(branches)
        for branch in branches:
            self.knowledge.pending[branch] = True
            limit = self.history.evidence.limit(item.proposal.useless.get(branch))
            self.engine.submit(self.problem.table.branches[branch], limit)

    def _tick(self, report: TrainingReport) -> None:
        """A progress report, from wherever the training runs."""
        if report.progress is not None:
            self.history.evidence.tick(report.progress)
            self.progress.ticked(report.branch, report.progress, self.history)

    def _take_report(self, report: TrainingReport) -> None:
        if not report.is_end:
            self._tick(report)
            return
        branch = self.problem.table.branch_index(report.branch)
        waiting = [item for item in self.in_flight if branch in item.missing]
        self.progress.ended(report.branch)
        if report.record is not None:
            self._succeeded, self._failures = True, 0
            record = self.history.count(report.record)
            if waiting:
                waiting[0].records.append(record)
            self._keep_early(report.branch, waiting, final=self._final(branch))
            self.progress.emit("trained", self.history, branch=report.branch, fraction=1.0)
        elif report.given_up and report.progress is not None:
            self.knowledge.pending[branch] = False
            self.knowledge.failed[branch] = True
            self._keep_early(report.branch, waiting, final=None)
            for item in waiting:
                item.given_up.append(report.branch.key)
            at = f"{report.progress.eer_validation:.1%} at {report.progress.fraction:.0%} of it"
            message = f"{report.branch.short} given up: validation EER {at}"
            self.progress.emit("given_up", self.history, branch=report.branch, message=message)
        else:
            self._take_failure(branch, report, waiting)
        for item in waiting:
            item.missing.discard(branch)

    def _final(self, branch: int) -> float | None:
        """The EER with which a training ended; None where the search does not ask for it."""
        eer_first = self.objectives.metrics[:1] == ("eer",)
        return float(self.knowledge.branch_metrics[branch, 0]) if eer_first else None

    def _keep_early(self, branch: BranchSpec, waiting: list[_InFlight], *, final: float | None) -> None:
        """Record what the early epochs of a training told with the first trial that waits for it."""
        told = self.history.evidence.ended(branch, final)
        if waiting:
            for name, entries in told.items():
                waiting[0].early.setdefault(name, {}).update(entries)

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
        self.progress.emit("failed", self.history, branch=report.branch, message=message)
        for item in waiting:
            item.error = message
            item.failed.append(report.branch.key)
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
        rates, values = self.judge.values(design, item.error) if not item.given_up else (None, None)
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
            attributes=(item.proposal.attributes or {})
            | {name: value for name, value in item.early.items() if value}
            | {name: keys for name, keys in (("failed", item.failed), ("given_up", item.given_up)) if keys},
            system=system,
            error=item.error,
        )
        self._record(note)
        self.history.told += 1
        self.peers.release(item.claimed)
        self.progress.emit(
            "trial",
            self.history,
            candidate=design.candidate.id if design.candidate else None,
            feasible=not design.violations,
            message=design.violations[0].message if design.violations else "",
        )

    def _record(self, note: TrialNote) -> None:
        note = replace(note, attributes=dict(note.attributes) | self.peers.attributes)
        storage.record(self.study, self.recorder.trial(note, self._rng(1)))
        if note.values is not None and note.design.candidate is not None and not note.design.violations:
            self.history.recorded.add(note.design.candidate.id)

    def repeat_finalists(self) -> None:
        """Train the front's branches again with other seeds, if the problem says how."""
        model = self.problem.finalists
        if model is None or self._joined or self.interrupted or not self.objectives.metrics:
            return
        self.engine.close()
        self.engine = make_engine(
            self.options.engine,
            model,
            n_workers=self.options.n_workers,
            on_progress=self._tick,
            options=self.options.engine_options,
        )
        with self.interrupts.interruptible():
            repeat_finalists(
                self.knowledge, model, self.engine, should_stop=self._should_stop, watch=self._watch_finalist
            )

    def _watch_finalist(self, report: TrainingReport) -> None:
        self._tick(report)
        if report.is_end:
            self.progress.ended(report.branch)
            kind: EventKind = "failed" if report.error is not None else "trained"
            self.progress.emit(kind, self.history, branch=report.branch, fraction=1.0, message="trained again")

    @property
    def _joined(self) -> bool:
        return self.options.shared is not None and self.options.shared.join

    def _close_front(self) -> None:
        """Record every design of the exact front of what is known that is not a trial yet; it costs no training.

        Where finalists were trained again their repeats count from here on, and their designs become trials once more.
        """
        model = self.problem.finalists
        if model is not None and self.objectives.metrics:
            self.knowledge = relearned(self.knowledge, model)
            self.progress.watch(self.knowledge)
            self.judge = Judge(self.problem.table, self.assessor, self.knowledge)
        self.knowledge.complete()
        missing = closing_designs(self.knowledge, self.history, model)
        if missing:
            self.progress.emit(
                "completing", self.history, message=f"{len(missing)} designs follow from what is trained"
            )
        for row, kind, attributes in missing:
            design = self.judge.design(Proposal(row=row))
            rates, values = self.judge.values(design, None)
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
                    attributes=attributes,
                    system={},
                )
            )

    def finish(self) -> SearchResult:
        """Fill up the front and sum up."""
        if self.interrupted:
            self.reason = "interrupted; run again with the same run_dir to go on"
        started = time.perf_counter()
        if not self._joined:
            self._close_front()
        points = front_points(self.knowledge)
        _LOGGER.debug("completed the front in %.2f s", time.perf_counter() - started)
        self.progress.emit("stopped", self.history, message=self.reason)
        return SearchResult(
            points=points,
            study=self.study,
            reason=self.reason,
            interrupted=self.interrupted,
            trials=self.history.told,
            trainings=self.history.trainings,
            training_s=self.history.training_s,
            hypervolume=self.knowledge.hypervolume(),
            worker=self.peers.owner,
            knowledge=self.knowledge,
        )
