"""Whole networks in their planned arena: the emitter's calls give the oracle's embeddings in every precision."""

from __future__ import annotations

import ckernels
import numpy as np
import pytest
from random_networks import program_of, random_inputs, step_cases

from tinysearch.architectures.resnet import resnet
from tinysearch.core.network import (
    INPUT,
    Addition,
    Convolution,
    GlobalAveragePool,
    Linear,
    MaxPool,
    NetworkSpec,
    SeriesConvolution,
    Unit,
)
from tinysearch.core.program import Program, lower
from tinysearch.core.quantization import Precision
from tinysearch.firmware.integer_network import run
from tinysearch.firmware.untrained import untrained

PRECISIONS = ["float32", "int8", "xnor1/1", "xnor3/1", "xnor2/2", "xnor2/1from2"]


def residual(precision: str) -> Program:
    spec: NetworkSpec = resnet(blocks=[1, 1], width=8, input_size=25, channels=3, embedding=12)
    return lower(spec, Precision.parse(precision))


def mobile(precision: str) -> Program:
    """Depthwise and 1x1 convolutions, which may run in place."""
    units: tuple[Unit, ...] = (
        Convolution(name="stem", input=INPUT, out_channels=10, kernel=3, stride=2, padding=1),
        Convolution(name="dw1", input="stem", out_channels=10, kernel=3, padding=1, depthwise=True),
        Convolution(name="pw1", input="dw1", out_channels=10, kernel=1, relu=False),
        Addition(name="sum", left="pw1", right="stem"),
        Convolution(name="dw2", input="sum", out_channels=10, kernel=5, stride=2, padding=2, depthwise=True),
        Convolution(name="pw2", input="dw2", out_channels=7, kernel=1),
        MaxPool(name="pool", input="pw2", pool=2),
        GlobalAveragePool(name="mean", input="pool", batch_norm=True),
        Linear(name="embed", input="mean", out_features=9, batch_norm=True),
    )
    return program_of(*units, input_shape=(19, 23, 1), precision=precision)


def series(precision: str) -> Program:
    """Along a series of five axes: kernels of one column, of every kind and with a stride that leaves a sample over."""
    units: tuple[Unit, ...] = (
        SeriesConvolution(name="stem", input=INPUT, out_channels=10, kernel=7, stride=2, padding=3),
        SeriesConvolution(name="dw1", input="stem", out_channels=10, kernel=3, padding=1, depthwise=True),
        SeriesConvolution(name="pw1", input="dw1", out_channels=10, kernel=1, relu=False),
        Addition(name="sum", left="pw1", right="stem"),
        SeriesConvolution(name="conv", input="sum", out_channels=33, kernel=3, stride=2, padding=1),
        SeriesConvolution(name="next", input="conv", out_channels=12, kernel=5, padding=2),
        SeriesConvolution(name="dw2", input="next", out_channels=12, kernel=5, stride=2, padding=2, depthwise=True),
        GlobalAveragePool(name="mean", input="dw2", batch_norm=True),
        Linear(name="embed", input="mean", out_features=9, batch_norm=True),
    )
    return program_of(*units, input_shape=(41, 1, 5), precision=precision)


@pytest.mark.parametrize("build", [residual, mobile, series])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_networks_give_the_oracles_embeddings(precision: str, build: type[Program]) -> None:
    program = build(precision)
    frozen = untrained(program, 1)
    inputs = random_inputs(program, 6, np.random.default_rng(2))
    expected, outcome = run(frozen, inputs), ckernels.run_network(frozen, inputs)
    if precision == "float32":
        np.testing.assert_allclose(outcome.output.view(np.float32), expected, rtol=1e-4, atol=1e-5)
    else:
        assert len(np.unique(expected)) > 5
        np.testing.assert_array_equal(outcome.output.view(np.int8), expected)


@pytest.mark.parametrize("build", [residual, series])
@pytest.mark.parametrize("precision", ["int8", "xnor2/1"])
def test_every_step_equals_the_oracle(precision: str, build: type[Program]) -> None:
    frozen = untrained(build(precision), 3)
    steps = step_cases(frozen, random_inputs(frozen.program, 3, np.random.default_rng(4)))
    outcomes = ckernels.run_host([step.case for step in steps])
    for step, outcome in zip(steps, outcomes, strict=True):
        assert outcome.scratch_bytes == step.scratch_bytes
        np.testing.assert_array_equal(outcome.output.reshape(-1), step.expected.reshape(-1).view(np.uint8))


@pytest.mark.emulator
@pytest.mark.skipif(not ckernels.have_emulator(), reason="needs gcc-riscv64-unknown-elf and qemu-system-misc")
@pytest.mark.parametrize("precision", ["int8", "xnor2/1"])
def test_rv32_gives_the_oracles_embeddings(precision: str) -> None:
    program = residual(precision)
    frozen = untrained(program, 5)
    inputs = random_inputs(program, 2, np.random.default_rng(6))
    outcome = ckernels.run_network(frozen, inputs, rv32=True)
    np.testing.assert_array_equal(outcome.output.view(np.int8), run(frozen, inputs))
