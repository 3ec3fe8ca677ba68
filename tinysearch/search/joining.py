"""Working beside other processes of a study: their news, and trainings that wait for theirs."""

from __future__ import annotations

from collections.abc import Sequence

from tinysearch.search.intake import InFlight
from tinysearch.search.session import Session
from tinysearch.search.study import storage


def catch_up(session: Session) -> bool:
    """Adopt what peers have found, and tell a sampler with nothing open here; whether anything changed."""
    changed = session.peers.catch_up()
    if session.peers.news and not session.under_way:
        session.sampler.resume(storage.as_told(storage.finished_trials(session.study)))
        session.peers.news = False
    return changed


def begin_training(session: Session, item: InFlight, branches: Sequence[int]) -> None:
    """Have branches trained here for a proposal; they are claimed."""
    item.claimed.update(branches)
    for branch in branches:
        session.knowledge.pending[branch] = True
        limit = session.history.evidence.limit(item.proposal.useless.get(branch))
        session.engine.submit(session.problem.table.branches[branch], limit)


def revise_waiting(session: Session) -> None:
    """Proposals that wait for a peer's training: it has ended, or failed, or its process died and it is ours."""
    knowledge = session.knowledge
    if session.peers.alone or not any(item.missing - item.claimed for item in session.under_way):
        return
    catch_up(session)
    for item in session.under_way:
        for branch in sorted(item.missing - item.claimed):
            if knowledge.failed[branch]:
                item.error = "a branch of it could not be trained"
            if knowledge.failed[branch] or knowledge.known[branch]:
                item.missing.discard(branch)
            elif not knowledge.pending[branch] and session.peers.claim([branch]):
                begin_training(session, item, [branch])
