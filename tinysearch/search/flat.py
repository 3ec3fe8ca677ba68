"""The flat, always-sampled space that plain samplers see: every variable is drawn for every proposal.

Conditional parameters make NSGA-II and TPE much worse (a variable that is absent from a parent is drawn at random), so
a face design also carries values for the voice branch, which are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from tinysearch.core.candidate import BranchSpec

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Choice = str | int
_SHAPE_FIELDS = tuple(f.name for f in fields(BranchSpec) if f.name != "modality")


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
    """

    def __init__(
        self,
        *,
        branches: Sequence[BranchSpec],
        modalities: Mapping[str, tuple[str, ...]],
        processors: Sequence[str],
        flash_bytes: Sequence[int],
        psram_bytes: Sequence[int],
    ) -> None:
        self._branches = set(branches)
        self._modalities = dict(modalities)
        variables = [_plain("modality", tuple(modalities))]
        for modality in sorted({branch.modality for branch in branches}):
            own = [branch for branch in branches if branch.modality == modality]
            variables += [_shape_variable(modality, name, own) for name in _SHAPE_FIELDS]
        variables += [
            _plain("processor", processors),
            _plain("flash_bytes", sorted(flash_bytes)),
            _plain("psram_bytes", sorted(psram_bytes)),
        ]
        self._fixed = {v.name: v.values[0] for v in variables if len(v.values) == 1}
        self.variables = tuple(v for v in variables if len(v.values) > 1)
        self._all = {v.name: v for v in variables}

    def distributions(self) -> dict[str, BaseDistribution]:
        """Optuna's view: integers for ordered variables, categories for the others."""
        from optuna.distributions import CategoricalDistribution, IntDistribution

        return {
            v.name: IntDistribution(0, len(v.values) - 1) if v.ordered else CategoricalDistribution(v.labels)
            for v in self.variables
        }

    def decode(self, params: dict[str, Any]) -> FlatPoint:
        """The design that a setting (Optuna's parameters by name) stands for."""
        value = {v.name: v.values[int(params[v.name])] if v.ordered else params[v.name] for v in self.variables}
        value |= self._fixed
        branches = tuple(
            BranchSpec(modality=m, **{name: value[f"{m}_{name}"] for name in _SHAPE_FIELDS})
            for m in self._modalities[value["modality"]]
        )
        return FlatPoint(
            branches=branches if all(b in self._branches for b in branches) else None,
            processor=value["processor"],
            flash_bytes=value["flash_bytes"],
            psram_bytes=value["psram_bytes"],
        )

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
            value |= {f"{branch.modality}_{name}": getattr(branch, name) for name in _SHAPE_FIELDS}
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


def _plain(name: str, values: Sequence[Choice]) -> Variable:
    distinct = tuple(dict.fromkeys(values))
    return Variable(name=name, values=distinct, labels=distinct, ordered=False)


def _shape_variable(modality: str, name: str, branches: Sequence[BranchSpec]) -> Variable:
    values = {getattr(branch, name) for branch in branches}
    ordered = name == "blocks"
    if ordered:
        chosen = tuple(sorted(values, key=lambda blocks: (len(blocks), sum(blocks), blocks)))
    else:
        chosen = tuple(sorted(values, key=lambda v: (isinstance(v, str), v)))
    return Variable(name=f"{modality}_{name}", values=chosen, labels=() if ordered else chosen, ordered=ordered)
