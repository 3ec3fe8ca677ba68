"""Python blocks run, page by page in an empty folder; so do shell blocks marked ``<!-- run -->``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from docs_pages import PAGES, ROOT, Block, blocks, command_lines, words

from tinysearch.app.cli import main
from tinysearch.app.invocation import OK

NOT_RUN = "not run:"
RUN = "run"
PREPARED = {"my_catalog": "hardware_catalog/espressif"}
"""Folders of the repository that ``<!-- run: name -->`` copies beside the page's files."""

NOT_RUN_ELSEWHERE = {
    "README.md": "trains for minutes",
    "docs/how-to/firmware.md": "needs an emitted project",
}
"""Pages whose blocks carry no mark, and why they are not run."""

LONG = {"docs/how-to/plug-ins.md"}
"""Pages that emit, build and check for most of a minute: their files of tests and shell blocks are of the slow tier."""

LANGUAGES = {"", "text", "sh", "python", "yaml", "toml", "csv", "json", "c", "cpp"}


def reason(block: Block) -> str | None:
    """Why a Python block is not run, or None."""
    if block.comment is not None and block.comment.startswith(NOT_RUN):
        return block.comment.removeprefix(NOT_RUN).strip()
    return NOT_RUN_ELSEWHERE.get(str(block.page.relative_to(ROOT)))


def runs(page: Path) -> bool:
    return any(
        (block.language == "python" and reason(block) is None) or (block.comment or "").split(":")[0] == RUN
        for block in blocks(page)
    )


def run_shell(block: Block) -> None:
    """Run the commands of a marked shell block in this process."""
    for name in (block.comment or "").partition(":")[2].split():
        shutil.copytree(ROOT / PREPARED[name], name)
    for line in command_lines(block.text):
        assert main(words(line)) == OK, f"{block.place}: {line}"


def run_tests(block: Block) -> None:
    """Run a file of tests as its author would: by pytest, in a process of its own."""
    options = ["-q", "-p", "no:cacheprovider", f"--rootdir={Path.cwd()}"]
    command = [sys.executable, "-m", "pytest", *options, str(block.title)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), str(ROOT)])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{block.place}: {done.stdout[-4000:]}{done.stderr[-1000:]}"


def run_page(page: Path, *, whole: bool) -> None:
    """Write titled blocks, run the others, in order and in one namespace; tests and shell only of the ``whole``."""
    namespace: dict[str, object] = {"__name__": "page"}
    for block in blocks(page):
        if block.language == "python" and reason(block) is not None:
            continue
        if block.title is not None:
            path = Path(block.title)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
            if block.title.startswith("make_"):
                exec(compile(block.text, block.title, "exec"), {"__name__": "__main__"})  # noqa: S102 - our own pages
            elif block.title.startswith("test_") and whole:
                run_tests(block)
        elif block.language == "python":
            code = compile("\n" * block.line + block.text, str(page), "exec")
            exec(code, namespace)  # noqa: S102 - our own pages
        elif (block.comment or "").split(":")[0] == RUN and whole:
            run_shell(block)


def run_alone(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, whole: bool) -> None:
    """Run a page in an empty folder, and forget the modules that it wrote there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        run_page(page, whole=whole)
    for name in set(sys.modules) - before:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.mark.parametrize("page", [page for page in PAGES if runs(page)], ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_alone(page, tmp_path, monkeypatch, whole=str(page.relative_to(ROOT)) not in LONG)


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted(LONG))
def test_long_pages_run_whole(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_alone(ROOT / page, tmp_path, monkeypatch, whole=True)


def test_blocks_that_are_not_run_say_why(record_property) -> None:
    skipped = {
        block.place: reason(block)
        for page in PAGES
        for block in blocks(page)
        if block.language == "python" and reason(block) is not None
    }
    for place, why in skipped.items():
        record_property(place, why)
    assert all(skipped.values())
    assert len(skipped) <= 6, f"few blocks are left out: {skipped}"


def test_every_block_has_a_known_language() -> None:
    unknown = [block.place for page in PAGES for block in blocks(page) if block.language not in LANGUAGES]
    assert not unknown
