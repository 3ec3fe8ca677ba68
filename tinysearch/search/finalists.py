"""The end of a noisy search: branches of the front are trained again with other seeds, so that luck does not choose."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

import numpy as np

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.protocols import ErrorModel
from tinysearch.search.engines import Engine, TrainingReport
from tinysearch.search.known.design import NO_BRANCH, Ints
from tinysearch.search.known.knowledge import Knowledge

_LOGGER = logging.getLogger(__name__)


class FinalistModel(ErrorModel, Protocol):
    """An error model to which a branch is known once it was trained as often as a finalist is."""

    def draws(self, branch: BranchSpec) -> tuple[float, ...]:
        """Validation EER of every training of a branch."""
        ...


Watch = Callable[[TrainingReport], None]


def repeat_finalists(
    knowledge: Knowledge, model: FinalistModel, engine: Engine, *, should_stop: Callable[[], bool], watch: Watch
) -> None:
    """Train what stands on the front again, and what takes its place, until the whole front was.

    Args:
        knowledge: at the end of the search.
        engine: trains with ``model``.
        should_stop: asked often; trainings that are finished by then count.
        watch: told of every tick and every end of a training.
    """
    given_up: set[int] = set()
    while True:
        knowledge = relearned(knowledge, model)
        table = knowledge.table
        waiting = {b for b in finalists(knowledge).tolist() if not model.knows(table.branches[b])} - given_up
        if not waiting or should_stop():
            return
        for branch in sorted(waiting):
            engine.submit(table.branches[branch])
        while waiting and not should_stop():
            for report in engine.wait(should_stop):
                watch(report)
                branch = table.branch_index(report.branch)
                if report.error is not None:
                    _LOGGER.warning("training %s again failed: %s", report.branch.short, report.error)
                    given_up.add(branch)
                if report.is_end:
                    waiting.discard(branch)


def finalists(knowledge: Knowledge) -> Ints:
    """Branches that designs of the front need, ascending."""
    needed = np.unique(knowledge.table.needs[knowledge.front])
    return np.asarray(needed[needed != NO_BRANCH], np.int64)


def relearned(knowledge: Knowledge, model: ErrorModel) -> Knowledge:
    """The same branches known, with the error rates of another model."""
    table = knowledge.table
    fresh = Knowledge(table, knowledge.objectives, model.error_rates)
    fresh.learn(knowledge.order)
    fresh.failed |= knowledge.failed
    fresh.seconds |= knowledge.seconds
    fresh.complete()
    return fresh
