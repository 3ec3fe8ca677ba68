"""Schedules as people write them."""

import pytest

from tinysearch.core.errors import UserError
from tinysearch.core.schedule import ALWAYS, parse_schedule


@pytest.mark.parametrize(
    ("text", "interval_s", "told"),
    [
        ("every:500ms", 0.5, "every 500 ms"),
        ("every:10s", 10.0, "every 10 s"),
        ("every: 5min", 300.0, "every 5 min"),
        ("every:1h", 3600.0, "every 1 h"),
        ("every:1d", 86400.0, "every 24 h"),
        ("button:50/day", 1728.0, "50 times a day"),
        ("button", 4320.0, "20 times a day"),
        ("always", 0.0, "all the time"),
    ],
)
def test_a_schedule_has_an_interval_and_words(text: str, interval_s: float, told: str) -> None:
    schedule = parse_schedule(text)
    assert (schedule.interval_s, schedule.text) == (interval_s, told)
    assert schedule.sleeps == (schedule != ALWAYS)


@pytest.mark.parametrize(
    "text",
    [
        *("", "sometimes", "every", "every:", "every:0s", "every:-1s", "every:10parsec", "always:1s"),
        *("button:0/day", "button:-3/day", "button:50", "button:50/h", "every:" + "9" * 400, None),
    ],
)
def test_what_is_no_schedule_gets_one_line(text: object) -> None:
    with pytest.raises(UserError, match="a schedule must be always, every:DURATION or button:PRESSES/day; got"):
        parse_schedule(text)
