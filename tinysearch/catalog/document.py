"""YAML files that remember on which line each value stands, and the problems found in them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tinysearch.core.errors import UserError
from tinysearch.reading import SAFE_LOADER, read_bytes

MAXIMUM_FILE_BYTES = 1 << 20
MAXIMUM_DEPTH = 10
DocumentPath = tuple[str | int, ...]
"""Keys and list positions that lead to a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong in a catalogue: the rule, the value that breaks it with file and line, and the remedy."""

    file: str
    line: int
    rule: str
    value: str
    remedy: str

    @property
    def place(self) -> str:
        """``modules/x.yaml:12``."""
        return f"{self.file}:{self.line}"

    def __str__(self) -> str:
        return f"{self.place}: {self.rule}; got {self.value}; {self.remedy}"

    def error(self, *, others: int = 0) -> UserError:
        """The problem as the one-line error that ends a command."""
        more = f" ({others} more: run catalog check)" if others else ""
        return UserError(self.rule, value=f"{self.value} at {self.place}", remedy=self.remedy + more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Where a scalar stands in its file: characters ``start`` to ``end``, 1-based line."""

    start: int
    end: int
    line: int


@dataclass(slots=True, kw_only=True)
class Document:
    """One parsed file.

    Attributes:
        file: path relative to the catalogue, with ``/``.
        data: mapping from keys to scalars (str, int, float, bool, None), lists and mappings.
        spans: place of every value by its path of keys.
    """

    file: str
    text: str
    data: dict[str, Any] = field(default_factory=dict)
    spans: dict[DocumentPath, Span] = field(default_factory=dict)


class _RefusedError(Exception):
    """A file that cannot be parsed: rule, value, remedy and line."""

    def __init__(self, rule: str, *, value: str, remedy: str, line: int = 1) -> None:
        super().__init__(rule)
        self.rule, self.value, self.remedy, self.line = rule, value, remedy, line


def read_document(path: Path, *, file: str, problems: list[Problem]) -> Document | None:
    """Parse one YAML file; appends to ``problems`` and returns None where that is impossible."""
    try:
        text = _read_text(path)
        document = Document(file=file, text=text)
        document.data = _construct(_parse(text), path=(), line=1, document=document, seen=set())
    except _RefusedError as error:
        problems.append(Problem(file=file, line=error.line, rule=error.rule, value=error.value, remedy=error.remedy))
        return None
    return document


def _read_text(path: Path) -> str:
    try:
        return read_bytes(path, most=MAXIMUM_FILE_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _RefusedError(
            "a catalogue file must be readable UTF-8 text",
            value=_one_line(error),
            remedy="check the file and its permissions",
        ) from None


def _parse(text: str) -> yaml.MappingNode:
    try:
        depth_line = _too_deep(text)
        root = None if depth_line else yaml.compose(text, Loader=SAFE_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        wrong = getattr(error, "problem", None) or _one_line(error)
        line = 1 if mark is None else mark.line + 1
        raise _RefusedError(
            "a catalogue file must be YAML", value=str(wrong), remedy="correct the syntax", line=line
        ) from None
    if depth_line:
        raise _RefusedError(
            "values must nest a few levels deep at most",
            value="more",
            remedy="write it like the built-in files",
            line=depth_line,
        )
    if not isinstance(root, yaml.MappingNode):
        raise _RefusedError(
            "a catalogue file must be one mapping of keys to values",
            value="something else",
            remedy="write 'key: value' lines",
        )
    return root


def _too_deep(text: str) -> int:
    """Line where collections nest too deep for a recursive parser to survive, or 0."""
    depth = 0
    for event in yaml.parse(text, Loader=SAFE_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAXIMUM_DEPTH and event.start_mark is not None:
            return int(event.start_mark.line) + 1
    return 0


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _construct(node: yaml.Node, *, path: DocumentPath, line: int, document: Document, seen: set[int]) -> Any:
    document.spans[path] = Span(start=node.start_mark.index, end=node.end_mark.index, line=line)
    if id(node) in seen:
        raise _RefusedError(
            "a catalogue file must spell every value out",
            value="a YAML alias",
            remedy="write the value, not *name",
            line=line,
        )
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        return _construct_mapping(node, path=path, document=document, seen=seen)
    if isinstance(node, yaml.SequenceNode):
        return [
            _construct(item, path=(*path, index), line=item.start_mark.line + 1, document=document, seen=seen)
            for index, item in enumerate(node.value)
        ]
    return _scalar(node, line=line)


def _construct_mapping(
    node: yaml.MappingNode, *, path: DocumentPath, document: Document, seen: set[int]
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key, line = str(key_node.value), key_node.start_mark.line + 1
        if key in result:
            raise _RefusedError("a key must stand once", value=repr(key), remedy="remove one of the two", line=line)
        result[key] = _construct(value_node, path=(*path, key), line=line, document=document, seen=seen)
    return result


def _scalar(node: yaml.Node, *, line: int) -> Any:
    short = node.tag.rpartition(":")[2]
    if short == "timestamp":
        return str(node.value)
    if short in ("str", "int", "float", "bool", "null"):
        loader = yaml.SafeLoader("")
        with contextlib.suppress(ValueError, yaml.YAMLError):
            return loader.construct_object(node)
    raise _RefusedError(
        "a value must be text, a number, true or false", value=str(node.value), remedy="remove the tag", line=line
    )
