"""Instruction counts of whole networks on the emulated instruction set, layer by layer."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from rich.table import Table

from tinysearch.analytic.calibration import Coefficients, Observation, fit_coefficients, observe, predict
from tinysearch.analytic.features import COEFFICIENTS
from tinysearch.analytic.latency import PORTABLE, Accelerated, Floats
from tinysearch.app.building.wiring import Config, build_models
from tinysearch.app.calibration.counted_networks import (
    FITTED,
    HELD,
    INVERTED_FITTED,
    INVERTED_HELD,
    counted_branch,
    example_branches,
    inverted_branches,
)
from tinysearch.app.calibration.drawn_networks import FIT_SEED, NETWORKS, SERIES_TASK, drawn_branches
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.console import SafeConsole, say
from tinysearch.app.run.firmware import emit_candidate
from tinysearch.architectures.resnet import resnet_branch
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.errors import TinysearchError, UserError
from tinysearch.core.execution import PLAIN, Execution
from tinysearch.core.network import NetworkSpec, Operator
from tinysearch.core.program import Program
from tinysearch.core.protocols import LatencyEstimate
from tinysearch.core.provenance import Sourced
from tinysearch.core.quantization import PRECISIONS, Precision
from tinysearch.evaluation.analytic import AnalyticModels
from tinysearch.evaluation.boards import PlatformWish
from tinysearch.evaluation.needs import LatencyRule
from tinysearch.files import write_atomically, writing
from tinysearch.firmware.verify.emulator import COMPILER, EMULATOR, INSTALL, execute
from tinysearch.firmware.verify.rung import missing
from tinysearch.operators import RECORDS
from tinysearch.operators.conv import GENERAL_CLASSES

logger = logging.getLogger(__name__)


_SHAPES = (
    # blocks, width, input size, channels, embedding; the last ones are held out
    ((1, 1), 16, 64, 3, 64),
    ((2, 2), 16, 64, 1, 64),
    ((2, 1), 8, 48, 3, 32),
    ((1, 1, 1), 12, 48, 1, 48),
    ((1, 2, 1), 32, 40, 3, 128),
    ((1,), 24, 72, 3, 64),
    ((1, 1), 20, 44, 3, 40),
    ((1, 1, 1, 1), 16, 64, 1, 64),
    ((1, 1), 64, 32, 3, 128),
    ((2, 1, 1), 48, 40, 3, 96),
    ((1, 1, 1, 1), 64, 24, 1, 256),
    ((2,), 14, 50, 1, 24),
    ((1, 1), 35, 40, 1, 19),
    ((1, 2), 44, 44, 3, 72),
    ((1, 1, 1), 9, 64, 3, 50),
    ((2, 2, 2), 16, 64, 3, 64),
    ((1, 2), 24, 56, 3, 96),
    ((2, 2, 2, 2), 16, 64, 3, 64),
    ((3,), 10, 51, 1, 40),
    ((1, 1), 33, 37, 1, 17),
    ((2, 1, 2), 36, 45, 1, 33),
    ((1, 2, 2, 1), 8, 80, 3, 64),
)
HELD_OUT = 7
SEPARABLE_KERNELS = frozenset({Operator.DEPTHWISE.value, Operator.MAX_POOL.value, *GENERAL_CLASSES})
"""Of separable networks only what residual ones lack is fitted: other layers keep the coefficients of the latter."""
FLOAT_MACS, FLOAT_PARAMS = 12e6, 1e6
"""Float networks run in software under emulation, with four bytes a weight: larger ones are left out."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Untimed:
    """Latency of networks that are yet to be counted: the same for all, since a board is chosen by price and fit."""

    acquisition_s: Mapping[str, Sourced]

    def program(
        self, program: Program, *, processor: str, arena_in_psram: bool, accelerated: Accelerated = PORTABLE
    ) -> LatencyEstimate:
        del program, processor, arena_in_psram, accelerated
        return LatencyEstimate(seconds=1.0, low=1.0, high=1.0, calibrated=False)

    def programs(self, programs: Sequence[Program], *, processor: str, arena_in_psram: bool) -> Floats:
        del processor, arena_in_psram
        return np.ones(len(programs))

    def contention(self, processor: str) -> float:
        del processor
        return 1.0


def count_networks(
    config: Config, models: AnalyticModels, branches: Iterable[BranchSpec], *, execution: Execution = PLAIN
) -> Iterator[CountedNetwork]:
    """Emit each branch for its cheapest board and run it under emulation; the latency table need not know its layers.

    Args:
        execution: two cores take turns under emulation.

    Raises:
        TinysearchError: a project that does not compile or run.
        UserError: a branch that cannot be executed like this.
    """
    untimed: LatencyRule = _Untimed(acquisition_s=models.latency.acquisition_s)
    models = replace(models, latency=untimed).executing(execution)
    for branch in branches:
        evaluation = models.choose([branch], PlatformWish(), executions=(execution,))
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


def shapes(precision: str) -> tuple[list[BranchSpec], list[BranchSpec]]:
    """Networks to fit and networks to hold out, of one precision."""
    found = [
        resnet_branch(
            "face" if channels == 3 else "voice",
            blocks=blocks,
            precision=precision,
            width=width,
            input_size=size,
            channels=channels,
            embedding=embedding,
        )
        for blocks, width, size, channels, embedding in _SHAPES
    ]
    fit, held = found[:-HELD_OUT], found[-HELD_OUT:]
    if precision == "float32":
        fit, held = ([b for b in part if _small(b.network())] for part in (fit, held))
    return fit, held


def separable_shapes(precision: str) -> tuple[list[BranchSpec], list[BranchSpec]]:
    """Networks of depthwise convolutions and max pools to fit and to hold out, of one precision."""
    fit, held = ([counted_branch(row, precision) for row in rows] for rows in (FITTED, HELD))
    return fit, held


def _small(network: NetworkSpec) -> bool:
    return network.macs < FLOAT_MACS and network.params < FLOAT_PARAMS


def count_precision(
    config: Config, models: AnalyticModels, precision: str
) -> tuple[list[Observation], list[CountedNetwork]]:
    """Layers to fit and networks held out: residual, separable and, of few bits, inverted ones; random ones to fit.

    Raises:
        TinysearchError: a project that does not compile or run.
    """
    (fit, held), (separable, held_separable) = shapes(precision), separable_shapes(precision)
    if Precision.parse(precision).kind == "xnor":
        separable += inverted_branches(INVERTED_FITTED, precision)
        held_separable += inverted_branches(INVERTED_HELD, precision)
    layers = [layer for network in count_networks(config, models, fit) for layer in network.observations]
    for network in count_networks(config, models, separable):
        layers += [layer for layer in network.observations if layer.kernel in SEPARABLE_KERNELS]
    layers += count_examples(config, models, precision)
    if precision != "float32":  # networks of other sizes than those above take too long in software
        drawn = drawn_branches(FIT_SEED, precision, networks=NETWORKS)
        layers += [layer for network in count_drawn(config, models, drawn) for layer in network.observations]
    return layers, list(count_networks(config, models, [*held, *held_separable]))


def count_examples(config: Config, models: AnalyticModels, precision: str) -> list[Observation]:
    """Layers of the operators that no built-in family has, from the examples of their records."""
    names = {record.name for record in RECORDS.values()} - set(Operator)
    networks = count_networks(config, models, example_branches(precision))
    return [
        layer
        for network in networks
        for step, layer in zip(network.program.steps, network.observations, strict=True)
        if step.operator in names
    ]


@cache
def _of_series() -> tuple[Config, AnalyticModels]:
    """Configuration and models of the task that random networks on series belong to."""
    config = plain(compose_config([*SERIES_TASK, "trainer=none"]))
    return config, build_models(config)


def count_drawn(
    config: Config, models: AnalyticModels, branches: Iterable[BranchSpec], *, execution: Execution = PLAIN
) -> Iterator[CountedNetwork]:
    """As :func:`count_networks`, for random networks, of which those on series belong to a task of their own.

    Raises:
        TinysearchError, UserError: as there.
    """
    for branch in branches:
        task = _of_series() if branch.shape.width == 1 else (config, models)
        yield from count_networks(*task, [branch], execution=execution)


def write_counted_table(config: Config, out: Path, *, precisions: Sequence[str]) -> None:
    """Count, fit, report the error on networks that were held out, and write the instruction table.

    Args:
        precisions: whose kernels are counted; none for all.

    Raises:
        UserError: the emulator's tools are not installed, or there is no such precision.
    """
    for precision in precisions:
        if precision not in PRECISIONS:
            raise UserError(
                "calibrate emulator must be given precisions", value=precision, remedy=f"one of {', '.join(PRECISIONS)}"
            )
    lacking = missing((COMPILER, EMULATOR, "make"))
    if lacking:
        raise UserError(
            "a compiler and an emulator must be installed for counting", value=", ".join(lacking), remedy=INSTALL
        )
    models = build_models(config)
    observations: list[Observation] = []
    held: list[CountedNetwork] = []
    for precision in precisions or PRECISIONS:
        layers, kept = count_precision(config, models, precision)
        observations += layers
        held += kept
        logger.warning("counted %s", precision)
    coefficients = fit_coefficients(observations)
    _print_residuals(coefficients, observations)
    for network in held:
        say(f"{network.branch.key:48} {relative_error(coefficients, network):+.2%} of counted instructions")
    with writing(out):
        write_atomically(out.absolute(), yaml.safe_dump(_document(coefficients), sort_keys=False).encode())


def _print_residuals(coefficients: Coefficients, observations: Iterable[Observation]) -> None:
    """Error of the fit by kernel class: of its layers together, and of the worst one."""
    classes: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for one in observations:
        classes.setdefault((one.arithmetic, one.kernel), []).append((predict(coefficients, one), one.cycles))
    table = Table("arithmetic", "kernel", "layers", "together", "worst layer", box=None)
    for (arithmetic, kernel), pairs in classes.items():
        together = sum(predicted for predicted, _ in pairs) / sum(counted for _, counted in pairs) - 1.0
        worst = max(abs(predicted / counted - 1.0) for predicted, counted in pairs)
        table.add_row(arithmetic, kernel, str(len(pairs)), f"{together:+.1%}", f"{worst:.1%}")
    SafeConsole().print(table)


def relative_error(coefficients: Coefficients, network: CountedNetwork) -> float:
    """Predicted over counted instructions of a whole network, less one."""
    counted = sum(network.counts.values())
    return sum(predict(coefficients, observation) for observation in network.observations) / counted - 1.0


def _document(coefficients: Coefficients) -> dict[str, Any]:
    """The part of a latency table that counting determines."""
    instructions: dict[str, dict[str, dict[str, float]]] = {}
    for (arithmetic, kernel), values in coefficients.items():
        row = {name: round(float(value), 4) for name, value in zip(COEFFICIENTS, values, strict=True) if value > 0}
        instructions.setdefault(arithmetic, {})[kernel] = row
    counted = {
        "source": "portable kernels counted on RV32IMC by QEMU with -icount, fitted over networks of many shapes",
        "date": date.today().isoformat(),
        "kind": "measured",
    }
    return {"counted": counted, "instructions": instructions}
