"""The rung that reads the project as ESP-IDF will: files, partitions, configuration keys, CMake, component manifest."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from tinysearch.core.errors import TinysearchError
from tinysearch.firmware import partitions, sdkconfig
from tinysearch.firmware.folder import MARKER
from tinysearch.firmware.rendering import C_TYPES
from tinysearch.firmware.verify.facts import read_point
from tinysearch.firmware.verify.rung import Rung, run_tool

REQUIRED = (
    *("CMakeLists.txt", "sdkconfig.defaults", "sdkconfig.defaults.linux", "sdkconfig.encrypted", "partitions.csv"),
    *("bom.csv", "README.md"),
    *(MARKER, "main/CMakeLists.txt", "main/app_main.c", "main/candidate.h", "main/idf_component.yml"),
    *("main/Kconfig.projbuild", "host/Makefile", "host/main.c", "host/golden.c"),
    *("components/runtime/CMakeLists.txt", "components/model/CMakeLists.txt", "components/port/CMakeLists.txt"),
)
IDF_COMPONENTS = frozenset(
    {
        *(
            "esp_driver_gpio",
            "esp_adc",
            "esp_driver_i2c",
            "esp_driver_spi",
            "esp_driver_i2s",
            "esp_driver_uart",
            "esp_driver_usb_serial_jtag",
            "esp_hw_support",
        ),
        *("esp_partition", "esp_timer", "freertos", "heap", "nvs_flash", "nvs_sec_provider", "vfs"),
    }
)
"""Components of ESP-IDF that emitted projects may require; all exist in 5.5 and 6.0."""

_QUOTED = re.compile(r'"([A-Za-z0-9_./-]+\.[ch])"')
_REQUIRES = re.compile(r"(?:PRIV_)?REQUIRES\s+([a-z0-9_\s]+?)(?=[A-Z)]|$)")
_REQUIRE_LIST = re.compile(r"(?:set|list)\((?:APPEND )?requires ([a-z0-9_ ]+)\)")
_INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
_FLASH = re.compile(r"^CONFIG_ESPTOOLPY_FLASHSIZE_(\d+)MB=y$", re.MULTILINE)
_ARRAY = re.compile(r"static const (\w+) \w+\[(\d+)\] =")
_C_BYTES = {kind: np.dtype(name).itemsize for name, kind in C_TYPES.items()}
_COMPOTE_TIMEOUT_S = 60.0


def project(folder: Path, *, required: Sequence[str] = REQUIRED) -> Rung:
    """Every rule that can be checked without ESP-IDF.

    Args:
        required: files without which the project is none.
    """
    missing = [name for name in required if not (folder / name).is_file()]
    if missing:
        return Rung(name="project", status="failed", detail=f"no {', '.join(missing)}")
    try:
        problems = list(_problems(folder))
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError, TinysearchError) as error:
        problems = [" ".join(str(error).split()) or type(error).__name__]
    if problems:
        return Rung(name="project", status="failed", detail="; ".join(problems[:5]))
    return Rung(name="project", status="passed", detail=_passed(folder))


def _problems(folder: Path) -> Iterator[str]:
    point = read_point(folder)
    target = str(point["firmware_facts"]["target"])
    yield from _configuration(folder, target, known=_known_keys(point))
    flash_bytes = _flash_bytes(folder, target)
    table = partitions.from_csv((folder / "partitions.csv").read_text(encoding="utf-8"))
    yield from partitions.broken_rules(table, flash_bytes=flash_bytes)
    constants = sum(map(_constant_bytes, folder.glob("components/*/*_weights.c")))
    small = [row for row in table if row.kind == "app" and row.size <= constants]
    yield from (f"{row.name}: {row.size} bytes must hold {constants} of constants and a program" for row in small)
    if flash_bytes != point["platform"]["flash_bytes"]:
        yield f"{MARKER} has a flash of {point['platform']['flash_bytes']} bytes, the configuration {flash_bytes}"
    yield from _cmake(folder)
    yield from _includes(folder)
    for path in (folder / "main" / "idf_component.yml", *sorted(folder.glob("components/*/idf_component.yml"))):
        yield from _manifest(path)


def _constant_bytes(source: Path) -> int:
    """Bytes of the arrays that a generated source defines, those of a backend included."""
    arrays = _ARRAY.findall(source.read_text(encoding="utf-8"))
    return sum(int(count) * _C_BYTES[kind] for kind, count in arrays)


def _flash_bytes(folder: Path, target: str) -> int:
    sizes = _FLASH.findall((folder / f"sdkconfig.defaults.{target}").read_text(encoding="utf-8"))
    if len(sizes) != 1:
        raise ValueError(f"sdkconfig.defaults.{target} must name one flash size")
    return int(sizes[0]) << 20


def _known_keys(point: Mapping[str, Any]) -> frozenset[str]:
    """Keys that the chip knows, as the catalogue said when the project was written."""
    listed = point["firmware_facts"].get("kconfig")
    if not isinstance(listed, list) or not all(isinstance(key, str) for key in listed):
        raise ValueError(f"{MARKER} must list the configuration keys of its chip: emit the project again")
    return frozenset(listed)


def _configuration(folder: Path, target: str, *, known: frozenset[str]) -> Iterator[str]:
    names = {
        "sdkconfig.defaults": ("some target", sdkconfig.KNOWN_TO_ALL),
        "sdkconfig.defaults.linux": ("linux", sdkconfig.KNOWN_TO_LINUX),
        f"sdkconfig.defaults.{target}": (target, known),
        "sdkconfig.encrypted": (target, known),
    }
    for name, (whose, keys) in names.items():
        if not (folder / name).is_file():  # those that must be there were missed before
            continue
        text = (folder / name).read_text(encoding="utf-8")
        yield from (f"{name}: {problem}" for problem in sdkconfig.broken_rules(text, known=keys, target=whose))
    for path in sorted(folder.glob("sdkconfig.defaults.*")):
        if path.name not in names:
            yield f"{path.name} is for a target that the project is not for"


def _cmake(folder: Path) -> Iterator[str]:
    """Sources that are named exist, sources that exist are named, and required components are known."""
    local = {path.name for path in (folder / "components").iterdir()} | {"main"}
    for listing in sorted([*folder.glob("components/*/CMakeLists.txt"), folder / "main" / "CMakeLists.txt"]):
        text = "\n".join(line.split("#")[0] for line in listing.read_text(encoding="utf-8").splitlines())
        named = set(_QUOTED.findall(text))
        here = {path.name for path in listing.parent.glob("*.c")}
        relative = listing.relative_to(folder)
        yield from (
            f"{relative}: {name} does not exist" for name in sorted(named) if not (listing.parent / name).is_file()
        )
        yield from (f"{relative}: {name} is not built" for name in sorted(here - named))
        required = {word for found in _REQUIRES.findall(text) + _REQUIRE_LIST.findall(text) for word in found.split()}
        yield from (f"{relative}: unknown component {name}" for name in sorted(required - local - IDF_COMPONENTS))


def _includes(folder: Path) -> Iterator[str]:
    """Headers of the generated and copied code that ESP-IDF does not have lie in the project."""
    have = {path.name for path in folder.rglob("*.h")}
    for path in sorted([*folder.glob("components/runtime/*"), *folder.glob("components/model*/**/*.[ch]")]):
        if path.suffix in (".c", ".h"):
            wanted = _INCLUDE.findall(path.read_text(encoding="utf-8"))
            yield from (f"{path.relative_to(folder)}: no {name}" for name in wanted if name not in have)


def _manifest(path: Path) -> Iterator[str]:
    document: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    dependencies = document.get("dependencies") if isinstance(document, dict) else None
    if not isinstance(dependencies, dict) or "idf" not in dependencies:
        yield "idf_component.yml must name the version of ESP-IDF"
        return
    for name, entry in dependencies.items():
        if not isinstance(entry, dict) or not isinstance(entry.get("version"), str):
            yield f"idf_component.yml must give {name} a version"
        elif name != "idf" and not all("target in [" in rule.get("if", "") for rule in entry.get("rules", [{}])):
            yield f"idf_component.yml must give {name} a rule that names its targets"
    yield from _lint(path)


def _lint(path: Path) -> Iterator[str]:
    """What Espressif's own package says, where it is installed."""
    if shutil.which("compote") is None:
        return
    with tempfile.TemporaryDirectory(prefix="tinysearch-lint-") as name:
        copy = Path(name) / "idf_component.yml"
        copy.write_bytes(path.read_bytes())
        command = ("compote", "manifest", "lint", copy)
        outcome = run_tool(command, timeout_s=_COMPOTE_TIMEOUT_S, folder=Path(name))
    if not outcome.passed:
        yield f"idf_component.yml: {' '.join(outcome.text.replace(f'{name}/', '').split())[:300]}"


def _passed(folder: Path) -> str:
    table = partitions.from_csv((folder / "partitions.csv").read_text(encoding="utf-8"))
    app = next(row for row in table if row.kind == "app")
    lint = "manifest linted by compote" if shutil.which("compote") else "manifest read (compote is not installed)"
    return f"files, partitions (application {app.size >> 10} KiB), configuration keys, CMake, {lint}"
