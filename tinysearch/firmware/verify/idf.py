"""The rung that needs ESP-IDF: ``idf.py build`` for the project's chip, in a copy, and what became of its options.

Without ESP-IDF nothing is built; options that no version takes, and values that Kconfig drops, are found all the same.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import yaml

from tinysearch.catalog.idf_options import IdfOptions, parse_version
from tinysearch.firmware.verify.facts import read_point
from tinysearch.firmware.verify.rung import Rung, run_tool

TIMEOUT_S = 1800.0

_OPTION = re.compile(r"^(CONFIG_\w+)=(.*)$", re.MULTILINE)
_OFF = re.compile(r"^# (CONFIG_\w+) is not set$", re.MULTILINE)
_OURS = "CONFIG_TS_"
_KCONFIG_TIMEOUT_S = 60.0
_NOT_THE_APPLICATION = ("bootloader", "partition-table", "ota_data_initial")


def build(project: Path, *, options: IdfOptions | None = None) -> Rung:
    """Build with the ESP-IDF of the environment; an option that it drops without a word is a failure.

    Args:
        project: a project's folder.
        options: that versions of ESP-IDF take, by which the project's are judged where no ESP-IDF is installed.
    """
    root = os.environ.get("IDF_PATH")
    if not root or shutil.which("idf.py") is None:
        return _read(project, options)
    target = str(read_point(project)["firmware_facts"]["target"])
    with tempfile.TemporaryDirectory(prefix="tinysearch-idf-") as name:
        copy = Path(name) / "project"
        shutil.copytree(project, copy, ignore=shutil.ignore_patterns("build*", "sdkconfig", "managed_components"))
        command = ("idf.py", "-C", copy, "--preview", f"-DIDF_TARGET={target}", "build")
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


def _read(project: Path, options: IdfOptions | None) -> Rung:
    """What can be said of the options without an ESP-IDF: nothing is built, so this never passes."""
    try:
        refused = [] if options is None else list(refused_options(project, options))
        own = _own_options(project)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        return Rung(name="idf", status="failed", detail=" ".join(str(error).split()) or type(error).__name__)
    if refused or own:
        return Rung(name="idf", status="failed", detail="; ".join([*refused, *(own or ())]))
    read = [] if options is None else [f"ESP-IDF {options.versions[0]} to {options.versions[-1]} take its options"]
    read += ["those of the application need esp-idf-kconfig" if own is None else "esp-idf-kconfig took all of its own"]
    needs = "not run: needs ESP-IDF 5.5 or later (source its export.sh)"
    return Rung(name="idf", status="not run", detail="; ".join([needs, *read]))


def refused_options(project: Path, options: IdfOptions) -> Iterator[str]:
    """Options of ESP-IDF in a project's defaults that the oldest ESP-IDF it asks for does not take on its target.

    Raises:
        OSError, ValueError, KeyError: a file that is not there or does not say what it should.
    """
    target = str(read_point(project)["firmware_facts"]["target"])
    manifest = yaml.safe_load((project / "main/idf_component.yml").read_text(encoding="utf-8"))
    version = parse_version(manifest["dependencies"]["idf"]["version"])
    files = {"": target, f".{target}": target, ".linux": "linux"}
    targets = {f"sdkconfig.defaults{suffix}": own for suffix, own in files.items()} | {"sdkconfig.encrypted": target}
    for name, own in targets.items():
        if (project / name).is_file():
            wishes = _options((project / name).read_text(encoding="utf-8"))
            theirs = [key for key in wishes if not key.startswith(_OURS)]
            found = (options.refusal(key, target=own, version=version) for key in theirs)
            yield from (f"{name}: {problem}" for problem in found if problem is not None)


def _own_options(project: Path) -> list[str] | None:
    """What Espressif's kconfgen makes of the application's own options; None where it is not installed."""
    if find_spec("kconfgen") is None:
        return None
    target = str(read_point(project)["firmware_facts"]["target"])
    texts = [project / name for name in ("sdkconfig.defaults", f"sdkconfig.defaults.{target}")]
    wanted = "".join(
        f"{key}={value}\n"
        for path in texts
        if path.is_file()
        for key, value in _options(path.read_text(encoding="utf-8")).items()
        if key.startswith(_OURS)
    )
    with tempfile.TemporaryDirectory(prefix="tinysearch-kconfig-") as name:
        folder = Path(name)
        tree = [f"config IDF_TARGET_{target.upper()}\n    bool\n    default y\n"]
        tree += [f'source "{project / "main/Kconfig.projbuild"}"\n']
        (folder / "Kconfig").write_text('mainmenu "project"\n' + "".join(tree), encoding="utf-8")
        (folder / "defaults").write_text(wanted, encoding="utf-8")
        command = (sys.executable, "-m", "kconfgen", "--kconfig", "Kconfig", "--defaults", "defaults")
        outcome = run_tool((*command, "--output", "config", "taken"), timeout_s=_KCONFIG_TIMEOUT_S, folder=folder)
        if not outcome.passed:
            raise ValueError(outcome.reason(timeout_s=_KCONFIG_TIMEOUT_S))
        return list(lost_options(wanted, (folder / "taken").read_text(encoding="utf-8")))


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
