"""What the record of an operator promises: one arithmetic in NumPy, C and torch, and numbers that every room needs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from tinysearch.analytic.code_size import CodeSizes
from tinysearch.analytic.features import FEATURES, step_features
from tinysearch.analytic.latency import LatencyTable
from tinysearch.app.building.wiring import build_catalog, latency_table
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.config.resources import data_dir
from tinysearch.catalog.tables import load_code_sizes
from tinysearch.core.network import INPUT, Convolution, Linear, NetworkSpec, Shape
from tinysearch.core.program import Array, FrozenNetwork, Program, Step, lower
from tinysearch.core.quantization import Precision
from tinysearch.firmware.integer_network import run, trace
from tinysearch.firmware.untrained import untrained
from tinysearch.operators.record import OperatorRecord
from tinysearch.testing.host_kernels import Call, in_memory, kernel_outputs
from tinysearch.testing.laws import Suite, law

_SAMPLES, _DRAWS = 2, 2
_TOLERANCE = 1e-5


class OperatorConformance(Suite):
    """``plugin`` is an operator's record; its kernels are compiled and run on this machine where gcc is.

    Attributes:
        shape: of the inputs of the networks that its examples stand in.
    """

    shape: ClassVar[Shape] = Shape(height=7, width=9, channels=3)

    def _programs(self, record: OperatorRecord) -> Iterator[Program]:
        """An example after a convolution and before a fully connected layer, in every precision."""
        for precision in record.precisions:
            for seed in range(_DRAWS):
                random = np.random.default_rng(seed)
                stem = Convolution(name="stem", input=INPUT, out_channels=5, kernel=3, relu=bool(seed % 2))
                example = record.example("stem", stem.output([self.shape]), random)
                embed = Linear(name="embed", input=example[-1].name, out_features=6)
                network = NetworkSpec(name="example", input_shape=self.shape, units=(stem, *example, embed))
                yield lower(network, Precision.parse(precision))

    def _steps(self, record: OperatorRecord) -> Iterator[tuple[FrozenNetwork, list[Step]]]:
        """Random networks, and their steps of this operator."""
        for seed, program in enumerate(self._programs(record)):
            steps = [step for step in program.steps if step.operator == record.name]
            law(steps, "an example must become a step of its operator", [step.operator for step in program.steps])
            yield untrained(program, seed), steps

    def test_says_what_it_is(self, plugin: OperatorRecord) -> None:
        law(re.fullmatch(r"[a-z][a-z0-9_]*", plugin.name), "an operator's name is a lower-case word", plugin.name)
        law(plugin.precisions, "an operator must work in some precision")
        law(plugin.keeps_scale or not plugin.selects, "an operator that selects values keeps their scale", plugin.name)

    def test_kernels_compute_what_the_oracle_does(self, plugin: OperatorRecord, tmp_path: Path) -> None:
        if shutil.which("gcc") is None:
            pytest.skip("gcc is not installed")
        calls: list[Call] = []
        planned: list[int] = []
        for frozen, steps in self._steps(plugin):
            tensors = trace(frozen, _inputs(frozen.program))
            for step in steps:
                needs = plugin.footprint(frozen.program, step)
                for place in (None,) if needs.in_place is None else (None, needs.in_place):
                    calls.append(_call(plugin, frozen, step, tensors, place))
                    planned.append(needs.scratch_bytes)
        outcomes = kernel_outputs(calls, data_dir("firmware_templates") / "runtime", tmp_path / "build")
        for call, needed, (output, scratch_bytes) in zip(calls, planned, outcomes, strict=True):
            _compare(call, output)
            law(scratch_bytes == needed, "the footprint's scratch is what the kernel asks for", (needed, scratch_bytes))

    def test_packed_constants_are_what_the_footprint_says(self, plugin: OperatorRecord) -> None:
        for frozen, steps in self._steps(plugin):
            for step in steps:
                needs, packed = plugin.footprint(frozen.program, step), plugin.pack(frozen, step)
                law(packed.function == needs.kernel, "kernels must be named alike", (packed.function, needs.kernel))
                found = sum(array.nbytes for array in packed.arrays.values())
                law(found == needs.parameter_bytes, "flash is counted as it is packed", (found, needs.parameter_bytes))

    def test_its_cost_is_known(self, plugin: OperatorRecord) -> None:
        latency, sizes = _costs()
        for program in self._programs(plugin):
            for step in program.steps:
                if step.operator != plugin.name:
                    continue
                features = step_features(program, step)
                law(set(features) == set(FEATURES), "features are those of the table", sorted(features))
                for processor in latency.processors:
                    place = {"weights_in_flash": True, "arena_in_psram": False}
                    seconds = latency.step(program, step, processor=processor, **place).seconds
                    law(seconds > 0, "a step takes time", (step.name, processor, seconds))
                for size in sizes:
                    size.branch_bytes(program)
                    size.runtime_bytes([plugin.footprint(program, step).kernel])

    def test_training_computes_what_the_oracle_does(self, plugin: OperatorRecord) -> None:
        torch = pytest.importorskip("torch")
        from tinysearch.training.freeze import freeze_integer
        from tinysearch.training.network import FloatNetwork
        from tinysearch.training.operators import TRAINED
        from tinysearch.training.quantized import Int8Network, XnorNetwork

        if plugin.name not in TRAINED:
            pytest.skip("the operator is imported only")
        torch.manual_seed(0)
        for program in self._programs(plugin):
            if program.precision.kind == "float32":
                continue
            values = _inputs(program)
            inputs = torch.from_numpy(values).permute(0, 3, 1, 2).float() / 128
            start = FloatNetwork(program.network)
            start.train()(inputs)
            kind = Int8Network if program.precision.kind == "int8" else XnorNetwork
            network = kind(program, start.eval(), [inputs]).eval()
            frozen = freeze_integer(network.quantized(), seed=0, trained=True)
            law(
                np.array_equal(run(frozen, values), network(inputs).numpy()),
                "training must compute the oracle's integers",
                f"{plugin.name} in {program.precision}",
            )


def _inputs(program: Program) -> Array:
    shape = program.network.input_shape
    size = (_SAMPLES, shape.height, shape.width, shape.channels)
    return np.random.default_rng(0).integers(-128, 128, size, np.int8)


def _call(
    record: OperatorRecord, frozen: FrozenNetwork, step: Step, tensors: dict[str, Array], in_place: int | None
) -> Call:
    program = frozen.program
    return Call(
        packed=record.pack(frozen, step),
        inputs=tuple(in_memory(program, name, tensors[name]) for name in step.inputs),
        expected=in_memory(program, step.output, tensors[step.output]),
        in_place=in_place,
    )


def _compare(call: Call, output: Array) -> None:
    where = call.packed.function + ("" if call.in_place is None else " in place")
    if call.expected.dtype == np.float32:
        error = float(np.abs(output - call.expected).max() / max(np.abs(call.expected).max(), 1e-30))
        law(error <= _TOLERANCE, f"float32 outputs are the oracle's within {_TOLERANCE}, {where}", error)
    else:
        law(np.array_equal(output, call.expected), f"integer outputs are the oracle's, bit for bit, {where}")


@cache
def _costs() -> tuple[LatencyTable, tuple[CodeSizes, ...]]:
    """The default latency table and code sizes."""
    config = plain(compose_config([]))
    sizes = load_code_sizes(data_dir("hardware_catalog") / "software" / "code_size.yaml")
    table: Any = latency_table(config, build_catalog(config))
    return table, tuple(sizes.values())
