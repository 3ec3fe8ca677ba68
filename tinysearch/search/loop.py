"""The study loop: one coordinator asks a sampler, has branches trained, tells, and records."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import UserError
from tinysearch.core.objectives import ErrorRates, check_objectives
from tinysearch.core.protocols import ErrorModel
from tinysearch.search.closing import closing_notes
from tinysearch.search.engines import Engine, TrainingReport, make_engine
from tinysearch.search.engines.interrupts import Interrupts
from tinysearch.search.events import EventCallback, EventKind, ignore
from tinysearch.search.finalists import relearned, repeat_finalists
from tinysearch.search.intake import InFlight, Intake
from tinysearch.search.judge import Judge
from tinysearch.search.known.assess import Assessor, TableAssessor, constraint_values
from tinysearch.search.known.fidelity import WarmStart
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.known.objective_values import ObjectiveVector
from tinysearch.search.limits import Limits
from tinysearch.search.problem import SearchOptions, SearchProblem
from tinysearch.search.progress import Progress
from tinysearch.search.result import SearchResult, front_points, nearest_miss
from tinysearch.search.samplers import Outcome, Proposal, Stop, StudySampler, Wait, make_sampler
from tinysearch.search.study import storage, studies
from tinysearch.search.study.claims import Claims
from tinysearch.search.study.history import History
from tinysearch.search.study.peers import Peers
from tinysearch.search.study.recorder import Recorder, TrialNote

if TYPE_CHECKING:
    import optuna

__all__ = ["SearchOptions", "SearchProblem", "search"]

_LOGGER = logging.getLogger(__name__)

_PAUSE_S = 0.2
"""Between two looks at what other processes do, while there is nothing to do here."""

MOST_STALE = 1000
"""So many proposals one after the other that need no training and are not new end the search."""


def search(
    problem: SearchProblem,
    options: SearchOptions,
    *,
    run_dir: Path | None = None,
    locked: bool = False,
    on_event: EventCallback = ignore,
) -> SearchResult:
    """Search, or go on with the search of ``run_dir``.

    Args:
        run_dir: where journal.log lies or will lie; None keeps the study in memory.
        locked: the caller holds the lock of the run directory, and keeps it until everything is written.
        on_event: called from this thread for everything that happens; should return fast.

    Raises:
        UserError: no feasible design, unknown names, changed rules, a full disk, a trainer's complaint.
        TinysearchError: every training fails.
    """
    if not len(problem.table):
        raise UserError(
            "a search must have at least one feasible design",
            value="none",
            remedy="raise the budget or widen the space",
        )
    # Made before there is a study: what is refused leaves nothing behind.
    objectives = ObjectiveVector(check_objectives(problem.objectives), problem.limits)
    assessor: Assessor = problem.assessor or TableAssessor(problem.table)
    sampler = make_sampler(
        options.sampler,
        flat=problem.flat,
        objectives=len(objectives.names),
        constraints=len(assessor.rules) + len(objectives.limits),
        seed=options.seed,
        options=options.sampler_options,
        factory=options.sampler_factory,
    )
    with ExitStack() as stack:
        stack.enter_context(studies.readable_errors(options.shared))
        if run_dir is not None and not locked:
            stack.enter_context(storage.run_lock(run_dir))
        interrupts = stack.enter_context(Interrupts())
        study, claims = studies.open_study(run_dir, objectives=objectives.names, shared=options.shared)
        stack.callback(claims.close)
        session = _Session(
            problem,
            options,
            objectives=objectives,
            assessor=assessor,
            sampler=sampler,
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


class _Session:
    """The state of one run of :func:`search`."""

    def __init__(
        self,
        problem: SearchProblem,
        options: SearchOptions,
        *,
        objectives: ObjectiveVector,
        assessor: Assessor,
        sampler: StudySampler,
        study: optuna.Study,
        claims: Claims,
        on_event: EventCallback,
        interrupts: Interrupts,
    ) -> None:
        self.problem, self.options, self.interrupts = problem, options, interrupts
        self.objectives, self.assessor, self.sampler, self.study = objectives, assessor, sampler, study
        self.knowledge = Knowledge(problem.table, self.objectives, self._rates_of)
        self.judge = Judge(problem.table, self.assessor, self.knowledge)
        storage.check_rules(self.study, {"objectives": ",".join(self.objectives.names)} | dict(problem.rules))
        self.in_flight: list[InFlight] = []
        self._rules = (*objectives.limits, *assessor.rules)
        self._told: set[str] = set()
        self.reason = ""
        self.interrupted = False
        self._stale = 0
        self.history = History(study, problem.error_model, self.knowledge)
        self.history.warm(problem.warm_start or WarmStart())
        trials = storage.finished_trials(study)
        self.peers = Peers(study, claims, self.history, self.knowledge, seen=len(trials))
        self.recorder = Recorder(study, self.history, problem.flat, problem.describe, self.peers.attributes)
        self.limits = Limits(options, self.knowledge, self.history)
        self.progress = Progress(self.knowledge, options.n_trials, options.timeout_s, on_event, spent_s=options.spent_s)
        self.intake = Intake(self.knowledge, self.history, self.progress)
        self.engine = self._engine_for(problem.error_model)
        self._adopt(trials)

    def _adopt(self, trials: list[optuna.trial.FrozenTrial]) -> None:
        """Take in the trials of earlier runs; what they trained and cannot be answered any more is trained again."""
        if self.options.shared is None:  # a peer may have what is missing here
            self._train_again(self.history.lost(trials))
        for trial in trials:
            self.history.adopt(trial)
        self.sampler.resume(trials)
        if trials:
            _LOGGER.info("going on with a study of %d trials", len(trials))

    def _train_again(self, lost: list[int]) -> None:
        """Make lost branches known; one that fails is left to the search."""
        waiting = set(lost)
        for branch in lost:
            self.engine.submit(self.problem.table.branches[branch])
        try:
            with self.interrupts.interruptible():
                while waiting and not self._should_stop():
                    for report in self.engine.wait(self._should_stop):
                        self.intake.tick(report)
                        if report.record is not None:
                            self.history.regain(report.record)
                        if report.is_end:
                            self.progress.ended(report.branch)
                            waiting.discard(self.problem.table.branch_index(report.branch))
        except BaseException:
            self.engine.close()
            raise

    def _engine_for(self, model: ErrorModel) -> Engine:
        return make_engine(
            self.options.engine,
            model,
            n_workers=self.options.n_workers,
            on_progress=self.intake.tick,
            options=self.options.engine_options,
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
                if self.peers.elsewhere:
                    if self._wait_for_peers():
                        self.reason = ""
                        # A proposal that a limit kept from training is forgotten with what ended the search.
                        self.sampler.resume(storage.finished_trials(self.study))
                else:
                    self.reason = "the sampler waits for a training, and none is under way"
                continue
            with self.interrupts.interruptible():
                reports = self.engine.wait(self._should_stop)
                if not reports and not any(item.missing & item.claimed for item in self.in_flight):
                    time.sleep(_PAUSE_S)
            for report in reports:
                self.intake.take(report, self.in_flight)
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
            self.reason = self.limits.trials(self._decisions())
            if self.reason:
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
        item = InFlight(proposal=proposal, design=design, started=datetime.now(UTC), missing=set())
        if design.violations or design.candidate is None:
            self._stale += 1
            self._tell(item)
        else:
            failed = [b for b in design.branches if self.knowledge.failed[b]]
            item.missing = {b for b in design.branches if not self.knowledge.known[b]} - set(failed)
            fresh = [b for b in sorted(item.missing) if not self.knowledge.pending[b]]
            self.reason = self.limits.trainings(len(fresh), running_s=self._running_s())
            if self.reason:
                return
            if failed:
                item.error, item.missing = "a branch of it could not be trained", set()
            had = failed or design.candidate.id in self.history.recorded | self._told
            new = bool(item.missing) or not had
            self._told.add(design.candidate.id)
            self._stale = 0 if new else self._stale + 1
            if item.missing:
                self._submit(item, fresh)
            else:
                self._tell(item)
        if self._stale >= MOST_STALE:
            self.reason = f"{MOST_STALE} proposals in a row brought nothing new"

    def _running_s(self) -> float:
        """Seconds for which trainings have run here that have not ended."""
        now = datetime.now(UTC)
        return sum((now - item.started).total_seconds() for item in self.in_flight if item.claimed)

    def _submit(self, item: InFlight, fresh: list[int]) -> None:
        """Have the fresh branches of a proposal trained here; if a peer was faster, propose anew or wait for it."""
        self.in_flight.append(item)
        if self.peers.claim(fresh):
            self._train(item, fresh)
        elif item.proposal.token is None:
            # Nothing is lost: the knowledge now says what is under way elsewhere, and something else is proposed.
            self.in_flight.remove(item)
            self._catch_up()

    def _train(self, item: InFlight, branches: list[int]) -> None:
        item.claimed.update(branches)
        for branch in branches:
            self.knowledge.pending[branch] = True
            limit = self.history.evidence.limit(item.proposal.useless.get(branch))
            self.engine.submit(self.problem.table.branches[branch], limit)

    def _tell_settled(self) -> None:
        for item in [item for item in self.in_flight if not item.missing]:
            self.in_flight.remove(item)
            self._tell(item)

    def _tell(self, item: InFlight) -> None:
        """Evaluate a proposal that waits for nothing more, tell the sampler, record the trial."""
        design = item.design
        rates, values = self.judge.values(design, item.error) if not item.given_up else (None, None)
        if rates is not None and values is not None:
            design = replace(design, violations=(*design.violations, *self.objectives.broken(values)))
        constraints = constraint_values(design.violations, self._rules)
        outcome = Outcome(values=values, constraints=constraints, failed=item.error is not None)
        system = self.sampler.told(item.proposal, outcome)
        note = TrialNote(
            kind="proposal",
            design=design,
            started=item.started,
            values=values,
            rates=rates,
            constraints=constraints,
            params=item.proposal.params,
            records=item.records,
            attributes=(item.proposal.attributes or {})
            | {name: value for name, value in item.early.items() if value}
            | {name: keys for name, keys in (("failed", item.failed), ("given_up", item.given_up)) if keys},
            system=system,
            error=item.error,
        )
        self.recorder.record(note, self._rng(1))
        self.history.told += 1
        self.peers.release(item.claimed)
        self.progress.emit(
            "trial",
            self.history,
            candidate=design.candidate.id if design.candidate else None,
            feasible=not design.violations,
            message=design.violations[0].message if design.violations else "",
        )

    def repeat_finalists(self) -> None:
        """Train the front's branches again with other seeds, if the problem says how."""
        model = self.problem.finalists
        if model is None or self.options.joins or self.interrupted or not self.objectives.metrics:
            return
        self.engine.close()
        self.engine = self._engine_for(model)
        with self.interrupts.interruptible():
            repeat_finalists(
                self.knowledge, model, self.engine, should_stop=self._should_stop, watch=self._watch_finalist
            )

    def _watch_finalist(self, report: TrainingReport) -> None:
        self.intake.tick(report)
        if report.is_end:
            self.progress.ended(report.branch)
            kind: EventKind = "failed" if report.error is not None else "trained"
            self.progress.emit(kind, self.history, branch=report.branch, fraction=1.0, message="trained again")

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
        notes = closing_notes(self.knowledge, self.judge, self.history, model, rules=self._rules)
        if notes:
            self.progress.emit("completing", self.history, message=f"{len(notes)} designs follow from what is trained")
        for row, note in notes.items():
            self.recorder.record(note, np.random.default_rng([self.options.seed, row]))

    def finish(self) -> SearchResult:
        """Fill up the front and sum up."""
        if self.interrupted:
            self.reason = "interrupted; run again with the same run_dir to go on"
        started = time.perf_counter()
        if not self.options.joins:
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
            nearest=nearest_miss(self.knowledge),
            worker=self.peers.owner,
            knowledge=self.knowledge,
        )
