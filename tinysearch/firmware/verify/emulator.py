"""The rung on the target's instruction set: RV32IMC (ESP32-C3) under QEMU, with exact instruction counts."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinysearch.core.units import format_bytes
from tinysearch.firmware.verify import pip_emulator
from tinysearch.firmware.verify.host import agreement
from tinysearch.firmware.verify.objects import list_build
from tinysearch.firmware.verify.rung import Outcome, Rung, missing, run_tool

COMPILER, SIZE, EMULATOR = "riscv64-unknown-elf-gcc", "riscv64-unknown-elf-size", "qemu-system-riscv32"
INSTALL = "apt-get install gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc"
COMPILE_TIMEOUT_S, RUN_TIMEOUT_S = 300.0, 900.0

GOLDEN_LIMIT = 2
"""Golden vectors checked here: float networks run in software at 160 instructions a MAC."""

ISA_OPTIONS = ("-march=rv32imc", "-mabi=ilp32", "-misa-spec=2.2", "--specs=picolibc.specs")
CODE_OPTIONS = (
    *("-std=c99", "-O2", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror"),
    f"-DGOLDEN_LIMIT={GOLDEN_LIMIT}u",
)
_PLACES = (
    "--oslib=semihost",
    *("-Wl,--defsym=__flash=0x80000000", "-Wl,--defsym=__flash_size=0x2000000"),
    *("-Wl,--defsym=__ram=0x82000000", "-Wl,--defsym=__ram_size=0x2000000"),
)
LINK_OPTIONS = ("--crt0=hosted", *_PLACES)
_FILE_OPTIONS = ("--crt0=semihost", *_PLACES, "-DWITH_FILES")
"""Instead of ``LINK_OPTIONS``: a program that takes arguments, and the commands on files."""

_RUN = (EMULATOR, "-M", "virt", "-cpu", "rv32", "-m", "72M", "-nographic", "-bios", "none", "-icount", "shift=0")
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


def command(program: Path, words: Sequence[str] = ()) -> tuple[str | Path, ...]:
    """The command that runs a program with ``words`` as its arguments, none of which needs quoting.

    The program sees the files of the folder that the emulator runs in.
    """
    semihosting = ",".join(("enable=on,target=native", *(f"arg={word}" for word in words)))
    return (*_RUN, "-semihosting-config", semihosting, "-kernel", program)


def build(project: Path, folder: Path, *, with_files: bool = False) -> tuple[Outcome, int, int]:
    """Compile a project's host program for RV32IMC. The compiler must be there.

    Args:
        folder: where ``host.elf`` comes to lie.
        with_files: the program that takes arguments and works on files, instead of the one that checks golden vectors.

    Returns:
        The outcome of the last command, flash and RAM (bytes) as in :class:`EmulatorRun`, 0 where it failed.
    """
    host = project / "host"
    listed = list_build(host, timeout_s=COMPILE_TIMEOUT_S)
    if isinstance(listed, Outcome):
        return listed, 0, 0
    _, includes, sources = listed
    words = (*ISA_OPTIONS, *CODE_OPTIONS, *includes)
    program, golden = folder / "host.elf", folder / "golden.o"
    steps: tuple[tuple[str | Path, ...], ...] = (
        (COMPILER, *words, *(_FILE_OPTIONS if with_files else LINK_OPTIONS), *sources, "-o", program, "-lm"),
        (COMPILER, *words, "-c", "golden.c", "-o", golden),
    )
    for step in steps:
        outcome = run_tool(step, timeout_s=COMPILE_TIMEOUT_S, folder=host)
        if not outcome.passed:
            return outcome, 0, 0
    whole, vectors = _sizes(program), _sizes(golden)
    return outcome, whole[0] + whole[1] - vectors[0], whole[1] + whole[2]


def execute(project: Path) -> EmulatorRun:
    """Compile for RV32IMC and run. The tools must be there."""
    with tempfile.TemporaryDirectory(prefix="tinysearch-rv32-") as name:
        folder = Path(name)
        outcome, flash_bytes, ram_bytes = build(project, folder)
        if not flash_bytes:
            return _failed(outcome)
        outcome = run_tool(command(folder / "host.elf"), timeout_s=RUN_TIMEOUT_S, folder=folder)
    layers: dict[str, dict[str, int]] = {}
    for branch, step, count in _LAYER.findall(outcome.text):
        layers.setdefault(branch, {})[step] = int(count)
    return EmulatorRun(outcome=outcome, layers=layers, flash_bytes=flash_bytes, ram_bytes=ram_bytes)


def _by_pip(project: Path) -> Rung:
    """The rung by clang and unicorn, whose counts are clang's and whose program holds another C library."""
    with tempfile.TemporaryDirectory(prefix="tinysearch-rv32-") as name:
        outcome = pip_emulator.build(project, Path(name), golden_limit=GOLDEN_LIMIT)
        if outcome.passed:
            outcome = pip_emulator.run(Path(name) / "host.elf")
    if not outcome.passed or "OK golden vectors" not in outcome.text:
        reason = outcome.reason(timeout_s=pip_emulator.COMPILE_TIMEOUT_S)
        return Rung(name="rv32", status="failed", detail=reason)
    counts = ", ".join(f"{branch} {int(count):,} instructions" for branch, count in _BRANCH.findall(outcome.text))
    return Rung(name="rv32", status="passed", detail=f"{agreement(outcome.text)}; {counts} of clang's code (unicorn)")


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
    if lacking and pip_emulator.available() and not missing(("make",)):
        return _by_pip(project)
    if lacking:
        detail = f"not run: needs {', '.join(lacking)} ({INSTALL}; or {pip_emulator.INSTALL})"
        return Rung(name="rv32", status="not run", detail=detail)
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
