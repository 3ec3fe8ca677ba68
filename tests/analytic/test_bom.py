"""Bills of materials: additive, ordered by level, and the arrays agree with the plain search."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinysearch.analytic.bom import (
    NONE_FITS,
    cheapest,
    non_dominated,
    option_table,
    over_budget,
    price_usd,
)
from tinysearch.catalog import load_catalog
from tinysearch.core.platform import PRICE_LEVELS, BoardOption, BomItem, PriceLevel
from tinysearch.core.provenance import Price

MIB = 2**20
ROOT = Path(__file__).parents[2] / "hardware_catalog"


def option(number: int, processor: str, usd: float, flash: int, psram: int) -> BoardOption:
    price = Price(low=usd / 2, typical=usd, high=usd * 2, quantity=1, source="test", date="2026", kind="assumed")
    return BoardOption(
        id=f"board-{number:03}",
        name="board",
        processor=processor,
        cores=1,
        module=f"module-{number}",
        kind="module",
        serves=("microphone",),
        flash_bytes=flash * MIB,
        psram_bytes=psram * MIB,
        psram_interface="quad" if psram else None,
        fitted=(),
        items=(BomItem(part="a", name="a", price=price), BomItem(part="b", name="b", price=price)),
    )


SIZES = st.sampled_from([0, 1, 2, 4, 8, 16])
OPTIONS = st.lists(
    st.tuples(st.sampled_from(["x", "y"]), st.integers(1, 20).map(lambda cents: cents / 4), SIZES, SIZES),
    min_size=1,
    max_size=30,
).map(lambda rows: [option(number, *row) for number, row in enumerate(rows)])
NEEDS = st.tuples(st.integers(0, 17 * MIB), st.integers(0, 17 * MIB))


def test_a_bill_adds_up_and_rises_with_the_level() -> None:
    board = option(0, "x", 1.25, 4, 0)
    for level in PRICE_LEVELS:
        assert sum(line.usd for line in (item.line(level) for item in board.items)) == price_usd(board, level=level)
    assert [price_usd(board, level=level) for level in PRICE_LEVELS] == [1.25, 2.5, 5.0]


def test_a_budget_is_broken_from_the_first_cent() -> None:
    board = option(0, "x", 5.0, 4, 0)
    assert over_budget(board, budget_usd=10.0) is None
    violation = over_budget(board, budget_usd=9.99)
    assert violation is not None
    assert (violation.rule, violation.limit, violation.actual) == ("budget", 9.99, 10.0)
    assert "9.99" in violation.message
    assert "10.00" in violation.message
    assert over_budget(board, budget_usd=10.0, level="high") is not None
    assert over_budget(board, budget_usd=5.0, level="low") is None


@given(OPTIONS, NEEDS, st.sampled_from(PRICE_LEVELS))
def test_the_cheapest_fit_survives_the_filter(
    options: list[BoardOption], needs: tuple[int, int], level: PriceLevel
) -> None:
    kept = non_dominated(options, level=level)
    assert set(kept) <= set(options)
    for processor in ("x", "y"):
        flash, psram = needs
        of_all = cheapest(options, flash_bytes=flash, psram_bytes=psram, processor=processor, level=level)
        of_kept = cheapest(kept, flash_bytes=flash, psram_bytes=psram, processor=processor, level=level)
        assert (of_all is None) == (of_kept is None)
        if of_all is not None and of_kept is not None:
            assert price_usd(of_all, level=level) == price_usd(of_kept, level=level)


@given(OPTIONS)
def test_no_kept_option_beats_another(options: list[BoardOption]) -> None:
    kept = non_dominated(options)
    for one in kept:
        for other in kept:
            if one is not other and one.processor == other.processor:
                assert not (
                    price_usd(one) <= price_usd(other)
                    and one.flash_bytes >= other.flash_bytes
                    and one.psram_bytes >= other.psram_bytes
                )


@settings(max_examples=50)
@given(OPTIONS, st.lists(NEEDS, min_size=1, max_size=20), st.sampled_from(["x", "y", "z"]))
def test_the_table_agrees_with_the_plain_search(
    options: list[BoardOption], needs: list[tuple[int, int]], processor: str
) -> None:
    table = option_table(options)
    flash, psram = (np.array(column, dtype=np.int64) for column in zip(*needs, strict=True))
    found = table.cheapest(processor=processor, flash_bytes=flash, psram_bytes=psram)
    prices = table.prices(found)
    for row, (flash_bytes, psram_bytes) in enumerate(needs):
        plain = cheapest(options, flash_bytes=flash_bytes, psram_bytes=psram_bytes, processor=processor)
        if plain is None:
            assert found[row] == NONE_FITS
            assert np.isinf(prices[row])
        else:
            chosen = table.options[found[row]]
            assert chosen == plain
            assert prices[row] == price_usd(plain)


def test_cheapest_by_module() -> None:
    options = [option(0, "x", 1.0, 4, 0), option(1, "x", 2.0, 4, 0)]
    assert cheapest(options, module="module-1") is options[1]
    assert cheapest(options, module="module-7") is None
    assert cheapest([]) is None


def test_real_boards_keep_a_choice_for_every_processor() -> None:
    catalog = load_catalog("espressif", root=ROOT)
    for sensors in (("camera",), ("microphone",), ("camera", "microphone")):
        options = catalog.board_options(sensors)
        table = option_table(options)
        assert set(table.processors) == {o.processor for o in options}
        assert len(table.options) < len(options)
        nothing = np.zeros(1, dtype=np.int64)
        for processor in table.processors:
            index = int(table.cheapest(processor=processor, flash_bytes=nothing, psram_bytes=nothing)[0])
            lowest = min(o.price_usd() for o in options if o.processor == processor)
            assert table.options[index].price_usd() == pytest.approx(lowest)
