"""pymoo's evolutionary algorithms for mixed variables over the flat space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinysearch.search.known.flat import FlatSpace
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.proposals import Outcome, Proposal, SamplerMaker, Stop, Wait
from tinysearch.search.sampler_settings import check_settings, check_whole

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

POPULATION = 20
MOST_DRAWS = 64
"""So many individuals in a row that cannot be built are told as infeasible unasked; of the next the study learns."""

NEVER = 1e12
"""What pymoo is told of a failed design; it cannot leave an individual without values."""


class PymooSampler:
    """NSGA-II, NSGA-III or AGE-MOEA, asked and told generation by generation.

    pymoo keeps its state to itself, so a resumed run replays the trials of the study into an algorithm with the same
    seed, which makes the same proposals.

    Args:
        name: pymoo_nsga2, pymoo_nsga3 or pymoo_agemoea.
        flat: the space.
        objectives: how many objectives.
        constraints: how many constraints an outcome has.
        seed: of the algorithm.
        options: ``population_size``.

    Raises:
        UserError: other options, or no whole number from 2.
    """

    def __init__(
        self, name: str, *, flat: FlatSpace, objectives: int, constraints: int, seed: int, options: Mapping[str, Any]
    ) -> None:
        self.name = name
        self._flat = flat
        self._objectives = objectives
        self._constraints = constraints
        self._seed = seed
        check_settings(name, options, {"population_size": POPULATION})
        self._population = options.get("population_size", POPULATION)
        check_whole("population_size", self._population, least=2)
        self._begin()

    def _begin(self) -> None:
        self._algorithm = self._start(self._constraints, self._seed)
        self._batch: Any = None
        self._next = 0
        self._open = 0

    def resume(self, trials: Sequence[FrozenTrial]) -> None:
        self._begin()
        for trial in trials:
            if trial.user_attrs.get("kind") != "proposal":
                continue
            if not isinstance(self._draw(), int):
                return
            individual = self._batch[self._next - 1]
            if trial.params != self._params(individual.X):
                individual.X = self._values(trial.params)
            values = tuple(trial.values) if trial.values is not None else None
            constraints = tuple(trial.system_attrs.get("constraints", (0.0,)))
            self._tell(self._next - 1, Outcome(values=values, constraints=constraints, failed=values is None))

    def propose(self, knowledge: Knowledge, rng: np.random.Generator) -> Proposal | Stop | Wait:  # noqa: ARG002
        at = self._draw()
        if not isinstance(at, int):
            return at
        params = self._params(self._batch[at].X)
        return Proposal(point=self._flat.decode(params), params=params, token=at)

    def told(self, proposal: Proposal, outcome: Outcome) -> dict[str, Any]:
        self._tell(proposal.token, outcome)
        return {}

    def _draw(self) -> int | Stop | Wait:
        """The place in the batch of the next individual that can be built.

        Which ones cannot follows from the space, so a resumed run skips the same.
        """
        for _ in range(MOST_DRAWS):
            at = self._next_individual()
            if not isinstance(at, int) or self._flat.admits(self._flat.decode(self._params(self._batch[at].X))):
                return at
            self._tell(at, Outcome(values=None, constraints=(1.0,) * self._constraints))
        return self._next_individual()

    def _next_individual(self) -> int | Stop | Wait:
        """The next individual's place in the batch, asking pymoo for a new generation once all of the last are told."""
        if self._batch is None or self._next >= len(self._batch):
            if self._open:
                return Wait()
            self._batch = self._algorithm.ask()
            self._next = 0
            if self._batch is None or not len(self._batch):
                return Stop(reason="pymoo finds no new design to propose")
        self._next += 1
        self._open += 1
        return self._next - 1

    def _tell(self, at: int, outcome: Outcome) -> None:
        individual = self._batch[at]
        values = outcome.values if outcome.values is not None else (NEVER,) * self._objectives
        individual.set("F", np.minimum(np.array(values, np.float64), NEVER))
        individual.set("G", np.array(outcome.constraints, np.float64))
        individual.set("H", np.zeros(0))
        individual.evaluated |= {"F", "G", "H"}
        self._open -= 1
        if self._next >= len(self._batch) and not self._open:
            self._algorithm.tell(infills=self._batch)
            self._batch = None

    def _params(self, values: Mapping[str, Any]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for v in self._flat.variables:
            out[v.name] = int(values[v.name]) if v.ordered else v.labels[int(values[v.name])]
        return out

    def _values(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return {v.name: params[v.name] if v.ordered else v.labels.index(params[v.name]) for v in self._flat.variables}

    def _start(self, constraints: int, seed: int) -> Any:
        from pymoo.algorithms.moo.nsga2 import RankAndCrowdingSurvival
        from pymoo.algorithms.moo.nsga3 import ReferenceDirectionSurvival
        from pymoo.core.mixed import MixedVariableGA
        from pymoo.core.problem import Problem
        from pymoo.core.variable import Choice, Integer
        from pymoo.util.ref_dirs import get_reference_directions

        from tinysearch.search.samplers._age_survival import AgeSurvival

        if self.name == "pymoo_nsga3":
            directions = get_reference_directions("energy", self._objectives, self._population, seed=1)
            survival: Any = ReferenceDirectionSurvival(directions)
        else:
            survival = AgeSurvival() if self.name == "pymoo_agemoea" else RankAndCrowdingSurvival()
        variables = {
            v.name: Integer(bounds=(0, len(v.values) - 1)) if v.ordered else Choice(options=list(range(len(v.values))))
            for v in self._flat.variables
        }
        problem = Problem(vars=variables, n_obj=self._objectives, n_ieq_constr=constraints)
        algorithm = MixedVariableGA(pop_size=self._population, survival=survival)
        algorithm.setup(problem, termination=("n_gen", 10**9), seed=seed, verbose=False)
        return algorithm


SAMPLERS: Mapping[str, SamplerMaker] = dict.fromkeys(("pymoo_nsga2", "pymoo_nsga3", "pymoo_agemoea"), PymooSampler)
