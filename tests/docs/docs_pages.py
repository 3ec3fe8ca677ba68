"""Markdown pages taken apart: code blocks, code spans, links, headings."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md")))

_FENCE = re.compile(r"^(?P<indent> *)(?P<marks>`{3,}|~{3,})(?P<info>[^`]*)$")
_COMMENT = re.compile(r"^\s*<!--\s*(.*?)\s*-->\s*$")
_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]\[]*\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#+ +(.*?) *#*$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fenced block; ``comment`` is the text of an HTML comment on the line above."""

    page: Path
    line: int
    language: str
    title: str | None
    comment: str | None
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@cache
def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@cache
def blocks(page: Path) -> tuple[Block, ...]:
    """Fenced blocks in order.

    Raises:
        ValueError: a fence that is not closed.
    """
    return tuple(_blocks(page))


def _blocks(page: Path) -> Iterator[Block]:
    lines = read(page).splitlines()
    at = 0
    while at < len(lines):
        fence = _FENCE.match(lines[at])
        if fence is None:
            at += 1
            continue
        start, indent = at, len(fence["indent"])
        at += 1
        while at < len(lines) and lines[at].strip() != fence["marks"]:
            at += 1
        if at == len(lines):
            raise ValueError(f"{page}:{start + 1}: a fence is closed")
        language, _, rest = fence["info"].strip().partition(" ")
        title = re.search(r'title="([^"]+)"', rest)
        comment = _COMMENT.match(lines[start - 1]) if start else None
        yield Block(
            page=page,
            line=start + 1,
            language=language,
            title=title[1] if title else None,
            comment=comment[1] if comment else None,
            text="".join(f"{line[indent:]}\n" for line in lines[start + 1 : at]),
        )
        at += 1


@cache
def prose(page: Path) -> str:
    """The page without its fenced blocks; line numbers stay."""
    lines = read(page).splitlines()
    for block in blocks(page):
        end = block.line + block.text.count("\n") + 1
        lines[block.line - 1 : end] = [""] * (end - block.line + 1)
    return "\n".join(lines)


def spans(page: Path) -> list[str]:
    """Code spans outside of blocks, on one line each."""
    return [" ".join(found[2].split()) for found in _SPAN.finditer(prose(page))]


def links(page: Path) -> list[str]:
    """Targets of links outside of code."""
    return _LINK.findall(_SPAN.sub("code", prose(page)))


def anchors(page: Path) -> set[str]:
    """Anchors of the page's headings, as Python-Markdown's toc makes them."""
    return {_slug(heading) for heading in _HEADING.findall(prose(page))}


def _slug(heading: str) -> str:
    plain = unicodedata.normalize("NFKD", heading.replace("`", "")).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower())


def command_lines(text: str) -> list[str]:
    """Lines of a shell text that call tinysearch, continuations joined, in the form ``python -m tinysearch ...``."""
    joined = re.sub(r"\\\n\s*", " ", text)
    found = []
    for line in joined.splitlines():
        call = re.match(r"^(?:\S*/)?(?:python3? -m )?tinysearch(?:\s+(.*))?$", line.strip())
        if call:
            found.append(f"python -m tinysearch {call[1] or ''}".strip())
    return found


def words(command: str) -> list[str]:
    """Words after ``tinysearch``, without comments and where output goes.

    In usage lines ``[key=value]`` counts as given, ``[word]`` not.
    """
    kept = []
    for word in shlex.split(re.sub(r" >>? \S+$", "", command), comments=True)[3:]:
        if word.startswith("[") and word.endswith("]"):
            if "=" in word:
                kept.append(word[1:-1])
        else:
            kept.append(word)
    return kept
