"""Wide spaces are priced as they come to matter, to the same numbers as when they are enumerated."""

from __future__ import annotations

import numpy as np
import pytest

from tinysearch.app.building import designs as module
from tinysearch.app.building.designs import build_designs
from tinysearch.app.building.spaces import build_space
from tinysearch.app.building.wiring import build_models
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.run.finished import candidates_of
from tinysearch.app.run.setup import set_up
from tinysearch.core.errors import UserError
from tinysearch.search.known.knowledge import products

SMALL = ["space.precisions=[int8,xnor2/1]", "space.layouts=[[1,1],[2,2]]", "budget=20usd"]


def rows_of(table) -> dict[str, tuple[float, ...]]:
    return {table.candidate(row).id: tuple(table.analytic[row].tolist()) for row in range(len(table))}


@pytest.mark.parametrize(
    "words", [[], ["schedule=every:1min", "battery=18650", "objectives=[bom_cost_usd,battery_days]"]]
)
def test_all_that_a_growing_table_reveals_is_what_the_enumeration_has(words, monkeypatch):
    config = plain(compose_config([*SMALL, *words]))
    models, space = build_models(config), build_space(config)
    whole = build_designs(models, space).table
    assert whole.pricing is None
    monkeypatch.setattr(module, "MOST_MODELS", 0)
    table = build_designs(models, space).table
    assert table.pricing is not None
    assert len(table) < len(whole)
    assert (table.useful() == whole.useful()).all()
    for inputs in table.pricing.combinations:
        for some in products(inputs, inputs=table.needs.shape[1]):
            table.reveal(some)
    assert rows_of(table) == rows_of(whole)
    assert len(np.unique(table.models, axis=0)) == len(table.models)


def test_a_fusion_of_a_wide_space_is_found_again_by_its_document(monkeypatch):
    monkeypatch.setattr(module, "MOST_MODELS", 0)
    layouts = "space.layouts=[[1,1],[1,2],[2,1],[2,2]]"
    setup = set_up(plain(compose_config([*SMALL, layouts, "trainer=none"])))
    table = setup.problem.table.own()
    begun = len(table)
    for some in products(table.pricing.combinations[-1], inputs=2):
        table.reveal(some)
    assert len(table) > begun
    candidate = table.candidate(begun)
    assert len(candidate.branches) == 2
    assert setup.problem.table.row_of(candidate) is None
    point = setup.evaluate(candidate, setup.errors.error_rates(candidate.branches)).to_dict()
    assert candidates_of(setup, [point]) == {candidate.id: candidate}
    with pytest.raises(UserError, match="still be on sale"):
        candidates_of(setup, [point | {"id": "of another catalogue"}])
