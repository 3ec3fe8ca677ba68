from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from toy_space import SyntheticErrors, ToySpace

from tinysearch.search.loop import StudyProblem

OBJECTIVES = ("eer", "bom_cost_usd", "latency_s")


@pytest.fixture(scope="session")
def space() -> ToySpace:
    return ToySpace(budget_usd=14.0)  # enough for fusions


@pytest.fixture
def errors(space: ToySpace) -> SyntheticErrors:
    return SyntheticErrors(space, seed=0)


@pytest.fixture
def problem(space: ToySpace, errors: SyntheticErrors) -> StudyProblem:
    return StudyProblem(
        table=space.table,
        flat=space.flat,
        objectives=OBJECTIVES,
        error_model=errors,
        assessor=space,
        rules={"space": "toy", "data": "1"},
    )
