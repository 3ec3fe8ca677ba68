"""What samplers are replayed on: a space with its designs, error rates of its branches, and the front they make."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from tinysearch.core.candidate import BranchSpec
from tinysearch.core.error_rates import ErrorRates
from tinysearch.core.protocols import TrainingProgress
from tinysearch.search.known.assess import Assessor
from tinysearch.search.known.design import DesignTable
from tinysearch.search.known.fidelity import Hint, Source, WarmStart
from tinysearch.search.known.flat import FlatSpace
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.known.objective_values import ObjectiveVector

OBJECTIVES = ("eer", "bom_cost_usd", "latency_s")
HINT_SPREAD = 0.1
"""Of a drawn table's hints, as the search takes the same branch of another run."""
ORDER = ("build=any", "quantity=100")
"""Boards and designs of every build at prices of 100 pieces, the setting of figures from before 29 November 2026. Ready
boards have come into the catalogue since, so fronts are not those of then to the cent."""


class Errors(Protocol):
    """Error rates of anything, and what training a branch would take."""

    def error_rates(self, branches: Sequence[BranchSpec]) -> ErrorRates: ...

    def seconds(self, branch: BranchSpec) -> float: ...

    def has(self, branches: Sequence[BranchSpec]) -> bool: ...


class RealSpace:
    """Boards and designs of the default catalogue within a budget, and its space or that of a table."""

    def __init__(self, budget: str | None, overrides: Sequence[str], table: Path | None = None) -> None:
        from tinysearch.app.building.designs import build_designs
        from tinysearch.app.building.spaces import build_space, table_of
        from tinysearch.app.building.wiring import build_models
        from tinysearch.app.config.compose import compose_config, plain
        from tinysearch.app.config.words import overrides_of

        words = [*ORDER, *([f"budget={budget}"] if budget else [])]
        if table is not None:
            words += ["trainer=table", *overrides_of({"trainer": {"path": table}})]
        config = plain(compose_config([*words, *overrides]))
        has = None if table is None else table_of(config).has
        designs = build_designs(build_models(config), build_space(config), has=has)
        self.table, self.flat, self.assessor = designs.table, designs.flat, designs.assessor
        self.branches = designs.table.branches
        sizes = zip(designs.table.params, designs.table.macs, strict=True)
        self.size = {branch: (float(p), float(m)) for branch, (p, m) in zip(self.branches, sizes, strict=True)}

    def models(self) -> list[tuple[BranchSpec, ...]]:
        faces = [b for b in self.branches if b.modality == "face"]
        voices = [b for b in self.branches if b.modality == "voice"]
        return [(b,) for b in self.branches] + [(f, v) for f in faces for v in voices]


class TableErrors:
    """A CSV of error rates, optionally as another measurement might have given them.

    Args:
        noise: draw every rate by itself, log-normal with its 95 % interval.
        people: CSV of the same rates for other draws of people, ``eer_1``, ``eer_2`` .. (tools/make_error_table.py):
            those of column ``seed`` modulo their number, of everything the same people.
    """

    def __init__(self, path: Path, *, seed: int, noise: bool = False, people: Path | None = None) -> None:
        from tinysearch.evaluation.table import TableErrors as Table

        self._table = Table(path=path)
        self._seed = seed if noise else None
        self._drawn: dict[tuple[BranchSpec, ...], ErrorRates] = {}
        self._people = {} if people is None else read_people(people, draw=seed)

    def error_rates(self, branches: Sequence[BranchSpec]) -> ErrorRates:
        key = tuple(branches)
        if key not in self._drawn:
            rates = self._table.error_rates(branches)
            if self._people:
                rates = ErrorRates(eer=self._people[model_key(branches)], evidence="table")
            if self._seed is not None and rates.eer and rates.eer_ci95:
                low, high = (max(bound, 1e-3) for bound in rates.eer_ci95)
                words = [int.from_bytes(b.key.encode()[-8:], "little") ^ len(b.key) for b in branches]
                digest = [int(x) for b in branches for x in b.key.encode()]
                rng = np.random.default_rng([self._seed, *words, *digest])
                eer = rates.eer * math.exp(rng.normal(0.0, math.log(high / low) / 3.92))
                rates = ErrorRates(eer=min(0.5, eer), evidence="table", frr_at_far=rates.frr_at_far)
            self._drawn[key] = rates
        return self._drawn[key]

    def seconds(self, branch: BranchSpec) -> float:
        return self._table.train(branch, progress=_ignore).seconds

    def has(self, branches: Sequence[BranchSpec]) -> bool:
        return self._table.has(branches)


def model_key(branches: Sequence[BranchSpec]) -> tuple[tuple[str, str], ...]:
    """Blocks and precision, as a table spells them, of the face and of the voice branch; empty without one."""
    spelled = {b.modality: (b.architecture.label, str(b.precision)) for b in branches}
    return tuple(spelled.get(modality, ("", "")) for modality in ("face", "voice"))


def read_people(path: Path, *, draw: int) -> dict[tuple[tuple[str, str], ...], float]:
    """EER by model for one draw of people."""
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        names = [name for name in reader.fieldnames or () if name.startswith("eer_")]
        name = names[draw % len(names)]
        return {
            tuple((row[f"{m}_blocks"], row[f"{m}_precision"]) for m in ("face", "voice")): float(row[name])
            for row in reader
        }


def _ignore(progress: TrainingProgress) -> None:
    del progress


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One replay's truth: space, errors, the whole front's hypervolume."""

    table: DesignTable
    flat: FlatSpace
    assessor: Assessor
    errors: Errors
    objectives: ObjectiveVector
    whole: float
    warm: WarmStart | None = None

    def knowledge(self) -> Knowledge:
        """Nothing is known yet but what a warm start tells."""
        known = Knowledge(self.table, self.objectives, self.errors.error_rates)
        if self.warm is not None:
            known.warm(self.warm)
        return known

    def has(self, branches: Sequence[int]) -> bool:
        """Whether there are error rates of branches; a table may lack some that the space can spell."""
        return self.errors.has([self.table.branches[b] for b in branches])


def make_world(space: Any, errors: Errors, *, warm: WarmStart | None = None) -> World:
    objectives = ObjectiveVector(OBJECTIVES)
    everything = Knowledge(space.table, objectives, errors.error_rates)
    everything.learn(np.flatnonzero(space.table.useful()))
    everything.complete()
    return World(
        table=space.table,
        flat=space.flat,
        assessor=getattr(space, "assessor", space),
        errors=errors,
        objectives=objectives,
        whole=everything.hypervolume(),
        warm=warm,
    )


def told_by(errors: Errors, space: Any) -> WarmStart:
    """All that a table tells, as ``warm_start`` reads it."""
    singles = {(b,): float(errors.error_rates([b]).eer or 0.0) for b in space.branches if errors.has([b])}
    pairs = [model for model in space.models() if len(model) == 2 and errors.has(model)]
    fusions = [(singles[m[:1]], singles[m[1:]], float(errors.error_rates(m).eer or 0.0)) for m in pairs]
    hints = {model[0].key: Hint(eer=eer, spread=HINT_SPREAD) for model, eer in singles.items()}
    return WarmStart(sources=(Source(hints=hints, fusions=tuple(fusions[:: max(1, len(fusions) // 500)])),))
