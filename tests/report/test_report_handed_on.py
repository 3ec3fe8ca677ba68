"""What a report hands on: shopping lists, figures, currencies, comparisons of two runs."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from report_cases import Case, branch, evaluation, make_case, rates

from tinysearch.app.run.run_dir import point_of
from tinysearch.core.bill import BomLine, OrderNote
from tinysearch.core.errors import UserError
from tinysearch.core.units import Currency, currency_of
from tinysearch.report.compare import compare
from tinysearch.report.figures import write_figures
from tinysearch.report.page import render
from tinysearch.report.shopping import shopping_csv
from tinysearch.report.table import columns

EUR = Currency(code="eur", usd=1.1)


def small(*, eer: float = 0.1, objectives: tuple[str, ...] = ("eer", "bom_cost_usd", "latency_s")) -> Case:
    cheap = evaluation([branch("voice")], board="bare", errors=rates(eer))
    good = evaluation([branch("face"), branch("voice")], board="everything", errors=rates(eer / 2), latency_s=1.7)
    return make_case([cheap, good], objectives=objectives, budget_usd=22.0)


def test_a_shopping_list_says_what_to_order_from_whom_and_what_else() -> None:
    microphone = BomLine(
        part="=MIC",
        usd=2.2,
        source="a bill of 2026",
        quantity=8,
        seller="marketplace",
        date="2026-04",
        kind="measured",
        url="https://shop.example/mic",
    )
    bare = evaluation([branch("voice")], board="bare", errors=rates(0.1))
    ordered = replace(
        bare,
        bom=(BomLine(part="board", usd=5.5), microphone, microphone),
        order=OrderNote(build="board", quantity=1, bring=("a USB-C data cable",)),
    )
    point = ordered.to_dict()
    rows = list(csv.DictReader(io.StringIO(shopping_csv(point, currency=EUR))))
    assert [(row["pieces"], row["part"], row["sum"]) for row in rows] == [
        ("1", "board", "5.00"),
        ("2", "'=MIC", "4.00"),
        ("1", "a USB-C data cable", ""),
        ("", "sum", "9.00"),
    ]
    assert rows[1]["seller"] == "marketplace" and rows[1]["address"] == "https://shop.example/mic"
    assert "not in the sum" in rows[2]["price is"]
    assert rows[0]["address"] == ""
    assert {row["currency"] for row in rows} == {"EUR"}
    with pytest.raises(UserError, match="must name a point of the run's front.*for example " + re.escape(point["id"])):
        point_of({"points": [point]}, "another")


@pytest.mark.parametrize(
    ("typed", "currency"),
    [("15usd", Currency()), (15, Currency()), (None, Currency()), ("15 eur", EUR), ("€15", EUR)],
)
def test_the_currency_is_that_of_the_budget(typed: object, currency: Currency) -> None:
    assert currency_of(typed, rates={"EUR": 1.1}) == currency


def test_amounts_are_shown_in_the_currency_of_the_budget() -> None:
    view = small().view
    page = render(replace(view, data=replace(view.data, currency=EUR)))
    words = page[page.index("<main>") : page.index('<script type="application/json"')]
    assert "$" not in words
    assert "20.00 EUR" in page
    assert "$22.00" in render(view)


def test_figures_are_files_and_the_same_twice(tmp_path: Path) -> None:
    view = small().view
    written = write_figures(view, tmp_path / "figures")
    names = {path.name for path in written}
    assert {"eer-over-bom-cost.svg", "eer-over-latency.png", "eer-over-weight.svg"} <= names
    latency = (tmp_path / "figures/eer-over-latency.svg").read_text(encoding="utf-8")
    assert {"200", "500", "1,000"} <= set(re.findall(r">([\d,.]+)</text>", latency)), "ticks are plain numbers"
    assert write_figures(view, tmp_path / "again")
    for path in written:
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_chosen_objectives_are_columns_from_the_left() -> None:
    names = [column.name for column in columns(small(objectives=("energy_mj", "ram_bytes", "eer")).view)]
    assert names[:4] == ["network", "energy", "ram", "eer"]
    assert [
        column.style for column in columns(small(objectives=("eer", "ram_bytes")).view) if column.name == "ram"
    ] == [""]


def test_two_runs_are_compared_by_what_they_share() -> None:
    first, second = small(eer=0.1), small(eer=0.08, objectives=("eer", "bom_cost_usd"))
    found = compare(first.view, second.view)
    assert found.objectives == ("eer", "bom_cost_usd")
    assert found.beaten == (2, 0)
    assert found.hypervolume_ratio is not None and found.hypervolume_ratio > 1
    assert "It beats 2 of the 2 points of the first, which beats 0 of its 2." in found.verdict
    same = compare(first.view, first.view)
    assert (same.hypervolume_ratio, same.beaten) == (1.0, (0, 0))
    with pytest.raises(UserError, match="must share an objective"):
        compare(first.view, small(objectives=("ram_bytes",)).view)
