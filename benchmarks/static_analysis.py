"""Read the C of emitted projects with gcc's -fanalyzer and with cppcheck, file by file.

    python benchmarks/static_analysis.py [--limit 120]

A lock, a classification and an anomaly task are emitted, with int8, XNOR and float32 branches and many kinds of input.
Files that projects share are read once; weights and golden vectors, which are numbers alone, are left out. A
file that takes longer than the limit is named. The last line is one JSON object: files, warnings, unfinished by tool.

Needs gcc 12 or later, make and cppcheck (apt-get install gcc make cppcheck).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "firmware"))

from projects import alarmed, classified, emitted, face, voice, watching, wrist

_KINDS = ("error", "warning", "portability", "performance")
_NUMBERS = ("_weights.c", "golden.c")
_ANALYZER = ("gcc", "-std=gnu11", "-O2", "-fanalyzer", "-Wall", "-Wextra", "-c", "-o", "/dev/null")
_CPPCHECK = (
    *("cppcheck", "--std=c11", "--enable=warning,portability,performance", "--inline-suppr", "--quiet", "--force"),
    *(
        "--suppress=missingIncludeSystem",
        "--suppress=shiftTooManyBitsSigned",
    ),  # the second: shifts right are arithmetic
    *("--template={file}:{line}: {severity}: {message} [{id}]", "-D__GNUC__=12"),
)
TOOLS: Mapping[str, Sequence[str]] = {"fanalyzer": _ANALYZER, "cppcheck": _CPPCHECK}


def _lock(out: Path) -> None:
    emitted(face("xnor2/1"), voice("float32", (1,)), out=out, processor="esp32s3")


def _classification(out: Path) -> None:
    classified(watching("eye"), watching("hum", "float32"), watching("word", "xnor2/1"), wrist(), out=out)


def _anomaly(out: Path) -> None:
    alarmed(watching("hum", "float32"), wrist(), out=out, smooth=3, hold_off=2)


PROJECTS: Mapping[str, Callable[[Path], None]] = {
    "lock": _lock,
    "classification": _classification,
    "anomaly": _anomaly,
}


def sources(project: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """The C files of a project's host programs, each with the words that its includes take."""
    host = project / "host"
    for goal in ("list-app", "list-scripted"):
        listed = subprocess.run(["make", "-s", "-C", host, goal], capture_output=True, text=True, check=True)
        _, includes, names = (line.split() for line in listed.stdout.splitlines()[-3:])
        for name in names:
            if not name.endswith(_NUMBERS):
                yield (host / name).resolve(), tuple(f"-I{(host / word[2:]).resolve()}" for word in includes)


def read(tool: str, path: Path, includes: Sequence[str], *, limit_s: float) -> list[str] | None:
    """Warnings about one file; None where it took too long."""
    try:
        done = subprocess.run(
            [*TOOLS[tool], *includes, str(path)], capture_output=True, text=True, timeout=limit_s, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    said = (done.stdout + done.stderr).splitlines()
    return [line for line in said if any(f": {kind}:" in line for kind in _KINDS)]


def main() -> int:
    """Read everything, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=float, default=120.0, help="seconds for a file")
    limit_s = parser.parse_args().limit
    table = Table("project", "tool", "files", "warnings", "unfinished", box=None)
    sums = {tool: {"files": 0, "warnings": 0, "unfinished": 0} for tool in TOOLS}
    seen: set[tuple[str, bytes]] = set()
    with tempfile.TemporaryDirectory(prefix="tinysearch-static-") as name:
        for kind, make in PROJECTS.items():
            make(Path(name) / kind)
            for tool in TOOLS:
                own = {"files": 0, "warnings": 0, "unfinished": 0}
                for path, includes in sources(Path(name) / kind):
                    key = (tool, path.name.encode() + path.read_bytes())
                    if key in seen:
                        continue
                    seen.add(key)
                    found = read(tool, path, includes, limit_s=limit_s)
                    own["files"] += 1
                    own["unfinished"] += found is None
                    own["warnings"] += len(found or ())
                    for line in found or ["took too long: " + path.name] * (found is None):
                        print(line.replace(f"{name}/", ""), flush=True)
                table.add_row(kind, tool, *map(str, own.values()))
                sums[tool] = {key: count + own[key] for key, count in sums[tool].items()}
    Console().print(table)
    print(json.dumps(sums))
    return int(any(row["warnings"] for row in sums.values()))


if __name__ == "__main__":
    sys.exit(main())
