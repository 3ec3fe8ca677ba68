from __future__ import annotations

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest

LAYOUTS = ["1", "1-1", "2-2"]
PRECISIONS = ["int8", "xnor1/1"]
COLUMNS = (
    "kind,modality,face_blocks,face_precision,voice_blocks,voice_precision,eer,eer_lo,eer_hi,train_s,frr_far1,frr_far10"
)


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Error rates of a small space, deeper and finer networks better, with noise."""
    rng = np.random.default_rng(0)
    rates = {
        (modality, blocks, precision): base - 0.03 * LAYOUTS.index(blocks) + 0.05 * PRECISIONS.index(precision)
        for (modality, base), blocks, precision in itertools.product(
            (("face", 0.15), ("voice", 0.22)), LAYOUTS, PRECISIONS
        )
    }
    rates = {key: value + float(rng.normal(0, 0.004)) for key, value in rates.items()}
    path = tmp_path_factory.mktemp("table") / "rates.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS.split(","))
        for (modality, blocks, precision), eer in rates.items():
            cells = [blocks, precision, "", ""] if modality == "face" else ["", "", blocks, precision]
            writer.writerow(["branch", modality, *cells, *_figures(eer, train_s=10)])
        for face, voice in itertools.product(itertools.product(LAYOUTS, PRECISIONS), repeat=2):
            eer = 0.6 * (rates["face", *face] * rates["voice", *voice]) ** 0.5
            writer.writerow(["fusion", "fusion", *face, *voice, *_figures(eer, train_s=0)])
    return path


def _figures(eer: float, *, train_s: int) -> list[float]:
    figures = [eer, eer - 0.01, eer + 0.01, train_s, 3 * eer, 1.2 * eer]
    return [round(figure, 5) for figure in figures]


@pytest.fixture
def small_space(table: Path) -> list[str]:
    """Options that search the table's space."""
    return [
        "trainer=table",
        f"trainer.path={table}",
        "space.layouts=[[1],[1,1],[2,2]]",
        "space.precisions=[int8,xnor1/1]",
    ]
