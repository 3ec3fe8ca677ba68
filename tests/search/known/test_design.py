from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysearch.architectures.resnet import resnet_branch
from tinysearch.core.candidate import PlatformChoice
from tinysearch.core.error_rates import ErrorRates
from tinysearch.core.errors import UserError
from tinysearch.search.known.design import DesignTable
from tinysearch.search.known.objective_values import ObjectiveVector

BRANCHES = tuple(resnet_branch(m, blocks=(n, 1), precision="int8") for m in ("face", "voice") for n in range(1, 4))
PLATFORMS = tuple(PlatformChoice(processor=p, flash_bytes=1 << 20, psram_bytes=0, board="b") for p in "abcd")
NEEDS = [(i, -1) for i in range(6)] + [(i, j) for i in range(3) for j in range(3, 6)]


def table_of(rows):
    return DesignTable(
        branches=BRANCHES,
        params=np.ones(6),
        macs=np.ones(6),
        columns=("bom_cost_usd", "latency_s"),
        analytic=np.array([[r[2], r[3]] for r in rows], float).reshape(-1, 2),
        needs=np.array([NEEDS[r[0]] for r in rows]).reshape(-1, 2),
        platforms=PLATFORMS,
        platform=np.array([r[1] for r in rows], int),
    )


ROWS = st.lists(
    st.tuples(st.integers(0, 14), st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)),
    max_size=30,
    unique_by=lambda r: r[:2],
)


@given(ROWS)
def test_rows_are_grouped_by_model_and_found_again(rows):
    table = table_of(rows)
    assert len(table) == len(rows)
    for j in range(len(table.models)):
        own = slice(table.offsets[j], table.offsets[j + 1])
        assert (table.needs[own] == table.models[j]).all()
        assert (table.model[own] == j).all()
    for row in range(len(table)):
        assert table.row_of(table.candidate(row)) == row
    used = {i for r in rows for i in NEEDS[r[0]] if i >= 0}
    assert set(np.flatnonzero(table.useful())) == used


@given(ROWS)
def test_best_boards_leave_out_only_what_the_same_model_beats(rows):
    table = table_of(rows)
    kept = set(table.best_boards(("bom_cost_usd", "latency_s")).tolist())
    for row in range(len(table)):
        rivals = [r for r in range(len(table)) if table.model[r] == table.model[row] and r != row]
        own = table.analytic[row]
        beaten = any((table.analytic[r] <= own).all() and (table.analytic[r] < own).any() for r in rivals)
        equal_before = any((table.analytic[r] == own).all() and r < row for r in rivals)
        assert (row in kept) == (not beaten and not equal_before)


def test_a_candidate_of_elsewhere_has_no_row():
    table = table_of([(0, 0, 1, 1)])
    candidate = table.candidate(0)
    stranger = resnet_branch("face", blocks=(9, 9), precision="int8")
    assert table.row_of(type(candidate)(branches=(stranger,), platform=PLATFORMS[0])) is None
    assert table.row_of(type(candidate)(branches=candidate.branches, platform=PLATFORMS[3])) is None


def test_missing_column_and_bad_numbers_are_refused():
    with pytest.raises(UserError, match="energy_mj"):
        table_of([(0, 0, 1, 1)]).column("energy_mj")
    with pytest.raises(ValueError, match="finite"):
        table_of([(0, 0, np.nan, 1)])


def test_objectives_follow_from_latency_and_rates():
    vector = ObjectiveVector(("effective_latency_far1_s", "eer", "bom_cost_usd"))
    assert vector.metrics == ("eer", "frr@0.01")
    analytic = np.array([[3.0, 2.0, 1.0]] * 3)
    metrics = np.array([[0.1, 0.5], [0.1, 1.0], [np.nan, np.nan]])
    values = vector.combine(("bom_cost_usd", "latency_s", "acquisition_s"), analytic, metrics)
    assert values[0].tolist() == [6.0, 0.1, 3.0]  # every retry captures anew
    assert values[1, 0] == np.inf
    assert np.isnan(values[2]).tolist() == [True, True, False]
    with pytest.raises(UserError, match="objectives must be"):
        ObjectiveVector(("eer", "beauty"))


def test_error_metrics_are_those_by_which_the_search_decides():
    vector = ObjectiveVector(("effective_latency_far1_s", "eer"))
    shown = ErrorRates(eer=0.1, evidence="trained", frr_at_far={0.01: 0.3})
    assert vector.metrics_of(shown).tolist() == [0.1, 0.3]
    decided = replace(shown, eer_validation=0.2, frr_at_far_validation={0.01: 0.4})
    assert vector.metrics_of(decided).tolist() == [0.2, 0.4]
