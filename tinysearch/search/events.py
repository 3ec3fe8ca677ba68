"""What a running search tells whoever watches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tinysearch.core.candidate import BranchSpec

EventKind = Literal["started", "training", "waiting", "trained", "failed", "given_up", "trial", "completing", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchEvent:
    """One thing that happened.

    Attributes:
        kind: ``started``; ``training`` (a tick); ``waiting`` (for the training of another process, once a branch, its
            ``message`` says whose); ``trained`` / ``failed`` / ``given_up`` (one branch); ``trial`` (one
            recorded); ``completing`` (the front is being filled up); ``stopped`` (the end, ``message`` says why).
        elapsed_s: since the search began; ``remaining_s`` an estimate, None while there is nothing to judge by.
        trials, n_trials: proposals told so far and the most there may be (None: no limit).
        trainings: trainings done in this study, remembered ones not counted.
        training: branches in training now, with the fraction done of each.
        branch, phase, fraction: of a ``training``, ``trained`` or ``failed`` event.
        candidate: id of a ``trial`` event's design; ``feasible`` whether it may be built.
        best: for each objective the lowest value known so far, in the order of the objectives; empty before any.
        front_size: designs on the front so far.
        hypervolume: of that front, in the scale's own units: good for comparison within one run only.
        message: one line for people.
    """

    kind: EventKind
    elapsed_s: float
    trials: int
    trainings: int
    n_trials: int | None = None
    remaining_s: float | None = None
    training: tuple[tuple[BranchSpec, float], ...] = ()
    branch: BranchSpec | None = None
    phase: str = ""
    fraction: float = 0.0
    candidate: str | None = None
    feasible: bool = True
    best: tuple[float, ...] = ()
    front_size: int = 0
    hypervolume: float = 0.0
    message: str = ""


EventCallback = Callable[[SearchEvent], None]


def ignore(event: SearchEvent) -> None:
    """Watch nothing."""
    del event
