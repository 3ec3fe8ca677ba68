"""What a sampler is: it proposes designs and is told how they fared. It never trains and never evaluates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tinysearch.search.known.flat import FlatPoint, FlatSpace
from tinysearch.search.known.knowledge import Knowledge

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One design to evaluate: a row of the design table, or a point of the flat space that may be infeasible.

    Attributes:
        row: row of the table, or None.
        point: what a plain sampler drew, or None.
        params: the flat variables by name, as Optuna records them; None lets the loop encode the design.
        token: the sampler's own handle, given back by ``told``.
        attributes: what the sampler wants recorded beside the trial (JSON-able), such as the expected gain.
        useless: for branches to train, the EER from which they would add nothing worth having; none, never.
    """

    row: int | None = None
    point: FlatPoint | None = None
    params: dict[str, Any] | None = None
    token: Any = None
    attributes: dict[str, Any] | None = None
    useless: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Nothing more is worth proposing, and why, as a sentence."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nothing to propose until a training in flight has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a proposal fared.

    Attributes:
        values: objectives in order; of an infeasible design analytic figures and chance; None if it failed.
        constraints: at most 0 where a rule is kept.
        failed: a training died.
    """

    values: tuple[float, ...] | None
    constraints: tuple[float, ...] = (0.0,)
    failed: bool = False

    @property
    def feasible(self) -> bool:
        return not self.failed and all(c <= 0 for c in self.constraints)


class StudySampler(Protocol):
    """A way to choose designs.

    Decisions must follow from what was told, the knowledge and ``rng`` alone, so that a run that was killed goes on as
    if it had not been.

    Attributes:
        name: as written after ``sampler=``.
    """

    name: str

    def resume(self, trials: Sequence[FrozenTrial]) -> None:
        """Begin anew with all finished trials of the study, oldest first; possibly none.

        Called before the first proposal, and again when other processes have added some; no proposal is open then.
        """
        ...

    def propose(self, knowledge: Knowledge, rng: np.random.Generator) -> Proposal | Stop | Wait:
        """The next design. Called again before earlier ones are told when trainings run side by side."""
        ...

    def told(self, proposal: Proposal, outcome: Outcome) -> dict[str, Any]:
        """Called once for every proposal; returns system attributes to store with the trial (often none)."""
        ...


class SamplerFactory(Protocol):
    """Makes a sampler: a class, or a function that returns one.

    It is given the flat space, how many objectives and constraints there are, and the seed, whether it needs them or
    not, and the sampler's own settings.
    """

    def __call__(
        self, *, flat: FlatSpace, objectives: int, constraints: int, seed: int, **settings: Any
    ) -> StudySampler: ...


class SamplerMaker(Protocol):
    """Makes a sampler of this package by its name; raises UserError for settings that it has not."""

    def __call__(
        self,
        name: str,
        /,
        *,
        flat: FlatSpace,
        objectives: int,
        constraints: int,
        seed: int,
        options: Mapping[str, Any],
    ) -> StudySampler: ...
