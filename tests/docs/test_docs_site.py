"""The site builds without a warning and asks nothing of the network."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from docs_pages import ROOT

NEEDED = ("mkdocs", "material", "mkdocstrings_handlers")


def test_the_site_builds_without_warnings(tmp_path: Path) -> None:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed; pip install '.[docs]'")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr[-3000:]
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    fetched = re.findall(r'<(?:script|img|iframe)[^>]+src="(https?:[^"]+)|<link[^>]+href="(https?:[^"]+)', page)
    assert not fetched
    api = (tmp_path / "site" / "reference" / "api" / "protocols.html").read_text(encoding="utf-8")
    assert "TrainingProgress" in api
    assert ":class:" not in api


def test_roles_become_code() -> None:
    pytest.importorskip("griffe")
    sys.path.insert(0, str(ROOT / "tools"))
    from docs_roles import plain_roles

    assert plain_roles("see :class:`~tinysearch.core.program.Step`, :func:`run`") == "see `Step`, `run`"
    assert plain_roles("a ratio 1:2 of `x`") == "a ratio 1:2 of `x`"
