"""Optuna's own samplers over the flat space, each asked through a mirror of the study in memory.

The mirror is what the sampler reads and writes; the study on disk only ever receives finished trials, each in one
write. So a kill leaves no half trial behind, and Optuna's bookkeeping (NSGA-II's generations) travels along in the
system attributes.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy as copy_of
from typing import TYPE_CHECKING, Any

import numpy as np

from tinysearch.core.errors import UserError
from tinysearch.search.known.flat import FlatSpace
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.proposals import Outcome, Proposal, SamplerMaker, Stop, Wait
from tinysearch.search.sampler_settings import check_settings, defaults_of
from tinysearch.search.study.quiet import quiet_optuna
from tinysearch.search.study.storage import CONSTRAINTS

if TYPE_CHECKING:
    import optuna
    from optuna.samplers import BaseGASampler, BaseSampler
    from optuna.trial import FrozenTrial

POPULATION = 20

MOST_DRAWS = 64
"""So often a sampler draws anew for one proposal where what it drew cannot be built."""

IN_VAIN = "tinysearch:drawn_in_vain"
"""System attribute of a trial: what was drawn before it and cannot be built; a resumed run is told of it, too."""


def optuna_sampler(name: str, *, seed: int, options: Mapping[str, Any]) -> BaseSampler:
    """Optuna's sampler of a name; NSGA-II and III with a population of 20 unless told otherwise.

    Raises:
        UserError: options that it does not take.
    """
    from optuna import samplers

    makers: dict[str, Callable[..., BaseSampler]] = {
        "random": samplers.RandomSampler,
        "tpe": samplers.TPESampler,
        "nsga2": samplers.NSGAIISampler,
        "nsga3": samplers.NSGAIIISampler,
        "gp": samplers.GPSampler,
    }
    defaults: dict[str, dict[str, Any]] = {
        "nsga2": {"population_size": POPULATION},
        "nsga3": {"population_size": POPULATION},
    }
    check_settings(name, options, defaults_of(makers[name]))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # experimental features say so at every construction
            return makers[name](seed=seed, **(defaults.get(name, {}) | dict(options)))
    except (TypeError, ValueError) as error:
        raise UserError(
            f"settings of sampler={name} must be those of Optuna's {makers[name].__name__}",
            value=" ".join(f"sampler.{key}={value}" for key, value in options.items()),
            remedy=str(error).strip().splitlines()[0],
        ) from error


def total_violation(constraints: Sequence[float]) -> list[float]:
    """One constraint instead of one a rule: NSGA-II and TPE add them up anyway, and GP fits a model to each.

    Logarithmic, as a model of bytes in excess would be blind to two cores too few; who only compares sees no change.
    """
    return [math.log1p(sum(max(0.0, value) for value in constraints))]


class OptunaStudySampler:
    """Any Optuna sampler. A fresh one with a seed of its own answers every proposal, so a resumed run goes on alike.

    Args:
        name: random, tpe, nsga2, nsga3 or gp.
        flat: the space.
        objectives: how many objectives.
        options: for Optuna's class.
    """

    def __init__(self, name: str, *, flat: FlatSpace, objectives: int, options: Mapping[str, Any]) -> None:
        self.name = name
        self._flat = flat
        self._distributions = flat.distributions()
        self._objectives = objectives
        self._options = options
        optuna_sampler(name, seed=0, options=options)
        self._begin()

    def _begin(self) -> None:
        import optuna

        with quiet_optuna():
            self._mirror = optuna.create_study(directions=["minimize"] * self._objectives)
        self._generation = 0
        self._in_vain: dict[int, list[dict[str, Any]]] = {}

    def resume(self, trials: Sequence[FrozenTrial]) -> None:
        from optuna.trial import TrialState

        self._begin()
        for trial in trials:
            for params in trial.system_attrs.get(IN_VAIN, ()):
                self._forgo(params)
            copy = copy_of(trial)
            if CONSTRAINTS in copy.system_attrs:
                violation = total_violation(copy.system_attrs[CONSTRAINTS])
                copy.system_attrs[CONSTRAINTS] = violation
                worst = self._worst_values(violation) if copy.state == TrialState.PRUNED else None
                if worst is not None:
                    copy.state, copy.values = TrialState.COMPLETE, worst
            self._mirror.add_trial(copy)

    def _worst_values(self, violation: Sequence[float]) -> list[float] | None:
        """What GP is told of a point that breaks a rule and has no values: the worst values so far.

        It only sees complete trials, and would propose such a point again and again.
        """
        from optuna.trial import TrialState

        if self.name != "gp" or max(violation) <= 0:
            return None
        seen = self._mirror.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        return np.max([trial.values for trial in seen], axis=0).tolist() if seen else None

    def propose(self, knowledge: Knowledge, rng: np.random.Generator) -> Proposal | Stop | Wait:
        from optuna.samplers import BaseGASampler

        del knowledge
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sampler = optuna_sampler(self.name, seed=int(rng.integers(2**31)), options=self._options)
            if isinstance(sampler, BaseGASampler):
                self._choose_parents(sampler)
            self._mirror.sampler = sampler
            trial = self._draw()
        return Proposal(point=self._flat.decode(trial.params), params=dict(trial.params), token=trial)

    def _draw(self) -> optuna.Trial:
        """The first point drawn that can be built; after :data:`MOST_DRAWS` the last one, of which the sampler learns.

        The sampler is told of what it drew in vain, which costs no trial of the study. GP models what can be built, and
        needs seconds for a draw.
        """
        from optuna.trial import TrialState

        in_vain: list[dict[str, Any]] = []
        while True:
            trial = self._mirror.ask(fixed_distributions=self._distributions)
            last = self.name == "gp" or len(in_vain) >= MOST_DRAWS
            if last or self._flat.admits(self._flat.decode(trial.params)):
                self._in_vain[trial.number] = in_vain
                return trial
            in_vain.append(dict(trial.params))
            self._mirror._storage.set_trial_system_attr(trial._trial_id, CONSTRAINTS, total_violation((1.0,)))
            self._mirror.tell(trial, state=TrialState.PRUNED)

    def _forgo(self, params: dict[str, Any]) -> None:
        """Tell the mirror of a point that was drawn in vain, as it was told then."""
        from optuna.trial import TrialState, create_trial

        self._mirror.add_trial(
            create_trial(
                state=TrialState.PRUNED,
                params=params,
                distributions=self._distributions,
                system_attrs={CONSTRAINTS: total_violation((1.0,))},
            )
        )

    def _choose_parents(self, sampler: BaseGASampler) -> None:
        """Have the parents of every generation chosen before its first trial.

        Optuna keeps them in the study, and gives them in another order when it chooses (NSGA-III with chance) than when
        it looks them up; a resumed run, whose mirror has kept nothing, would go on otherwise than one without a kill.
        """
        while len(sampler.get_population(self._mirror, self._generation)) >= (sampler.population_size or math.inf):
            self._generation += 1
            chooser = optuna_sampler(self.name, seed=self._generation, options=self._options)
            chooser.get_parent_population(self._mirror, self._generation)  # type: ignore[attr-defined]

    def told(self, proposal: Proposal, outcome: Outcome) -> dict[str, Any]:
        from optuna.trial import TrialState

        trial: optuna.Trial = proposal.token
        violation = total_violation(outcome.constraints)
        values = self._worst_values(violation) if outcome.values is None else list(outcome.values)
        self._mirror._storage.set_trial_system_attr(trial._trial_id, CONSTRAINTS, violation)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if outcome.failed or values is None:
                state = TrialState.FAIL if outcome.failed else TrialState.PRUNED
                frozen = self._mirror.tell(trial, state=state)
            else:
                frozen = self._mirror.tell(trial, values)
        system = {name: value for name, value in frozen.system_attrs.items() if name != CONSTRAINTS}
        in_vain = self._in_vain.pop(trial.number, [])
        return system | ({IN_VAIN: in_vain} if in_vain else {})


def _make(name: str, *, flat: FlatSpace, objectives: int, options: Mapping[str, Any], **_: Any) -> OptunaStudySampler:
    return OptunaStudySampler(name, flat=flat, objectives=objectives, options=options)


SAMPLERS: Mapping[str, SamplerMaker] = dict.fromkeys(("random", "tpe", "nsga2", "nsga3", "gp"), _make)
