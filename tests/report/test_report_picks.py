"""What to order: cards that agree with the table, and that do not send anyone shopping for a board that is no board."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from report_cases import Case, branch, cases, evaluation, make_case, rates

from tinysearch.core.error_rates import AnsweredRates
from tinysearch.report.advice import advise
from tinysearch.report.page import render
from tinysearch.report.picks import picks
from tinysearch.report.sentence import quality_of
from tinysearch.report.table import columns, rows


@settings(max_examples=40, deadline=None)
@given(cases())
def test_cards_are_rows_of_the_table_and_rise_in_price(case: Case) -> None:
    view = case.view
    table = {row.id: row.cells for row in rows(view)}
    found = picks(view).cards
    assert 1 <= len(found) <= 3
    costs = [view.cost(view.design(pick.id)) for pick in found]
    assert costs == sorted(costs)
    assert costs[0] == min(view.cost(point) for point in view.points)
    for pick in found:
        assert pick.price == table[pick.id]["cost"]
        assert pick.latency.startswith(f"{table[pick.id]['effective']} until an owner is in")
        assert pick.network == table[pick.id]["network"]
        assert bool(pick.step) == (pick is not found[0])
        cents = sum(round(float(price.removeprefix("$")) * 100) for _, price in pick.order)
        assert abs(cents - 100 * view.cost(view.design(pick.id))) <= 0.5 * len(pick.order) + 1e-6
    answer = next(sentence for sentence in advise(view).short if sentence.kind == "answer")
    assert found[-1].quality.startswith(("EER", "latency", "cost", "effective", "RAM"))
    if quality_of(view) == "eer":
        assert view.design(found[-1].id).eer == view.design(answer.points[0]).eer


def test_a_card_of_a_classification_says_how_its_device_answers() -> None:
    answered = AnsweredRates(
        smooth=3, reject=0.05, wrong=0.123, wrong_ci95=(0.1, 0.15), unknown=0.06, unknown_ci95=(0.04, 0.09)
    )
    known = replace(rates(0.2), answered=answered)
    case = make_case([evaluation([branch("face")], board="bare", errors=known, far=None)])
    told = picks(case.view).cards[0].meaning
    assert told.startswith("On the device, scores of 3 windows added, 12.3 % [10.0-15.0 %] of test windows")
    assert "6.0 % [4.0-9.0 %] with unknown" in told
    assert case.view.points[0].answered == answered


def _with_paper_boards(*names: str) -> Case:
    """Three points, cheapest voice and best fusion; boards of the modalities named exist on paper only."""
    found = [
        evaluation([branch("voice")], board="bare", errors=rates(0.2)),
        evaluation([branch("face")], board="camera", errors=rates(0.1)),
        evaluation([branch("face"), branch("voice")], board="two cores", errors=rates(0.05)),
    ]
    paper = {"buildable": False, "buildable_reason": "no chip has such a bus"}
    return make_case(
        [replace(e, details={**e.details, **paper}) if e.candidate.modality in names else e for e in found]
    )


def test_boards_on_paper_are_left_out_and_told() -> None:
    view = _with_paper_boards("fusion").view
    chosen = picks(view)
    assert [view.design(pick.id).modality for pick in chosen.cards] == ["voice", "face"]
    assert "1 exist on paper only" in chosen.note
    answer = next(sentence for sentence in advise(view).short if sentence.kind == "answer")
    assert "exists on paper only (no chip has such a bus)" in answer.text
    assert "of the 2 points that can be built, face 1-1 int8" in answer.text
    assert "face 1-1 int8 + voice 1-1 int8 on two cores board (on paper only)" in answer.text
    assert [row.cells["board"].endswith(" (on paper only)") for row in rows(view)] == [True, False, False]


def test_where_no_board_can_be_built_every_card_says_why() -> None:
    view = _with_paper_boards("fusion", "face", "voice").view
    chosen = picks(view)
    assert {pick.problem for pick in chosen.cards} == {"no chip has such a bus"}
    assert "None of the 3 points" in chosen.note
    assert "0 of 3 points can be built" in advise(view).short[0].text
    assert "Cannot be built: no chip has such a bus" in render(view)


def test_columns_that_say_nothing_are_left_out() -> None:
    names = [column.name for column in columns(_with_paper_boards().view)]
    assert "firmware" not in names
    assert "evidence" not in names
    assert {"eer", "frr", "cost", "effective", "latency", "far1", "energy"} <= set(names)
