"""The study loop: one coordinator asks a sampler, has branches trained, tells, and records."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack, closing
from pathlib import Path

from tinysearch.core.errors import UserError
from tinysearch.core.objectives import check_objectives
from tinysearch.search.asking import Asking
from tinysearch.search.closing import close_front
from tinysearch.search.engines import TrainingReport
from tinysearch.search.engines.interrupts import Interrupts
from tinysearch.search.events import EventCallback, EventKind, ignore
from tinysearch.search.finalists import repeat_finalists
from tinysearch.search.joining import catch_up, revise_waiting
from tinysearch.search.known.assess import Assessor, TableAssessor
from tinysearch.search.known.design import DesignTable
from tinysearch.search.known.objective_values import ObjectiveVector
from tinysearch.search.problem import SearchOptions, StudyProblem
from tinysearch.search.result import SearchResult, front_points, nearest_miss
from tinysearch.search.samplers import make_sampler
from tinysearch.search.session import Session, open_session
from tinysearch.search.study import storage, studies
from tinysearch.search.telling import tell_settled

__all__ = ["SearchOptions", "StudyProblem", "search"]

_LOGGER = logging.getLogger(__name__)

_PAUSE_S = 0.2
"""Between two looks at what other processes do, while there is nothing to do here."""


def search(
    problem: StudyProblem,
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
        session = open_session(
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
        with ExitStack() as engines:  # outside of the try: a second interrupt, while they close, gets through
            engines.enter_context(closing(session.engine))
            try:
                _ask_and_tell(session)
                _train_finalists(session, engines)
            except KeyboardInterrupt:
                session.ending.broken_off()
        return _finish(session)


def _ask_and_tell(session: Session) -> None:
    """Ask and tell until something ends it; leaves the reason in the session's ending."""
    ending, peers = session.ending, session.peers
    asking = Asking(session)
    session.progress.emit("started", session.history, message=_extent(session.problem.table))
    while True:
        asking.fill()
        if ending.due():
            return
        if session.under_way:
            _take_reports(session)
            revise_waiting(session)
            tell_settled(session)
        elif peers.elsewhere:  # If a peer dies, its trainings are done here: only then is the search at its end.
            _wait_for_peers(session)
        elif ending.reason:
            return
        else:
            ending.reason = "the sampler waits for a training, and none is under way"


def _take_reports(session: Session) -> None:
    """Wait until trainings report something, and take it in."""
    with session.interrupts.interruptible():
        reports = session.engine.wait(session.ending.due)
        if not reports and not any(item.missing & item.claimed for item in session.under_way):
            time.sleep(_PAUSE_S)
    for report in reports:
        session.intake.take(report, session.under_way)


def _wait_for_peers(session: Session) -> None:
    """Pause a little; where peers have brought any news, the search goes on whatever had ended it."""
    time.sleep(_PAUSE_S)
    if catch_up(session):
        session.ending.reason = ""
        # A proposal that a limit kept from training is forgotten with what ended the search.
        session.sampler.resume(storage.as_told(storage.finished_trials(session.study)))


def _train_finalists(session: Session, engines: ExitStack) -> None:
    """Train the front's branches again with other seeds, if the problem says how.

    Args:
        engines: closes those that are open; the one that is started here takes their place.
    """
    model, knowledge = session.problem.finalists, session.knowledge
    if model is None or session.options.joins or session.ending.interrupted or not knowledge.objectives.metrics:
        return

    def watch(report: TrainingReport) -> None:
        session.intake.tick(report)
        if report.is_end:
            session.progress.ended(report.branch)
            kind: EventKind = "failed" if report.error is not None else "trained"
            session.progress.emit(kind, session.history, branch=report.branch, fraction=1.0, message="trained again")

    engines.close()
    engine = engines.enter_context(closing(session.engine_for(model)))
    with session.interrupts.interruptible():
        repeat_finalists(knowledge, model, engine, should_stop=session.ending.due, watch=watch)


def _finish(session: Session) -> SearchResult:
    """Fill up the front and sum up."""
    ending, history = session.ending, session.history
    if ending.interrupted:
        ending.reason = "interrupted; run again with the same run_dir to go on"
    started = time.perf_counter()
    knowledge = session.knowledge if session.options.joins else close_front(session)
    points = front_points(knowledge)
    _LOGGER.debug("completed the front in %.2f s", time.perf_counter() - started)
    session.progress.emit("stopped", history, message=ending.reason)
    return SearchResult(
        points=points,
        study=session.study,
        reason=ending.reason,
        interrupted=ending.interrupted,
        trials=history.told,
        trainings=history.trainings,
        training_s=history.training_s,
        hypervolume=knowledge.hypervolume(),
        nearest=nearest_miss(knowledge),
        worker=session.peers.owner,
        knowledge=knowledge,
    )


def _extent(table: DesignTable) -> str:
    """How much there is to choose from, for people."""
    if table.pricing is None:
        return f"{len(table)} feasible designs"
    return f"{int(table.useful().sum())} branches, whose designs are priced as they come to matter"
