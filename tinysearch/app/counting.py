"""Instruction counts of whole networks on the emulated instruction set, layer by layer."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tinysearch.analytic.calibration import Observation, observe
from tinysearch.app.firmware import emit_candidate
from tinysearch.app.wiring import Config
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import TinysearchError
from tinysearch.core.program import Program
from tinysearch.evaluation.analytic import AnalyticModels, PlatformWish
from tinysearch.firmware.verify.emulator import execute


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedNetwork:
    """One branch as it ran on RV32IMC: instructions by step, flash and RAM of the ELF (bytes)."""

    branch: BranchSpec
    program: Program
    counts: dict[str, int]
    flash_bytes: int
    ram_bytes: int

    @property
    def observations(self) -> list[Observation]:
        """The layers, ready for fitting; RV32IMC has no FPU."""
        return observe(self.program, {name: float(count) for name, count in self.counts.items()}, fpu=False)


def count_networks(config: Config, models: AnalyticModels, branches: Iterable[BranchSpec]) -> Iterator[CountedNetwork]:
    """Emit each branch for its cheapest board and run it under emulation.

    Raises:
        TinysearchError: a project that does not compile or run.
    """
    for branch in branches:
        evaluation = models.choose([branch], PlatformWish())
        with tempfile.TemporaryDirectory(prefix="tinysearch-count-") as name:
            project = emit_candidate(config, evaluation, Path(name) / "project")
            run = execute(project)
        if not run.layers:
            raise TinysearchError(f"{branch.key} did not run: {run.outcome.reason(timeout_s=900)}")
        yield CountedNetwork(
            branch=branch,
            program=models.needs(branch).program,
            counts=dict(run.layers[branch.modality]),
            flash_bytes=run.flash_bytes,
            ram_bytes=run.ram_bytes,
        )
