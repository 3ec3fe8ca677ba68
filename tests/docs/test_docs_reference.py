"""The generated pages say what their sources say."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from docs_pages import ROOT

sys.path.insert(0, str(ROOT / "tools"))

from make_reference import blocks, escaped, main, options_page, pages, sections, verbs_page

from tinysearch.app.cli import VERBS


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_generated_pages_are_up_to_date(page: Path) -> None:
    assert page.read_text(encoding="utf-8") == pages()[page], "run python tools/make_reference.py"


def test_check_finds_nothing_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0
    assert capsys.readouterr().out == ""


def test_every_key_and_verb_is_there() -> None:
    options, verbs = options_page(), verbs_page()
    for path in (ROOT / "conf").glob("*/*.yaml"):
        assert f"`{path.parent.name}={path.stem}`" in options
    for key in yaml.safe_load((ROOT / "conf" / "config.yaml").read_text(encoding="utf-8")):
        assert key in ("defaults", "hydra") or f"| `{key}" in options
    for verb in VERBS:
        assert f"\n## {verb}\n" in verbs


def test_a_comment_holds_for_the_keys_below_it(tmp_path: Path) -> None:
    path = tmp_path / "some.yaml"
    path.write_text("# one\n# two\na: 1\nb: [1, 2]\n\nc: 3\n# four\nd: 4\n")
    assert [len(section) for section in sections(path)] == [1, 2]
    found = [(block.comment, dict(block.entries)) for block in blocks(path)]
    assert found == [("one two", {"a": 1, "b": [1, 2]}), ("", {"c": 3}), ("four", {"d": 4})]


def test_prose_of_docstrings_is_no_markup() -> None:
    assert escaped("a <b> of *c* in `d*<e>`") == "a &lt;b> of \\*c\\* in `d*<e>`"


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (citation["title"], str(citation["version"])) == ("tinysearch", project["version"])
    assert citation["license"] == project["license"]
    assert "Co-Optimization" in citation["references"][0]["title"]
