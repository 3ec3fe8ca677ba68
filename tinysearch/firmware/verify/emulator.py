"""The rung on the target's instruction set: RV32IMC (ESP32-C3) under QEMU, with exact instruction counts."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tinysearch.core.units import format_bytes
from tinysearch.firmware.verify.host import agreement
from tinysearch.firmware.verify.rung import Outcome, Rung, missing, run_tool

COMPILER, SIZE, EMULATOR = "riscv64-unknown-elf-gcc", "riscv64-unknown-elf-size", "qemu-system-riscv32"
INSTALL = "apt-get install gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc"
COMPILE_TIMEOUT_S, RUN_TIMEOUT_S = 300.0, 900.0

GOLDEN_LIMIT = 2
"""Golden vectors checked here: float networks run in software at 160 instructions a MAC."""

_ISA = ("-march=rv32imc", "-mabi=ilp32", "-misa-spec=2.2", "--specs=picolibc.specs")
_CODE = ("-std=c99", "-O2", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", f"-DGOLDEN_LIMIT={GOLDEN_LIMIT}u")
_LINK = (
    *("--oslib=semihost", "--crt0=hosted"),
    *("-Wl,--defsym=__flash=0x80000000", "-Wl,--defsym=__flash_size=0x2000000"),
    *("-Wl,--defsym=__ram=0x82000000", "-Wl,--defsym=__ram_size=0x2000000"),
)
_RUN = (
    *(EMULATOR, "-M", "virt", "-cpu", "rv32", "-m", "72M", "-nographic", "-bios", "none"),
    *("-semihosting-config", "enable=on,target=native", "-icount", "shift=0", "-kernel"),
)
_LAYER = re.compile(r"^layer (\w+) (\w+) (\d+)\s*$", re.MULTILINE)
_BRANCH = re.compile(r"^branch (\w+) (\d+)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorRun:
    """A project's host program on the emulated instruction set.

    Attributes:
        outcome: of the run, or of the compilation that failed.
        layers: instructions of every step by branch.
        flash_bytes: code and constants of the program without its golden vectors.
        ram_bytes: static memory, golden results included.
    """

    outcome: Outcome
    layers: Mapping[str, Mapping[str, int]]
    flash_bytes: int
    ram_bytes: int


def execute(project: Path) -> EmulatorRun:
    """Compile for RV32IMC and run. The tools must be there."""
    with tempfile.TemporaryDirectory(prefix="tinysearch-rv32-") as name:
        folder, host = Path(name), project / "host"
        listed = run_tool(("make", "-s", "-C", host, "list"), timeout_s=COMPILE_TIMEOUT_S, folder=folder)
        lines = listed.text.splitlines()
        if not listed.passed or len(lines) < 2:
            return _failed(listed)
        includes, sources = lines[-2].split(), lines[-1].split()
        options = (*_ISA, *_CODE, *includes)
        program, golden = folder / "host.elf", folder / "golden.o"
        for command in (
            (COMPILER, *options, *_LINK, *sources, "-o", program, "-lm"),
            (COMPILER, *options, "-c", "golden.c", "-o", golden),
        ):
            outcome = run_tool(command, timeout_s=COMPILE_TIMEOUT_S, folder=host)
            if not outcome.passed:
                return _failed(outcome)
        whole, vectors = _sizes(program), _sizes(golden)
        outcome = run_tool((*_RUN, program), timeout_s=RUN_TIMEOUT_S, folder=folder)
    layers: dict[str, dict[str, int]] = {}
    for branch, step, count in _LAYER.findall(outcome.text):
        layers.setdefault(branch, {})[step] = int(count)
    return EmulatorRun(
        outcome=outcome,
        layers=layers,
        flash_bytes=whole[0] + whole[1] - vectors[0],
        ram_bytes=whole[1] + whole[2],
    )


def _failed(outcome: Outcome) -> EmulatorRun:
    return EmulatorRun(outcome=outcome, layers={}, flash_bytes=0, ram_bytes=0)


def _sizes(file: Path) -> tuple[int, int, int]:
    """Bytes of text with constants, initialized data, zeroed data."""
    outcome = run_tool((SIZE, file), timeout_s=COMPILE_TIMEOUT_S, folder=file.parent)
    text, data, bss = outcome.text.splitlines()[-1].split()[:3]
    return int(text), int(data), int(bss)


def target_instruction_set(project: Path) -> Rung:
    """Same bytes as the oracle on RV32IMC; instructions by branch, size of the program."""
    lacking = missing((COMPILER, SIZE, EMULATOR, "make"))
    if lacking:
        return Rung(name="rv32", status="not run", detail=f"not run: needs {', '.join(lacking)} ({INSTALL})")
    run = execute(project)
    if run.outcome.status is None:
        detail = f"not run: the emulator was stopped after {RUN_TIMEOUT_S:.0f} s"
        return Rung(name="rv32", status="not run", detail=detail)
    if "picolibc.specs" in run.outcome.text and not run.layers:
        return Rung(name="rv32", status="not run", detail=f"not run: needs picolibc ({INSTALL})")
    if not run.outcome.passed or "OK golden vectors" not in run.outcome.text:
        return Rung(name="rv32", status="failed", detail=run.outcome.reason(timeout_s=RUN_TIMEOUT_S))
    counts = ", ".join(f"{branch} {sum(steps.values()):,} instructions" for branch, steps in run.layers.items())
    sizes = f"{format_bytes(run.flash_bytes)} of code and constants"
    return Rung(name="rv32", status="passed", detail=f"{agreement(run.outcome.text)}; {counts}; {sizes}")
