"""Whether a file can have been rendered from the package's templates: its lines are theirs, filled with data alone.

``verify`` compiles a project and runs it. What is copied is compared with the package; what is rendered differs from
project to project, and its digests stand in candidate.json, which somebody else may have written. So every line of a
rendered file must be a line of a template of its language, and where the template has a value there must be nothing
but numbers, strings, names of the project's own networks, and kernels: no call of anything else, no other include, no
command of make.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_LANGUAGES = {
    "c": ("*.c.jinja", "*.h.jinja"),
    "make": ("Makefile.jinja",),
    "cmake": ("CMakeLists.txt.jinja",),
    "manifest": ("idf_component.yml.jinja",),
}
_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")
_CONTROL = re.compile(r"\s*(?:\{%.*?%\}\s*)+")
_TOKEN = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)+'|[^/"']+|.""", re.DOTALL)
_COMMENT = re.compile(r"/[*/]")
_NUMBERS = re.compile(r"(?:[\s,{}]|-?(?:0x[\da-f.]+p[+-]?\d+f|\d+u?|INT32_MIN)(?!\w))*")
_REMARK = re.compile(r"#[^\\]*")
_IDENTIFIER = re.compile(r"[A-Za-z]\w*")

_NAMES = ("candidate", "golden", "network", "normal", "classes", "input", "ts")
"""Words of the package's own begin with one of these and an underscore."""

_RENDERED_IN_MAIN = ("candidate", "classes", "normal", "selftest")

_NOT_COMPILED = ("esphome/", "examples/golden/")
"""Of a library: for tools that ``verify`` does not call."""

_C_VALUES = (
    r"\s",
    r'"(?:[^"\\\n]|\\.)*"',
    r"(?:0x[\da-f.]+p[+-]?\d+f|0x[\da-f]+|\d+u?)(?!\w)",
    r"(?:static|const|extern|void|float|u?int(?:8|16|32|64)_t|sizeof|NULL|INT32_MIN)(?![\w(])",
    r"(?:arena|slow|embedding|left|right|layers|backend(?:_scratch)?)(?![\w(])",
    r"(?:u?int(?:8|16|32|64)_t|float)(?=\))",
    r"\((?:const )?(?:void|float|u?int(?:8|16|32)_t) \*\)",
    r"\((?:arena|slow|input)(?!\w)",
    r"(?:INT32_C|UINT32_C|INT64_C|ts_\w+)\(",
    r"memmove\(arena \+ \d+, (?:input|arena \+ \d+), \d+\)",
    r"memmove\(embedding, arena \+ \d+, \d+\)",
    r"__attribute__\(\(aligned\(\d+\)\)\)",
    r"FRAMESIZE_\w+",
    r"(?<![\w)\]])\.[a-z]\w*(?![\w(])",
    r"[{}\[\],;=&*+)-]",
)
_WORDS_OF_BUILDS = (r" ", r" -I", r"(?<= )\.\./", r"(?<= -I)\.\./", r"\w", r"(?<=\w)[/.-](?=\w)", r'["/]')


def written_otherwise(project: Path, name: str, templates: Path, point: Mapping[str, Any]) -> str | None:
    """What of a file no template of the package writes: a line, or why it cannot be told; None where there is nothing.

    Args:
        project: folder of the project.
        name: path of the file in it.
        templates: folder of the package's templates.
        point: its candidate.json, whose names of networks may stand in the file.
    """
    if name.startswith(_NOT_COMPILED):
        return None
    language = _language(name)
    try:
        text = (project / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return "no text"
    if name == "main/Kconfig.projbuild":
        options = (templates / "esp_idf/main/Kconfig.options").read_text(encoding="utf-8").splitlines()
        return next((line for line in text.splitlines() if line not in options), None)
    if language is None:
        return "neither C nor what builds it"
    if language == "c" and (re.search(r"\\\s*\n", text) or "??" in text):
        return "a line that is continued"
    lines = _templates(templates, language).unlike(text, names=_own_names(point))
    return next(lines, None)


def is_of_a_plug_in(name: str) -> bool:
    """Whether a file can be of a kind of input or a backend of somebody's own, of whose C no template knows."""
    path = Path(name)
    of_a_kind = path.parent == Path("main") and path.suffix in (".c", ".h") and path.stem not in _RENDERED_IN_MAIN
    return of_a_kind or name.startswith("components/backend_")


def _language(name: str) -> str | None:
    path = Path(name)
    if path.suffix in (".c", ".h"):
        return "c"
    return {"Makefile": "make", "CMakeLists.txt": "cmake", "idf_component.yml": "manifest"}.get(path.name)


def _own_names(point: Mapping[str, Any]) -> tuple[str, ...]:
    """Beginnings of names that this project may define."""
    branches = point.get("branches")
    library = point.get("firmware_facts", {}).get("component")
    own = [str(name) for name in branches] if isinstance(branches, dict) else []
    own += [f"{prefix}_{name}" for name in own for prefix in ("model", *([library] if library else []))]
    names = [*own, *([str(library)] if library else []), "model"]
    plain = [name for name in names if _IDENTIFIER.fullmatch(name)]
    return tuple(sorted({*_NAMES, *plain, *(name.upper() for name in (*plain, *_NAMES))}, key=len, reverse=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lines:
    """The lines of all templates of a language.

    Attributes:
        language: of :data:`_LANGUAGES`.
        literal: lines without values.
        begun: how lines with values begin, and their other parts.
    """

    language: str
    literal: frozenset[str]
    begun: Mapping[str, frozenset[str]]

    def unlike(self, text: str, *, names: tuple[str, ...]) -> Iterator[str]:
        """Lines that are none of these."""
        for line in map(str.rstrip, (_without_comments(text) if self.language == "c" else text).splitlines()):
            known = line in self.literal or not line or self._says_nothing(line)
            if not known and not self._is_filled(line, names):
                yield line

    def _is_filled(self, line: str, names: tuple[str, ...]) -> bool:
        """Whether it is a line of a template with values in it, or of C and nothing but values."""
        values = _values(self.language, names)
        starts = [start for start in self.begun if line.startswith(start)]
        filled = any(_is_made_of(line, len(start), (*self.begun[start], *values)) for start in starts)
        return filled or (self.language == "c" and _is_made_of(line, 0, values))

    def _says_nothing(self, line: str) -> bool:
        """Whether a line is numbers alone, or a comment of a build."""
        return bool((_NUMBERS if self.language == "c" else _REMARK).fullmatch(line))


def _is_made_of(line: str, start: int, pieces: Iterable[str | re.Pattern[str]]) -> bool:
    """Whether a line is, from a place on, pieces one after the other.

    Each place is looked at once: one pattern for all would try every way to cut a stranger's line.
    """
    reached, waiting = {start}, [start]
    while waiting:
        at = waiting.pop()
        if at == len(line):
            return True
        ends = {end for piece in pieces if (end := _end(piece, line, at)) > at}
        waiting += ends - reached
        reached |= ends
    return False


def _end(piece: str | re.Pattern[str], line: str, at: int) -> int:
    """Where a piece that stands at a place of a line ends, 0 where it does not stand there."""
    if isinstance(piece, str):
        return at + len(piece) if line.startswith(piece, at) else 0
    found = piece.match(line, at)
    return 0 if found is None else found.end()


@cache
def _values(language: str, names: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    """Patterns of what may stand where a template has a value."""
    return tuple(map(re.compile, _texts_of_values(language, names)))


def _texts_of_values(language: str, names: tuple[str, ...]) -> tuple[str, ...]:
    if language in ("make", "cmake"):
        return _WORDS_OF_BUILDS
    if language == "manifest":
        return (r"\d+(?:\.\d+)*", r"(?<=\[)[a-z][a-z\d]*(?=\])")  # a version, a target
    own = "|".join(names)
    whole, begun = rf"(?>(?<!\w)(?:{own})(?:_\w+)?)(?![\w(])", rf"(?<!\w)(?:{own})(?=_)"
    backends = (rf"(?<=\bts_)[a-z][^\W_]*(?:_[^\W_]+){{{more}}}(?=_)" for more in (0, 1))
    return (whole, begun, *backends, *_C_VALUES)


def _without_comments(text: str) -> str:
    return "".join(" " if _COMMENT.match(token) else token for token in _TOKEN.findall(text))


@cache
def _templates(folder: Path, language: str) -> _Lines:
    paths = sorted(path for pattern in _LANGUAGES[language] for path in folder.rglob(pattern))
    literal: set[str] = set()
    begun: dict[str, set[str]] = {}
    for path in paths:
        text = path.read_text(encoding="utf-8")
        for line in (_without_comments(text) if language == "c" else text).splitlines():
            if _CONTROL.fullmatch(line):
                continue
            start, *parts = _parts(line)
            if not parts:
                literal.add(line.rstrip())
            if parts and (start.strip() or (language == "c" and any(map(str.strip, parts)))):
                begun.setdefault(start, set()).update(part for part in parts if part.strip())
    return _Lines(
        language=language,
        literal=frozenset(literal),
        begun={start: frozenset(parts) for start, parts in begun.items()},
    )


def _parts(line: str) -> Iterable[str]:
    """The text between a line's tags, whose dashes take the blanks beside them away."""
    parts, at = [""], 0
    for tag in _TAG.finditer(line):
        parts[-1] += line[at : tag.start()]
        if tag.group().startswith("{%-"):
            parts[-1] = parts[-1].rstrip()
        parts.append("")
        at = tag.end()
        if tag.group().endswith("-%}"):
            at += len(line[at:]) - len(line[at:].lstrip())
    parts[-1] += line[at:].rstrip()
    return parts
