"""Tables of error rates as other people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinysearch.app.building.designs import build_designs
from tinysearch.app.building.spaces import build_space, table_of
from tinysearch.app.building.wiring import build_models
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.architectures.resnet import resnet_branch
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import UserError
from tinysearch.core.quantization import Precision
from tinysearch.evaluation.table import COLUMNS, TableErrors
from tinysearch.search.known.flat import FlatPoint
from tinysearch.space import Space

HEAD = ",".join(COLUMNS)
ROWS = [
    "branch,voice,,,1-1-1,int8,0.2,0.18,0.22,60",
    "branch,voice,,,3,xnor3/2,0.3,,,",
    "branch,face,2-1,int8,,,0.1,0.09,0.11,30",
    "fusion,fusion,2-1,int8,1-1-1,int8,0.05,0.04,0.06,0",
]


def written(folder: Path, *rows: str, head: str = HEAD, encoding: str = "utf-8") -> Path:
    path = folder / "rates of mine.csv"
    path.write_text("\n".join([head, *rows]) + "\n", encoding=encoding)
    return path


def branch(modality: str, blocks: tuple[int, ...], precision: str) -> BranchSpec:
    return resnet_branch(modality, blocks=blocks, precision=precision)


def layouts(space: Space, modality: str) -> list[tuple[int, ...]]:
    return [architecture.blocks for architecture in space.options[modality].architectures]  # type: ignore[attr-defined]


def composed(path: Path, *words: str) -> dict:
    return plain(compose_config(["trainer=table", f"trainer.path={path}", *words]))


def test_spreadsheets_marks_and_blanks_do_no_harm(tmp_path: Path) -> None:
    spaced = [row.replace(",int8", ", int8 ") for row in ROWS]
    table = TableErrors(path=written(tmp_path, *spaced, head=HEAD.replace(",eer,", ", eer ,"), encoding="utf-8-sig"))
    rates = table.error_rates([branch("face", (2, 1), "int8"), branch("voice", (1, 1, 1), "int8")])
    assert (rates.eer, rates.eer_ci95) == (0.05, (0.04, 0.06))
    blank = branch("voice", (3,), "xnor3/2")
    assert table.error_rates([blank]).eer_ci95 is None
    assert table.train(blank, progress=lambda _: None).seconds == 0.0
    assert table.covers("voice") == (((3,), (1, 1, 1)), ("int8", "xnor3/2"))


def test_semicolons_decimal_commas_and_empty_rows_of_spreadsheets(tmp_path: Path) -> None:
    rows = [row.replace(",", ";").replace(".", ",") for row in ROWS]
    path = written(tmp_path, *rows, ";" * 9, head=HEAD.replace(",", ";"), encoding="utf-16")
    rates = TableErrors(path=path).error_rates([branch("voice", (1, 1, 1), "int8")])
    assert (rates.eer, rates.eer_ci95) == (0.2, (0.18, 0.22))


@pytest.mark.parametrize("blocks", ["01-Jan", "Jan 01", "01.01.2026", "2026-01-01"])
def test_blocks_that_became_a_date_are_called_so(tmp_path: Path, blocks: str) -> None:
    row = f"branch,voice,,,{blocks},int8,0.2,0.18,0.22,60"
    with pytest.raises(UserError, match="a date; format the column as text"):
        TableErrors(path=written(tmp_path, row))


def test_a_message_names_the_option_and_the_cell_that_is_too_long(tmp_path: Path) -> None:
    path = written(tmp_path, *ROWS, '"' + "x" * 140_000)
    with pytest.raises(UserError, match=r"warm_start must be a readable CSV.*csv:6: a cell of over 131072"):
        TableErrors(path=path, option="warm_start")


@pytest.mark.parametrize(
    "row",
    [
        "branch,voice,,,1-1-1,int8,0.21,0.18,0.22,60",
        "branch,face,2-1,int8,1-1-1,int8,0.05,0.04,0.06,0",
        "fusion,fusion,2-1,int8,,,0.05,0.04,0.06,0",
        "branch,voice,,int8,1-1,int8,0.2,0.18,0.22,60",
        "branch,voice,,,2-2,int8,20,18,22,60",
        "branch,voice,,,2-2,int8,nan,0.1,0.2,60",
        "branch,voice,,,2-2,int8,0.2,0.1,0.2,-1",
        "branch,voice,,,2-2,int7,0.2,0.1,0.2,1",
        "branch,voice,,,2;2,int8,0.2,0.1,0.2,1",
        "branch,voice,,,2-2,int8,0.2,0.1,0.2,1,2",
        "branch,voice,,,2-2,int8,0.2,0.3,0.1,1",
        "branch,nose,,,2-2,int8,0.2,0.1,0.3,1",
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(tmp_path: Path, row: str) -> None:
    with pytest.raises(UserError) as caught:
        TableErrors(path=written(tmp_path, *ROWS, row))
    assert "csv:6" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_table_says_what_is_searched_unless_the_user_does(tmp_path: Path) -> None:
    path = written(tmp_path, *ROWS)
    space = build_space(composed(path))
    assert layouts(space, "voice") == [(3,), (1, 1, 1)]
    assert layouts(space, "face") == [(2, 1)]
    assert space.modalities == ("face", "voice", "fusion")
    narrow = build_space(composed(path, "space.precisions=[int8]"))
    assert narrow.options["voice"].precisions == (Precision.parse("int8"),)
    assert (2, 2, 2, 2) in layouts(build_space(composed(path, "space=paper")), "face")
    only_voice = written(tmp_path, *ROWS[:2])
    assert build_space(composed(only_voice)).modalities == ("voice",)
    with pytest.raises(UserError, match="it has voice, searched are face"):
        build_space(composed(only_voice, "space.modalities=[face]"))
    with pytest.raises(UserError, match="space=paper"):
        build_space(plain(compose_config(["space=table"])))


def test_no_sampler_is_let_near_what_the_table_lacks(tmp_path: Path) -> None:
    config = composed(written(tmp_path, *ROWS))
    designs = build_designs(build_models(config), build_space(config), has=table_of(config).has)
    needs = {tuple(designs.table.branches[i].short for i in row if i >= 0) for row in designs.table.needs}
    assert len(needs) == 4
    unlisted = FlatPoint(
        branches=(branch("voice", (3,), "int8"),), processor="esp32s3", flash_bytes=8 << 20, psram_bytes=2 << 20
    )
    assert [violation.rule for violation in designs.assessor.assess(unlisted).violations] == ["network"]
