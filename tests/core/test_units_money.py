"""Amounts of money as people write them."""

import pytest

from tinysearch.core.errors import UserError
from tinysearch.core.units import parse_money


@pytest.mark.parametrize("text", ["12.5", "12.50usd", "USD 12.50", "US$ 12,5", "$12.5", "12,50 US$", 12.5])
def test_currency_and_decimal_mark_stand_where_people_put_them(text):
    assert parse_money(text) == 12.5


def test_other_currencies_take_their_rate_on_either_side():
    assert parse_money("€ 10", rates={"eur": 1.1}) == parse_money("10 EUR", rates={"EUR": 1.1}) == pytest.approx(11)


@pytest.mark.parametrize("text", ["1,234", "1,2,3", "usd", "usd 1 usd", "-1", "nan", "eur 10"])
def test_what_may_be_either_is_refused(text):
    with pytest.raises(UserError):
        parse_money(text)
