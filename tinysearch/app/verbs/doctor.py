"""What is installed, what is missing, what each missing thing would enable, and how large the cache is.

python -m tinysearch doctor [--json]
"""

from __future__ import annotations

import importlib.util
import json
import platform
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.config.resources import cache_dir
from tinysearch.app.console import say
from tinysearch.app.invocation import OK, Invocation
from tinysearch.core.units import format_bytes
from tinysearch.distribution import install_line, version_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked for: whether it is there, what it enables, how to get it."""

    name: str
    found: str | None
    enables: str
    remedy: str


_PACKAGES = (
    ("torch", "training branches", install_line("train")),
    ("optuna_dashboard", "watching a study in the browser", install_line("dashboard")),
    ("ray", "engine=ray on several machines", install_line("ray")),
    ("pyarrow", "enumerate out=FILE.parquet", install_line("parquet")),
    ("onnx", "emit.format=onnx", install_line("onnx")),
    ("kconfgen", "verify: options of firmware without an ESP-IDF", install_line("verify")),
    ("psycopg", "storage=postgresql://, workers that share a study", install_line("postgresql")),
)
_PROGRAMS = (
    ("gcc", "verify: the host rung", "apt-get install gcc"),
    ("riscv64-unknown-elf-gcc", "verify: the target rung", "apt-get install gcc-riscv64-unknown-elf"),
    ("qemu-system-riscv32", "verify: the target rung", "apt-get install qemu-system-misc"),
    ("idf.py", "building emitted projects", "install ESP-IDF 5.5 or 6.0"),
)


def run(invocation: Invocation) -> int:
    """Look and tell."""
    invocation.no_words()
    config = plain(compose_config(invocation.overrides))
    findings = look()
    cache = cache_dir(config["cache"]["dir"])
    size = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file()) if cache.is_dir() else 0
    if invocation.json:
        found = {"findings": [asdict(finding) for finding in findings], "cache": str(cache), "cache_bytes": size}
        say(json.dumps(found, indent=2))
        return OK
    say(f"Python {platform.python_version()} on {platform.machine()}")
    _show(findings)
    say(f"cache: {format_bytes(size)} in {cache}")
    return OK


def look() -> list[Finding]:
    """Everything that tinysearch can use, present or not."""
    packages = [
        Finding(name=name, found=_package_version(name), enables=enables, remedy=remedy)
        for name, enables, remedy in _PACKAGES
    ]
    programs = [
        Finding(name=name, found=shutil.which(name), enables=enables, remedy=remedy)
        for name, enables, remedy in _PROGRAMS
    ]
    specs = Path("/usr/lib/picolibc/riscv64-unknown-elf/picolibc.specs")
    picolibc = Finding(
        name="picolibc",
        found=str(specs) if specs.is_file() else None,
        enables="verify: the target rung",
        remedy="apt-get install picolibc-riscv64-unknown-elf",
    )
    return [*packages, *programs, picolibc]


def _package_version(name: str) -> str | None:
    if importlib.util.find_spec(name) is None:
        return None
    return version_of(name.replace("_", "-")) or "found"


def _show(findings: Sequence[Finding]) -> None:
    for finding in findings:
        if finding.found is not None:
            say(f"  found    {finding.name:24} {finding.found}")
        else:
            say(f"  missing  {finding.name:24} needed for {finding.enables}: {finding.remedy}")
