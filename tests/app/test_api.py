"""Results in other people's programs: pickled, printed, and empty."""

from __future__ import annotations

import pickle
from pathlib import Path

import tinysearch as ts

RATES = """kind,modality,face_blocks,face_precision,voice_blocks,voice_precision,eer,eer_lo,eer_hi,train_s
branch,voice,,,1-1,int8,0.20,0.18,0.22,60
"""


def test_a_result_and_its_points_are_pickled_printed_and_still_emit(tmp_path: Path) -> None:
    (tmp_path / "rates.csv").write_text(RATES)
    result = ts.search(
        budget="15usd",
        trainer="table",
        run_dir=str(tmp_path / "run"),
        **{"trainer.path": str(tmp_path / "rates.csv"), "space.modalities": ["voice"], "emit.top": "none"},
    )
    again = pickle.loads(pickle.dumps(result))  # noqa: S301 - made here
    assert [point.id for point in again.points] == [point.id for point in result.points]
    assert list(again.front.columns) == list(result.front.columns)
    assert len(repr(result)) < 500
    assert "\n" not in repr(result.points)
    folder = again.points[0].emit(tmp_path / "firmware")
    assert (folder / "candidate.json").is_file()


def test_a_spelled_out_point_is_pickled() -> None:
    point = ts.evaluate(modality="voice", voice={"blocks": [1], "precision": "int8"})
    assert pickle.loads(pickle.dumps(point)).to_dict() == point.to_dict()  # noqa: S301 - made here


def test_an_empty_front_has_columns(tmp_path: Path) -> None:
    front = ts.Result(points=(), study=None, folder=tmp_path, reason="nothing was tried").front  # type: ignore[arg-type]
    assert {"id", "eer", "bom_cost_usd", "latency_s"} <= set(front.columns)
