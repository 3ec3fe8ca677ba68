"""What an operating point means: to owners at a door, and to whoever waits for alarms."""

from __future__ import annotations

from dataclasses import replace

from tinysearch.core.error_rates import OperatingPoint
from tinysearch.evaluation.operating import in_words

ALARM = OperatingPoint(
    far=0.05,
    far_test=0.08,
    frr=0.12,
    frr_ci95=(0.05, 0.2),
    evidence="trained",
    attempts=None,
    effective_latency_s=None,
    locked_out=None,
    usable=True,
    threshold=1000,
)


def test_an_alarm_is_told_by_what_it_misses_and_not_by_owners() -> None:
    assert in_words(ALARM) == (
        "Set for false alarms at 5 % of what is normal, 8.0 % with the test data, it misses "
        "12.0 % [5.0-20.0 %] of anomalies."
    )
    poor = in_words(replace(ALARM, usable=False, frr=0.5, frr_ci95=None, far_test=None))
    assert poor.startswith("Hardly usable (rule: up to 20 % missed). Set for false alarms at 5 % of what is normal, it")
