"""The first half of the study loop: the sampler is asked for designs, and what they lack goes into training."""

from __future__ import annotations

from datetime import UTC, datetime

from tinysearch.search.intake import InFlight
from tinysearch.search.joining import begin_training, catch_up
from tinysearch.search.samplers import Proposal, Stop, Wait
from tinysearch.search.session import Session
from tinysearch.search.telling import tell

MOST_STALE = 1000
"""So many proposals one after the other that need no training and are not new end the search."""


class Asking:
    """Asks the sampler of a session; one that has nothing new to say ends the search."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._told: set[str] = set()
        self._stale = 0

    def fill(self) -> None:
        """Ask for proposals while workers are idle and the limits allow; why they do not is the session's ending."""
        session = self._session
        while not session.ending.reason and not session.ending.due():
            waiting = sum(len(item.missing) for item in session.under_way)
            if waiting >= session.engine.n_workers:
                return
            catch_up(session)
            session.ending.reason = session.limits.trials(session.decisions)
            if session.ending.reason:
                return
            proposal = session.sampler.propose(session.knowledge, session.rng())
            if isinstance(proposal, Stop):
                session.ending.reason = proposal.reason
                return
            if isinstance(proposal, Wait):
                return
            self._take(proposal)

    def _take(self, proposal: Proposal) -> None:
        session, knowledge = self._session, self._session.knowledge
        design = session.resolver.design(proposal)
        item = InFlight(proposal=proposal, design=design, started=datetime.now(UTC), missing=set())
        if design.violations or design.candidate is None:
            self._stale += 1
            tell(session, item)
        else:
            failed = [b for b in design.branches if knowledge.failed[b]]
            item.missing = {b for b in design.branches if not knowledge.known[b]} - set(failed)
            fresh = [b for b in sorted(item.missing) if not knowledge.pending[b]]
            session.ending.reason = session.limits.trainings(len(fresh), running_s=self._running_s())
            if session.ending.reason:
                return
            if failed:
                item.error, item.missing = "a branch of it could not be trained", set()
            had = failed or design.candidate.id in session.history.recorded | self._told
            new = bool(item.missing) or not had
            self._told.add(design.candidate.id)
            self._stale = 0 if new else self._stale + 1
            if item.missing:
                self._submit(item, fresh)
            else:
                tell(session, item)
        if self._stale >= MOST_STALE:
            session.ending.reason = f"{MOST_STALE} proposals in a row brought nothing new"

    def _submit(self, item: InFlight, fresh: list[int]) -> None:
        """Have the fresh branches of a proposal trained here; if a peer was faster, propose anew or wait for it."""
        session = self._session
        session.under_way.append(item)
        if session.peers.claim(fresh):
            begin_training(session, item, fresh)
        elif item.proposal.token is None:
            # Nothing is lost: the knowledge now says what is under way elsewhere, and something else is proposed.
            session.under_way.remove(item)
            catch_up(session)

    def _running_s(self) -> float:
        """Seconds for which trainings have run here that have not ended."""
        now = datetime.now(UTC)
        return sum((now - item.started).total_seconds() for item in self._session.under_way if item.claimed)
