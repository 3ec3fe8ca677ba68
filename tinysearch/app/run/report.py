"""The report of a run: its data from what the search knows, its page from the run directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tinysearch.app.building.decision import decision_of, rate_of
from tinysearch.app.building.wiring import Config
from tinysearch.app.run.setup import Setup
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.error_rates import ErrorRates
from tinysearch.core.errors import UserError
from tinysearch.core.evaluation import Evaluation
from tinysearch.core.execution import Execution
from tinysearch.core.platform import BoardOption
from tinysearch.core.units import Currency, currency_of
from tinysearch.evaluation.boards import PlatformWish
from tinysearch.evaluation.enumeration import NO_OPTION, enumerate_designs
from tinysearch.evaluation.operating import rated
from tinysearch.report import BlockedCard, build_data, thin, write_data
from tinysearch.report import write_report as write_page
from tinysearch.search.known.design import NO_BRANCH
from tinysearch.search.known.knowledge import Knowledge
from tinysearch.search.result import SearchResult
from tinysearch.space import Space

BEYOND_LIMIT = 400
"""At most so many designs above the budget are shown."""

NEW_FUSIONS = 40
"""At most so many fusions that no affordable board carries are computed, those of the best branches first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSettings:
    """What a configuration says of a report.

    Attributes:
        designs: at most so many known designs are shown.
        beyond_usd: designs above the budget are shown up to so many dollars above it.
        title: of the page.
        rate: what the error rate is called.
        currency: of the budget, in which prices are repeated.
    """

    designs: int
    beyond_usd: float
    title: str
    rate: str
    currency: Currency


def report_settings(config: Config) -> ReportSettings:
    """Parse and check what a configuration says of its report.

    Raises:
        UserError: an option of the group ``report`` is no number from 0.
    """
    return ReportSettings(
        designs=int(_from_zero(config["report"], "designs")),
        beyond_usd=_from_zero(config["report"], "beyond_usd"),
        title=_title(config),
        rate=rate_of(config),
        currency=currency_of(config["budget"], rates=config["rates"]),
    )


def write_report(folder: Path) -> Path:
    """Rebuild report.html of a run from its directory.

    Raises:
        UserError: no finished run, or damaged files.
    """
    return write_page(folder)


def write_report_data(
    setup: Setup,
    settings: ReportSettings,
    result: SearchResult,
    evaluations: Sequence[Evaluation],
    folder: Path,
    *,
    far: float | None,
) -> Path:
    """Write report_data.json: the front as evaluated, known designs besides it, and what a little more would buy.

    Args:
        evaluations: of the front.
        far: of the operating point.
    """
    others, known = _known(setup, result, limit=settings.designs, far=far)
    shown = {evaluation.candidate.id: evaluation for evaluation in (*others, *evaluations)}
    beyond = _beyond(setup, result.knowledge, usd=settings.beyond_usd, far=far) if evaluations else []
    data = build_data(
        evaluations=list(shown.values()),
        beyond=beyond,
        front={evaluation.candidate.id for evaluation in evaluations},
        known=known,
        options={e.candidate.id: setup.option(e.candidate) for e in (*shown.values(), *beyond)},
        chips=setup.models.catalog.chips,
        price_level=setup.models.price_level,
        blocked=_blocked(setup, evaluations),
        title=settings.title,
        rate=settings.rate,
        currency=settings.currency,
        caveat=setup.errors.caveat,
    )
    return write_data(folder, data)


def _title(config: Config) -> str:
    """The configured title; a page about another task than a verification says what its error rate is."""
    title, name = str(config["report"]["title"]), config["task"]["name"]
    match decision_of(config):
        case "anomaly":
            return f"{title}; EER of task {name}: as many false alarms as missed anomalies"
        case "classification":
            return f"{title}; error: what is classified wrongly of task {name}"
    return title


def _from_zero(options: Mapping[str, Any], name: str) -> float:
    value = options[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise UserError(
            f"report.{name} must be a number from 0", value=value, remedy=f"write for example report.{name}=5"
        )
    return float(value)


def _known(setup: Setup, result: SearchResult, *, limit: int, far: float | None) -> tuple[list[Evaluation], int]:
    """Evaluations of known designs, thinned, and how many are known."""
    knowledge, table = result.knowledge, result.knowledge.table
    rows = np.flatnonzero(knowledge.model_done[table.model])
    metrics = knowledge.model_metrics[table.model[rows]]
    kept = thin(
        eer=metrics[:, 0] if metrics.shape[1] else np.full(len(rows), np.nan),
        cost_usd=table.column("bom_cost_usd")[rows],
        model=table.model[rows],
        keep=np.searchsorted(rows, [point.row for point in result.points]).tolist(),
        limit=limit,
    )
    evaluations = []
    for row in rows[kept]:
        needs = [int(branch) for branch in table.needs[row] if branch != NO_BRANCH]
        rates = _rates(setup, knowledge, [table.branches[branch] for branch in needs])
        evaluations.append(setup.evaluate(table.candidate(int(row)), rates, far=far))
    return evaluations, len(rows)


def _rates(setup: Setup, knowledge: Knowledge, branches: Sequence[BranchSpec]) -> ErrorRates:
    if not knowledge.objectives.metrics:
        return setup.errors.error_rates(branches)
    return knowledge.rates([knowledge.table.branch_index(branch) for branch in branches])


@dataclass(frozen=True, kw_only=True)
class _KnownSpace:
    """The part of a space whose branches are known, for the enumeration."""

    lists: Mapping[str, tuple[BranchSpec, ...]]
    space: Space

    @property
    def processors(self) -> tuple[str, ...] | None:
        return self.space.processors

    @property
    def executions(self) -> tuple[Execution, ...]:
        return self.space.executions

    def branch_modalities(self) -> tuple[str, ...]:
        return tuple(self.lists)

    def branches(self, modality: str) -> tuple[BranchSpec, ...]:
        return self.lists[modality]

    @property
    def combinations(self) -> list[tuple[str, ...]]:
        return [names for names in self.space.combinations if set(names) <= self.lists.keys()]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beyond:
    """A design above the budget."""

    branches: tuple[BranchSpec, ...]
    board: BoardOption
    execution: Execution
    usd: float


def _beyond(setup: Setup, knowledge: Knowledge, *, usd: float, far: float | None) -> list[Evaluation]:
    """Designs above the budget by at most so many dollars, of networks that need no training."""
    budget = setup.models.budget_usd
    if budget is None or not knowledge.objectives.metrics:
        return []
    known = [branch for branch, flag in zip(knowledge.table.branches, knowledge.known, strict=True) if flag]
    lists = {m: tuple(b for b in known if b.modality == m) for m in setup.space.branch_modalities()}
    space = _KnownSpace(lists={m: found for m, found in lists.items() if found}, space=setup.space)
    models = replace(setup.models, budget_usd=budget + usd)
    found: list[_Beyond] = []
    for chunk in enumerate_designs(models, space):
        costs = chunk.values[:, 0]
        for row in np.flatnonzero((chunk.option != NO_OPTION) & (costs > budget + 5e-5)):
            branches = tuple(
                space.branches(m)[int(at)] for m, at in zip(chunk.modalities, chunk.branches[row], strict=True)
            )
            board = chunk.options[int(chunk.option[row])]
            found.append(_Beyond(branches=branches, board=board, execution=chunk.execution, usd=float(costs[row])))
    rates = _rates_beyond(setup, knowledge, list(dict.fromkeys(design.branches for design in found)))
    found = [design for design in found if design.branches in rates]
    numbers = {branches: i for i, branches in enumerate(rates)}
    kept = thin(
        eer=np.array([_eer(rates[design.branches]) for design in found]),
        cost_usd=np.array([design.usd for design in found]),
        model=np.array([numbers[design.branches] for design in found], np.int64),
        limit=BEYOND_LIMIT,
    )
    return [
        rated(
            models.executing(design.execution).evaluate(design.branches, design.board),
            rates[design.branches],
            far=far,
        )
        for design in (found[i] for i in kept)
    ]


def _rates_beyond(
    setup: Setup, knowledge: Knowledge, models: Sequence[tuple[BranchSpec, ...]]
) -> dict[tuple[BranchSpec, ...], ErrorRates]:
    """Rates of models: those that the search computed, and of the others the most promising few."""
    table = knowledge.table
    done = {tuple(int(b) for b in table.models[j] if b != NO_BRANCH) for j in np.flatnonzero(knowledge.model_done)}
    rates, unseen = {}, []
    for branches in models:
        if len(branches) == 1 or tuple(table.branch_index(b) for b in branches) in done:
            rates[branches] = _rates(setup, knowledge, branches)
        else:
            unseen.append(branches)
    unseen.sort(key=lambda branches: sum(_eer(_rates(setup, knowledge, [branch])) for branch in branches))
    for branches in [model for model in unseen if setup.errors.has(model)][:NEW_FUSIONS]:
        rates[branches] = _rates(setup, knowledge, branches)
    return rates


def _eer(rates: ErrorRates) -> float:
    return float("nan") if rates.decision_eer is None else rates.decision_eer


def _blocked(setup: Setup, evaluations: Sequence[Evaluation]) -> list[BlockedCard]:
    """Why the networks of the best point do not run on the other processors of the catalogue."""
    rated = [evaluation for evaluation in evaluations if evaluation.errors.eer is not None]
    if not rated:
        return []
    best = min(rated, key=lambda e: (e.errors.eer or 0.0, e.bom_cost_usd or 0.0))
    found = []
    for chip in setup.models.catalog.chips.values():
        if chip.preview:
            continue
        try:
            tried = setup.models.choose(best.candidate.branches, PlatformWish(chip=chip.id))
        except UserError:
            continue  # the latency table does not know this chip, so nothing can be said of it
        if tried.violations:
            broken = tried.violations[0]
            found.append(
                BlockedCard(
                    network=" + ".join(branch.short for branch in best.candidate.branches),
                    processor=chip.family,
                    rule=broken.rule,
                    limit=float(broken.limit),
                    actual=float(broken.actual),
                    message=broken.message,
                )
            )
    return found
