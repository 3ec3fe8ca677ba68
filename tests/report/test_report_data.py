"""report_data.json: what goes in comes out, and what is damaged is refused in one line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_cases import Case, branch, cases, evaluation, make_case, rates

from tinysearch.core.errors import UserError
from tinysearch.report import DATA_FILE, THINNING, build_data, read_data, thin
from tinysearch.report.data import from_dict
from tinysearch.report.view import read_view


@settings(max_examples=30, deadline=None)
@given(cases())
def test_data_survive_the_file(case: Case) -> None:
    data = case.data
    assert from_dict(json.loads(data.to_json())) == data


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 0.5), st.floats(1, 20), st.integers(0, 30)), min_size=1, max_size=200),
    st.integers(0, 60),
    st.data(),
)
def test_thinning_keeps_the_front_the_limit_and_each_models_cheapest(
    designs: list[tuple[float, float, int]], limit: int, draw: st.DataObject
) -> None:
    keep = draw.draw(st.sets(st.integers(0, len(designs) - 1), max_size=10))
    eer, cost, model = (np.array(column) for column in zip(*designs, strict=True))
    rows = thin(eer=eer, cost_usd=cost, model=model.astype(np.int64), keep=keep, limit=limit)
    assert keep <= set(rows.tolist())
    assert len(rows) == len(set(rows.tolist())) == len(designs) or len(rows) - len(keep) <= limit
    assert len(rows) - len(keep) >= min(limit, len(designs) - len(keep)) or len(rows) == len(designs)
    if limit >= len(set(model.tolist())):
        for number in set(model.tolist()):
            assert cost[model == number].min() in cost[rows][model[rows] == number]


def test_only_the_front_gets_details_and_only_known_designs_count() -> None:
    cheap = evaluation([branch("face")], board="camera", errors=rates(0.1))
    dear = evaluation([branch("face")], board="two cores", errors=rates(0.1))
    name = cheap.candidate.id
    data = build_data(evaluations=[cheap, cheap], beyond=[dear], front=[name])
    assert (set(data.details), data.known, len(data.designs)) == ({name}, 1, 2)
    assert build_data(evaluations=[cheap], front=[name], known=7).thinning == THINNING


def test_boards_of_one_name_and_unlike_prices_stay_apart() -> None:
    face = evaluation([branch("face")], board="kit", errors=rates(0.1), parts=[("kit", 9.0)])
    voice = evaluation([branch("voice")], board="kit", errors=rates(0.2), parts=[("kit", 9.0), ("microphone", 1.5)])
    view = make_case([face, voice], objectives=("bom_cost_usd", "eer")).view
    costs = {design.modality: view.cost(design) for design in view.data.designs}
    assert costs == {"face": 9.0, "voice": 10.5}


def test_a_run_without_data_shows_its_front_alone(tmp_path: Path) -> None:
    case = _small()
    (case.write(tmp_path) / DATA_FILE).unlink()
    view = read_view(tmp_path)
    assert [point.id for point in view.points] == list(case.front)
    assert [view.cost(point) for point in view.points] == [case.view.cost(point) for point in case.view.points]
    assert view.points[0].frr_far1 == pytest.approx(case.view.points[0].frr_far1)


@pytest.mark.parametrize("text", ["", "{", "{}", '{"schema": 99}', '{"schema": 1}', "[]"])
def test_damaged_data_are_refused(tmp_path: Path, text: str) -> None:
    _small().write(tmp_path)
    (tmp_path / DATA_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=DATA_FILE):
        read_data(tmp_path)


def test_data_of_another_run_are_refused(tmp_path: Path) -> None:
    _small().write(tmp_path)
    other = make_case([evaluation([branch("voice")], board="bare", errors=rates(0.3))])
    (tmp_path / DATA_FILE).write_text(other.data.to_json(), encoding="utf-8")
    with pytest.raises(UserError, match="belong to one run"):
        read_view(tmp_path)


def test_a_folder_without_a_front_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"front\.json"):
        read_view(tmp_path)


def _small() -> Case:
    return make_case(
        [
            evaluation([branch("face")], board="camera", errors=rates(0.1)),
            evaluation([branch("face"), branch("voice")], board="two cores", errors=rates(0.05), latency_s=0.3),
        ]
    )
