"""The flat, always-sampled space that plain samplers see: every variable is drawn for every proposal.

Conditional parameters make NSGA-II and TPE much worse (a variable that is absent from a parent is drawn at random), so
a face design also carries values for the voice branch, which are ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tinysearch.core.candidate import BranchSpec

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Choice = str | int
_FIRST = ("blocks", "precision", "width", "input_size", "clip", "channels", "embedding", "architecture")
"""Order of variables that all families share; parameters of others follow in alphabetical order."""


_DEFAULT = ()
"""In the place of a list that an architecture leaves to its family's default."""


def branch_values(branch: BranchSpec) -> dict[str, Any]:
    """What a branch is, by variable: its arithmetic and input, and its family with the parameters that this one has.

    ``clip`` is the share of the task's clip that it hears.
    """
    own = {name: tuple(v) if isinstance(v, list) else v for name, v in branch.architecture.parameters().items()}
    heard = 1.0 if branch.frames is None else branch.frames / branch.input_size
    sizes = {"input_size": branch.input_size, "channels": branch.channels, "clip": f"{heard:g}"}
    return {"precision": str(branch.precision), "architecture": branch.architecture.family, **sizes, **own}


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One decision: a name and its values in a meaningful order; ``ordered`` ones are searched as integers."""

    name: str
    values: tuple[Any, ...]
    labels: tuple[Choice, ...]
    ordered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatPoint:
    """What a setting of all variables stands for. ``branches`` is None when the space has no such network."""

    branches: tuple[BranchSpec, ...] | None
    processor: str
    flash_bytes: int
    psram_bytes: int


class FlatSpace:
    """Variables of a space and the way back from values to branches.

    Args:
        branches: every branch of the space.
        modalities: the inputs of every combination that makes a candidate, sorted, by how it is spelled.
        processors, flash_bytes, psram_bytes: choices of the board, feasible or not.
        admits: whether a point can be built within every limit that needs no training; None, where nobody can tell.
    """

    def __init__(
        self,
        *,
        branches: Sequence[BranchSpec],
        modalities: Mapping[str, tuple[str, ...]],
        processors: Sequence[str],
        flash_bytes: Sequence[int],
        psram_bytes: Sequence[int],
        admits: Callable[[FlatPoint], bool] | None = None,
    ) -> None:
        self._admits = admits
        self._modalities = dict(modalities)
        variables = [_plain("modality", tuple(modalities))]
        self._by_values: dict[tuple[str, frozenset[Any]], BranchSpec] = {}
        self._parameters: dict[str, dict[str, tuple[str, ...]]] = {}
        for modality in sorted({branch.modality for branch in branches}):
            own = {branch: branch_values(branch) for branch in branches if branch.modality == modality}
            self._parameters[modality] = _names_by_family(own.values())
            own = {branch: self._complete(modality, values) for branch, values in own.items()}
            self._by_values |= {(modality, frozenset(values.items())): branch for branch, values in own.items()}
            variables += _variables(modality, list(own.values()))
        variables += [
            _plain("processor", processors),
            _plain("flash_bytes", sorted(flash_bytes)),
            _plain("psram_bytes", sorted(psram_bytes)),
        ]
        self._fixed = {v.name: v.values[0] for v in variables if len(v.values) == 1}
        self.variables = tuple(v for v in variables if len(v.values) > 1)

    def _complete(self, modality: str, values: dict[str, Any]) -> dict[str, Any]:
        """Values of a branch by every variable that its family has in this space."""
        names = self._parameters[modality].get(values["architecture"], values)
        return dict.fromkeys(names, _DEFAULT) | values

    def distributions(self) -> dict[str, BaseDistribution]:
        """Optuna's view: integers for ordered variables, categories for the others."""
        from optuna.distributions import CategoricalDistribution, IntDistribution

        return {
            v.name: IntDistribution(0, len(v.values) - 1) if v.ordered else CategoricalDistribution(v.labels)
            for v in self.variables
        }

    def admits(self, point: FlatPoint) -> bool:
        """Whether a point can be built, as far as can be told before anything is trained."""
        return self._admits is None or self._admits(point)

    def decode(self, params: dict[str, Any]) -> FlatPoint:
        """The design that a setting (Optuna's parameters by name) stands for."""
        value = {v.name: v.values[int(params[v.name])] if v.ordered else params[v.name] for v in self.variables}
        value |= self._fixed
        branches = [self._branch(modality, value) for modality in self._modalities[value["modality"]]]
        return FlatPoint(
            branches=tuple(b for b in branches if b is not None) if None not in branches else None,
            processor=value["processor"],
            flash_bytes=value["flash_bytes"],
            psram_bytes=value["psram_bytes"],
        )

    def _branch(self, modality: str, value: dict[str, Any]) -> BranchSpec | None:
        """The branch that a setting spells; variables of other families are of no account."""
        names = self._parameters[modality][value[f"{modality}_architecture"]]
        return self._by_values.get((modality, frozenset((name, value[f"{modality}_{name}"]) for name in names)))

    def encode(
        self,
        branches: Sequence[BranchSpec],
        *,
        processor: str,
        flash_bytes: int,
        psram_bytes: int,
        rng: np.random.Generator,
    ) -> dict[str, Any]:
        """The setting of a design; variables that do not concern it are drawn, lest importances see a pattern in them.

        Raises:
            KeyError: a value that is not of this space.
        """
        names = tuple(branch.modality for branch in branches)
        value: dict[str, Any] = {
            "modality": next((m for m, inputs in self._modalities.items() if inputs == names), "+".join(names)),
            "processor": processor,
            "flash_bytes": flash_bytes,
            "psram_bytes": psram_bytes,
        }
        for branch in branches:
            own = self._complete(branch.modality, branch_values(branch))
            value |= {f"{branch.modality}_{name}": item for name, item in own.items()}
        params: dict[str, Any] = {}
        for v in self.variables:
            if v.name not in value:
                at = int(rng.integers(len(v.values)))
            elif value[v.name] in v.values:
                at = v.values.index(value[v.name])
            else:
                raise KeyError(f"{v.name}={value[v.name]} is not of this space")
            params[v.name] = at if v.ordered else v.labels[at]
        return params


def _names_by_family(branches: Iterable[dict[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Names of the variables that branches of each family have."""
    names: dict[str, dict[str, None]] = {}
    for values in branches:
        names.setdefault(values["architecture"], {}).update(dict.fromkeys(values))
    return {family: tuple(known) for family, known in names.items()}


def _plain(name: str, values: Sequence[Choice]) -> Variable:
    distinct = tuple(dict.fromkeys(values))
    return Variable(name=name, values=distinct, labels=distinct, ordered=False)


def _variables(modality: str, branches: Sequence[dict[str, Any]]) -> list[Variable]:
    """One variable for every value that some branch of an input has."""
    names = {name for values in branches for name in values}
    ordered = [name for name in _FIRST if name in names] + sorted(names - set(_FIRST))
    return [
        _shape_variable(modality, name, {values[name] for values in branches if name in values}) for name in ordered
    ]


def _shape_variable(modality: str, name: str, values: set[Any]) -> Variable:
    ordered = any(isinstance(value, tuple) for value in values)
    if ordered:
        chosen = tuple(sorted(values, key=lambda blocks: (len(blocks), sum(blocks), blocks)))
    else:
        chosen = tuple(sorted(values, key=lambda v: (isinstance(v, str), v)))
    return Variable(name=f"{modality}_{name}", values=chosen, labels=() if ordered else chosen, ordered=ordered)
