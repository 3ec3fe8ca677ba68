"""How much a search may try and train, and the sentence with which it ends where it may not go on."""

from __future__ import annotations

from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.problem import SearchOptions
from tinysearch.search.study.history import History

_WORTH_SAYING_S = 6.0
"""Minutes are told to one digit."""


class Limits:
    """The limits of :class:`SearchOptions`, but for the clock, against what the study has had so far."""

    def __init__(self, options: SearchOptions, knowledge: Knowledge, history: History) -> None:
        self._options = options
        self._knowledge = knowledge
        self._history = history

    def trials(self, decisions: int) -> str:
        """Why nothing more may be proposed after so many decisions; empty if it may."""
        limit = self._options.n_trials
        return _all_done(limit, "trial") if limit is not None and decisions >= limit else ""

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
                return _all_done(limit, "training")
            if begun + fresh > limit:
                return f"{begun} of {limit} trainings are done, and the next design needs {fresh}"
        return self._training_time(running_s) if fresh else ""

    def _training_time(self, running_s: float) -> str:
        """Why nothing more is trained, and what training on would buy; empty if it may go on."""
        own = self._history.training_s + running_s
        behind = sum(self._knowledge.seconds.values()) + running_s
        remembered = behind - own
        limit, answer = self._options.training_s, self._options.answer_s
        if limit is not None and own >= limit:
            earlier = f", on top of {remembered / 60:.1f} remembered" if remembered >= _WORTH_SAYING_S else ""
            allowed = f"training_time allows {limit / 60:g}"
            return f"{own / 60:.1f} minutes were trained{earlier}, and {allowed}{self._more(limit)}"
        if answer is not None and behind >= answer:
            return (
                f"a first answer rests on {answer / 60:g} minutes of training or a little more, and this one on "
                f"{behind / 60:.1f}{self._of_them(remembered)}{self._more(answer)}"
            )
        return ""

    @staticmethod
    def _of_them(remembered: float) -> str:
        """How much of the training behind an answer is of earlier runs, in seconds given."""
        return f" ({remembered / 60:.1f} of them remembered)" if remembered >= _WORTH_SAYING_S else ""

    def _more(self, seconds: float) -> str:
        """What as much training again would add."""
        took = [each for each in self._knowledge.seconds.values() if each > 0]
        if not took:
            return ""
        branches = max(1, round(seconds * len(took) / sum(took)))
        left = int(self._knowledge.trainable().sum())
        return (
            f"; a new run of the same command trains for {seconds / 60:g} minutes, "
            f"about {min(branches, left)} of the {left} branches that are left"
        )


def _all_done(limit: int, what: str) -> str:
    return f"the one {what} is done" if limit == 1 else f"all {limit} {what}s are done"
