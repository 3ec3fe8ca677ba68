"""Numbers as people read them: nothing that is something is told as 0.0, and nothing has an exponent."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinysearch.core.limits import parse_limits
from tinysearch.core.units import Currency, fixed, written


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.4, 1, "0.4"),
        (0.1, 1, "0.1"),
        (0.0437, 1, "0.044"),
        (0.06, 1, "0.060"),
        (-0.0437, 1, "-0.044"),
        (0.3, 0, "0.30"),
        (0.0, 1, "0.0"),
        (1e-17, 1, "0.0"),
        (7.5, 2, "7.50"),
    ],
)
def test_small_figures_have_two_digits(value: float, digits: int, text: str) -> None:
    assert fixed(value, digits) == text


@given(st.floats(1e-6, 1e6), st.integers(0, 3))
def test_a_figure_is_told_within_a_half_of_its_last_digit(value: float, digits: int) -> None:
    told = float(fixed(value, digits))
    assert told > 0
    assert abs(told - value) <= max(0.5 * 10.0**-digits, 1e-9 * value) * 1.0001
    if value < 10.0**-digits:
        assert abs(told - value) <= 0.051 * value


def test_prices_of_less_than_a_cent_are_told() -> None:
    assert Currency().text(0.0043) == "$0.0043"
    assert Currency(code="eur", usd=1.1).text(0.0043) == "0.0039 EUR"


@given(st.floats(-1e15, 1e15))
@example(1e5)
@example(4194304.0)
@example(1e-6)
def test_no_number_is_written_with_an_exponent(value: float) -> None:
    text = written(value)
    assert "e" not in text.lower()
    assert float(text) == pytest.approx(value, rel=1e-11)


def test_all_digits_before_the_point_are_written() -> None:
    assert [written(value, 3) for value in (1500.0, 12345.0, 0.12345, 5e-5)] == ["1500", "12345", "0.123", "0.00005"]
    assert written(1e5) == "100000"
    assert Decimal(written(0.1 + 0.2)) == Decimal("0.3")
    assert written(float("inf")) == "inf"


@pytest.mark.parametrize(
    ("option", "value", "actual", "told"),
    [
        ("min_battery_days", 100000, 41.23456, "at least 100000; actual 41.23"),
        ("min_battery_days", 123456.5, 123456.0, "at least 123456.5; actual 123456"),
        ("max_power_mw", 0.00001, 5, "at most 0.00001; actual 5"),
        ("max_latency_s", "20ms", 1234567.8, "at most 0.02; actual 1234568"),
    ],
)
def test_limits_are_told_as_they_were_written(option: str, value: object, actual: float, told: str) -> None:
    (limit,) = parse_limits({option: value})
    broken = limit.violation(actual)
    assert broken is not None
    assert told in broken.message
