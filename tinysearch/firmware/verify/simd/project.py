"""The rung ``simd``: an emitted project whose backend is ``pie``, with the kernels that the chip runs, in the model."""

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
from tinysearch.firmware.verify.simd.translate import model_header, translate

MODEL_FILE = "ts_pie_model.c"
_COMPONENT = "components/backend_pie"
_KERNEL = re.compile(r"\[TS_PIE_\w+\] = (ts_pie_\w+),")
_COUNT = re.compile(r"^pie (\d+) instructions$", re.MULTILINE)
NOT_A_CHIP = "a model of the instructions, not a chip or an emulator"


def model_source(component: Path) -> str:
    """C text of the model with all kernels of a component.

    Raises:
        AssemblyError: a source that the model or the chip's assembler would not take.
    """
    text = [files("tinysearch.firmware.verify.simd").joinpath(name).read_text() for name in ("host.c", "project.c")]
    kernels = _KERNEL.findall((component / "ts_pie.c").read_text())
    calls = [f"MODEL_KERNEL({name})" for name in kernels]
    translated = translate(_sources(component), folders=(component / "include",))
    return "\n".join([model_header(), translated, *text, *calls, ""])


def _sources(component: Path) -> Iterable[Path]:
    return sorted(component.glob("*.S"))


def vector_kernels(project: Path) -> Rung:
    """The golden vectors of a project by the kernels of its backend ``pie``."""
    if not (project / _COMPONENT).is_dir():
        return Rung(name="simd", status="not run", detail="not run: the project has no assembly of ours")
    lacking = not_run("simd", TOOLS, install=INSTALL)
    if lacking is not None:
        return lacking
    with tempfile.TemporaryDirectory(prefix="tinysearch-simd-") as name:
        folder = Path(name)
        try:
            (folder / MODEL_FILE).write_text(model_source(project / _COMPONENT))
        except AssemblyError as error:
            return Rung(name="simd", status="failed", detail=str(error))
        command = ("make", "-s", "-C", project / "host", f"BUILD={folder}", f"PIE={folder}", "CC=gcc", "check")
        outcome = run_tool(command, timeout_s=TIMEOUT_S, folder=folder)
    counted = _COUNT.search(outcome.text)
    if not outcome.passed or "OK golden vectors" not in outcome.text or counted is None:
        return Rung(name="simd", status="failed", detail=outcome.reason(timeout_s=TIMEOUT_S))
    branches = read_point(project)["firmware_facts"]["branches"]
    steps = sum(len(branch["backend_steps"]) for branch in branches.values() if branch["backend"] == "pie")
    runs = f"{steps} steps by {NOT_A_CHIP}; {int(counted.group(1)):,} instructions for all golden vectors"
    return Rung(name="simd", status="passed", detail=f"{agreement(outcome.text)}; {runs}")
