"""Error models whose trainings leave a line in a file or fail, for engines; workers import this module by its name."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace

from toy_space import SyntheticErrors

from tinysearch.core.errors import UserError
from tinysearch.core.protocols import TrainingProgress, TrainingRecord
from tinysearch.search.loop import SearchOptions, search

OBJECTIVES = ("eer", "bom_cost_usd", "latency_s")


class Rough(SyntheticErrors):
    """Trains by appending to a file, so that the coordinator sees what workers did; kills its worker on one branch."""

    def __init__(self, space, *, path, deadly=None, pause=0.0):
        super().__init__(space, seed=0)
        self.path, self.deadly, self.pause = path, deadly, pause

    def train(self, branch, *, progress):
        with self.path.open("a") as log:
            log.write(f"{branch.key} {os.getpid()}\n")
        if branch.key == self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        progress(TrainingProgress(branch=branch, phase="one", fraction=0.5))
        time.sleep(self.pause)
        return TrainingRecord(branch=branch, seconds=1.0, remembered=False)


def front(result):
    return [(point.candidate.id, point.values) for point in result.points]


def front_of_known(problem, space, keys):
    """The front that one process finds when it knows these branches and may train no other."""
    errors = SyntheticErrors(space, seed=0)
    for branch in space.branches:
        if branch.key in keys:
            errors.train(branch, progress=lambda _: None)
    return front(search(replace(problem, error_model=errors), SearchOptions(timeout_s=0.0)))


def trained(path):
    return [line.split() for line in path.read_text().splitlines()]


class Complaining:
    evidence = "trained"
    needs_training = True

    def knows(self, branch):
        return False

    def error_rates(self, branches):
        raise AssertionError

    def train(self, branch, *, progress):
        class StrangeError(Exception):
            pass

        if branch == branch.start:
            raise UserError("a data set has people", value="none", remedy="prepare it")
        raise StrangeError("cannot be pickled")
