"""What can be ordered: builds, quantities, and prices that say whose they are."""

from pathlib import Path

import pytest

from tinysearch.catalog import Catalog, load_catalog
from tinysearch.core.bill import BomLine, OrderNote
from tinysearch.core.errors import UserError
from tinysearch.core.provenance import Price, PriceBreak

ROOT = Path(__file__).parents[2] / "hardware_catalog"
FAMILIES = {"esp32", "esp32s2", "esp32s3", "esp32c3", "esp32c5", "esp32c6", "esp32c61", "esp32p4"}


@pytest.fixture(scope="module")
def espressif() -> Catalog:
    return load_catalog("espressif", root=ROOT)


def price(**changes: object) -> Price:
    about = {"source": "a shop", "date": "2026-11", "kind": "measured"}
    return Price(low=1.0, typical=2.0, high=3.0, quantity=1, **(about | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(("quantity", "usd", "listed"), [(1, 2.0, 1), (9, 2.0, 1), (10, 1.5, 10), (5000, 1.0, 100)])
def test_an_order_has_the_price_of_the_break_that_it_reaches(quantity: int, usd: float, listed: int) -> None:
    breaks = (
        PriceBreak(quantity=10, low=1.5, typical=1.5, high=1.5),
        PriceBreak(quantity=100, low=1.0, typical=1.0, high=1.0),
    )
    found = price(breaks=breaks).for_order(quantity)
    assert (found.typical, found.quantity) == (usd, listed)


@pytest.mark.parametrize("sensors", [("camera",), ("microphone",), ("camera", "microphone")])
def test_ready_boards_are_whole_and_priced_for_one(espressif: Catalog, sensors: tuple[str, ...]) -> None:
    """No part of an order is a subtraction, and none has the price of a larger order."""
    options = espressif.bought(build="board", quantity=1).board_options(sensors)
    assert {option.kind for option in options} == {"board"}
    for option in options:
        kinds = [espressif.parts[item.part].kind for item in option.items]
        assert set(kinds) <= {"board", "camera", "microphone", "accessory"}
        assert {item.price.quantity for item in option.items} == {1}
        assert option.bring
        assert option.marking


def test_every_chip_has_a_ready_board(espressif: Catalog) -> None:
    boards = espressif.bought(build="board", quantity=1).board_options(["microphone"])
    assert {option.family for option in boards} == FAMILIES
    assert len({option.module for option in boards}) >= 18


def test_boards_without_usb_come_with_an_adapter(espressif: Catalog) -> None:
    camera = espressif.board_option("esp32-cam", ["camera"])
    assert [item.part for item in camera.items] == ["esp32-cam", "usb-serial-adapter"]


def test_builds_share_out_the_catalogue(espressif: Catalog) -> None:
    ids = {
        build: {option.id for option in espressif.board_options(["microphone"], build=build)}
        for build in ("any", "board", "module", "chip")
    }
    assert ids["board"] | ids["module"] | ids["chip"] == ids["any"]
    assert sum(len(ids[build]) for build in ("board", "module", "chip")) == len(ids["any"])


@pytest.mark.parametrize("name", ["espressif", "paper2023"])
def test_every_price_says_who_asks_it_and_when(name: str) -> None:
    for part in load_catalog(name, root=ROOT).parts.values():
        assert part.price.seller, part.id
        assert (part.price.seller == "nobody") == (part.price.kind == "assumed"), part.id


def test_few_boards_have_assumed_prices(espressif: Catalog) -> None:
    """An estimate may not be the cheapest way to anything that is offered with a price that was seen."""
    boards = espressif.bought(build="board", quantity=1).board_options(["microphone"])
    for option in boards:
        if any(item.price.kind == "assumed" for item in option.items):
            rivals = [other for other in boards if other.family == option.family and other is not option]
            seen = [o for o in rivals if not any(item.price.kind == "assumed" for item in o.items)]
            assert not seen or min(o.price_usd() for o in seen) <= option.price_usd()


def test_a_catalogue_of_modules_alone_names_the_other_build(mine: Path, root: Path) -> None:
    catalog = load_catalog(mine, root=root).bought(build="board", quantity=1)
    with pytest.raises(UserError, match=r"must have a board .* with build=board.*use build=any"):
        catalog.board_options(["microphone"])


def test_words_for_orders_and_designs() -> None:
    assert OrderNote(build="board", bring=("a cable",)).text == "order: ready-made parts; bring a cable"
    assert OrderNote(build="chip").text == "design, not an order: a bare chip on a carrier of your own"
    assert not OrderNote(build="module").ready
    line = BomLine(part="x", usd=1.0, quantity=1, seller="nobody", date="2026-11", kind="assumed")
    assert line.about == "assumed, 1 piece, 2026-11"
    assert line.to_dict()["kind"] == "assumed"


def test_previews_are_chosen_by_name_alone(espressif: Catalog) -> None:
    assert {chip.id for chip in espressif.chips.values() if chip.preview} == {"esp32s31", "esp32h4"}
    assert not {"esp32s31", "esp32h4"} & {option.family for option in espressif.board_options(["microphone"])}
