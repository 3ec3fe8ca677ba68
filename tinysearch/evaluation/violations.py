"""Which rules and limits a design breaks, each with its limit and what the design has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tinysearch.analytic.bom import over_budget
from tinysearch.analytic.rules import Build, option_build, violations
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.evaluation import Evaluation
from tinysearch.core.limits import Violation
from tinysearch.core.platform import BoardOption
from tinysearch.evaluation.boards import too_small
from tinysearch.evaluation.needs import Requirement

if TYPE_CHECKING:
    from tinysearch.evaluation.analytic import AnalyticModels


def broken_limits(models: AnalyticModels, evaluation: Evaluation, option: BoardOption) -> list[Violation]:
    """Limits that a design breaks, and a power that is wanted and not known."""
    values, power = evaluation.values(), evaluation.power
    if models.tells_power and power is not None and power.total_mw is None:
        message = f"the power of a board must be known; nobody says {power.unknown}"
        return [Violation(rule="power", limit=1, actual=0, message=message)]
    known = [(limit, values.get(limit.objective)) for limit in models.limits]
    found = [limit.violation(value) for limit, value in known if value is not None]
    weak = None if models.supply is None else models.supply.too_weak(option, models.catalog.chip(option.processor))
    return [broken for broken in (weak, *found) if broken is not None]


def _build(
    models: AnalyticModels, branches: Sequence[BranchSpec], option: BoardOption, requirement: Requirement
) -> Build:
    """What is asked of the chip of a board, for the validity rules."""
    pixels = [models.capture(branch).pixels for branch in branches]
    return replace(
        option_build(
            option,
            models.catalog.chip(option.processor),
            mapped_flash_bytes=requirement.flash.program_bytes + requirement.flash.weight_bytes,
            frame_pixels=max(pixels) or None,
            drivers=models.task.drivers([branch.modality for branch in branches]),
        ),
        sensors=option.fitted or None,
    )


def broken_rules(
    models: AnalyticModels, branches: Sequence[BranchSpec], option: BoardOption, requirement: Requirement
) -> list[Violation]:
    """Rules of the chip, sale, memory and budget that branches on a board break."""
    found: list[Violation] = []
    if models.catalog.rules == "physical":
        found += violations(_build(models, branches, option, requirement))
    if not option.items:
        found.append(Violation(rule="sold", limit=1, actual=0, message=option.reason))
    if not models.flash_fits(requirement.flash_bytes, option.flash_bytes):
        found.append(too_small("flash", limit=option.flash_bytes, actual=requirement.flash_bytes))
    if requirement.psram_bytes > option.psram_bytes:
        found.append(too_small("psram", limit=option.psram_bytes, actual=requirement.psram_bytes))
    if models.budget_usd is not None and option.items:
        over = over_budget(option, budget_usd=models.budget_usd, level=models.price_level)
        found += [over] if over is not None else []
    return found
