"""Wide spaces are priced as they come to matter, to the same numbers as when they are enumerated."""

from __future__ import annotations

import numpy as np
import pytest

from tinysearch.app.building import designs as module
from tinysearch.app.building.designs import build_designs
from tinysearch.app.building.spaces import build_space
from tinysearch.app.building.wiring import build_models
from tinysearch.app.config.compose import compose_config, plain
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
