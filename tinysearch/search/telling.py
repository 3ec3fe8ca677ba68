"""The second half of the study loop: a design is given its objectives, the sampler is told, and the trial recorded."""

from __future__ import annotations

from dataclasses import replace

from tinysearch.search.intake import InFlight
from tinysearch.search.known.assess import constraint_values
from tinysearch.search.samplers import Outcome
from tinysearch.search.session import Session
from tinysearch.search.study import storage
from tinysearch.search.study.recorder import TrialNote


def tell_settled(session: Session) -> None:
    """Tell of every proposal that waits for nothing more."""
    for item in [item for item in session.under_way if not item.missing]:
        session.under_way.remove(item)
        tell(session, item)


def tell(session: Session, item: InFlight) -> None:
    """Evaluate a proposal that waits for nothing more, tell the sampler, record the trial."""
    design = item.design
    rates, values = session.resolver.values(design, item.error) if not item.given_up else (None, None)
    if rates is not None and values is not None:
        design = replace(design, violations=(*design.violations, *session.knowledge.objectives.broken(values)))
    constraints = constraint_values(design.violations, session.rules)
    outcome = Outcome(values=values, constraints=constraints, failed=item.error is not None)
    system = session.sampler.told(item.proposal, outcome)
    if values is not None and rates is None and session.knowledge.objectives.metrics:
        # What only a sampler needs, which must be told something, is nobody's figure.
        system, values = {**system, storage.GUESSED: list(values)}, None
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
    session.recorder.record(note, session.rng(1))
    session.history.told += 1
    session.peers.release(item.claimed)
    session.progress.emit(
        "trial",
        session.history,
        candidate=design.candidate.id if design.candidate else None,
        feasible=not design.violations,
        message=design.violations[0].message if design.violations else "",
    )
