from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinysearch.app.building.spaces import build_space
from tinysearch.app.building.wiring import build_models
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.core.errors import UserError
from tinysearch.core.execution import PLAIN, Execution
from tinysearch.evaluation.analytic import AnalyticModels
from tinysearch.evaluation.boards import PlatformWish
from tinysearch.evaluation.enumeration import COLUMNS, NO_OPTION, enumerate_designs
from tinysearch.space import Space

CASES = [
    ("budget=15usd",),
    ("catalog=paper2023", "flash=paper", "memory=paper", "experiment=paper"),
    ("experiment=paper", "price_level=high"),
    ("firmware.backend=auto",),
    ("space.memories=[arena,bands]", "space.branch_cores=[1,2]", "space.input_sizes=[160]"),
]

PRECISIONS = ["float32", "int8", "xnor1/1", "xnor3/1", "xnor2/2"]


def built(*words: str) -> tuple[AnalyticModels, Space]:
    config = plain(compose_config(words))
    return build_models(config), build_space(config)


@pytest.mark.parametrize("words", CASES)
def test_arrays_equal_one_by_one_evaluation(words: tuple[str, ...]) -> None:
    models, space = built(*words, "space.layouts=[[1,1],[2,2,2,2]]", "space.precisions=[float32,int8,xnor2/1]")
    checked, feasible = compare(models, space, rows=12)
    assert checked > 40
    assert feasible > 10


@settings(max_examples=15, deadline=None)
@given(
    layouts=st.lists(
        st.sampled_from(["[1]", "[3]", "[1,2]", "[2,1,1]", "[1,1,1,1]"]), min_size=1, max_size=2, unique=True
    ),
    precisions=st.lists(st.sampled_from(PRECISIONS), min_size=1, max_size=2, unique=True),
    widths=st.lists(st.integers(3, 80), min_size=1, max_size=2, unique=True),
    input_sizes=st.lists(st.integers(24, 240), min_size=1, max_size=2, unique=True),
    words=st.tuples(
        st.sampled_from(["budget=null", "budget=6usd", "budget=11usd", "budget=16usd"]),
        st.sampled_from(["price_level=low", "price_level=typical", "price_level=high"]),
        st.sampled_from(["catalog=espressif", "catalog=paper2023"]),
        st.sampled_from(["flash=layout", "flash=paper"]),
        st.sampled_from(["memory=arena", "memory=paper"]),
        st.sampled_from(["latency=calibrated", "latency=opcount"]),
        st.sampled_from(["firmware.backend=portable", "firmware.backend=auto"]),
        st.sampled_from(["fusion.rule=concatenation", "fusion.rule=cascade"]),
    ),
)
def test_arrays_equal_one_by_one_evaluation_of_any_space(
    layouts: list[str], precisions: list[str], widths: list[int], input_sizes: list[int], words: tuple[str, ...]
) -> None:
    models, space = built(
        *words,
        f"space.layouts=[{','.join(layouts)}]",
        f"space.precisions=[{','.join(precisions)}]",
        f"space.widths={widths}",
        f"space.input_sizes={input_sizes}",
    )
    compare(models, space, rows=3)


def compare(models: AnalyticModels, space: Space, *, rows: int) -> tuple[int, int]:
    """Some rows of every chunk against the evaluation of their candidates; gives rows compared and feasible ones."""
    rng = np.random.default_rng(0)
    checked = feasible = 0
    for chunk in enumerate_designs(models, space):
        for row in rng.choice(len(chunk.option), min(rows, len(chunk.option)), replace=False):
            branches = [
                space.branches(modality)[chunk.branches[row, place]] for place, modality in enumerate(chunk.modalities)
            ]
            own = models.executing(chunk.execution)
            if not any(map(own.differs, branches)):
                assert chunk.option[row] == NO_OPTION
                continue
            chosen = models.choose(branches, PlatformWish(chip=chunk.processor), executions=(chunk.execution,))
            assert chosen.candidate.platform.execution == chunk.execution
            assert chosen.feasible == (chunk.option[row] != NO_OPTION)
            checked += 1
            if not chosen.feasible:
                continue
            feasible += 1
            values = chosen.values()
            assert chosen.candidate.platform.board == chunk.options[chunk.option[row]].id
            for place, name in enumerate(COLUMNS):
                assert chunk.values[row, place] == pytest.approx(values[name], rel=1e-9)
    return checked, feasible


def test_bands_and_a_second_core_are_designs_where_they_change_something() -> None:
    sizes = ("space.input_sizes=[160]", "space.layouts=[[1]]", "space.precisions=[float32,int8]")
    models, space = built("space.modalities=[face]", *sizes, "space.memories=bands", "space.branch_cores=2")
    assert [(each.bands, each.cores) for each in space.executions] == [(False, 1), (False, 2), (True, 1), (True, 2)]
    chunks = [chunk for chunk in enumerate_designs(models, space) if chunk.processor == "esp32s3"]
    plain, faster, smaller = chunks  # bands hold every heavy layer of this network
    assert (faster.execution, smaller.execution) == (Execution(cores=2), Execution(bands=True))
    assert list(faster.option) == list(smaller.option) == [NO_OPTION, plain.option[1]]  # float32 knows neither
    assert plain.latency_s[1] / 1.5 < faster.latency_s[1] < 0.75 * plain.latency_s[1]
    assert smaller.ram_bytes[1] < plain.ram_bytes[1] < faster.ram_bytes[1]
    wish, branches = PlatformWish(chip="esp32s3"), [space.branches("face")[1]]
    chosen = [models.choose(branches, wish, executions=[each]) for each in (PLAIN, Execution(cores=2))]
    assert len({each.candidate.id for each in chosen}) == 2
    assert [each.to_dict()["platform"].get("branch_cores") for each in chosen] == [None, 2]
    assert models.choose(branches, wish, executions=space.executions) == chosen[1]  # the fastest on a board
    with pytest.raises(UserError, match="two cores must have one branch to share"):
        models.choose([space.branches("face")[0]], wish, executions=[Execution(cores=2)])


def test_power_in_arrays_is_that_of_one_evaluation_also_where_two_cores_share_a_branch() -> None:
    words = ("space.modalities=[face]", "space.layouts=[[1]]", "space.precisions=[int8]", "space.branch_cores=[1,2]")
    models, space = built(*words, "battery=2xaa", "objectives=[error,battery_days,bom_cost_usd]")
    branches, checked = space.branches("face"), set()
    for chunk in enumerate_designs(models, space):
        own = models.executing(chunk.execution)
        for row in np.flatnonzero(chunk.option != NO_OPTION):
            board = own.board_option(chunk.options[chunk.option[row]].id, ["face"])
            evaluation = own.evaluate([branches[chunk.branches[row, 0]]], board)
            assert evaluation.power is not None
            assert evaluation.power.battery_days is not None
            assert chunk.power["power_mw"][row] == pytest.approx(evaluation.values()["power_mw"], rel=1e-9)
            assert -chunk.power["negative_battery_days"][row] == pytest.approx(evaluation.power.battery_days, rel=1e-9)
            checked.add(chunk.execution.cores)
    assert checked == {1, 2}


def test_models_of_another_budget_execute_within_theirs() -> None:
    models, _ = built("space.modalities=[face]")
    assert models.executing(Execution(cores=2)).budget_usd == models.budget_usd
    richer = replace(models, budget_usd=1000.0)
    assert richer.executing(Execution(cores=2)).budget_usd == 1000.0
    assert richer.executing(Execution(cores=2)).executing(PLAIN).budget_usd == 1000.0


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
