"""The vector kernels of the ESP32-S3 equal the oracle bit for bit, in a model of their instructions.

``python benchmarks/simd.py --shapes 1000`` runs more of them, which takes minutes.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from binary_layers import weighted
from pie_cases import KERNELS, PIE, layer_of, run_everywhere
from projects import face, networks, voice
from test_backends import emit, facts

from tinysearch.analytic.memory import plan
from tinysearch.app.building.wiring import build_models
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.architectures.separable import Separable
from tinysearch.core.candidate import BranchSpec
from tinysearch.core.network import INPUT, Convolution, Shape
from tinysearch.core.quantization import Precision
from tinysearch.evaluation.boards import PlatformWish
from tinysearch.firmware.branch_source import branch_source
from tinysearch.firmware.integer_network import execute
from tinysearch.firmware.packing import pie
from tinysearch.firmware.verify.simd.project import vector_kernels

SHAPES = 40

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")


@pytest.mark.parametrize("kernel", pie.KERNELS)
def test_random_layers_equal_the_oracle(kernel: str) -> None:
    ran = [run_everywhere(KERNELS[kernel](rng), rng) for rng in map(np.random.default_rng, range(SHAPES))]
    assert sum(map(bool, ran)) > SHAPES // 2  # others are too large for their scratch


@pytest.mark.parametrize(
    ("side", "inputs", "outputs", "kernel", "wins"),
    [
        (48, 8, 16, 1, True),
        (12, 64, 64, 1, True),
        (3, 128, 256, 1, False),
        (14, 64, 64, 3, True),
        (5, 64, 64, 3, False),
    ],
)
def test_binary_layers_go_where_fewer_instructions_are_executed(
    side: int, inputs: int, outputs: int, kernel: int, wins: bool
) -> None:
    """As counted: 4.55 million portable and 0.48 here, 0.70 and 0.23, 0.14 and 0.54, 1.79 and 0.74, 0.21 and 0.36."""
    rng, padding = np.random.default_rng(0), kernel // 2
    shape = (side, side, inputs)
    layer = weighted(rng, shape=shape, out_channels=outputs, bits=(2, 1), kernel=kernel, padding=padding, to_bits=False)
    assert pie.wins(layer.frozen.program, layer.step) == wins


def test_every_shift_and_the_ends_of_multipliers_round_as_the_oracle_does() -> None:
    """Sums of small numbers hit exact halves on both sides of zero."""
    rng = np.random.default_rng(0)
    unit = Convolution(name="x", input=INPUT, out_channels=96, kernel=1, relu=False)
    layer = layer_of(unit, shape=(5, 7, 3), rng=rng)
    parameters = dict(layer.frozen.parameters["x"])
    shifts = np.repeat(np.arange(32), 3).astype(np.int32)
    parameters["shift"] = shifts
    parameters["multiplier"] = np.tile(np.array([1 << 30, (1 << 31) - 1, 0], np.int32), 32)
    parameters["weights"] = rng.integers(-3, 4, (96, 1, 1, 3)).astype(np.int8)
    spread = np.minimum(np.int64(1) << (shifts + 8), 1 << 28)
    parameters["bias"] = (rng.integers(-8, 9, 96) * spread // 8).astype(np.int32)
    frozen = replace(layer.frozen, parameters={"x": parameters})
    expected = execute(frozen, layer.step, [layer.sources[0][None]])[0]
    replace(layer, frozen=frozen, expected=expected).run()


@pytest.mark.parametrize(("kernel", "inputs", "outputs", "pool"), [(3, 60, 45, 1), (3, 60, 45, 2), (1, 600, 43, 1)])
def test_convolutions_in_parts_equal_the_oracle(kernel: int, inputs: int, outputs: int, pool: int) -> None:
    """Weights of more than the data cache keeps, on more pixels than a tile has."""
    unit = Convolution(name="x", input=INPUT, out_channels=outputs, kernel=kernel, pool=pool, relu=False)
    layer = layer_of(unit, shape=(9, 8, inputs), rng=np.random.default_rng(0))
    assert pie.UNIT.footprint(layer.frozen.program, layer.step).in_place is None
    layer.run(offsets=(0, 5))


def test_a_project_runs_its_vector_kernels_in_the_arena_that_was_planned(tmp_path: Path) -> None:
    """Two branches, a task each: binary layers, and steps that overwrite their inputs, scales, packing."""
    depthwise = Separable(stages=(1, 2), width=10, kernel=5)  # of stride 1 it cannot overwrite its input, of 2 it can
    branches = (
        BranchSpec(
            modality="face",
            architecture=depthwise,
            precision=Precision.parse("int8"),
            shape=Shape(height=32, width=32, channels=3),
        ),
        voice("xnor2/1", (1,), width=32, input_size=64),
    )
    models = build_models(plain(compose_config(["firmware.backend=auto"])))
    evaluation = models.choose(branches, PlatformWish(processor="esp32s3"))
    folder = emit(*branches, out=tmp_path / "p", backend="auto", evaluation=evaluation)
    for branch in branches:
        made = facts(folder)[branch.modality]
        program = branch_source(branch.modality, networks(branch)[branch.modality]).program
        assert made["backend"] == "pie"
        whole = [step for step in program.steps if not program.binary(step) and pie.wins(program, step)]
        assert {step.name for step in whole} <= set(made["backend_steps"])
        assert made["arena_bytes"] == evaluation.figures[branch.modality].arena_bytes >= plan(program).peak_bytes
    assert {"s1b1_conv1", "s1b1_conv2"} <= set(facts(folder)["voice"]["backend_steps"])
    rung = vector_kernels(folder)
    assert rung.status == "passed", rung.detail
    assert "not a chip" in rung.detail


def test_all_sources_are_built(tmp_path: Path) -> None:
    listed = (PIE.component / "CMakeLists.txt").read_text()
    for source in sorted(PIE.component.glob("*.S")):
        assert f'"{source.name}"' in listed
    folder = emit(face("int8"), out=tmp_path / "p", backend="pie")
    copied = {path.name for path in (folder / "components/backend_pie").rglob("*") if path.is_file()}
    assert copied == {path.name for path in PIE.component.rglob("*") if path.is_file()}
