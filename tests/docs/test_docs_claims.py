"""Every test that the documentation names as what holds a promise is there."""

import re

from docs_pages import PAGES, ROOT

NAMED = re.compile(r"`(test_\w+)`")


def test_every_test_that_is_named_exists() -> None:
    there = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        there |= {path.stem, *re.findall(r"^ *def (test_\w+)", path.read_text(encoding="utf-8"), re.M)}
    named = {str(page.relative_to(ROOT)): NAMED.findall(page.read_text(encoding="utf-8")) for page in PAGES}
    assert len(named["docs/concepts/trust.md"]) > 80
    assert {page: missing for page, names in named.items() if (missing := [n for n in names if n not in there])} == {}
