"""The benchmark of times to a front: what was known when, and how much of a longer run's front that is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from time_to_front import Known, Trial, known, seconds_to, volumes


def values(eer: float, usd: float) -> dict[str, float]:
    return {"eer": eer, "bom_cost_usd": usd, "latency_s": 0.1}


def test_a_design_is_known_when_its_last_branch_was_trained() -> None:
    trials = [
        Trial(branches=("face",), values=values(0.2, 10.0), ended=130.0),
        Trial(branches=("face", "voice"), values=values(0.1, 10.0), ended=170.0),
        Trial(branches=("voice",), values=values(0.3, 5.0), ended=900.0),  # follows from the one before
    ]
    assert [(each.seconds, each.values["eer"]) for each in known(trials, started=100.0)] == [
        (30.0, 0.2),
        (70.0, 0.1),
        (70.0, 0.3),
    ]


def test_seconds_are_those_to_a_share_of_the_longer_runs_hypervolume() -> None:
    run = [Known(seconds=s, values=values(e, 10.0)) for s, e in ((30.0, 0.3), (50.0, 0.2), (80.0, 0.11))]
    found = volumes(run, budget_usd=20.0)
    assert found == pytest.approx([2.0, 3.0, 3.9])  # (0.5 - error) * 10 US$ * a decade of latency
    whole = volumes([Known(seconds=900.0, values=values(0.1, 10.0))], budget_usd=20.0)[-1]
    assert seconds_to(run, whole, percent=95, budget_usd=20.0) == 80.0
    assert seconds_to(run, whole, percent=75, budget_usd=20.0) == 50.0
    assert seconds_to(run, whole, percent=99, budget_usd=20.0) is None
