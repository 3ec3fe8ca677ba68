"""What the trials of a study say: how many there were, what was trained, which designs are recorded."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import UserError
from tinysearch.core.protocols import ErrorModel, TrainingProgress, TrainingRecord
from tinysearch.search.known.fidelity import EarlyEvidence, WarmStart
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.study import storage

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial


_LOGGER = logging.getLogger(__name__)

_PATIENCE_S = 10.0
_PAUSE_S = 0.5


def _unwatched(progress: TrainingProgress) -> None:
    del progress


class History:
    """Counters of the whole study, earlier runs and other processes included.

    Attributes:
        told: proposals told; completions are not counted.
        trainings: done for this study; ``training_s`` their seconds together.
        recorded: ids of feasible candidates that are trials.
        evidence: what early epochs of its trainings told.
        finalists: ids and objectives of those recorded after their branches were trained again.
    """

    def __init__(self, study: optuna.Study, error_model: ErrorModel, knowledge: Knowledge) -> None:
        self.told = 0
        self.trainings = 0
        self.training_s = 0.0
        self.recorded: set[str] = set()
        self.finalists: set[tuple[str, tuple[float, ...]]] = set()
        self.evidence = EarlyEvidence(knowledge.table.branches, knowledge.hints)
        self._study = study
        self._model = error_model
        self._knowledge = knowledge
        self._by_key = {branch.key: i for i, branch in enumerate(knowledge.table.branches)}
        has_rates = bool(knowledge.objectives.metrics)
        known = [b.key for b in knowledge.table.branches if error_model.knows(b)] if has_rates else []
        self._at_hand = set(known)
        self._at_start = storage.known_at_start(study, known)
        remembered = [i for key, i in self._by_key.items() if key in self._at_start & self._at_hand]
        for i in remembered:
            record = error_model.train(knowledge.table.branches[i], progress=_unwatched)
            knowledge.seconds[i] = record.seconds
        knowledge.learn(remembered)

    def warm(self, given: WarmStart) -> None:
        """Take in evidence from elsewhere: what the study was started with, whatever is given by now."""
        stored = storage.at_start(self._study, "warm_start", given.to_dict())
        self._knowledge.warm(WarmStart.from_dict(stored))

    def lost(self, trials: Sequence[FrozenTrial]) -> list[int]:
        """Branches of trials that cannot be answered any more: their entries were damaged, or deleted."""
        answered = [trial.user_attrs for trial in trials if trial.values is not None]
        keys = {key for said in answered if said.get("feasible") for key in said.get("branches", ())}
        missing = sorted(self._by_key[key] for key in keys - self._at_hand if key in self._by_key)
        return [i for i in missing if not self._answers(self._knowledge.table.branches[i], patient=False)]

    def regain(self, record: TrainingRecord) -> None:
        """Take in a lost branch that was trained again; its training was counted when it was done first."""
        key = record.branch.key
        self._at_hand.add(key)
        if key in self._at_start:
            self._knowledge.seconds[self._by_key[key]] = record.seconds
            self._knowledge.learn([self._by_key[key]])

    def adopt(self, trial: FrozenTrial, *, from_peer: bool = False) -> None:
        """Take in a finished trial that this process did not record.

        Args:
            from_peer: another process has just recorded it, so its branches must be answered here, too.

        Raises:
            UserError: a peer trained a branch that this process cannot see.
        """
        attributes, table = trial.user_attrs, self._knowledge.table
        if attributes.get("kind") == "proposal":
            self.told += 1
        if trial.values is not None and attributes.get("feasible"):
            self.recorded.add(str(attributes.get("id")))
            if attributes.get("kind") == "finalist":
                self.finalists.add((str(attributes.get("id")), tuple(trial.values)))
        self.trainings += len(attributes.get("trained", ()))
        # One at a time and in the order of then: the surrogate's decisions depend on it.
        for key, seconds in attributes.get("training_s", {}).items():
            self.training_s += seconds * (key in attributes.get("trained", ()))
            if key not in self._by_key:
                continue
            branch = self._by_key[key]
            if key in self._at_hand or self._answers(table.branches[branch], patient=from_peer):
                self._knowledge.seconds[branch] = seconds
                self._knowledge.learn([branch])
        self.evidence.adopt(attributes)
        given_up = attributes.get("given_up", ())
        for key in [*given_up, *(attributes.get("failed", ()) if from_peer else ())]:
            if key in self._by_key:
                self._knowledge.failed[self._by_key[key]] = True
                self._knowledge.pending[self._by_key[key]] = False

    def count(self, record: TrainingRecord) -> TrainingRecord:
        """Count a training that this process did or remembered; as it is to be recorded.

        What is remembered now but was not when the study began was trained for it: by a run that was killed between
        storing the branch and recording the trial.

        Raises:
            UserError: it was trained on another machine, and this one cannot see it.
        """
        if not self._model.knows(record.branch):
            self._answers(record.branch, patient=True)
        if record.remembered and record.branch.key not in self._at_start:
            record = replace(record, remembered=False)
        if not record.remembered:
            self.trainings += 1
            self.training_s += record.seconds
        branch = self._by_key[record.branch.key]
        self._knowledge.seconds[branch] = record.seconds
        self._knowledge.learn([branch])
        return record

    def _answers(self, branch: BranchSpec, *, patient: bool) -> bool:
        """Whether a branch trained elsewhere can be answered; a table can, a memo that was deleted cannot."""
        until = time.monotonic() + (_PATIENCE_S if patient else 0.0)
        while True:
            try:
                self._model.error_rates([branch])
            except Exception as error:
                if time.monotonic() < until:
                    time.sleep(_PAUSE_S)  # a network file system shows new files late
                    continue
                if patient:
                    raise UserError(
                        "processes of one study must share trained branches",
                        value=f"{branch.short} was trained elsewhere and is not here ({error})",
                        remedy="give all of them the same cache.dir on a shared file system",
                    ) from error
                _LOGGER.warning("%s was trained but is not remembered any more: %s", branch.short, error)
                return False
            return True
