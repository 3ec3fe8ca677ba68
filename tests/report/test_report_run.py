"""From a search to its page: the main job writes data that hold more than the front."""

from __future__ import annotations

import csv
import json
from itertools import product
from pathlib import Path

import pytest

from tinysearch.app.cli import main
from tinysearch.evaluation.table import COLUMNS
from tinysearch.report.advice import advise
from tinysearch.report.view import RunView, read_view

LAYOUTS = ("1-1", "2-2")
PRECISIONS = {"float32": 1.0, "int8": 1.02, "xnor2/1": 1.5}
BUDGET = 9.0


def _table(path: Path) -> Path:
    """Error rates that fall with size, rise with coarseness, and are halved by a fusion."""
    alone = {
        (modality, layout, precision): base * factor / (1 + LAYOUTS.index(layout))
        for modality, base in (("face", 0.12), ("voice", 0.2))
        for layout, (precision, factor) in product(LAYOUTS, PRECISIONS.items())
    }
    rows = [_row({modality: (layout, precision)}, eer) for (modality, layout, precision), eer in alone.items()]
    for face, voice in product([key for key in alone if key[0] == "face"], [key for key in alone if key[0] == "voice"]):
        rows.append(_row({"face": face[1:], "voice": voice[1:]}, min(alone[face], alone[voice]) / 2))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*COLUMNS, "frr_far1", "frr_far10"], restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def _row(branches: dict[str, tuple[str, str]], eer: float) -> dict[str, object]:
    row: dict[str, object] = {"kind": "branch" if len(branches) == 1 else "fusion"}
    row["modality"] = next(iter(branches)) if len(branches) == 1 else "fusion"
    for modality, (layout, precision) in branches.items():
        row |= {f"{modality}_blocks": layout, f"{modality}_precision": precision}
    rates = {"eer": eer, "eer_lo": eer * 0.9, "eer_hi": eer * 1.1, "frr_far1": eer * 3, "frr_far10": eer}
    return row | {name: round(value, 5) for name, value in rates.items()} | {"train_s": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("search")
    words = [
        f"budget={BUDGET}usd",
        "trainer=table",
        f"trainer.path={_table(found / 'rates.csv')}",
        "space.layouts=[[1,1],[2,2]]",
        f"space.precisions=[{','.join(PRECISIONS)}]",
        "report.title=two & two",
        f"run_dir={found / 'run'}",
        "-q",
    ]
    assert main(words) == 0
    return found / "run"


@pytest.fixture(scope="module")
def view(folder: Path) -> RunView:
    return read_view(folder)


def test_the_page_comes_with_the_run(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "What can be built for $9.00" in page
    assert "two &amp; two" in page


def test_the_data_agree_with_the_front(folder: Path, view: RunView) -> None:
    points = json.loads((folder / "front.json").read_text(encoding="utf-8"))["points"]
    assert len(points) == len(view.points) > 2
    for point, design in zip(points, view.points, strict=True):
        assert point["values"]["eer"] == design.eer
        assert point["values"]["bom_cost_usd"] == view.cost(design)
        assert point["values"]["latency_s"] == design.latency_s
        assert point["values"]["effective_latency_far1_s"] == pytest.approx(
            view.value(design, "effective_latency_far1_s")
        )
        assert sum(branch["params"] for branch in point["branches"].values()) == view.params(design)
        low, high = view.board(design).price_range_usd or (None, None)
        assert low is not None
        assert high is not None
        assert low <= view.cost(design) <= high


def test_known_designs_are_shown_and_none_beats_the_front(view: RunView) -> None:
    dominated = [design for design in view.affordable if design.id not in view.front]
    assert view.data.known == len(view.affordable)
    assert dominated
    for design in dominated:
        mine = [view.value(design, name) for name in view.objectives]
        rivals = [[view.value(point, name) for name in view.objectives] for point in view.points]
        assert any(all(a <= b for a, b in zip(rival, mine, strict=True)) for rival in rivals)


def test_a_little_more_than_the_budget_buys_the_fusion_of_known_branches(view: RunView) -> None:
    beyond = [design for design in view.data.designs if not view.within(design)]
    assert {design.modality for design in beyond} >= {"fusion"}
    assert all(BUDGET < view.cost(design) <= BUDGET + 5 for design in beyond)
    known = {key for design in view.affordable for key in design.branches}
    assert {key for design in beyond for key in design.branches} <= known
    raised = [sentence for sentence in advise(view).short if sentence.kind == "raise" and "after" in sentence.numbers]
    assert raised
    assert view.design(raised[0].points[1]).modality == "fusion"


def test_what_the_best_network_lacks_elsewhere_is_told(view: RunView) -> None:
    best = min(view.points, key=lambda design: design.eer or 1.0)
    network = " + ".join(branch.short for branch in view.branches(best))
    blocked = view.data.blocked
    assert blocked
    assert {card.network for card in blocked} == {network}
    assert view.board(best).processor not in {card.processor for card in blocked}


def test_wrong_options_are_refused_before_the_search(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("report.designs=many", "report.beyond_usd=-1"):
        words = [
            option,
            "trainer=table",
            f"trainer.path={_table(tmp_path / 'rates.csv')}",
            f"run_dir={tmp_path / 'run'}",
        ]
        assert main(words) == 2
        assert "report." in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
