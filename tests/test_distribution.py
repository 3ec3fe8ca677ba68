"""Install lines name packages, never somebody else's distribution."""

import re
from pathlib import Path

from tinysearch.distribution import DISTRIBUTION, install_line, installed_version, version_of

ROOT = Path(__file__).resolve().parent.parent


def test_lines_name_the_packages_of_an_extra() -> None:
    assert re.search(r'pip install .*"torch>=', install_line("train"))
    assert "ray" in install_line("ray")
    assert "tinysearch" not in install_line("ray")


def test_an_unknown_extra_falls_back_to_the_checkout() -> None:
    assert install_line("nothing-of-ours") == 'python -m pip install ".[nothing-of-ours]"'


def test_versions() -> None:
    assert re.match(r"\d+\.\d+", installed_version())
    assert version_of("no-such-distribution") is None


def test_no_text_installs_the_stranger() -> None:
    assert DISTRIBUTION == "tinysearch-boards"
    line = re.compile(r"pip install [^\n]*\btinysearch(?!-boards)\b(?![/:])")
    folders = ("tinysearch", "docs", "conf", "firmware_templates", "tests")
    texts = {".py", ".md", ".yaml", ".jinja"}
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in texts]
    files.append(ROOT / "README.md")
    assert not [str(path.relative_to(ROOT)) for path in files if line.search(path.read_text("utf-8"))]
