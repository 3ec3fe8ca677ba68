"""How many files something new touches, as CONTRIBUTING counts it: by who names what is there already."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SUFFIXES = {".py", ".yaml", ".c", ".h", ".S", ".jinja", ".options", ".js"}


def naming(pattern: str) -> set[str]:
    """Files of the product whose name or text has it."""
    wanted = re.compile(pattern)
    return {
        path.relative_to(ROOT).as_posix()
        for folder in ("tinysearch", "conf", "hardware_catalog", "firmware_templates")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in SUFFIXES and (wanted.search(path.name) or wanted.search(path.read_text(encoding="utf-8")))
    }


@pytest.mark.parametrize("chip", ["esp32c61", "esp32c5"])
def test_a_chip_is_known_to_its_file_and_to_parts_that_carry_it(chip: str) -> None:
    shown = rf"\b{chip}\b"
    catalog = "hardware_catalog/espressif/"
    others = naming(shown) - {f"{catalog}chips/{chip}.yaml"}
    measured = {"hardware_catalog/software/espidf.yaml"}
    written = {"hardware_catalog/software/kconfig.yaml"}  # by tools/read_idf_kconfig.py
    parts = {name for name in others if name.startswith((f"{catalog}modules/", f"{catalog}boards/"))}
    assert others - parts <= measured | written


def test_an_operator_is_known_to_its_own_files_lists_and_tables() -> None:
    named = naming(
        r"ts_lookup|\blookup import|[\"']lookup[\"']|^ *lookup:|\n *lookup:|^ts_lookup|Lookup\b|^lookup\.py$"
    )
    assert len(named) <= 9, sorted(named)  # and a line of the changes


def test_a_family_is_known_to_its_module() -> None:
    assert naming(r"architectures\.plain|[\"']plain[\"']|^plain\.py$") == {"tinysearch/architectures/plain.py"}


def test_a_sampler_is_known_to_its_module_and_its_settings() -> None:
    assert naming(r"[\"']agemoea|pymoo_agemoea") <= {
        "tinysearch/search/samplers/pymoo_samplers.py",
        "conf/sampler/pymoo_agemoea.yaml",
    }


def test_a_kind_inside_the_package_is_known_to_few_rooms() -> None:
    named = {
        name for name in naming(r"inputs\.signal\b|input_signal|\"signal\"|kind: signal\b") if name.endswith(".py")
    }
    rooms = {name for name in named if not name.startswith(("tinysearch/data/", "tinysearch/inputs/"))}
    assert len(rooms) <= 9, sorted(rooms)
