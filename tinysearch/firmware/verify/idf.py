"""The rung that needs ESP-IDF: ``idf.py build`` for the project's chip, in a copy."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from tinysearch.firmware.verify.facts import read_point
from tinysearch.firmware.verify.rung import Rung, run_tool

TIMEOUT_S = 1800.0


def build(project: Path) -> Rung:
    """Build with the ESP-IDF of the environment."""
    root = os.environ.get("IDF_PATH")
    if not root or shutil.which("idf.py") is None:
        return Rung(name="idf", status="not run", detail="not run: needs ESP-IDF 5.5 or later (source its export.sh)")
    target = str(read_point(project)["firmware_facts"]["target"])
    with tempfile.TemporaryDirectory(prefix="tinysearch-idf-") as name:
        copy = Path(name) / "project"
        shutil.copytree(project, copy, ignore=shutil.ignore_patterns("build*", "sdkconfig", "managed_components"))
        command = ("idf.py", "-C", copy, f"-DIDF_TARGET={target}", "build")
        outcome = run_tool(command, timeout_s=TIMEOUT_S, folder=copy)
    if not outcome.passed:
        return Rung(name="idf", status="failed", detail=outcome.reason(timeout_s=TIMEOUT_S))
    return Rung(name="idf", status="passed", detail=f"idf.py build for {target}")
