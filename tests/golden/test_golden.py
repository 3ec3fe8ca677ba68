"""What a change of the house must not move: numbers, keys and firmware, as tools/make_golden.py wrote them."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parents[1] / "tools"))

from make_golden import GOLDEN  # noqa: E402


@pytest.mark.parametrize("name", ["fronts.csv", "space.csv", "keys.json", "projects.json"])
def test_a_golden_file_is_what_the_code_gives(name: str) -> None:
    golden = next(golden for golden in GOLDEN if golden.name == name)
    wanted, given = (FOLDER / name).read_text(encoding="utf-8").splitlines(), golden.text().splitlines()
    changed = list(difflib.unified_diff(wanted, given, "golden", "now", n=0, lineterm="")) if wanted != given else []
    assert not changed, "\n".join([*changed[:20], "if this is meant: python tools/make_golden.py"])


def test_every_golden_file_is_compared() -> None:
    files = {path.name for path in FOLDER.iterdir() if path.suffix in (".csv", ".json")}
    assert {golden.name for golden in GOLDEN} == files
