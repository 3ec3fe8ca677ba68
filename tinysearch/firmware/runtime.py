"""Which files of the C runtime a project needs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_INCLUDE = re.compile(r'^\s*#include\s+"([^"]+)"', re.MULTILINE)


def runtime_files(runtime: Path, headers: Iterable[str]) -> tuple[Path, ...]:
    """Files of the runtime that headers need: themselves, the .c beside each, and what these include, transitively.

    Args:
        runtime: ``firmware_templates/runtime``; its folder ``frontend`` is searched as well.
        headers: file names.

    Raises:
        FileNotFoundError: a header that the runtime does not have.
    """
    found: dict[str, Path] = {}
    waiting = list(headers)
    while waiting:
        header = waiting.pop()
        if header in found:
            continue
        path = next((folder / header for folder in (runtime, runtime / "frontend") if (folder / header).exists()), None)
        if path is None:
            raise FileNotFoundError(f"the runtime has no {header}")
        found[header] = path
        files = [path]
        if path.with_suffix(".c").exists() and path.suffix == ".h":
            found[path.with_suffix(".c").name] = path.with_suffix(".c")
            files.append(path.with_suffix(".c"))
        for file in files:
            waiting += _INCLUDE.findall(file.read_text())
    return tuple(sorted(found.values(), key=lambda path: path.name))
