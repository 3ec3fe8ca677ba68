"""Every layout of the paper in every precision, emitted and bit-exact on this machine under the sanitizers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from projects import emitted, face, voice

from tinysearch.firmware.verify import host
from tinysearch.firmware.verify.objects import Objects, shared_objects

LAYOUTS = ((1, 1), (2, 1), (1, 2), (2, 2), (2, 2, 2), (2, 2, 2, 2))
PRECISIONS = ("float32", "int8", "xnor1/1", "xnor2/1", "xnor3/1", "xnor2/2")
DESIGNS = tuple(product(LAYOUTS, PRECISIONS))
HALF = len(DESIGNS) // 2
PAIRS = tuple(zip(DESIGNS[:HALF], DESIGNS[HALF:], strict=True))
"""Two designs a project, one for the face and one for the voice."""
SHORT = 9
"""One pair in so many is tried by ``make test``, all of them by ``make test-slow``."""


def test_all_designs_of_the_paper_are_tried() -> None:
    assert len({design for pair in PAIRS for design in pair}) == 36


@pytest.fixture(scope="module")
def objects() -> Iterator[Objects]:
    with shared_objects(workers=1) as shared:
        yield shared


@pytest.mark.parametrize(
    ("first", "second"),
    [pytest.param(*pair, marks=[pytest.mark.slow] * (index % SHORT > 0)) for index, pair in enumerate(PAIRS)],
    ids=[f"{a}+{b}" for a, b in PAIRS],
)
def test_a_layout_agrees_with_the_oracle_under_sanitizers(
    first: tuple[tuple[int, ...], str], second: tuple[tuple[int, ...], str], tmp_path: Path, objects: Objects
) -> None:
    branches = (face(first[1], first[0]), voice(second[1], second[0], input_size=48))
    rung = host.sanitizers(emitted(*branches, out=tmp_path / "p", processor="esp32s3"), objects=objects)
    assert rung.status == "passed", rung.detail
    for modality, (_, precision) in (("face", first), ("voice", second)):
        agreement = "within rounding" if precision == "float32" else "equal bit for bit"
        assert f"{modality} embeddings {agreement}" in rung.detail
