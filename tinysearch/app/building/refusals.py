"""Why a space has no design that can be built, in one line that says what comes nearest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinysearch.analytic.power import unknown_of
from tinysearch.core.errors import UserError
from tinysearch.core.objectives import recorded_name, recorded_value
from tinysearch.evaluation.analytic import AnalyticModels
from tinysearch.evaluation.enumeration import NO_OPTION, enumerate_designs
from tinysearch.space import Space


def nothing_feasible(models: AnalyticModels, space: Space) -> UserError:
    """What comes nearest, so that the user knows how far off a limit, the battery or the budget is."""
    if models.limits or models.supply is not None:
        return _beyond_limits(models, space) or _weak_battery(models, space) or _over_budget(_free(models), space)
    return _over_budget(models, space)


def _free(models: AnalyticModels) -> AnalyticModels:
    """The models without limits and without anything that is asked of power."""
    return replace(models, limits=(), supply=None, tells_power=False)


def _beyond_limits(models: AnalyticModels, space: Space) -> UserError | None:
    """The affordable design that exceeds its worst limit least; None where there is none, or there are no limits."""
    limits = [limit for limit in models.limits if not limit.is_error]
    best: tuple[float, str, list[str]] | None = None
    for chunk in enumerate_designs(replace(models, limits=()), space):
        rows = np.flatnonzero(chunk.option != NO_OPTION)
        if not len(rows) or not limits:
            continue
        columns = dict(zip(models.columns, chunk.values[rows].T, strict=True))
        values = [recorded_value(limit.objective, columns[recorded_name(limit.objective)]) for limit in limits]
        worst = np.max([limit.excess(value) for limit, value in zip(limits, values, strict=True)], axis=0)
        at = int(np.argmin(worst))
        if best is None or worst[at] < best[0]:
            told = [f"{limit.objective} {limit.spelled(v[at])}" for limit, v in zip(limits, values, strict=True)]
            board = chunk.options[int(chunk.option[rows[at]])].name
            best = float(worst[at]), f"{' + '.join(chunk.modalities)} on {board}", told
    if best is None:
        return None
    asked = ", ".join(f"{limit.option}={limit.spelled(limit.bound)}" for limit in limits)
    return UserError(
        "limits must leave at least one design that the budget buys",
        value=f"{asked}: the nearest, {best[1]}, has {', '.join(best[2])}",
        remedy="loosen the limits, raise the budget, or widen the space",
    )


def _weak_battery(models: AnalyticModels, space: Space) -> UserError | None:
    """That no board can be fed by the battery, or that nobody says what any board draws; None if neither."""
    options = {o.id: o for names in space.combinations for o in models.board_options(names)}.values()
    chips = models.catalog.chips
    supply = models.supply
    weak = [] if supply is None else [supply.too_weak(option, chips[option.processor]) for option in options]
    if weak and all(weak):
        nearest = min((broken for broken in weak if broken is not None), key=lambda broken: broken.actual)
        return UserError(
            "a battery must be able to feed at least one board",
            value=nearest.message,
            remedy="choose a stronger one, for example battery=18650",
        )
    if supply is None or not models.tells_power:
        return None
    silent = [unknown_of(option, chips[option.processor], supply.schedule) for option in options]
    if not all(silent):
        return None
    return UserError(
        "an objective or limit of power must have a board of which it is known what it draws",
        value=f"nobody says {silent[0]}",
        remedy="try build=any, or add idle_power to the board in a catalogue of your own",
    )


def _over_budget(models: AnalyticModels, space: Space) -> UserError:
    """What the cheapest feasible board costs."""
    best = _cheapest(replace(models, budget_usd=None), space)
    other = _cheapest(replace(models, budget_usd=None, catalog=replace(models.catalog, build="any")), space)
    told = ""
    if models.catalog.build != "any":
        cheaper = other is not None and (best is None or other[0] < best[0])
        told = f"; build=any would give {'none either' if best is None else 'nothing cheaper'}"
        if other is not None and cheaper:
            what = "an order" if other[2] else "a design and not an order"
            told = f"; build=any would give {other[1]} at ${other[0]:.2f}, {what}"
    if best is None:
        where = f"catalogue {models.catalog.name} with build={models.catalog.build}"
        return UserError(
            "a space must have at least one design that fits a board of the catalogue",
            value=f"none of space {space.name} on {where}{told}",
            remedy="use smaller layouts, widths or inputs, or add larger boards",
        )
    parts = f"the cheapest feasible board costs ${best[0]:.2f} ({best[1]}){told}"
    return UserError(
        "a budget must buy at least one feasible board",
        value=f"${models.budget_usd or 0:.2f}: {parts}",
        remedy=f"use budget={np.ceil(best[0] * 100) / 100:.2f}usd or more",
    )


def _cheapest(models: AnalyticModels, space: Space) -> tuple[float, str, bool] | None:
    """Price and name of the cheapest board that carries any network of a space, and whether it is ready-made."""
    best: tuple[float, str, bool] | None = None
    for chunk in enumerate_designs(models, space):
        prices = chunk.values[:, 0]
        if np.isfinite(prices).any():
            row = int(np.nanargmin(prices))
            option = chunk.options[int(chunk.option[row])]
            found = float(prices[row]), f"{option.name} for {' + '.join(chunk.modalities)}", option.kind == "board"
            best = found if best is None or found < best else best
    return best
