"""Earlier runs and tables as evidence."""

from __future__ import annotations

from pathlib import Path

import pytest

import tinysearch as ts
from tinysearch.app.run.warm_start import _alike, warm_start_of
from tinysearch.architectures.family import FunctionArchitecture
from tinysearch.architectures.resnet import resnet, resnet_branch
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import UserError
from tinysearch.core.network import Shape
from tinysearch.core.quantization import Precision
from tinysearch.search.study.storage import load_study

HEAD = "kind,modality,face_blocks,face_precision,voice_blocks,voice_precision,eer,eer_lo,eer_hi,train_s"
LAYOUTS = ("1-1", "2-1", "2-2")
EERS = {
    (blocks, precision): (0.4, 0.35, 0.12)[LAYOUTS.index(blocks)] + (0.02 if precision == "xnor2/1" else 0.0)
    for blocks in LAYOUTS
    for precision in ("int8", "xnor2/1")
}
"""The largest network is by far the best, so whoever knows begins with it."""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "rates.csv"
    rows = [f"branch,voice,,,{blocks},{precision},{eer},,,10" for (blocks, precision), eer in EERS.items()]
    path.write_text("\n".join([HEAD, *rows]) + "\n")
    return path


def run(table: Path, **options: object) -> ts.api.Result:
    return ts.search(**{"trainer": "table", "trainer.path": str(table)}, emit={"top": "none"}, space="table", **options)


def trained(result: ts.api.Result) -> list[str]:
    return [key for trial in result.study.trials for key in trial.user_attrs["trained"]]


def test_known_points_decide_what_is_trained_first(table: Path, tmp_path: Path) -> None:
    cold = run(table, run_dir=str(tmp_path / "cold"))
    warm = run(table, run_dir=str(tmp_path / "warm"), warm_start=[str(table)], n_trials=1)
    assert "voice-resnet-2-2-" in trained(warm)[0]
    assert "voice-resnet-2-2-" not in trained(cold)[0]
    from_run = run(table, run_dir=str(tmp_path / "again"), warm_start=[str(tmp_path / "cold")], n_trials=1)
    assert trained(from_run) == trained(warm)
    assert len(trained(cold)) > 1
    # Evidence is not knowledge: what was not trained is no point of the front.
    keys = {branch.key for point in warm.points for branch in point.evaluation.candidate.branches}
    assert keys == set(trained(warm))


def test_a_resumed_run_starts_from_the_same_evidence(table: Path, tmp_path: Path) -> None:
    whole = run(table, run_dir=str(tmp_path / "whole"), warm_start=[str(table)])
    run(table, run_dir=str(tmp_path / "parts"), warm_start=[str(table)], n_trials=1)
    parts = run(table, run_dir=str(tmp_path / "parts"))
    assert trained(parts) == trained(whole)
    hints = load_study(tmp_path / "parts").user_attrs["warm_start"]["sources"][0]["hints"]
    assert len(hints) == len(EERS)


def test_branches_of_other_sizes_are_weaker_evidence(table: Path) -> None:
    exact = resnet_branch("voice", blocks=(2, 2), precision="int8")
    unlike = resnet_branch("voice", blocks=(3, 3), precision="int8")
    found = warm_start_of(str(table), [exact, unlike])
    assert found is not None
    assert set(found.sources[0].hints) == {exact.key}
    assert found.sources[0].hints[exact.key].eer == EERS["2-2", "int8"]


def test_fusions_of_a_table_teach_the_relation(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    rows = [
        "branch,face,1-1,int8,,,0.2,,,1",
        "branch,voice,,,1-1,int8,0.3,,,1",
        "fusion,fusion,1-1,int8,1-1,int8,0.1,,,0",
    ]
    path.write_text("\n".join([HEAD, *rows]) + "\n")
    branches = [resnet_branch(m, blocks=(1, 1), precision="int8") for m in ("face", "voice")]
    found = warm_start_of([str(path)], branches)
    assert found is not None
    assert found.sources[0].fusions == ((0.2, 0.3, 0.1),)
    assert warm_start_of([], branches) is None


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_what_is_no_run_and_no_table_is_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError) as caught:
        warm_start_of([str(tmp_path / name)], [])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", [[5], 5, [""], [None], [["a"]], {"a": 1}, [True]])
def test_what_is_no_path_is_one_line_with_the_rule(given: object) -> None:
    with pytest.raises(UserError, match="a warm start must name run directories and CSV files"):
        warm_start_of(given, [])


def test_branches_of_another_space_are_told_by_fields_not_by_their_names() -> None:
    """A family's name may hold what separates the fields of a key."""

    def branch(
        precision: str, *, blocks: tuple[int, ...] = (2, 2), width: int = 16, family: str = "my-wide"
    ) -> BranchSpec:
        own = FunctionArchitecture(family=family, function=resnet, blocks=blocks, width=width)
        shape = Shape(height=64, width=64, channels=3)
        return BranchSpec(modality="face", architecture=own, precision=Precision.parse(precision), shape=shape)

    asked = branch("int8", width=32)
    others = [
        branch("float32", blocks=(1,)),
        branch("float32"),
        branch("int8", blocks=(1,)),
        branch("int8", family="my"),
    ]
    assert _alike(asked, others) is None
    assert _alike(asked, [*others, branch("int8")]) == branch("int8")
