"""YAML and JSON that people bring are plain trees of a bounded size, or refused with one reason."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tinysearch.reading import read_json, read_yaml
from tinysearch.reading.documents import MOST_DEPTH, MOST_YAML_BYTES


def test_documents_are_read_in_any_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("name: Müller\nlist: &a [1, 2]\nagain: *a\n", encoding="utf-16")
    assert read_yaml(path) == {"name": "Müller", "list": [1, 2], "again": [1, 2]}
    path.write_bytes(b"\xef\xbb\xbf{}")
    assert read_json(path) == read_yaml(path) == {}


_DOUBLED = "\n".join([f"a0: &a0 [{'x,' * 9}]", *(f"a{i}: &a{i} [{f'*a{i - 1},' * 9}]" for i in range(1, 9))])

_HALF = "no half of one|Unicode character escape code"
"""What is said by us, and by libyaml where PyYAML has it."""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 400 + "]" * 400, "deep"),
        ("[" * 2_000, "deep"),
        ("[" * (MOST_DEPTH + 1) + "]" * (MOST_DEPTH + 1), "deep"),
        ("a: &a [*a]", "deep"),
        (_DOUBLED, "at most 100000 values"),
        ("a: [", "must be YAML"),
        ("a: 2026-13-45", "must be YAML"),
        ("a: \0", "bytes of value 0"),
        (r'name: "\ud800"', _HALF),
        (r'? "\U0000DFFF x"' + "\n: [1]", _HALF),
        ("#" * (MOST_YAML_BYTES + 1), "at most 1 MiB"),
    ],
)
def test_what_would_stop_a_parser_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(OSError, match="must") as caught:
        read_yaml(path)
    assert re.search(reason, str(caught.value.strerror)) and "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "nan nan", "", r'{"a": ["\ud83d"]}'])
def test_json_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(OSError, match="must"):
        read_json(path)
    path.write_text(r'["\ud83d\ude00"]')
    assert read_json(path) == ["😀"]


def test_what_never_ends_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zeros").symlink_to("/dev/zero")
    for name in ("pipe", "zeros"):
        with pytest.raises(OSError, match="regular file"):
            read_yaml(tmp_path / name)
