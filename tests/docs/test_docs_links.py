"""Links inside the documentation lead somewhere, and every page can be reached from the site's navigation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from docs_pages import DOCS, PAGES, ROOT, anchors, links


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in links(page):
        if link.startswith(("https://", "mailto:")):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
        if page.is_relative_to(DOCS) and (not target.is_relative_to(DOCS) or target.is_dir()):
            broken.append(f"{link} is no page of the site")
    assert not broken


def test_the_checker_sees_what_is_broken(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One `two`\n\n[a](#one-two) [b](#three) `[c](d)`\n\n```\n[e](f)\n```\n")
    assert links(page) == ["#one-two", "#three"]
    assert anchors(page) == {"one-two"}


def pages_of(node: Any) -> list[str]:
    """Files that a piece of mkdocs.yml's navigation names."""
    if isinstance(node, str):
        return [node]
    inner = node.values() if isinstance(node, dict) else node
    return [page for part in inner for page in pages_of(part)]


def test_every_page_is_in_the_navigation_once() -> None:
    listed = pages_of(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    assert sorted(listed) == sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))
