"""The float kernels agree with the oracle within rounding, on the host under sanitizers and on RV32IMC."""

from __future__ import annotations

import ctypes

import ckernels
import numpy as np
import pytest
from random_networks import StepCase, program_of, random_inputs, randomized, step_cases
from test_kernels_int8 import network_steps, random_convolution

from tinysearch.analytic.kernels import footprint
from tinysearch.core.errors import UnsupportedLayerError
from tinysearch.core.network import INPUT, Addition, Convolution, GlobalAveragePool, Linear, MaxPool
from tinysearch.core.quantization import COSINE_FRACTION_BITS
from tinysearch.firmware.packing import pack


def check(steps: list[StepCase], outcomes: list[ckernels.Outcome]) -> None:
    assert len(steps) == len(outcomes) > 0
    for step, outcome in zip(steps, outcomes, strict=True):
        name = f"{step.case.packed.function} {dict(step.case.packed.fields)} in_place={step.case.in_place}"
        assert outcome.scratch_bytes == step.scratch_bytes, name
        expected = step.expected.reshape(len(step.expected), -1)
        scale = max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(
            outcome.output.view(np.float32), expected, rtol=1e-5, atol=2e-6 * scale, err_msg=name
        )


def random_steps(seed: int, count: int, *, depthwise: bool) -> list[StepCase]:
    """Convolutions of the int8 input and of a float tensor, made by a 1x1 convolution before them."""
    rng = np.random.default_rng(seed)
    steps = []
    for index in range(count):
        unit, shape = random_convolution(rng, depthwise=depthwise)
        units = [unit]
        if index % 2:
            first = Convolution(name="first", input=INPUT, out_channels=shape[2], kernel=1, relu=False)
            fields = {name: getattr(unit, name) for name in unit.__dataclass_fields__}
            units = [first, Convolution(**{**fields, "input": "first"})]
        frozen = randomized(program_of(*units, input_shape=shape, precision="float32"), rng)
        steps += step_cases(frozen, random_inputs(frozen.program, 3, rng))
    return steps


@pytest.mark.parametrize("depthwise", [False, True])
def test_convolutions_agree_with_the_oracle(depthwise: bool) -> None:
    steps = random_steps(1, 60, depthwise=depthwise)
    check(steps, ckernels.run_host([step.case for step in steps]))


def test_networks_agree_with_the_oracle() -> None:
    rng = np.random.default_rng(2)
    steps = [step for index in range(12) for step in network_steps(rng, precision="float32", relu=index % 2 == 0)]
    assert {step.case.packed.function for step in steps} == {
        *("ts_conv_f32", "ts_depthwise_f32", "ts_fully_connected_f32"),
        *("ts_add_f32", "ts_max_pool_f32", "ts_average_f32"),
    }
    check(steps, ckernels.run_host([step.case for step in steps]))


def test_fully_connected_reads_the_input() -> None:
    rng = np.random.default_rng(3)
    steps = []
    for inputs, outputs in ((1, 1), (35, 9), (128, 4)):
        unit = Linear(name="fc", input=INPUT, out_features=outputs, relu=True)
        frozen = randomized(program_of(unit, input_shape=(1, inputs, 1), precision="float32"), rng)
        steps += step_cases(frozen, random_inputs(frozen.program, 5, rng))
    check(steps, ckernels.run_host([step.case for step in steps]))


def test_many_inputs_agree_with_the_oracle() -> None:
    """Ten thousand random inputs to each kernel."""
    rng = np.random.default_rng(9)
    units = (
        Convolution(name="conv", input=INPUT, out_channels=3, kernel=3, padding=1, relu=False),
        Convolution(name="dw", input="conv", out_channels=3, kernel=3, padding=1, depthwise=True, relu=False),
        Addition(name="sum", left="dw", right="conv", batch_norm=True),
        MaxPool(name="pool", input="sum", pool=2),
        GlobalAveragePool(name="mean", input="pool", batch_norm=True),
        Linear(name="embed", input="mean", out_features=5),
    )
    program = program_of(*units, input_shape=(4, 4, 2), precision="float32")
    steps = step_cases(randomized(program, rng), random_inputs(program, 10_000, rng))
    check(steps, ckernels.run_host([step.case for step in steps]))


@pytest.mark.emulator
@pytest.mark.skipif(not ckernels.have_emulator(), reason="needs gcc-riscv64-unknown-elf and qemu-system-misc")
def test_rv32_equals_the_host_to_the_bit() -> None:
    rng = np.random.default_rng(4)
    steps = [step for _ in range(3) for step in network_steps(rng, precision="float32", relu=True)]
    steps += random_steps(5, 10, depthwise=False) + random_steps(6, 10, depthwise=True)
    cases = [step.case for step in steps]
    emulated = ckernels.run_rv32(cases)
    check(steps, emulated)
    for host, target in zip(ckernels.run_host(cases, sanitize=False), emulated, strict=True):
        np.testing.assert_array_equal(host.output, target.output)


@pytest.mark.parametrize("unit", [MaxPool(name="x", input=INPUT, pool=2), GlobalAveragePool(name="x", input=INPUT)])
def test_an_operator_without_weights_does_not_read_the_input(unit: MaxPool | GlobalAveragePool) -> None:
    frozen = randomized(program_of(unit, input_shape=(4, 4, 2), precision="float32"), np.random.default_rng(7))
    with pytest.raises(UnsupportedLayerError, match="int8 input"):
        pack(frozen, frozen.program.steps[0])
    with pytest.raises(UnsupportedLayerError, match="int8 input"):
        footprint(frozen.program, frozen.program.steps[0])


def test_cosine_is_rounded_to_fixed_point() -> None:
    code = ckernels.library(["ts_cosine_f32.h"])
    code.ts_cosine_f32.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32]
    rng = np.random.default_rng(8)
    for length in (1, 64, 512):
        left, right = rng.normal(size=(2, 50, length)).astype(np.float32)
        left[0] = 0
        right[1] = left[1]
        for a, b in zip(left, right, strict=True):
            norms = np.linalg.norm(a.astype(float)) * np.linalg.norm(b.astype(float))
            exact = float(a.astype(float) @ b.astype(float)) / norms if norms else 0.0
            got = code.ts_cosine_f32(a.ctypes.data, b.ctypes.data, length)
            assert abs(got - exact * 2**COSINE_FRACTION_BITS) <= 4
        assert code.ts_cosine_f32(left[0].ctypes.data, right[0].ctypes.data, length) == 0
