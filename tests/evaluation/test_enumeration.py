from __future__ import annotations

import numpy as np
import pytest

from tinysearch.app.config import compose_config, plain
from tinysearch.app.wiring import build_models, build_space
from tinysearch.evaluation.analytic import AnalyticModels, PlatformWish
from tinysearch.evaluation.enumeration import COLUMNS, NO_OPTION, enumerate_designs
from tinysearch.space import Space

CASES = [
    ("budget=15usd",),
    ("catalog=paper2023", "flash=paper", "memory=paper", "experiment=paper"),
    ("experiment=paper", "price_level=high"),
]


def built(*words: str) -> tuple[AnalyticModels, Space]:
    config = plain(compose_config(words))
    return build_models(config), build_space(config)


@pytest.mark.parametrize("words", CASES)
def test_arrays_equal_one_by_one_evaluation(words: tuple[str, ...]) -> None:
    models, space = built(*words, "space.layouts=[[1,1],[2,2,2,2]]", "space.precisions=[float32,int8,xnor2/1]")
    rng = np.random.default_rng(0)
    checked = feasible = 0
    for chunk in enumerate_designs(models, space):
        for row in rng.choice(len(chunk.option), min(12, len(chunk.option)), replace=False):
            branches = [
                space.branches(modality)[chunk.branches[row, place]] for place, modality in enumerate(chunk.modalities)
            ]
            chosen = models.choose(branches, PlatformWish(processor=chunk.processor))
            assert chosen.feasible == (chunk.option[row] != NO_OPTION)
            checked += 1
            if not chosen.feasible:
                continue
            feasible += 1
            values = chosen.values()
            assert chosen.candidate.platform.board == chunk.options[chunk.option[row]].id
            for place, name in enumerate(COLUMNS):
                assert chunk.values[row, place] == pytest.approx(values[name], abs=1e-4)
    assert checked > 40
    assert feasible > 10


def test_chunks_do_not_change_the_result() -> None:
    models, space = built("space.layouts=[[1,1],[2,2]]", "space.precisions=[int8,xnor1/1]")

    def all_prices(chunk: int) -> np.ndarray:
        return np.concatenate([part.values[:, 0] for part in enumerate_designs(models, space, chunk=chunk)])

    np.testing.assert_array_equal(all_prices(1 << 18), all_prices(5))


def test_a_larger_budget_never_takes_a_design_away() -> None:
    words = ("space.layouts=[[1,1],[2,2,2]]", "space.precisions=[int8]")
    counts = []
    for budget in ("8usd", "12usd", "15usd", "40usd"):
        models, space = built(*words, f"budget={budget}")
        counts.append(sum(int((chunk.option != NO_OPTION).sum()) for chunk in enumerate_designs(models, space)))
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]
