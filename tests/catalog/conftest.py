"""A small catalogue folder to be broken in one place at a time."""

from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "hardware_catalog"

HEAD = """name: mine
description: parts on my desk
rules: physical
chips_from: espressif
"""

MODULE = """id: my-module
kind: module
name: My module
processor: esp32s3
needs: [my-base]
price:
  low: 2.0
  typical: 3.0
  high: 4.0
  unit: usd
  quantity: 100
  source: my supplier
  date: "2026-11-22"
  kind: measured
contents:
  flash: 8MB
  psram: 2MB
  psram_interface: quad
  source: its data sheet
  date: "2026-11"
  kind: datasheet
"""

BASE = """id: my-base
kind: base
name: My base
price: {low: 1, typical: 2, high: 3, quantity: 1, source: my supplier, date: 2026-11-22, kind: measured}
"""

MICROPHONE = """id: my-microphone
kind: microphone
name: My microphone
interface: pdm
price: {low: 1, typical: 1.5, high: 3, quantity: 1, source: my supplier, date: 2026-11-22, kind: measured}
"""


@pytest.fixture(scope="session")
def root() -> Path:
    """Folder of the built-in catalogues."""
    return ROOT


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A user's folder that is right."""
    folder = tmp_path / "mine"
    (folder / "parts").mkdir(parents=True)
    for name, text in (("module", MODULE), ("base", BASE), ("microphone", MICROPHONE)):
        (folder / "parts" / f"{name}.yaml").write_text(text)
    (folder / "catalog.yaml").write_text(HEAD)
    return folder


@pytest.fixture
def edit(mine: Path) -> Callable[[str, str, str], int]:
    """Replace text in a file of the folder; gives the line on which it stood."""

    def apply(file: str, old: str, new: str) -> int:
        path = mine / file
        text = path.read_text()
        assert text.count(old) == 1, old
        path.write_text(text.replace(old, new))
        return text[: text.index(old)].count("\n") + 1

    return apply
