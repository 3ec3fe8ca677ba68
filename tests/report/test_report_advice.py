"""Advice says nothing without numbers and nothing that the table contradicts."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from report_cases import Case, branch, cases, evaluation, make_case, rates

from tinysearch.core.cascade import Cascade, CascadeFigures
from tinysearch.report.advice import Advice, advise
from tinysearch.report.data import BlockedCard
from tinysearch.report.prices import market_of, price_limits
from tinysearch.report.sentence import Sentence, decided_matrix, ladder, number, overlap, quality_of
from tinysearch.report.table import rows
from tinysearch.report.view import RunView
from tinysearch.report.wording import pair_text, percent, seconds, usd

EVERY = settings(max_examples=25, deadline=None)


def _one(advice: Advice, kind: str) -> Sentence:
    found = [sentence for sentence in advice.all if sentence.kind == kind]
    assert len(found) == 1
    return found[0]


@EVERY
@given(cases())
def test_every_sentence_has_its_numbers_and_speaks_of_known_designs(case: Case) -> None:
    view = case.view
    known = {design.id for design in view.data.designs}
    for sentence in advise(view).all:
        assert sentence.numbers
        assert all(math.isfinite(value) for value in sentence.numbers.values())
        assert re.search(r"\d", sentence.text)
        assert sentence.text.endswith(".")
        assert not re.search(r"\b(nan|inf|None)\b", sentence.text)
        assert set(sentence.points) <= known
        if sentence.kind not in ("raise", "guideline", "price"):
            assert set(sentence.points) <= set(view.front)


@EVERY
@given(cases())
def test_the_answer_is_the_tables_best_row(case: Case) -> None:
    view = case.view
    answer = _one(advise(view), "answer")
    quality = quality_of(view)
    assert answer.numbers[quality] == min(number(view, point, quality) for point in view.points)
    row = next(row for row in rows(view) if row.id == answer.points[0])
    assert row.cells["cost"] in answer.text
    assert row.cells["effective"] in answer.text
    if quality == "eer":
        assert row.cells["eer"].split(" [")[0] in answer.text
    assert answer.numbers["front"] == len(rows(view))


@EVERY
@given(cases())
def test_money_buys_what_the_table_says(case: Case) -> None:
    view = case.view
    advice, quality = advise(view), quality_of(view)
    costs = {point.id: view.cost(point) for point in view.points}
    cheapest = _one(advice, "cheapest")
    assert cheapest.numbers["bom_cost_usd"] == min(costs.values())
    assert all(s.numbers["extra_usd"] > 0 and s.numbers["after"] < s.numbers["before"] for s in advice.steps)
    for sentence in advice.short:
        if sentence.kind == "next":
            reach = [p for p in view.points if costs[p.id] <= sentence.numbers["limit_usd"] + 5e-5]
            assert sentence.numbers["after"] == min(number(view, p, quality) for p in reach)
            assert view.budget_usd is None or sentence.numbers["limit_usd"] <= view.budget_usd + 1e-4
        if sentence.kind == "give_up":
            best, other = (view.design(name) for name in sentence.points)
            assert view.cost(other) < view.cost(best)
            assert sentence.numbers["saving_usd"] == view.cost(best) - view.cost(other)
            assert sentence.numbers["after"] > sentence.numbers["before"]
        if sentence.kind == "raise" and "after" in sentence.numbers:
            better = view.design(sentence.points[1])
            assert not view.within(better)
            assert view.cost(better) <= sentence.numbers["limit_usd"] + 5e-5
            assert sentence.numbers["after"] < sentence.numbers["before"]


@EVERY
@given(cases())
def test_the_knee_lies_below_the_line_between_the_ends(case: Case) -> None:
    view = case.view
    quality = quality_of(view)
    rungs = ladder(view, view.points, quality)
    for sentence in advise(view).short:
        if sentence.kind == "knee":
            first, last, knee = rungs[0], rungs[-1], view.design(sentence.points[0])
            share = (view.cost(knee) - view.cost(first)) / (view.cost(last) - view.cost(first))
            line = number(view, first, quality) + share * (number(view, last, quality) - number(view, first, quality))
            assert number(view, knee, quality) < line


@EVERY
@given(cases())
def test_why_counts_its_rivals(case: Case) -> None:
    view = case.view
    for identity, sentences in advise(view).why.items():
        point, others = view.design(identity), [p for p in view.points if p.id != identity]
        sentence = sentences[0]
        if "next" not in sentence.numbers:
            assert sentence.numbers["others"] == len(others)
            continue
        assert set(sentence.points) == {identity}
        name = next(name for name in view.objectives if name in sentence.numbers)
        limits = {n.removeprefix("limit_"): v for n, v in sentence.numbers.items() if n.startswith("limit_")}
        rivals = [o for o in others if all(number(view, o, n) <= limit for n, limit in limits.items())]
        assert len(rivals) == sentence.numbers.get("rivals", len(others))
        assert min(number(view, o, name) for o in rivals) == sentence.numbers["next"] > sentence.numbers[name]
        assert number(view, point, name) == sentence.numbers[name]


@EVERY
@given(cases())
def test_ties_are_overlapping_intervals(case: Case) -> None:
    view = case.view
    for sentence in advise(view).short:
        if sentence.kind == "tie":
            rated = [p for p in view.points if p.eer is not None and p.eer_ci95 is not None]
            best = view.design(sentence.points[0])
            assert best.eer == min(p.eer for p in view.points if p.eer is not None)
            if best.eer_ci95 is None:
                assert "without an interval" in sentence.text
                assert "tied" not in sentence.numbers
                continue
            others = [p for p in rated if p.branches != best.branches]
            tied = {p.branches for p in others if overlap(best, p)}
            assert sentence.numbers["tied"] == len(tied) <= sentence.numbers["networks"]
            assert sentence.numbers["networks"] == len({p.branches for p in others}) > 0
            if tied:
                cheapest = view.design(sentence.points[1])
                assert cheapest.branches in tied
                assert view.cost(cheapest) == min(view.cost(p) for p in others if overlap(best, p))


def _dominated(view: RunView, identity: str, *, part: str, change: float) -> bool:
    """Whether a point is dominated by an affordable design once a part's price has changed everywhere."""
    designs = view.affordable
    values = decided_matrix(view, designs, view.objectives)
    at = view.objectives.index("bom_cost_usd")
    for i, design in enumerate(designs):
        values[i, at] += change * sum(p.name == part for p in view.board(design).parts)
    mine = values[[design.id for design in designs].index(identity)]
    return bool(np.any((values <= mine + 1e-12).all(axis=1) & (values < mine - 1e-9).any(axis=1)))


@EVERY
@given(cases())
def test_price_limits_are_where_a_point_leaves_the_front(case: Case) -> None:
    view = case.view
    if "bom_cost_usd" not in view.objectives:
        return
    parts = {part.name for board in view.data.boards.values() for part in board.parts}
    market = market_of(view)
    for point in view.points:
        limits, _ = price_limits(market, point)
        for limit in limits:
            sign = 1 if limit.rises else -1
            assert _dominated(view, point.id, part=limit.part, change=sign * (limit.change_usd + 1e-4))
            if limit.change_usd > 1e-3:
                assert not _dominated(view, point.id, part=limit.part, change=sign * (limit.change_usd - 1e-4))
        free = parts - {limit.part for limit in limits if limit.rises}
        assert not any(_dominated(view, point.id, part=part, change=100.0) for part in free)


@EVERY
@given(cases())
def test_guidelines_are_open_exactly_when_they_have_no_verdict(case: Case) -> None:
    found = advise(case.view).guidelines
    assert len(found) == 6
    for sentence in found:
        assert sentence.title
        assert (sentence.holds is None) == sentence.text.startswith("Open")


def test_quantization_is_judged_by_layouts_that_have_both() -> None:
    def single(precision: str, eer: float) -> Case:
        return evaluation([branch("face", precision=precision)], board="camera", errors=rates(eer))

    kept = make_case([single("float32", 0.10), single("int8", 0.102), single("xnor1/1", 0.2)])
    lost = make_case([single("float32", 0.10), single("int8", 0.15)])
    verdicts = [
        next(s for s in advise(case.view).guidelines if s.title.startswith("Experiment")) for case in (kept, lost)
    ]
    assert [verdict.holds for verdict in verdicts] == [True, False]
    assert verdicts[0].numbers["shrink"] == 4
    assert math.isclose(verdicts[1].numbers["loss"], 0.05)
    assert "+5.0 points" in verdicts[1].text


def test_two_cores_are_judged_by_fusions_that_use_them() -> None:
    both = [branch("face"), branch("voice")]
    cascade = Cascade(first="voice", reject_below=0, accept_from=1, runs=0.5, impostor_runs=0.4)
    taken = {"latency_s": 0.25, "acquisition_s": 1.0, "energy_mj": None, "effective_latency_s": None}
    turns = replace(
        evaluation(both, board="two cores", errors=rates(0.1)),
        cascade=CascadeFigures(cascade=cascade, second="face", **taken),
    )
    found = next(s for s in advise(make_case([turns]).view).guidelines if s.title.startswith("Exploit"))
    assert found.text == "Open: 0 of 0 known fusions run on two cores."
    side_by_side = make_case([evaluation(both, board="two cores", errors=rates(0.1))])
    assert next(s for s in advise(side_by_side.view).guidelines if s.title.startswith("Exploit")).holds


def test_a_step_names_the_memory_that_it_buys() -> None:
    small = evaluation(
        [branch("face")],
        board="small",
        errors=rates(0.129),
        parts=[("chip", 2.0), ("flash 2", 0.57)],
        flash_bytes=2**21,
    )
    large = evaluation(
        [branch("face", blocks=(2, 2))], board="large", errors=rates(0.058), parts=[("chip", 2.0), ("flash 4", 0.73)]
    )
    step = advise(make_case([small, large]).view).steps[0]
    assert step.text == (
        "+$0.16 (to $2.73): face 1-1 int8 → face 2-2 int8, flash 2 MB → 4 MB; EER 12.9 % → 5.8 % [3.8-7.8 %]."
    )


def test_without_error_rates_money_buys_latency() -> None:
    slow = evaluation([branch("face")], board="camera", errors=rates(None), latency_s=0.4)
    fast = evaluation([branch("face")], board="two cores", errors=rates(None), latency_s=0.1)
    case = make_case([slow, fast], objectives=("bom_cost_usd", "latency_s"))
    assert quality_of(case.view) == "latency_s"
    assert advise(case.view).steps[0].numbers["after"] == 0.1


def test_processors_that_lack_the_same_thing_are_named_together() -> None:
    def blocked(processor: str, rule: str, message: str) -> BlockedCard:
        return BlockedCard(network="face 2-2 int8", processor=processor, rule=rule, limit=1, actual=2, message=message)

    case = make_case([evaluation([branch("face")], board="camera", errors=rates(0.1))])
    cards = (
        blocked("a", "camera", "a camera is needed; limit A; actual none"),
        blocked("b", "camera", "a camera is needed; limit B; actual none"),
        blocked("c", "psram", "PSRAM: 212 KiB over 2 MB"),
    )
    view = RunView(
        data=replace(case.data, blocked=cards), front=case.front, budget_usd=None, objectives=case.objectives
    )
    assert [sentence.text for sentence in advise(view).over] == [
        "face 2-2 int8 does not run on a, b (2 processors): a camera is needed.",
        "face 2-2 int8 does not run on c (1 processor): PSRAM: 212 KiB over 2 MB.",
    ]


def test_what_is_over_is_told_by_how_much_and_what_would_do() -> None:
    found = [
        evaluation([branch("face", blocks=(2, 2))], board="two cores", errors=rates(0.05)),
        evaluation([branch("face", blocks=(2, 2))], board="everything", errors=rates(0.05), latency_s=0.1),
        evaluation([branch("face")], board="camera", errors=rates(0.1)),
    ]
    case = make_case(found)
    card = BlockedCard(
        network="face 2-2 int8",
        processor="esp32",
        rule="flash-window",
        limit=4 * 2**20,
        actual=4 * 2**20 + 212 * 1024,
        message="ESP32 maps a limited part of its flash as data; limit 4 MB; actual 4.21 MiB",
    )
    view = RunView(
        data=replace(case.data, blocked=(card,)), front=case.front, budget_usd=None, objectives=case.objectives
    )
    texts = [sentence.text for sentence in advise(view).over]
    assert texts[0].endswith("actual 4.21 MiB; 212 KiB over.")
    assert texts[1] == "The cheapest board that can run face 2-2 int8 is two cores board (esp32s3) at $12.00."


def test_an_empty_front_says_so() -> None:
    case = make_case([evaluation([branch("face")], board="camera", errors=rates(0.1))])
    view = RunView(data=case.data, front=(), budget_usd=1.0, objectives=case.objectives)
    assert [sentence.kind for sentence in advise(view).all] == ["nothing"]


def test_equal_looking_numbers_get_more_digits() -> None:
    assert pair_text("eer", 0.0791, 0.0794) == ("7.91 %", "7.94 %")
    assert pair_text("bom_cost_usd", 1.5, 1.5) == ("$1.50", "$1.50")
    assert (percent(0.079), usd(-0.5), seconds(0.0042), seconds(1.5)) == ("7.9 %", "-$0.50", "4.2 ms", "1.50 s")
