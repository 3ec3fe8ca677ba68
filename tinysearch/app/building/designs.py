"""From the analytic enumeration to the search's view: its table of feasible designs, how a proposal is judged."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinysearch.app.building.pricing import AnalyticPricing, platform_of
from tinysearch.app.building.refusals import nothing_feasible
from tinysearch.core.candidate import BranchSpec, PlatformChoice
from tinysearch.core.errors import UserError
from tinysearch.core.execution import Execution
from tinysearch.core.limits import Violation
from tinysearch.core.objectives import objective_of, recorded_value
from tinysearch.core.platform import BoardOption
from tinysearch.evaluation.analytic import AnalyticModels
from tinysearch.evaluation.boards import PlatformWish
from tinysearch.evaluation.enumeration import NO_OPTION, DesignChunk, enumerate_designs
from tinysearch.search.known.assess import Assessment
from tinysearch.search.known.design import NO_BRANCH, DesignTable
from tinysearch.search.known.flat import FlatPoint, FlatSpace
from tinysearch.space import Space

MOST_MODELS = 50_000
"""A space of more models than this is not enumerated; the search prices those of its networks that come to matter."""

logger = logging.getLogger(__name__)

Has = Callable[[Sequence[BranchSpec]], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Designs:
    """A space as the search sees it.

    Attributes:
        table: feasible and affordable designs.
        flat: variables that plain samplers draw from.
        assessor: judges what plain samplers propose.
    """

    table: DesignTable
    flat: FlatSpace
    assessor: ModelAssessor


class ModelAssessor:
    """Judges flat points with the analytic models, so that an infeasible one names the rules that it breaks.

    Args:
        space: which executions there are.
        has: whether error rates of some branches exist at all; None for all.
    """

    def __init__(self, models: AnalyticModels, space: Space, *, has: Has | None = None) -> None:
        self._models = models
        self._executions = space.executions
        self._has = has
        power = ("power",) if models.tells_power else ()
        battery = ("battery",) if models.supply is not None and models.supply.battery is not None else ()
        limits = (limit.option for limit in models.limits if not limit.is_error)
        # What no other rule names counts in the last.
        self.rules = ("network", "sold", "buildable", "flash", "psram", "budget", *power, *battery, *limits, "hardware")

        self._last: tuple[FlatPoint, Assessment] | None = None

    def assess(self, point: FlatPoint) -> Assessment:
        """Figures and violations of one point; whoever proposes it asks first, and the search right after."""
        if self._last is None or self._last[0] != point:
            self._last = point, self._assess(point)
        return self._last[1]

    def _assess(self, point: FlatPoint) -> Assessment:
        if point.branches is None:
            missing = Violation(rule="network", limit=0, actual=1, message="the space has no such network")
            return Assessment(violations=(missing,))
        if self._has is not None and not self._has(point.branches):
            unlisted = Violation(rule="network", limit=0, actual=1, message="the table has no row for such a network")
            return Assessment(branches=point.branches, violations=(unlisted,))
        wish = PlatformWish(chip=point.processor, flash_bytes=point.flash_bytes, psram_bytes=point.psram_bytes)
        evaluation = self._models.choose(point.branches, wish, executions=self._executions)
        values = evaluation.values()
        analytic = {name: recorded_value(name, values.get(objective_of(name))) for name in self._models.columns}
        sold = evaluation.bom_cost_usd is not None
        return Assessment(
            branches=evaluation.candidate.branches,
            platform=evaluation.candidate.platform if sold else None,
            analytic={name: value for name, value in analytic.items() if value is not None},
            violations=evaluation.violations,
        )


def build_designs(
    models: AnalyticModels, space: Space, *, has: Has | None = None, tick: Callable[[], None] | None = None
) -> Designs:
    """Enumerate a space and keep what can be built within the budget.

    Args:
        has: tells whether error rates of a model exist at all (a table may lack some); None for all.
        tick: called again and again meanwhile; may raise to end it.

    Raises:
        UserError: no design is feasible; says what the cheapest costs and why.
    """
    branches = [branch for modality in space.branch_modalities() for branch in space.branches(modality)]
    if tick is not None:
        for branch in branches:
            models.needs(branch)  # remembered there, and most of the time of a large space
            tick()
    count = sum(math.prod(len(space.branches(name)) for name in names) for names in space.combinations)
    table = _growing_table(models, space, branches) if count > MOST_MODELS and has is None else None
    if table is None:
        table = _whole_table(models, space, branches, has=has, tick=tick)
    assessor = ModelAssessor(models, space, has=has)
    flat = _flat_space(models, space, branches, admits=lambda point: not assessor.assess(point).violations)
    return Designs(table=table, flat=flat, assessor=assessor)


def _growing_table(models: AnalyticModels, space: Space, branches: Sequence[BranchSpec]) -> DesignTable | None:
    """What a search of a wide space begins with; None where none of it is feasible."""
    pricing = AnalyticPricing(models, space, branches)
    sizes = np.array([[n.params, n.macs, n.weight_bytes, n.arena_bytes] for n in map(models.needs, branches)], float)
    begun = np.unique(np.concatenate(list(pricing.first_models(sizes))), axis=0)
    of, values, platform = pricing.designs(begun)
    if not len(of):
        return None
    return DesignTable(
        branches=tuple(branches),
        params=sizes[:, 0],
        macs=sizes[:, 1],
        columns=models.columns,
        analytic=values,
        needs=begun[of],
        platforms=pricing.platforms,
        platform=platform,
        pricing=pricing,
    )


def _whole_table(
    models: AnalyticModels,
    space: Space,
    branches: Sequence[BranchSpec],
    *,
    has: Has | None,
    tick: Callable[[], None] | None,
) -> DesignTable:
    """Every design of a space."""
    start = {m: branches.index(space.branches(m)[0]) for m in space.branch_modalities()}
    rows = _Rows(max(2, *(len(names) for names in space.combinations)))
    for chunk in enumerate_designs(models, space):
        rows.add(chunk, offsets=[start[modality] for modality in chunk.modalities])
        if tick is not None:
            tick()
    if not rows.count:
        raise nothing_feasible(models, space)
    needs, values, platform = rows.arrays()
    if has is not None:
        kept = _known_models(needs, branches, has)
        if not kept.any():
            raise UserError(
                "the table of error rates must cover part of the space",
                value="no feasible design has a row",
                remedy="check blocks and precisions of the table, or the space",
            )
        if not kept.all():
            logger.warning("%d of %d designs are not in the table and are left out", (~kept).sum(), len(kept))
        needs, values, platform = needs[kept], values[kept], platform[kept]
    return DesignTable(
        branches=tuple(branches),
        params=np.array([models.needs(branch).params for branch in branches], float),
        macs=np.array([models.needs(branch).macs for branch in branches], float),
        columns=models.columns,
        analytic=values,
        needs=needs,
        platforms=tuple(rows.platforms),
        platform=platform,
    )


class _Rows:
    """Feasible rows of all chunks."""

    def __init__(self, inputs: int) -> None:
        self._inputs = inputs
        self.platforms: dict[PlatformChoice, int] = {}
        self.count = 0
        self._parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def add(self, chunk: DesignChunk, *, offsets: Sequence[int]) -> None:
        kept = np.flatnonzero(chunk.option != NO_OPTION)
        if not len(kept):
            return
        needs = np.full((len(kept), self._inputs), NO_BRANCH, np.int64)
        needs[:, : len(offsets)] = chunk.branches[kept] + np.array(offsets)
        numbers = np.array([self._number(option, chunk.execution) for option in chunk.options])
        self._parts.append((needs, chunk.values[kept], numbers[chunk.option[kept]]))
        self.count += len(kept)

    def _number(self, option: BoardOption, execution: Execution) -> int:
        return self.platforms.setdefault(platform_of(option, execution), len(self.platforms))

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        needs, values, platform = (np.concatenate(parts) for parts in zip(*self._parts, strict=True))
        return needs, values, platform


def _known_models(needs: np.ndarray, branches: Sequence[BranchSpec], has: Has) -> np.ndarray:
    models, inverse = np.unique(needs, axis=0, return_inverse=True)
    known = [has([branches[i] for i in model if i != NO_BRANCH]) for model in models]
    return np.array(known)[inverse.reshape(-1)]


def _flat_space(
    models: AnalyticModels, space: Space, branches: Sequence[BranchSpec], *, admits: Callable[[FlatPoint], bool]
) -> FlatSpace:
    options = [option for names in space.combinations for option in models.board_options(names)]
    if space.processors is not None:
        options = [option for option in options if {option.processor, option.family} & set(space.processors)]
    return FlatSpace(
        branches=branches,
        modalities=dict(zip(space.modalities, space.combinations, strict=True)),
        processors=sorted({option.processor for option in options}),
        flash_bytes=sorted({option.flash_bytes for option in options}),
        psram_bytes=sorted({option.psram_bytes for option in options}),
        admits=admits,
    )
