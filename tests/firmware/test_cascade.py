"""Firmware of a cascade: the first branch decides where it is sure, and a changed threshold is found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from projects import emitted, evaluated, face, voice

from tinysearch.core.cascade import Cascade
from tinysearch.firmware.verify.lock import drive

ONE = 1 << 20
CASCADE = Cascade(first="voice", reject_below=ONE // 4, accept_from=3 * ONE // 4, runs=0.4, impostor_runs=0.3)
WEIGHTS = {"face": 300, "voice": 212}
"""Of both cosines between the thresholds."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cascade") / "p"
    return emitted(face(), voice(), out=out, processor="esp32s3", cascade=CASCADE, weights=WEIGHTS, threshold=ONE)


def test_branches_take_turns_on_one_core_and_share_its_arena() -> None:
    together, in_turn = (evaluated(face(), voice(), processor="esp32s3", in_turn=turn) for turn in (False, True))
    assert in_turn.latency_s == pytest.approx(sum(part.latency_s for part in in_turn.figures.values()))
    assert in_turn.latency_s > together.latency_s
    assert in_turn.ram_bytes < together.ram_bytes
    assert in_turn.acquisition_s > together.acquisition_s


def test_the_point_says_what_an_attempt_takes_on_average(project: Path) -> None:
    point = json.loads((project / "candidate.json").read_text(encoding="utf-8"))
    fusion, values = point["fusion"], point["values"]
    first, second = (evaluated(face(), voice(), in_turn=True).figures[name].latency_s for name in ("voice", "face"))
    assert (fusion["rule"], fusion["weights"]) == ("cascade", WEIGHTS)
    assert fusion["expected_latency_s"] / values["latency_s"] == pytest.approx(
        (first + 0.4 * second) / (first + second), rel=0.2
    )
    assert fusion["expected_latency_s"] < values["latency_s"]
    assert fusion["expected_acquisition_s"] < values["acquisition_s"]
    assert fusion["expected_energy_mj"] < values["energy_mj"]
    assert "voice decides alone where it is sure; face is sensed" in (project / "README.md").read_text(encoding="utf-8")
    assert point["firmware_facts"]["tasks"] == 1


def test_the_application_decides_as_python_does(project: Path) -> None:
    rung = drive(project)
    assert rung.status == "passed", rung.detail


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("main/candidate.h", f"REJECT_BELOW INT32_C({ONE // 4})", f"REJECT_BELOW INT32_C({ONE // 4 - 1})"),
        ("main/candidate.h", "CANDIDATE_WEIGHTS { 300, 212 }", "CANDIDATE_WEIGHTS { 301, 211 }"),
        pytest.param("main/people.c", "return open && !sure;", "return 1;", marks=pytest.mark.slow),
        pytest.param(
            *("main/branches.c", "cosine < CANDIDATE_ACCEPT_FROM", "cosine <= CANDIDATE_ACCEPT_FROM + 90000"),
            marks=pytest.mark.slow,
        ),
        pytest.param("main/branches.c", "first + CANDIDATE_SURE", "first - CANDIDATE_SURE", marks=pytest.mark.slow),
    ],
)
def test_a_changed_cascade_is_found(project: Path, file: str, old: str, new: str) -> None:
    path = project / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    try:
        rung = drive(project)
    finally:
        path.write_text(text, encoding="utf-8")
    assert rung.status == "failed"
