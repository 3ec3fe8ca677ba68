"""The int8 kernels equal the oracle bit for bit, on the host under sanitizers and on RV32IMC."""

from __future__ import annotations

import ctypes
import zlib

import ckernels
import numpy as np
import pytest
from random_networks import StepCase, program_of, random_inputs, randomized, step_cases

from tinysearch.core.errors import UnsupportedLayerError
from tinysearch.core.network import INPUT, Addition, Convolution, GlobalAveragePool, Linear, MaxPool
from tinysearch.core.quantization import (
    COSINE_FRACTION_BITS,
    cosine_fixed,
    cosine_fixed_from_norms,
    doubling_high_multiply,
    rounding_shift_right,
)
from tinysearch.firmware.packing import pack
from tinysearch.operators.conv import pack_signs


def check(steps: list[StepCase], outcomes: list[ckernels.Outcome]) -> None:
    assert len(steps) == len(outcomes) > 0
    for step, outcome in zip(steps, outcomes, strict=True):
        name = f"{step.case.packed.function} {dict(step.case.packed.fields)} in_place={step.case.in_place}"
        assert outcome.scratch_bytes == step.scratch_bytes, name
        expected = step.expected.reshape(len(step.expected), -1)
        np.testing.assert_array_equal(outcome.output.view(np.int8), expected, err_msg=name)


def random_convolution(rng: np.random.Generator, *, depthwise: bool) -> tuple[Convolution, tuple[int, int, int]]:
    kernel = int(rng.choice([1, 2, 3, 5, 7]))
    stride, padding, pool = int(rng.integers(1, 4)), int(rng.integers(0, kernel + 2)), int(rng.choice([1, 1, 2, 3, 4]))
    channels = int(rng.integers(1, 10))
    least = max(kernel + (pool - 1) * stride - 2 * padding, 1)
    height, width = (least + int(rng.integers(0, 9)) for _ in range(2))
    unit = Convolution(
        name="conv",
        input=INPUT,
        out_channels=channels if depthwise else int(rng.integers(1, 11)),
        kernel=kernel,
        stride=stride,
        padding=padding,
        pool=pool,
        depthwise=depthwise,
        relu=bool(rng.integers(2)),
    )
    return unit, (height, width, channels)


def random_steps(seed: int, count: int, *, precision: str, depthwise: bool = False) -> list[StepCase]:
    rng = np.random.default_rng(seed)
    steps = []
    for _ in range(count):
        unit, shape = random_convolution(rng, depthwise=depthwise)
        frozen = randomized(program_of(unit, input_shape=shape, precision=precision), rng)
        steps += step_cases(frozen, random_inputs(frozen.program, 3, rng))
    return steps


def network_steps(rng: np.random.Generator, *, precision: str, relu: bool) -> list[StepCase]:
    """A small residual network with every operator, of odd sizes."""
    channels = int(rng.integers(1, 13))
    units = (
        Convolution(name="stem", input=INPUT, out_channels=channels, kernel=3, pool=int(rng.integers(1, 3))),
        Convolution(name="dw", input="stem", out_channels=channels, kernel=3, padding=1, depthwise=True, relu=relu),
        Convolution(name="pw", input="dw", out_channels=channels, kernel=1, relu=False),
        Addition(name="sum", left="pw", right="stem", batch_norm=True, relu=relu),
        MaxPool(name="pool", input="sum", pool=int(rng.integers(1, 4))),
        GlobalAveragePool(name="mean", input="pool", batch_norm=bool(rng.integers(2)), relu=relu),
        Linear(name="embed", input="mean", out_features=int(rng.integers(1, 20)), relu=relu),
    )
    shape = (int(rng.integers(9, 14)), int(rng.integers(9, 14)), int(rng.integers(1, 4)))
    program = program_of(*units, input_shape=shape, precision=precision)
    frozen = randomized(program, rng)
    return step_cases(frozen, random_inputs(program, 4, rng))


@pytest.mark.parametrize("precision", ["int8", "xnor1/1", "xnor2/2"])
def test_convolutions_equal_the_oracle(precision: str) -> None:
    steps = random_steps(1, 60, precision=precision)
    check(steps, ckernels.run_host([step.case for step in steps]))


def test_tiles_for_few_registers_equal_the_oracle() -> None:
    """What Xtensa runs in place of the 4x4 tile."""
    steps = random_steps(15, 30, precision="int8")
    check(steps, ckernels.run_host([step.case for step in steps], flags=["-DTS_FEW_REGISTERS=1"]))


def test_depthwise_convolutions_equal_the_oracle() -> None:
    steps = random_steps(2, 60, precision="int8", depthwise=True)
    assert sum(step.case.in_place is not None for step in steps) > 20
    check(steps, ckernels.run_host([step.case for step in steps]))


def test_networks_equal_the_oracle() -> None:
    rng = np.random.default_rng(3)
    steps = [step for index in range(12) for step in network_steps(rng, precision="int8", relu=index % 2 == 0)]
    check(steps, ckernels.run_host([step.case for step in steps]))


@pytest.mark.parametrize("relu", [False, True])
def test_fully_connected_equals_the_oracle(relu: bool) -> None:
    rng = np.random.default_rng(4)
    steps = []
    for inputs, outputs in ((1, 1), (3, 8), (4, 7), (35, 9), (128, 16), (1030, 17)):
        unit = Linear(name="fc", input=INPUT, out_features=outputs, relu=relu)
        frozen = randomized(program_of(unit, input_shape=(1, inputs, 1), precision="int8"), rng)
        steps += step_cases(frozen, random_inputs(frozen.program, 5, rng))
    check(steps, ckernels.run_host([step.case for step in steps]))


def test_many_inputs_equal_the_oracle() -> None:
    """Ten thousand random inputs to each kernel."""
    rng = np.random.default_rng(5)
    units = (
        Convolution(name="conv", input=INPUT, out_channels=5, kernel=3, padding=1, relu=False),
        Convolution(name="pooled", input="conv", out_channels=5, kernel=2, pool=2),
        Convolution(name="dw", input="pooled", out_channels=5, kernel=3, padding=1, depthwise=True, relu=False),
        Addition(name="sum", left="dw", right="pooled", batch_norm=True),
        MaxPool(name="pool", input="sum", pool=2),
        GlobalAveragePool(name="mean", input="sum", batch_norm=True),
        Linear(name="embed", input="mean", out_features=9),
    )
    for precision in ("int8", "xnor1/2"):
        program = program_of(*units[: 1 if precision != "int8" else None], input_shape=(6, 6, 2), precision=precision)
        frozen = randomized(program, rng)
        steps = step_cases(frozen, random_inputs(program, 10_000, rng))
        check(steps, ckernels.run_host([step.case for step in steps]))


@pytest.mark.emulator
@pytest.mark.skipif(not ckernels.have_emulator(), reason="needs gcc-riscv64-unknown-elf and qemu-system-misc")
def test_rv32_equals_the_oracle() -> None:
    rng = np.random.default_rng(6)
    steps = [step for _ in range(3) for step in network_steps(rng, precision="int8", relu=True)]
    for precision in ("int8", "xnor1/1", "xnor1/2"):
        steps += random_steps(7, 10, precision=precision)
    steps += random_steps(8, 10, precision="int8", depthwise=True)
    check(steps, ckernels.run_rv32([step.case for step in steps]))


REQUANTIZE = """
#include "ts_arithmetic.h"
void requantize(const int32_t *x, const int32_t *m, const int32_t *n, int32_t *out, int32_t *relu, int32_t count);
void requantize(const int32_t *x, const int32_t *m, const int32_t *n, int32_t *out, int32_t *relu, int32_t count)
{
    for (int32_t i = 0; i < count; ++i) {
        out[i] = ts_requantize(x[i], ts_requantizer_of(m[i], n[i]));
        relu[i] = ts_requantize_relu(x[i], ts_requantizer_of(m[i], n[i]));
    }
}
"""


def test_one_sum_rounds_as_two_roundings_do() -> None:
    rng = np.random.default_rng(9)
    count = 1 << 20
    shift = rng.integers(1, 32, size=count, dtype=np.int32)
    multiplier = rng.integers(1 << 30, (1 << 31) - 1, size=count, dtype=np.int32)
    multiplier[::7] = 1 << 30
    multiplier[::11] = (1 << 31) - 1
    multiplier[::13] = 0
    bits = rng.integers(1, 30, size=count)
    values = (rng.integers(-(1 << 30) + 1, 1 << 30, size=count) >> bits).astype(np.int32)
    # halves of the second rounding, and their neighbors
    ties = (2 * rng.integers(-60, 60, size=count) + 1) * (1 << np.minimum(shift.astype(np.int64), 20)) + bits % 5 - 2
    values[::2] = ties.astype(np.int32)[::2]
    out, relu = np.zeros(count, np.int32), np.zeros(count, np.int32)
    code = ckernels.library(["ts_arithmetic.h"], extra=REQUANTIZE)
    code.requantize(*(array.ctypes.data_as(ctypes.c_void_p) for array in (values, multiplier, shift, out, relu)), count)
    expected = rounding_shift_right(doubling_high_multiply(values, multiplier), shift)
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(np.maximum(relu, 0), np.maximum(expected, 0))


def test_cosine_equals_core() -> None:
    code = ckernels.library(["ts_cosine_s8.h"])
    code.ts_cosine_s8.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32]
    rng = np.random.default_rng(10)
    for length in (1, 2, 3, 64, 512, 1023):
        for high in (2, 128):
            left, right = rng.integers(-high, high, size=(2, 200, length), dtype=np.int8)
            left[0] = 0
            right[1] = left[1]
            expected = cosine_fixed(left, right)
            for a, b, value in zip(left, right, expected, strict=True):
                assert code.ts_cosine_s8(a.ctypes.data, b.ctypes.data, length) == value


def test_cosine_from_dots_equals_core() -> None:
    code = ckernels.library(["ts_cosine_s8.h"])
    rng = np.random.default_rng(11)
    left, right = (rng.integers(1, 1 << 24, size=2000) >> rng.integers(0, 24, size=2000) for _ in range(2))
    limit = np.sqrt(left.astype(float) * right).astype(np.int64)
    dot = rng.integers(-limit, limit + 1)
    expected = cosine_fixed_from_norms(dot, left, right)
    got = [code.ts_cosine_from_dots(int(d), int(a), int(b)) for d, a, b in zip(dot, left, right, strict=True)]
    np.testing.assert_array_equal(got, expected)
    assert abs(max(got)) <= 1 << COSINE_FRACTION_BITS


def test_crc_is_that_of_zlib() -> None:
    code = ckernels.library(["ts_crc32.h"])
    code.ts_crc32.restype = ctypes.c_uint32
    code.ts_crc32.argtypes = [ctypes.c_uint32, ctypes.c_char_p, ctypes.c_size_t]
    data = np.random.default_rng(12).bytes(1000)
    assert code.ts_crc32(0, b"123456789", 9) == 0xCBF43926
    assert code.ts_crc32(0, data, len(data)) == zlib.crc32(data)
    assert code.ts_crc32(code.ts_crc32(0, data[:300], 300), data[300:], 700) == zlib.crc32(data)


@pytest.mark.parametrize("bits", [1, 2])
def test_signs_keep_their_weights(bits: int) -> None:
    levels = (1 << bits) - 1
    weights = np.random.default_rng(13).choice(np.arange(-levels, levels + 1, 2, dtype=np.int8), size=(5, 3, 3, 1))
    packed = pack_signs(weights, bits)
    assert len(packed) == -(-bits * 5 * 3 // 2)
    signs = 2 * np.unpackbits(packed, bitorder="little").astype(int)[: bits * 5 * 12].reshape(bits, 5, 12) - 1
    decoded = sum(signs[bit] << bit for bit in range(bits))
    np.testing.assert_array_equal(decoded[:, :9], weights.reshape(5, 9))


def test_sums_that_may_overflow_are_refused() -> None:
    unit = Linear(name="fc", input=INPUT, out_features=1)
    frozen = randomized(program_of(unit, input_shape=(300, 300, 1), precision="int8"), np.random.default_rng(14))
    frozen.parameters["fc"]["weights"][:] = 127
    with pytest.raises(UnsupportedLayerError, match="sums of products"):
        pack(frozen, frozen.program.steps[0])
