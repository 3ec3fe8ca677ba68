"""Turns what the loop does into events with the time left and the best so far."""

from __future__ import annotations

import time
from typing import Any, Protocol

import numpy as np

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.protocols import TrainingProgress
from tinysearch.search.events import EventCallback, EventKind, SearchEvent
from tinysearch.search.known.knowledge import Knowledge


class Counters(Protocol):
    """What progress reads of the session."""

    told: int
    trainings: int


class Progress:
    """Clock, running trainings and the callback.

    Args:
        knowledge: for the front so far.
        n_trials, timeout_s: the limits, for the time left.
        on_event: who watches.
        spent_s: what has passed before the search begins.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        n_trials: int | None,
        timeout_s: float | None,
        on_event: EventCallback,
        *,
        spent_s: float = 0.0,
    ) -> None:
        self._knowledge = knowledge
        self._n_trials = n_trials
        self._timeout_s = timeout_s
        self._on_event = on_event
        self._began = time.monotonic() - spent_s
        self._told_before: int | None = None
        self._running: dict[BranchSpec, float] = {}
        self._waited_for: dict[BranchSpec, str] = {}

    def elapsed_s(self) -> float:
        return time.monotonic() - self._began

    def watch(self, knowledge: Knowledge) -> None:
        """From here on the front is that of other knowledge."""
        self._knowledge = knowledge

    def ticked(self, branch: BranchSpec, progress: TrainingProgress, counters: Counters) -> None:
        """One tick of one training."""
        self._running[branch] = progress.fraction
        holder = progress.waits_for
        if holder is not None and self._waited_for.get(branch) != holder:
            self._waited_for[branch] = holder
            self.emit("waiting", counters, branch=branch, message=f"{branch.short} is in training already, by {holder}")
        self.emit("training", counters, branch=branch, phase=progress.phase, fraction=progress.fraction)

    def ended(self, branch: BranchSpec) -> None:
        """A training is over, one way or the other."""
        self._running.pop(branch, None)

    def emit(self, kind: EventKind, counters: Counters, **details: Any) -> None:
        """Send one event."""
        if self._told_before is None:
            self._told_before = counters.told
        front = self._knowledge.front_points
        best = self._knowledge.scale.inverse(front.min(axis=0)[None])[0] if len(front) else np.zeros(0)
        self._on_event(
            SearchEvent(
                kind=kind,
                elapsed_s=self.elapsed_s(),
                remaining_s=self._remaining_s(counters),
                trials=counters.told,
                n_trials=self._n_trials,
                trainings=counters.trainings,
                training=tuple(self._running.items()),
                best=tuple(float(v) for v in best),
                front_size=len(front),
                hypervolume=self._knowledge.hypervolume(),
                **details,
            )
        )

    def _remaining_s(self, counters: Counters) -> float | None:
        """By the pace of this run's trials, running trainings counted in part; never beyond the timeout."""
        left: list[float] = []
        if self._timeout_s is not None:
            left.append(max(0.0, self._timeout_s - self.elapsed_s()))
        done = counters.told - (self._told_before or 0) + sum(self._running.values())
        if self._n_trials is not None and done > 0:
            open_trials = self._n_trials - counters.told - sum(self._running.values())
            left.append(max(0.0, open_trials) * self.elapsed_s() / done)
        return min(left) if left else None
