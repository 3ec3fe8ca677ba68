"""Prices from a CSV: what is refused, what changes, and that all else stays."""

import difflib
from pathlib import Path

import pytest

from tinysearch.catalog import load_catalog
from tinysearch.catalog.listing import board_listing, change_listing, chip_listing, part_listing
from tinysearch.catalog.prices import read_prices, write_prices
from tinysearch.core.errors import UserError
from tinysearch.core.provenance import Price


def prices(tmp_path: Path, text: str) -> dict[str, Price]:
    path = tmp_path / "prices.csv"
    path.write_text(text)
    return read_prices(path, today="2026-12-01")


def test_a_row_becomes_a_price(tmp_path: Path) -> None:
    found = prices(
        tmp_path,
        "part,usd,low,high,quantity,date,source\na,$2.50,2,3,10,2026-11,shop\nb, 4\n",
    )
    assert found["a"] == Price(low=2, typical=2.5, high=3, quantity=10, source="shop", date="2026-11", kind="measured")
    assert found["b"] == Price(
        low=4, typical=4, high=4, quantity=1, source="prices.csv", date="2026-12-01", kind="measured"
    )


def test_of_several_sellers_the_cheapest_counts_and_all_make_the_range(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(
        "part,usd,quantity,currency,seller,low\n"
        "a,2.00,1,eur,retailer,\na,1.00,10,eur,retailer,\na,1.50,1,,Marketplace,0.9\n"
        "a,3 usd,1,eur,maker,\nb,4 eur,1,,,\n"
    )
    one = read_prices(path, today="2026-12-01", rates={"EUR": 1.2})
    assert (one["a"].typical, one["a"].seller, one["a"].low, one["a"].high) == (1.5, "marketplace", 0.9, 3.0)
    assert (one["b"].typical, one["b"].seller) == (4.8, "")
    ten = read_prices(path, today="2026-12-01", rates={"eur": 1.2}, quantity=10)["a"]
    assert (ten.typical, ten.seller, ten.quantity) == (1.2, "retailer", 10)
    with pytest.raises(UserError, match=r"with a rate.*add rates.eur"):
        read_prices(path, today="2026-12-01")


def test_the_seller_of_a_price_is_written_where_the_old_one_was_and_where_none_was(tmp_path: Path, root: Path) -> None:
    found = prices(tmp_path, "part,usd,seller\ninmp441,1.90,retailer\nov2640,3,maker\n")
    folder = tmp_path / "mine"
    write_prices(root / "espressif", found, out=folder)
    parts = load_catalog(folder, root=root).parts
    assert [(parts[n].price.typical, parts[n].price.seller) for n in found] == [(1.9, "retailer"), (3.0, "maker")]
    again = tmp_path / "again"
    write_prices(folder, prices(tmp_path, "part,usd\ninmp441,1.80\n"), out=again)
    assert load_catalog(again, root=root).parts["inmp441"].price.seller == ""
    write_prices(again, prices(tmp_path, "part,usd,seller\ninmp441,1.70,maker\n"))
    assert load_catalog(again, root=root).parts["inmp441"].price.seller == "maker"


@pytest.mark.parametrize(
    ("text", "usd"),
    [
        ("part;usd\na;1,90\n", 1.9),
        ('part,usd\na,"1,90"\n', 1.9),
        ("part;usd\na;1.234,50\n", 1234.5),
        ("part,usd\na,USD 1.90\n", 1.9),
        ("part,usd\na,US$1.90\n", 1.9),
        ("part;usd\na;1 234,50 USD\n", 1234.5),
        ("part,usd,low\nA,1.90,\n,,\n,,\n", 1.9),
        ("PART\tUSD\t\na\t1.90\t\n", 1.9),
        ("part,usd,quantity\na,2.50,1\na,1.90,100+\n", 2.5),
        ("part,usd,quantity\na,2.50,10\na,1.90,100\n", 2.5),
    ],
)
def test_prices_out_of_spreadsheets(tmp_path: Path, text: str, usd: float) -> None:
    assert prices(tmp_path, text)["a"].typical == usd


def test_the_price_break_of_the_order_holds(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("part,usd,quantity\na,2.50,1\na,1.90,100\na,1.50,1000\n")
    assert read_prices(path, today="2026-12-01", quantity=250)["a"].typical == 1.9


@pytest.mark.parametrize(
    "text",
    [
        "",
        "part,usd\na,1.90 EUR\n",
        'part,usd\na,"1,234"\n',
        "part,usd,usd\na,1,2\n",
        "part,usd,quantity\na,1,10\na,2,10\n",
        "part\na\n",
        "part,usd,color\na,1,red\n",
        "part,usd\n",
        "part,usd\na,-1\n",
        "part,usd\na,0\n",
        "part,usd,low\na,1,0\n",
        "part,usd\na,\n",
        "part,usd\na,many\n",
        "part,usd\na,nan\n",
        "part,usd\na,1\na,2\n",
        "part,usd\n,1\n",
        "part,usd\na,1,2,3\n",
        "part,usd,low\na,1,2\n",
        "part,usd,high\na,3,2\n",
        "part,usd,quantity\na,3,0\n",
        "part,usd,quantity\na,3,ten\n",
        "part,usd,date\na,3,yesterday\n",
    ],
)
def test_a_wrong_file_is_one_line_with_its_place(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError, match=r"prices\.csv:\d") as caught:
        prices(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_an_unreadable_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        read_prices(tmp_path / "nothing.csv", today="2026-12-01")


def test_writing_keeps_every_other_character(mine: Path, root: Path, tmp_path: Path) -> None:
    path = mine / "parts" / "module.yaml"
    text = "# bought in Osaka ☂\n" + path.read_text().replace("typical: 3.0", "typical: 3.0   # per piece")
    path.write_text(text)
    base = (mine / "parts" / "base.yaml").read_text()
    found = prices(tmp_path, "part,usd,high,quantity,source\nmy-module,2.345,4,7,the 'new: shop\n")
    changes = write_prices(mine, found)
    assert [(change.part, change.before.typical, change.after.typical) for change in changes] == [
        ("my-module", 3.0, 2.345)
    ]
    catalog = load_catalog(mine, root=root)
    assert catalog.parts["my-module"].price == found["my-module"]
    changed = [line for line in difflib.ndiff(text.splitlines(), path.read_text().splitlines()) if line[0] in "+-"]
    assert {line[2:].split(":")[0].strip() for line in changed} == {
        "low",
        "typical",
        "high",
        "quantity",
        "source",
        "date",
    }
    assert "# per piece" in path.read_text()
    assert (mine / "parts" / "base.yaml").read_text() == base
    assert not list(mine.rglob(".price-*"))


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_flow_style_and_line_ends_survive(mine: Path, root: Path, tmp_path: Path, newline: str) -> None:
    path = mine / "parts" / "base.yaml"
    path.write_bytes(path.read_text().replace("\n", newline).encode())
    found = prices(tmp_path, "part,usd\nmy-base,9.99\n")
    write_prices(mine, found)
    assert load_catalog(mine, root=root).parts["my-base"].price == found["my-base"]
    assert path.read_bytes().count(newline.encode()) == 4


def test_an_unknown_part_writes_nothing(mine: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in mine.rglob("*.yaml")}
    with pytest.raises(UserError, match="your-module"):
        write_prices(mine, prices(tmp_path, "part,usd\nmy-module,1\nyour-module,1\n"))
    assert {path: path.read_bytes() for path in mine.rglob("*.yaml")} == before


def test_a_built_in_catalogue_is_copied_and_stays(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "copy"
    write_prices(root / "espressif", prices(tmp_path, "part,usd\nov2640,4.2\n"), out=out)
    assert load_catalog(out, root=root).parts["ov2640"].price.typical == 4.2
    assert load_catalog("espressif", root=root).parts["ov2640"].price.typical != 4.2
    with pytest.raises(UserError, match="new folder"):
        write_prices(root / "espressif", {}, out=out)


def test_listings_have_a_cell_a_column(mine: Path, root: Path, tmp_path: Path) -> None:
    catalog = load_catalog("espressif", root=root)
    changes = write_prices(mine, prices(tmp_path, "part,usd\nmy-module,1\n"))
    options = catalog.board_options(["microphone"])
    for listing, count in (
        (part_listing(catalog), len(catalog.parts)),
        (chip_listing(catalog), len(catalog.chips)),
        (board_listing(catalog, options, level="high"), len(options)),
        (change_listing(changes), 1),
    ):
        assert len(listing.rows) == count
        assert all(len(row) == len(listing.columns) for row in listing.rows)
        assert listing.records()[0].keys() == set(listing.columns)
    assert change_listing(changes).records()[0]["difference"] == -2.0


@pytest.mark.parametrize(
    "spelled",
    [
        "  breaks:\n    - {quantity: 10, typical: 2.5}\n    - {quantity: 100, typical: 2.0}\n",
        "  breaks: [{quantity: 10, typical: 2.5}]\n",
    ],
)
def test_a_price_of_ones_own_holds_for_every_quantity(mine: Path, root: Path, tmp_path: Path, spelled: str) -> None:
    """What was said of the old price alone goes: breaks, and who asked it."""
    module = mine / "parts/module.yaml"
    text = module.read_text().replace("  unit: usd\n", f"  unit: usd\n{spelled}  seller: distributor\n", 1)
    module.write_text(text.replace("quantity: 100\n", "quantity: 1\n", 1))
    assert load_catalog(mine, root=root).parts["my-module"].price.for_order(10).typical == 2.5
    write_prices(mine, prices(tmp_path, "part,usd\nmy-module,3.33\n"))
    price = load_catalog(mine, root=root).parts["my-module"].price
    assert (price.typical, price.breaks, price.seller) == (3.33, (), "")
    assert "breaks" not in module.read_text()
