"""How much a search may try and train, and the sentence with which it ends where it may not go on."""

from __future__ import annotations

from tinysearch.search.history import History
from tinysearch.search.knowledge import Knowledge
from tinysearch.search.problem import SearchOptions


class Limits:
    """The limits of :class:`SearchOptions`, but for the clock, against what the study has had so far."""

    def __init__(self, options: SearchOptions, knowledge: Knowledge, history: History) -> None:
        self._options = options
        self._knowledge = knowledge
        self._history = history

    def trials(self, decisions: int) -> str:
        """Why nothing more may be proposed after so many decisions; empty if it may."""
        limit = self._options.n_trials
        return f"all {limit} trials are done" if limit is not None and decisions >= limit else ""

    def trainings(self, fresh: int, *, running_s: float) -> str:
        """Why so many fresh branches may not be trained; empty if they may.

        Args:
            running_s: seconds for which trainings under way here have run.
        """
        limit = self._options.n_trainings
        if fresh and limit is not None:
            busy = int(self._knowledge.pending.sum())
            begun = self._history.trainings + busy
            if begun >= limit:
                return f"all {limit} trainings are done"
            if begun + fresh > limit:
                return f"{begun} of {limit} trainings are done, and the next design needs {fresh}"
        return self._training_time(running_s) if fresh else ""

    def _training_time(self, running_s: float) -> str:
        limit = self._options.training_s
        spent = sum(self._knowledge.seconds.values()) + running_s
        if limit is None or spent < limit:
            return ""
        # What this study trained itself is not remembered from earlier, even where a resumed run finds it in the cache.
        earlier = spent - running_s - self._history.training_s
        allowed = f"{limit / 60:g}"
        if earlier >= limit and not running_s and not self._history.trainings:
            return (
                f"branches remembered from earlier runs took {earlier / 60:.1f} minutes of training and training_time "
                f"allows {allowed}, so nothing new was trained; raise training_time to train more"
            )
        remembered = f" ({earlier / 60:.1f} of them remembered from earlier runs)" if earlier >= 6.0 else ""  # 0.1 min
        return (
            f"{spent / 60:.1f} minutes of training are behind this answer{remembered} "
            f"and training_time allows {allowed}; raise it to train more"
        )
