"""The other processes of a study: what they have found, and what they are about to find."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.study import storage
from tinysearch.search.study.claims import Claims
from tinysearch.search.study.history import History

if TYPE_CHECKING:
    import optuna

WORKER = "worker"
"""User attribute of a trial: the process that recorded it."""


class Peers:
    """Keeps this process's knowledge level with the study. Alone, it does nothing.

    Args:
        seen: so many trials of the study are adopted already.

    Attributes:
        elsewhere: branches in training in other processes; they count as pending.
        news: peers have recorded trials that the sampler has not been told of; whoever tells it sets this back.
    """

    def __init__(
        self, study: optuna.Study, claims: Claims, history: History, knowledge: Knowledge, *, seen: int
    ) -> None:
        self.elsewhere: set[int] = set()
        self.news = False
        self._study = study
        self._claims = claims
        self._history = history
        self._knowledge = knowledge
        self._seen = seen

    @property
    def alone(self) -> bool:
        """Whether no other process can take part."""
        return self._claims.owner is None

    @property
    def owner(self) -> str | None:
        """Name of this process in its trials; None if it is alone."""
        return self._claims.owner

    @property
    def attributes(self) -> dict[str, str]:
        """Recorded with every trial of this process."""
        return {} if self._claims.owner is None else {WORKER: self._claims.owner}

    def claim(self, branches: Iterable[int]) -> bool:
        """Claim branches for training here; False if a peer has one of them, or has just trained it."""
        if self.alone:
            return True
        wanted = list(branches)
        if not self._claims.take(self._keys(wanted)):
            return False
        # A peer records a trial before it gives its claim back: what is known by now need not be trained.
        self.catch_up()
        if any(self._knowledge.known[b] or self._knowledge.failed[b] for b in wanted):
            self.release(wanted)
            return False
        return True

    def release(self, branches: Iterable[int]) -> None:
        """Give branches back whose trial is recorded."""
        self._claims.release(self._keys(branches))

    def catch_up(self) -> bool:
        """Adopt what peers recorded and which branches they are training; whether anything changed."""
        if self.alone:
            return False
        # First the claims: a training that ends in between is then seen as claimed, known, or both, never as free.
        claimed = self._claims.others()
        trials = storage.finished_trials(self._study)
        news = [trial for trial in trials[self._seen :] if trial.user_attrs.get(WORKER) != self._claims.owner]
        self._seen = len(trials)
        self.news |= bool(news)
        for trial in news:
            self._history.adopt(trial, from_peer=True)
        known, pending = self._knowledge.known, self._knowledge.pending
        names = {branch.key: i for i, branch in enumerate(self._knowledge.table.branches)} if claimed else {}
        now = {names[key] for key in claimed if key in names and not known[names[key]]}
        before, self.elsewhere = self.elsewhere, now
        pending[list(before - now)] = False
        pending[list(now)] = True
        return bool(news) or now != before

    def _keys(self, branches: Iterable[int]) -> list[str]:
        return [self._knowledge.table.branches[b].key for b in branches]
