"""What the steps of one search share, and how a search goes on where an earlier run left its study."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tinysearch.core.protocols import ErrorModel
from tinysearch.search.ending import Ending
from tinysearch.search.engines import Engine, make_engine
from tinysearch.search.engines.interrupts import Interrupts
from tinysearch.search.events import EventCallback
from tinysearch.search.intake import InFlight, Intake
from tinysearch.search.known.assess import Assessor
from tinysearch.search.known.fidelity import WarmStart
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.known.objective_values import ObjectiveVector
from tinysearch.search.limits import Limits
from tinysearch.search.problem import SearchOptions, StudyProblem
from tinysearch.search.progress import Progress
from tinysearch.search.resolver import Resolver
from tinysearch.search.samplers import StudySampler
from tinysearch.search.study import storage
from tinysearch.search.study.claims import Claims
from tinysearch.search.study.history import History
from tinysearch.search.study.peers import Peers
from tinysearch.search.study.recorder import Recorder

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Session:
    """What the steps of one run of a search share. Every step is a function of it; its parts hold their own state.

    Attributes:
        problem, options: what is searched, and how.
        sampler: proposes; ``resolver`` says what a proposal is, and what it is worth.
        rules: names of all constraints, in the order in which they are recorded.
        study: where trials are recorded, by ``recorder``; ``history`` is what they say.
        knowledge: of branches, designs and the front, as far as trained.
        peers: other processes of the study.
        engine: trains; ``intake`` takes what it reports, ``limits`` says how much it may.
        progress: clock and callback.
        interrupts, ending: signals, and why the search ends.
        under_way: proposals that wait for trainings.
    """

    problem: StudyProblem
    options: SearchOptions
    sampler: StudySampler
    resolver: Resolver
    rules: tuple[str, ...]
    study: optuna.Study
    history: History
    recorder: Recorder
    knowledge: Knowledge
    peers: Peers
    engine: Engine
    intake: Intake
    limits: Limits
    progress: Progress
    interrupts: Interrupts
    ending: Ending
    under_way: list[InFlight] = field(default_factory=list)

    @property
    def decisions(self) -> int:
        """Proposals so far, those under way here and elsewhere included."""
        return self.history.told + len(self.under_way) + len(self.peers.elsewhere)

    def rng(self, stream: int = 0) -> np.random.Generator:
        """Randomness for the next decision: a function of the seed and of how many there were, not of this run."""
        return np.random.default_rng([self.options.seed, self.decisions, stream])

    def engine_for(self, model: ErrorModel) -> Engine:
        """An engine that trains with a model, as the options say."""
        return _engine(self.options, model, self.intake)


def _engine(options: SearchOptions, model: ErrorModel, intake: Intake) -> Engine:
    return make_engine(
        options.engine, model, n_workers=options.n_workers, on_progress=intake.tick, options=options.engine_options
    )


def open_session(
    problem: StudyProblem,
    options: SearchOptions,
    *,
    objectives: ObjectiveVector,
    assessor: Assessor,
    sampler: StudySampler,
    study: optuna.Study,
    claims: Claims,
    on_event: EventCallback,
    interrupts: Interrupts,
) -> Session:
    """A session over a study, new or of earlier runs, whose trials are taken in.

    Raises:
        UserError: the study was started under other rules.
    """
    knowledge = Knowledge(problem.table, objectives, problem.error_model.error_rates)
    storage.check_rules(study, {"objectives": ",".join(objectives.names)} | dict(problem.rules))
    history = History(study, problem.error_model, knowledge)
    history.warm(problem.warm_start or WarmStart())
    trials = storage.finished_trials(study)
    peers = Peers(study, claims, history, knowledge, seen=len(trials))
    progress = Progress(knowledge, options.n_trials, options.timeout_s, on_event, spent_s=options.spent_s)
    intake = Intake(knowledge, history, progress)
    session = Session(
        problem=problem,
        options=options,
        sampler=sampler,
        resolver=Resolver(assessor, knowledge),
        rules=(*objectives.limits, *assessor.rules),
        study=study,
        history=history,
        recorder=Recorder(study, history, problem.flat, problem.describe, peers.attributes),
        knowledge=knowledge,
        peers=peers,
        engine=_engine(options, problem.error_model, intake),
        intake=intake,
        limits=Limits(options, knowledge, history),
        progress=progress,
        interrupts=interrupts,
        ending=Ending(interrupts, progress, timeout_s=options.timeout_s),
    )
    _adopt(session, trials)
    return session


def _adopt(session: Session, trials: list[FrozenTrial]) -> None:
    """Take in the trials of earlier runs; what they trained and cannot be answered any more is trained again."""
    if session.options.shared is None:  # a peer may have what is missing here
        _train_again(session, session.history.lost(trials))
    for trial in trials:
        session.history.adopt(trial)
    session.sampler.resume(storage.as_told(trials))
    if trials:
        _LOGGER.info("going on with a study of %d trials", len(trials))


def _train_again(session: Session, lost: list[int]) -> None:
    """Make lost branches known; one that fails is left to the search."""
    engine, table, due = session.engine, session.problem.table, session.ending.due
    waiting = set(lost)
    for branch in lost:
        engine.submit(table.branches[branch])
    try:
        with session.interrupts.interruptible():
            while waiting and not due():
                for report in engine.wait(due):
                    session.intake.tick(report)
                    if report.record is not None:
                        session.history.regain(report.record)
                    if report.is_end:
                        session.progress.ended(report.branch)
                        waiting.discard(table.branch_index(report.branch))
    except BaseException:
        engine.close()
        raise
