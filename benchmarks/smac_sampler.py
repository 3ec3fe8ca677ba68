"""SMAC3 with ParEGO as a peer of the benchmarks, given our memo and filter; ``pip install smac`` is all that it needs.

A random forest on a scalarization of the objectives whose weights are drawn anew for every proposal (Knowles, "ParEGO",
IEEE Transactions on Evolutionary Computation 10, 2006; Lindauer et al., "SMAC3", JMLR 23, 2022), and expected
improvement by local search. It draws from the flat space of the other plain samplers. What cannot be built is taken out
of its first designs and of what its acquisition offers; of the little that slips through it is told unasked.
"""

from __future__ import annotations

import importlib.util
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinysearch.core.errors import UserError
from tinysearch.search.known.flat import FlatSpace
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.samplers import Outcome, Proposal, Stop, Wait

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

START = 8
"""Designs drawn at random that can be built, before the forest is asked."""
MOST_DRAWS = 64
"""So often it is asked anew for one proposal where what it offers cannot be built."""
CHALLENGERS = 1_000
"""Settings drawn for its local search to begin with; the facade's 10 000 take as long again and the space has few."""
ENDLESS = 10**6
"""Trials that SMAC plans for; the benchmark ends earlier."""


def require_smac() -> None:
    """Say so in one line where SMAC is not there.

    Raises:
        UserError: SMAC is not installed.
    """
    if importlib.util.find_spec("smac") is None:
        raise UserError("sampler smac_parego must have SMAC3", value="not installed", remedy="pip install smac")


class SmacParego:
    """SMAC's facade for hyperparameters with ParEGO, asked and told.

    Args:
        flat: the space.
        objectives: how many.
        constraints: how many constraints an outcome has.
        seed: of SMAC.

    Raises:
        UserError: SMAC is not installed.
    """

    name = "smac_parego"

    def __init__(self, *, flat: FlatSpace, objectives: int, constraints: int, seed: int) -> None:
        del constraints
        self._flat = flat
        self._worst = np.full(objectives, -np.inf)
        require_smac()
        self._folder = tempfile.TemporaryDirectory(prefix="smac-")  # SMAC must have one; gone with the sampler
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._smac = self._start(objectives, seed)

    def resume(self, trials: Sequence[FrozenTrial]) -> None:
        """Nothing: a benchmark's run is not resumed."""

    def propose(self, knowledge: Knowledge, rng: np.random.Generator) -> Proposal | Stop | Wait:
        del knowledge, rng  # SMAC draws from its own seed
        for draw in range(MOST_DRAWS + 1):
            try:
                trial = self._smac.ask()
            except StopIteration:
                return Stop(reason="SMAC finds no new design to propose")
            params = self._params(trial.config)
            proposal = Proposal(point=self._flat.decode(params), params=params, token=trial)
            if draw == MOST_DRAWS or self._admits(params):
                break
            self.told(proposal, Outcome(values=None, constraints=(1.0,)))
        return proposal

    def told(self, proposal: Proposal, outcome: Outcome) -> dict[str, Any]:
        """SMAC must be told values: of a design without any, the worst so far."""
        from smac.runhistory.dataclasses import TrialValue

        values = np.where(np.isfinite(self._worst), self._worst, 1.0)
        if outcome.values is not None:
            values = np.array(outcome.values)
            self._worst = np.maximum(self._worst, values)
        self._smac.tell(proposal.token, TrialValue(cost=values.tolist()), save=False)
        return {}

    def _admits(self, params: dict[str, Any]) -> bool:
        return self._flat.admits(self._flat.decode(params))

    def _params(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The setting as the flat space spells it; categories travel as their places."""
        return {
            v.name: int(config[v.name]) if v.ordered else v.labels[int(config[v.name])] for v in self._flat.variables
        }

    def _start(self, objectives: int, seed: int) -> Any:
        from ConfigSpace import CategoricalHyperparameter, ConfigurationSpace, UniformIntegerHyperparameter
        from smac import HyperparameterOptimizationFacade as Facade
        from smac import Scenario
        from smac.acquisition.maximizer import LocalAndSortedRandomSearch
        from smac.main.config_selector import ConfigSelector
        from smac.model.random_forest import RandomForest
        from smac.multi_objective.parego import ParEGO

        space = ConfigurationSpace(seed=seed)
        for v in self._flat.variables:
            places = list(range(len(v.values)))
            one = (
                UniformIntegerHyperparameter(v.name, 0, places[-1])
                if v.ordered
                else CategoricalHyperparameter(v.name, places)
            )
            space.add(one)
        admits = self._admits
        params = self._params

        class Buildable(LocalAndSortedRandomSearch):
            """SMAC's own search of the acquisition, less what cannot be built."""

            def maximize(self, *args: Any, **options: Any) -> Iterator[Any]:
                return (config for config in super().maximize(*args, **options) if admits(params(config)))

        scenario = Scenario(
            space,
            objectives=[f"objective{k}" for k in range(objectives)],
            deterministic=True,
            n_trials=ENDLESS,
            seed=seed,
            output_directory=self._folder.name,
        )
        first: list[Any] = []
        while len(first) < START:
            drawn = space.sample_configuration()
            if admits(params(drawn)):
                first.append(drawn)
        # The facade's own settings, but of one thread; its default takes every core for each prediction.
        forest = RandomForest(
            space,
            log_y=True,
            n_trees=10,
            bootstrapping=True,
            ratio_features=5 / 6,
            min_samples_split=3,
            min_samples_leaf=3,
            max_depth=20,
            seed=seed,
            n_jobs=1,
        )
        return Facade(
            scenario,
            None,
            model=forest,
            acquisition_maximizer=Buildable(space, challengers=CHALLENGERS, local_search_iterations=10, seed=seed),
            initial_design=Facade.get_initial_design(scenario, n_configs=0, additional_configs=first),
            multi_objective_algorithm=ParEGO(scenario),
            config_selector=ConfigSelector(scenario, retrain_after=1),  # by default after every 8th
            logging_level=False,
            overwrite=True,
        )
