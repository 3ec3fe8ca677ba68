"""The rung that needs ESP-IDF: ``idf.py build`` for the project's chip, in a copy, and what became of its options."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tinysearch.firmware.verify.facts import read_point
from tinysearch.firmware.verify.rung import Rung, run_tool

TIMEOUT_S = 1800.0

_OPTION = re.compile(r"^(CONFIG_\w+)=(.*)$", re.MULTILINE)
_OFF = re.compile(r"^# (CONFIG_\w+) is not set$", re.MULTILINE)
_NOT_THE_APPLICATION = ("bootloader", "partition-table", "ota_data_initial")


def build(project: Path) -> Rung:
    """Build with the ESP-IDF of the environment; an option that it drops without a word is a failure."""
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
        wanted = "\n".join(
            (copy / file).read_text(encoding="utf-8")
            for file in ("sdkconfig.defaults", f"sdkconfig.defaults.{target}")
            if (copy / file).is_file()
        )
        lost = list(lost_options(wanted, (copy / "sdkconfig").read_text(encoding="utf-8")))
        sizes = ", ".join(f"{path.stem} {path.stat().st_size} bytes" for path in _images(copy / "build"))
    if lost:
        return Rung(name="idf", status="failed", detail="; ".join(lost))
    return Rung(name="idf", status="passed", detail=f"idf.py build for {target}: {sizes}; every option was taken")


def lost_options(wanted: str, taken: str) -> Iterator[str]:
    """What a build made of its defaults, where it is something else: Kconfig drops a value without a word.

    Args:
        wanted: text of the sdkconfig.defaults files, later ones last.
        taken: text of the sdkconfig that the build wrote.
    """
    wishes, found = _options(wanted), _options(taken)
    for name, value in wishes.items():
        got = found.get(name, "n" if value == "n" else None)
        if got is None:
            yield f"{name} must be an option of this target, or one whose conditions hold"
        elif got != value:
            yield f"{name} must be {value}, the build took {got}"


def _options(text: str) -> dict[str, str]:
    """Values by name; what is commented out as not set is ``n``."""
    return dict.fromkeys(_OFF.findall(text), "n") | {name: value.strip() for name, value in _OPTION.findall(text)}


def _images(folder: Path) -> list[Path]:
    """The bootloader and the application that a build made."""
    applications = [path for path in sorted(folder.glob("*.bin")) if path.stem not in _NOT_THE_APPLICATION]
    return [*sorted(folder.glob("bootloader/bootloader.bin")), *applications]
