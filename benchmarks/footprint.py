"""Flash and RAM predicted against `size` of whole programs: python benchmarks/footprint.py.

Emits projects of many kinds, compiles their host programs for RV32IMC and for this machine, and compares `size` with
what tinysearch/analytic/code_size.py predicts from the network alone; golden vectors are left out of flash. None of
the networks was used to measure the table. The last line is JSON: flash_max_abs_relative_error,
ram_max_abs_relative_error, cases.
"""

from __future__ import annotations

import json
import platform
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from tinysearch.app.building.wiring import build_models
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.config.resources import data_dir
from tinysearch.app.run.firmware import emit_candidate
from tinysearch.architectures.resnet import resnet_branch
from tinysearch.catalog.tables import load_code_sizes
from tinysearch.core.errors import TinysearchError
from tinysearch.evaluation.boards import PlatformWish
from tinysearch.firmware.project import golden_count
from tinysearch.firmware.verify.emulator import COMPILER, INSTALL, SIZE, build
from tinysearch.firmware.verify.rung import missing

CASES = (
    {"face": ((1, 1), "float32")},
    {"voice": ((2, 1), "float32")},
    {"face": ((1, 1), "int8")},
    {"face": ((2, 1), "int8")},
    {"voice": ((1, 2), "int8")},
    {"face": ((2, 2, 2), "int8")},
    {"face": ((1, 1), "xnor1/1")},
    {"voice": ((2, 1), "xnor1/1")},
    {"face": ((2, 2, 2), "xnor1/1")},
    {"face": ((1, 2), "xnor2/2")},
    {"voice": ((2, 2), "xnor3/1")},
    {"face": ((2, 2), "int8"), "voice": ((1, 1), "int8")},
    {"face": ((1, 1), "xnor2/2"), "voice": ((1, 2), "xnor2/2")},
    {"face": ((2, 2), "int8"), "voice": ((2, 1), "xnor1/1")},
    {"face": ((1, 1), "float32"), "voice": ((1, 1), "int8")},
)
"""Blocks and precision by modality; width 16, input 64, embedding 64."""


def on_rv32(project: Path, folder: Path) -> tuple[int, int]:
    """Flash and RAM of the program for RV32IMC."""
    outcome, flash, ram = build(project, folder)
    if not flash:
        raise TinysearchError(outcome.reason(timeout_s=0))
    return flash, ram


def on_host(project: Path, folder: Path) -> tuple[int, int]:
    """Flash and RAM of the program for this machine, counted alike."""
    subprocess.run(["make", "-s", "-C", project / "host", "CC=gcc", f"BUILD={folder}", "all"], check=True)
    includes = subprocess.run(
        ["make", "-s", "-C", project / "host", "list"], check=True, capture_output=True, text=True
    ).stdout.splitlines()[-2]
    golden = folder / "golden.o"
    subprocess.run(["gcc", "-O2", *includes.split(), "-c", "golden.c", "-o", golden], cwd=project / "host", check=True)
    text, data, bss = sizes(folder / "host")
    return text + data - sizes(golden)[0], data + bss


def sizes(file: Path) -> tuple[int, int, int]:
    """Text with constants, initialized data and zeroed data, bytes."""
    printed = subprocess.run(["size", file], check=True, capture_output=True, text=True).stdout
    text, data, bss = printed.splitlines()[-1].split()[:3]
    return int(text), int(data), int(bss)


def main() -> None:
    lacking = missing((COMPILER, SIZE, "gcc", "make", "size"))
    if lacking:
        raise SystemExit(f"this benchmark needs {', '.join(lacking)}: {INSTALL}")
    config = plain(compose_config(["trainer=none"]))
    models = build_models(config)
    tables = load_code_sizes(data_dir("hardware_catalog") / "software" / "code_size.yaml")
    targets: dict[str, Callable[[Path, Path], tuple[int, int]]] = {"rv32imc": on_rv32}
    if platform.machine() in tables:
        targets[platform.machine()] = on_host
    worst, cases = {"flash": 0.0, "ram": 0.0}, 0
    for case in CASES:
        branches = [resnet_branch(m, blocks=blocks, precision=p) for m, (blocks, p) in case.items()]
        programs = {branch.modality: models.needs(branch).program for branch in branches}
        vectors = golden_count(max(program.network.input_shape.elements for program in programs.values()))
        with tempfile.TemporaryDirectory(prefix="tinysearch-footprint-") as name:
            project = emit_candidate(config, models.choose(branches, PlatformWish()), Path(name) / "project")
            for target, measure in targets.items():
                folder = Path(name) / target
                folder.mkdir()
                measured = dict(zip(worst, measure(project, folder), strict=True))
                made = tables[target].host_program(programs, golden_vectors=vectors)
                predicted = {"flash": made.flash, "ram": made.ram}
                errors = {kind: predicted[kind] / measured[kind] - 1.0 for kind in worst}
                worst = {kind: max(worst[kind], abs(errors[kind])) for kind in worst}
                cases += 1
                shown = ", ".join(f"{kind} {measured[kind]:>7,} {errors[kind]:+.2%}" for kind in worst)
                print(f"{target:8} {' + '.join(b.short for b in branches):40} {shown}", flush=True)
    keys = {f"{kind}_max_abs_relative_error": value for kind, value in worst.items()}
    print(json.dumps({**keys, "cases": cases}))


if __name__ == "__main__":
    main()
