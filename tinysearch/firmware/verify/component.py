"""The rungs of a library: it compiles as C99 without a warning, gives its golden vectors, and its layouts are whole.

``layout`` checks by our own rules what ESP-IDF, Arduino and ESPHome read; their own tools are for whoever has them.
"""

from __future__ import annotations

import ast
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from tinysearch.firmware.verify.facts import read_point
from tinysearch.firmware.verify.host import SANITIZE, TIMEOUT_S
from tinysearch.firmware.verify.objects import COMPILER, Objects
from tinysearch.firmware.verify.rung import Rung, WrongAnswerError, climbed, not_run, run_tool

FLAGS = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-ffp-contract=off")

_PROPERTIES = ("name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url", "architectures")
_RELEASE = re.compile(r"\d+\.\d+\.\d+")


def golden_vectors(folder: Path, *, objects: Objects | None = None) -> Rung:  # noqa: ARG001 - no program is shared
    """The example of the library, compiled and run."""
    return _built("host", folder)


def sanitizers(folder: Path) -> Rung:
    """The same under the address and undefined-behavior sanitizers."""
    return _built("sanitizers", folder, SANITIZE)


def layouts(folder: Path) -> Rung:
    """What ESP-IDF, Arduino and ESPHome read."""
    return climbed("layout", lambda: _layouts(folder))


def _built(name: str, folder: Path, options: Sequence[str] = ("-O1",)) -> Rung:
    lacking = not_run(name, (COMPILER,), install="apt-get install gcc")
    return lacking or climbed(name, lambda: _run(folder, options))


def _run(folder: Path, options: Sequence[str]) -> str:
    sources = sorted((folder / "src").glob("*.c"))
    with tempfile.TemporaryDirectory(prefix="tinysearch-verify-") as made:
        program = Path(made) / "check"
        words: tuple[str | Path, ...] = (
            COMPILER,
            *FLAGS,
            *options,
            f"-I{folder / 'src'}",
            *sources,
            folder / "examples/check.c",
        )
        commands: tuple[tuple[str | Path, ...], ...] = ((*words, "-o", program, "-lm"), (program,))
        for command in commands:
            outcome = run_tool(command, timeout_s=TIMEOUT_S, folder=Path(made))
            if not outcome.passed:
                raise WrongAnswerError(outcome.reason(timeout_s=TIMEOUT_S))
    if "OK golden vectors" not in outcome.text:
        raise WrongAnswerError(f"examples/check.c says {outcome.text.strip()}")
    return f"{len(sources)} files of C99 without a warning; golden patterns and vectors equal"


def _layouts(folder: Path) -> str:
    name = str(read_point(folder)["firmware_facts"]["component"])
    problems = [*_idf(folder), *_arduino(folder, name), *_esphome(folder, name)]
    if problems:
        raise WrongAnswerError("; ".join(problems))
    return f"{name} as a component of ESP-IDF, a library of Arduino and an external component of ESPHome"


def _idf(folder: Path) -> Iterator[str]:
    manifest = yaml.safe_load((folder / "idf_component.yml").read_text(encoding="utf-8"))
    if not _RELEASE.fullmatch(str(manifest.get("version"))):
        yield f"idf_component.yml must have a version of three numbers, it has {manifest.get('version')}"
    listed = set(re.findall(r'"src/([^"]+\.c)"', (folder / "CMakeLists.txt").read_text(encoding="utf-8")))
    there = {path.name for path in (folder / "src").glob("*.c")}
    if listed != there:
        yield f"CMakeLists.txt must list the files of src/, it differs in {', '.join(sorted(listed ^ there))}"


def _arduino(folder: Path, name: str) -> Iterator[str]:
    lines = (folder / "library.properties").read_text(encoding="utf-8").splitlines()
    given = dict(line.split("=", 1) for line in lines if "=" in line)
    for key in _PROPERTIES:
        if not given.get(key):
            yield f"library.properties must have {key}"
    if given.get("name") != name or given.get("includes") != f"{name}.h":
        yield f"library.properties must name {name} and {name}.h"
    if not (folder / "src" / f"{name}.h").is_file() or not (folder / "examples/golden/golden.ino").is_file():
        yield f"there must be src/{name}.h and examples/golden/golden.ino"


def _esphome(folder: Path, name: str) -> Iterator[str]:
    code = ast.parse((folder / "esphome" / name / "__init__.py").read_text(encoding="utf-8"))
    assigned = {target.id for node in code.body if isinstance(node, ast.Assign) for target in _names(node)}
    functions = {node.name for node in code.body if isinstance(node, ast.AsyncFunctionDef)}
    if "CONFIG_SCHEMA" not in assigned or "to_code" not in functions:
        yield f"esphome/{name}/__init__.py must define CONFIG_SCHEMA and to_code"


def _names(node: ast.Assign) -> Iterator[ast.Name]:
    return (target for target in node.targets if isinstance(target, ast.Name))
