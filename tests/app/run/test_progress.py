"""What a search shows while it runs: nothing when quiet, plain lines in a log, words that people read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tinysearch.app.run.progress import SearchProgress
from tinysearch.architectures.resnet import resnet_branch
from tinysearch.search.events import SearchEvent

NAMES = ("eer", "bom_cost_usd", "latency_s", "effective_latency_far1_s")
BRANCH = resnet_branch("voice", blocks=(2, 2), precision="int8")
EVENT = SearchEvent(
    kind="trained",
    branch=BRANCH,
    elapsed_s=75,
    remaining_s=405,
    trials=7,
    trainings=5,
    n_trials=40,
    front_size=4,
    best=(0.0712, 6.19, 0.0449, 1.5),
)


def shown(capsys: pytest.CaptureFixture[str], *, quiet: bool) -> str:
    with SearchProgress(objectives=NAMES, trains=True, quiet=quiet) as progress:
        progress(EVENT)
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_a_log_gets_one_plain_line(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, quiet=False)
    assert text == (
        "[1:15]  trained voice 2-2 int8  trial 7/40, front 4, best validation EER 7.1 %, $6.19, 45 ms, "
        "effective latency at FAR 1 % 1.50 s, 6:45 left\n"
    )


def test_more_days_are_told_as_days(capsys: pytest.CaptureFixture[str]) -> None:
    with SearchProgress(objectives=("eer", "battery_days"), trains=True) as progress:
        progress(replace(EVENT, best=(0.0712, -41.0)))
    assert "best validation EER 7.1 %, battery life 41 days, " in capsys.readouterr().err


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, quiet=True) == ""


def test_a_narrow_terminal_shows_every_training(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    progress = SearchProgress(objectives=NAMES[:3], trains=True)
    event = replace(EVENT, kind="training", best=EVENT.best[:3], training=((BRANCH, 0.25), (BRANCH, 1.0)))
    console = Console(width=80, color_system=None)
    with console.capture() as capture:
        console.print(progress._picture(event))
    lines = capture.get().splitlines()
    assert lines[0].rstrip() == "  voice 2-2 int8           ######..................  25%"
    assert lines[1].rstrip().endswith("100%")
    assert lines[2].rstrip() == "[1:15] trial 7/40, front 4, best validation EER 7.1 %, $6.19, 45 ms, 6:45 left"
