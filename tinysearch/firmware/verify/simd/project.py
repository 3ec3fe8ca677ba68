"""The rung ``simd``: an emitted project whose backend is assembly of ours, with the kernels that the chip runs."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from tinysearch.firmware.verify.facts import read_point
from tinysearch.firmware.verify.host import INSTALL, TIMEOUT_S, TOOLS, agreement
from tinysearch.firmware.verify.rung import Rung, not_run, run_tool
from tinysearch.firmware.verify.simd.assembly import AssemblyError
from tinysearch.firmware.verify.simd.riscv import RISCV
from tinysearch.firmware.verify.simd.translate import model_header, translate
from tinysearch.firmware.verify.simd.xtensa import XTENSA

_CORES = {"pie": XTENSA, "xespv": RISCV}
"""Backends of assembly, and whose instructions it is."""

_COUNT = re.compile(r"^pie (\d+) instructions$", re.MULTILINE)
NOT_A_CHIP = "a model of the instructions, not a chip or an emulator"


def model_source(component: Path, backend: str) -> str:
    """C text of the model with all kernels of a component.

    Raises:
        AssemblyError: a source that the model or the chip's assembler would not take.
    """
    text = [files("tinysearch.firmware.verify.simd").joinpath(name).read_text() for name in ("host.c", "project.c")]
    listed = re.compile(rf"\[TS_{backend.upper()}_\w+\] = (ts_{backend}_\w+),")
    kernels = listed.findall((component / f"ts_{backend}.c").read_text())
    calls = [f"MODEL_KERNEL({name})" for name in kernels]
    translated = translate(_sources(component), folders=(component / "include",), core=_CORES[backend])
    return "\n".join([model_header(), translated, *text, *calls, ""])


def _sources(component: Path) -> Iterable[Path]:
    return sorted(component.glob("*.S"))


def vector_kernels(project: Path) -> Rung:
    """The golden vectors of a project by the kernels of its backend ``pie`` or ``xespv``: a chip has one of them."""
    found = [name for name in _CORES if (project / f"components/backend_{name}").is_dir()]
    if not found:
        return Rung(name="simd", status="not run", detail="not run: the project has no assembly of ours")
    lacking = not_run("simd", TOOLS, install=INSTALL)
    if lacking is not None:
        return lacking
    with tempfile.TemporaryDirectory(prefix="tinysearch-simd-") as name:
        folder = Path(name)
        try:
            text = model_source(project / f"components/backend_{found[0]}", found[0])
            (folder / f"ts_{found[0]}_model.c").write_text(text)
        except AssemblyError as error:
            return Rung(name="simd", status="failed", detail=str(error))
        command = (
            "make",
            "-s",
            "-C",
            project / "host",
            f"BUILD={folder}",
            f"{found[0].upper()}={folder}",
            "CC=gcc",
            "check",
        )
        outcome = run_tool(command, timeout_s=TIMEOUT_S, folder=folder)
    counted = _COUNT.search(outcome.text)
    if not outcome.passed or "OK golden vectors" not in outcome.text or counted is None:
        return Rung(name="simd", status="failed", detail=outcome.reason(timeout_s=TIMEOUT_S))
    facts = read_point(project)["firmware_facts"]
    networks = facts["branches"].values() if "branches" in facts else (facts,)
    steps = sum(len(network["backend_steps"]) for network in networks if network["backend"] == found[0])
    runs = f"{steps} steps by {NOT_A_CHIP}; {int(counted.group(1)):,} instructions for all golden vectors"
    return Rung(name="simd", status="passed", detail=f"{agreement(outcome.text)}; {runs}")
