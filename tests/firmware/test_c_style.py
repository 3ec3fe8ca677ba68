"""The layout of the firmware's C: every body has braces."""

from __future__ import annotations

import re

import pytest
from projects import TEMPLATES

SOURCES = sorted(
    path
    for path in TEMPLATES.rglob("*")
    if path.name.endswith((".c", ".h", ".c.jinja", ".h.jinja")) and "simd" not in path.parts
)

_HEAD = re.compile(r"^\s*(?:\} else|else|if \(|for \(|while \()")
_NO_CODE = re.compile(r"/\*.*?\*/|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")


def bare_bodies(text: str) -> list[str]:
    """Lines that end the head of a control statement and open no block."""
    lines = [_NO_CODE.sub("", line).rstrip(" \\") for line in text.splitlines()]
    found = []
    for start, line in enumerate(lines):
        end, head = start, line
        if _HEAD.match(line):
            while head.count("(") > head.count(")"):
                end += 1
                head += lines[end]
            if not head.rstrip().endswith("{"):
                found.append(f"{end + 1}: {lines[end].strip()}")
    return found


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("if (a) {\n    b();\n} else {\n    c();\n}\ndo {\n    d();\n} while (0);", 0),
        ("if (a)\n    b();", 1),
        ("if (a) b();", 1),
        ("for (i = 0;\n     i < n; ++i)\n    b();", 1),
        ("if (a) {\n    b();\n} else\n    c();", 1),
        ("#define A(x)          \\\n    if (x)            \\\n        b();", 1),
    ],
)
def test_a_body_without_braces_is_seen(text: str, bare: int) -> None:
    assert len(bare_bodies(text)) == bare


def test_every_body_has_braces() -> None:
    bare = {path.name: found for path in SOURCES if (found := bare_bodies(path.read_text()))}
    assert SOURCES
    assert bare == {}
