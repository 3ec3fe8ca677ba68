"""What a sampler promises."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tinysearch.core.protocols import Sampler
from tinysearch.search.known.assess import TableAssessor, constraint_values
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.known.objective_values import ObjectiveVector
from tinysearch.search.loop import SearchOptions, search
from tinysearch.search.resolver import Resolver
from tinysearch.search.result import SearchResult
from tinysearch.search.samplers import Outcome, Proposal, Stop, Wait
from tinysearch.search.study.storage import JOURNAL
from tinysearch.testing.laws import Suite, law
from tinysearch.testing.small_search import OBJECTIVES, SmallErrors, small_problem


class SamplerConformance(Suite):
    """``plugin(flat=.., objectives=.., constraints=.., seed=..)`` makes a sampler.

    A sampler proposes rows of the design table or points of the flat space. Rows are feasible, and one that is proposed
    costs a training; who proposes points need not know what is known.

    Attributes:
        seed: of the trials.
    """

    seed: ClassVar[int] = 5

    def _make(self, plugin: Any) -> Any:
        problem = small_problem(SmallErrors())
        return plugin(flat=problem.flat, objectives=len(OBJECTIVES), constraints=1, seed=self.seed)

    def test_is_a_sampler(self, plugin: Any) -> None:
        sampler = self._make(plugin)
        law(isinstance(sampler, Sampler), "a sampler has a name", type(sampler))
        for method in ("resume", "propose", "told"):
            law(callable(getattr(sampler, method, None)), "a sampler has resume, propose and told", f"no {method}")

    def test_proposes_what_can_be_done_and_is_new(self, plugin: Any) -> None:
        self._drive(plugin).run(limit=60)

    def test_keeps_off_what_is_in_training_elsewhere(self, plugin: Any) -> None:
        self._drive(plugin, workers=4).run(limit=60)

    def test_survives_trainings_that_fail(self, plugin: Any) -> None:
        self._drive(plugin, failing=range(0, 24, 3)).run(limit=60)

    def test_one_that_looks_at_the_knowledge_stops(self, plugin: Any) -> None:
        drive = self._drive(plugin)
        drive.run(limit=200)
        if drive.rows_only:
            law(drive.stopped, "a sampler of rows stops when no training is left that is worth it", "200 proposals")

    def test_nothing_is_left_where_all_is_known(self, plugin: Any) -> None:
        drive = self._drive(plugin)
        drive.knowledge.learn(range(len(drive.knowledge.table.branches)))
        drive.run(limit=3)
        if drive.rows_only:
            law(drive.stopped, "a sampler of rows stops at once where all branches are known", drive.made)

    def test_equal_seeds_give_equal_proposals(self, plugin: Any) -> None:
        first, again = self._drive(plugin), self._drive(plugin)
        first.run(limit=25)
        again.run(limit=25)
        law(first.made == again.made, "decisions follow from knowledge, what was told and the generator alone")

    def test_a_whole_search_works(self, plugin: Any, tmp_path: Path) -> None:
        errors = SmallErrors()
        result = self._search(plugin, tmp_path, errors, n_trials=15)
        law(result.points, "a search of 15 trials finds a front", "no point")
        law(result.trials <= 15, "a search keeps n_trials", result.trials)
        law(len(set(errors.trained)) == len(errors.trained), "no branch is trained twice", errors.trained)

    def test_a_run_that_was_cut_goes_on_as_if_it_had_not_been(self, plugin: Any, tmp_path: Path) -> None:
        whole = self._search(plugin, tmp_path / "whole", SmallErrors(), n_trials=16)
        journal = (tmp_path / "whole" / JOURNAL).read_bytes()
        recorded = [found.start() for found in re.finditer(b'"proposal"', journal)]
        for number in {1, len(recorded) // 2, len(recorded) - 1}:
            run_dir = tmp_path / str(number)
            run_dir.mkdir()
            # What a kill leaves while a trial is written.
            (run_dir / JOURNAL).write_bytes(journal[: recorded[number]])
            resumed = self._search(plugin, run_dir, SmallErrors(), n_trials=16)
            law(
                _proposals(resumed) == _proposals(whole),
                "resume restores all that decides: a run that was cut ends like the undisturbed one",
                f"another one, cut after {number} trials",
            )

    def _search(self, plugin: Any, run_dir: Path, errors: SmallErrors, *, n_trials: int) -> SearchResult:
        options = SearchOptions(sampler="plug-in", sampler_factory=plugin, n_trials=n_trials, seed=self.seed)
        run_dir.mkdir(exist_ok=True)
        return search(small_problem(errors), options, run_dir=run_dir)

    def _drive(self, plugin: Any, *, workers: int = 1, failing: Iterable[int] = ()) -> _Drive:
        return _Drive(self._make(plugin), seed=self.seed, workers=workers, failing=frozenset(failing))


def _proposals(result: SearchResult) -> list[Any]:
    return [
        (trial.params, trial.user_attrs.get("id"))
        for trial in result.study.trials
        if trial.user_attrs.get("kind") == "proposal" and trial.state.is_finished()
    ]


@dataclass(slots=True, kw_only=True)
class _Open:
    """A proposal in training."""

    proposal: Proposal
    missing: list[int]


class _Drive:
    """The study loop without its trainings: asks, pretends to train, tells, and holds every answer to the rules."""

    def __init__(self, sampler: Any, *, seed: int, workers: int, failing: frozenset[int]) -> None:
        errors = SmallErrors()
        problem = small_problem(errors)
        self.sampler, self.seed, self.workers, self.failing = sampler, seed, workers, failing
        self.knowledge = Knowledge(problem.table, ObjectiveVector(OBJECTIVES), errors.error_rates)
        self.assessor = TableAssessor(problem.table)
        self.resolver = Resolver(self.assessor, self.knowledge)
        self.open: deque[_Open] = deque()
        self.made: list[Any] = []
        self.stopped = False
        self.rows_only = True
        sampler.resume(())

    def run(self, *, limit: int) -> None:
        """Ask until the sampler stops or has made so many proposals."""
        while not self.stopped and len(self.made) < limit:
            if len(self.open) < self.workers:
                answer = self.sampler.propose(self.knowledge, np.random.default_rng([self.seed, len(self.made)]))
                law(isinstance(answer, Proposal | Stop | Wait), "propose returns Proposal, Stop or Wait", type(answer))
                if isinstance(answer, Stop):
                    law(isinstance(answer.reason, str) and answer.reason, "a stop says why", answer.reason)
                    self.stopped = True
                    continue
                if isinstance(answer, Proposal):
                    self._take(answer)
                    continue
                law(self.knowledge.pending.any(), "a sampler waits only while a training is in flight")
            self._finish()
        while self.open:
            self._finish()

    def _take(self, proposal: Proposal) -> None:
        law((proposal.row is None) != (proposal.point is None), "a proposal has a row or a point, not both or neither")
        _jsonable(proposal.attributes, "attributes of a proposal are JSON")
        if proposal.row is None:
            self.rows_only = False
        else:
            self._check_row(proposal.row)
        self.made.append((proposal.row, proposal.point, proposal.params))
        design = self.resolver.design(proposal)
        missing = [b for b in design.branches if not self.knowledge.known[b]] if not design.violations else []
        if design.violations:
            values = self.resolver.values(design, None)[1]
            constraints = constraint_values(design.violations, self.assessor.rules)
            self._tell(proposal, Outcome(values=values, constraints=constraints))
            return
        if not missing:
            self._tell(proposal, Outcome(values=self.resolver.values(design, None)[1]))
            return
        missing = [b for b in missing if not self.knowledge.pending[b]]
        self.knowledge.pending[missing] = True
        self.open.append(_Open(proposal=proposal, missing=missing))

    def _check_row(self, row: int) -> None:
        knowledge = self.knowledge
        law(
            isinstance(row, int) and 0 <= row < len(knowledge.table),
            "a row is an int within the design table: these designs are feasible",
            repr(row),
        )
        branches = [int(b) for b in knowledge.table.needs[row] if b >= 0]
        names = [knowledge.table.branches[b].short for b in branches]
        law(not knowledge.failed[branches].any(), "a branch whose training failed is not proposed again", names)
        law(
            (~(knowledge.known | knowledge.pending)[branches]).any(),
            "a row has a branch to train: one that is neither known nor in training",
            names,
        )

    def _finish(self) -> None:
        if not self.open:
            return
        item = self.open.popleft()
        failed = [b for b in item.missing if b in self.failing]
        self.knowledge.failed[failed] = True
        self.knowledge.pending[item.missing] = False
        self.knowledge.learn(b for b in item.missing if b not in failed)
        design = self.resolver.design(item.proposal)
        if failed or self.knowledge.failed[list(design.branches)].any():
            self._tell(item.proposal, Outcome(values=None, failed=True))
        else:
            self._tell(item.proposal, Outcome(values=self.resolver.values(design, None)[1]))

    def _tell(self, proposal: Proposal, outcome: Outcome) -> None:
        told = self.sampler.told(proposal, outcome)
        law(isinstance(told, dict), "told returns a dictionary, often an empty one", type(told))
        _jsonable(told, "what told returns is stored as JSON")


def _jsonable(value: Any, rule: str) -> None:
    try:
        json.dumps(value)
    except (TypeError, ValueError) as error:
        raise AssertionError(f"{rule}; found {error}") from error
