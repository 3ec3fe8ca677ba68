"""The binary kernels against a literal reference: any shape, all six A/B, under sanitizers, and on RV32IMC."""

from __future__ import annotations

import ckernels
import numpy as np
import pytest
from binary_layers import Layer, packing, weighted
from hypothesis import given
from hypothesis import strategies as st
from random_networks import StepCase, program_of, random_inputs, randomized, step_cases

from tinysearch.analytic.kernels import footprint
from tinysearch.core.errors import UnsupportedLayerError, UserError
from tinysearch.core.network import INPUT, Addition, Convolution, Linear
from tinysearch.core.program import Element, FrozenNetwork, Operator, Step
from tinysearch.firmware.packing import pack
from tinysearch.operators.binary import BinaryGeometry, slice_thresholds, slice_weights

PRECISIONS = [(1, 1), (2, 1), (3, 1), (1, 2), (2, 2), (3, 2)]


def check(layers: list[Layer], outcomes: list[ckernels.Outcome]) -> None:
    """Bytes, scratch and parameter bytes of every layer."""
    for layer, outcome in zip(layers, outcomes, strict=True):
        program = layer.frozen.program
        label = f"{layer.step} {program.tensors}"
        np.testing.assert_array_equal(outcome.output, layer.expected, err_msg=label)
        needs, packed = footprint(program, layer.step), pack(layer.frozen, layer.step)
        assert needs.scratch_bytes == outcome.scratch_bytes, label
        assert needs.parameter_bytes == sum(array.nbytes for array in packed.arrays.values()), label
        assert needs.kernel == packed.function, label


def run_host(layers: list[Layer]) -> None:
    check(layers, ckernels.run_host([layer.case() for layer in layers]))


def random_layer(rng: np.random.Generator, bits: tuple[int, int]) -> Layer:
    kernel = [1, 2, 3, 5, None][rng.integers(5)]
    stride, padding = int(rng.integers(1, 4)), int(rng.integers(0, 3))
    if kernel is None:
        stride, padding = 1, 0
    low = max(1, (kernel or 1) - 2 * padding)
    return weighted(
        rng,
        shape=(int(rng.integers(low, low + 6)), int(rng.integers(low, low + 6)), int(rng.integers(1, 80))),
        out_channels=int(rng.integers(1, 100)),
        bits=bits,
        kernel=kernel,
        stride=stride,
        padding=padding,
        to_bits=bool(rng.integers(2)),
        relu=bool(rng.integers(2)),
        density=float(rng.choice([0.05, 0.5, 0.95])),
        batch=2,
    )


def test_random_shapes():
    """Odd channels, strides beyond the kernel, paddings, fully connected maps, sparse and dense activations."""
    rng = np.random.default_rng(1)
    run_host([random_layer(rng, bits) for bits in PRECISIONS for _ in range(20)])


def extreme_layers(rng: np.random.Generator) -> list[Layer]:
    """All zeros, all ones against the highest, the lowest and mixed weights; K = 3 x 3 x 512 with A = 3, B = 2."""
    layers = []
    for (a, b), channels in [((3, 2), 512), ((1, 1), 512), ((3, 2), 37), ((2, 1), 112), ((1, 1), 113)]:
        high = (1 << b) - 1
        weights = np.full((6, 3, 3, channels), high, np.int8)
        weights[1], weights[2] = -high, 2 * (np.arange(channels) % 2) - 1
        levels = np.stack([np.full((3, 2, channels), level, np.int8) for level in (0, 1, (1 << a) - 1)])
        common = {"shape": (3, 2, channels), "out_channels": 6, "bits": (a, b), "levels": levels, "weights": weights}
        layers += [weighted(rng, to_bits=to_bits, **common) for to_bits in (True, False)]
    return layers


def wide_layers(rng: np.random.Generator) -> list[Layer]:
    """More groups than immediate offsets reach, with lists that hold the window and with lists in runs."""
    cases = [
        {"shape": (3, 4, 40), "out_channels": 330, "bits": (1, 1)},
        {"shape": (3, 4, 40), "out_channels": 300, "bits": (2, 2)},
        {"shape": (3, 3, 400), "out_channels": 290, "bits": (3, 2)},
        {"shape": (3, 3, 600), "out_channels": 34, "bits": (3, 1), "density": 0.9},
        {"shape": (1, 1, 2100), "out_channels": 520, "bits": (2, 1), "kernel": None, "padding": 0, "density": 0.97},
        {"shape": (1, 1, 2100), "out_channels": 10, "bits": (2, 1), "kernel": None, "padding": 0, "density": 1.0},
        {"shape": (7, 7, 64), "out_channels": 65, "bits": (3, 2), "kernel": None, "padding": 0},
    ]
    return [weighted(rng, to_bits=to_bits, **case) for case in cases for to_bits in (True, False)]


def test_extremes_and_wide_layers():
    rng = np.random.default_rng(2)
    run_host(extreme_layers(rng) + wide_layers(rng))


def test_ten_thousand_inputs():
    """Every kernel on 10 000 random inputs."""
    rng = np.random.default_rng(3)
    layers = [packing(rng, shape=(2, 1, 37), a=a, batch=3334) for a in (1, 2, 3)]
    for to_bits in (True, False):
        layers += [
            weighted(rng, shape=shape, out_channels=5, bits=bits, to_bits=to_bits, batch=1667, density=density)
            for bits, shape, density in zip(
                PRECISIONS,
                [(2, 3, 5), (3, 3, 33), (1, 2, 40), (2, 2, 64), (3, 2, 17), (2, 2, 32)],
                [0.1, 0.3, 0.5, 0.5, 0.7, 0.9],
                strict=True,
            )
        ]
    shapes = [(1, 1, 1), (2, 3, 31), (3, 2, 32), (1, 4, 33), (2, 2, 100)]
    run_host(layers + [packing(rng, shape=shape, a=a, batch=2) for shape in shapes for a in (1, 2, 3)])


def residual_block(rng: np.random.Generator, precision: str) -> list[StepCase]:
    """Steps of a lowered block that packs, goes through bit planes, and returns to int8."""
    units = [
        Convolution(name="stem", input=INPUT, out_channels=20, kernel=3, stride=2, padding=1),
        Convolution(name="first", input="stem", out_channels=40, kernel=3, stride=2, padding=1),
        Convolution(name="second", input="first", out_channels=40, kernel=3, padding=1, relu=False),
        Convolution(name="shortcut", input="stem", out_channels=40, kernel=1, stride=2, relu=False),
        Addition(name="sum", left="second", right="shortcut"),
        Linear(name="embedding", input="sum", out_features=33),
    ]
    program = program_of(*units, input_shape=(11, 14, 3), precision=precision)
    frozen = randomized(program, rng)
    parameters = {name: dict(values) for name, values in frozen.parameters.items()}
    for step in program.steps:
        out = program.tensors[step.output]
        if out.element is Element.BITS:
            rows = (1,) if step.operator is Operator.PACK else (out.shape.channels,)
            spread = 40 if step.operator is Operator.PACK else 60 * (1 << program.precision.weight_bits)
            thresholds = np.sort(rng.integers(-spread, spread, (*rows, (1 << out.bits) - 1)), axis=1)
            parameters[step.name]["thresholds"] = thresholds.squeeze().astype(np.int32)
    frozen = FrozenNetwork(program=program, parameters=parameters, zero_points=frozen.zero_points)
    return step_cases(frozen, random_inputs(program, 4, rng))


def test_residual_blocks_equal_the_oracle():
    """Each step fed with the oracle's tensors, through the packer and the footprint that the emitter calls."""
    rng = np.random.default_rng(4)
    steps = residual_block(rng, "xnor2/1") + residual_block(rng, "xnor3/2")
    assert {"ts_pack_s8", "ts_xnor_conv_bits", "ts_xnor_conv_s8"} <= {step.case.packed.function for step in steps}
    for step, outcome in zip(steps, ckernels.run_host([step.case for step in steps]), strict=True):
        expected = step.expected.reshape(len(step.expected), -1).view(np.uint8)
        np.testing.assert_array_equal(outcome.output, expected, err_msg=step.case.packed.function)
        assert outcome.scratch_bytes == step.scratch_bytes


@given(
    st.integers(1, 70), st.integers(1, 3), st.integers(1, 40), st.sampled_from(PRECISIONS), st.integers(0, 2**32 - 1)
)
def test_packed_constants_decode_to_what_went_in(outputs, kernel, inputs, bits, seed):
    rng = np.random.default_rng(seed)
    a, b = bits
    binary = BinaryGeometry(
        input_height=kernel,
        input_width=kernel,
        input_channels=inputs,
        output_height=1,
        output_width=1,
        output_channels=outputs,
        kernel_height=kernel,
        kernel_width=kernel,
        stride=1,
        padding=0,
        activation_bits=a,
        weight_bits=b,
        output_bits=a,
        flat=False,
    )
    high = (1 << b) - 1
    weights = (2 * rng.integers(0, high + 1, (outputs, kernel, kernel, inputs)) - high).astype(np.int8)
    words = slice_weights(weights, binary)
    assert not words[-b * binary.groups :].any()
    rows = words[: -b * binary.groups].reshape(kernel, kernel, inputs, b, binary.groups)
    lanes = (rows[..., None] >> np.arange(32, dtype=np.uint32) & 1).astype(int).reshape(*rows.shape[:4], -1)
    decoded = np.tensordot(2 * lanes - 1, 1 << np.arange(b), axes=([3], [0]))[..., :outputs]
    np.testing.assert_array_equal(decoded.transpose(3, 1, 0, 2), weights)
    thresholds = np.sort(rng.integers(-2 * binary.limit, 2 * binary.limit + 1, (outputs, (1 << a) - 1)), axis=1)
    sliced = slice_thresholds(thresholds.astype(np.int32), binary).reshape(binary.groups, -1, (1 << a) - 1)
    bits_of = ~sliced[..., None] >> np.arange(32, dtype=np.uint32) & 1
    values = np.tensordot(1 << np.arange(binary.threshold_planes), bits_of.astype(np.int64), axes=([0], [1]))
    values = values.transpose(0, 2, 1).reshape(-1, (1 << a) - 1) - binary.limit
    np.testing.assert_array_equal(values[:outputs], np.clip(thresholds, -binary.limit, binary.limit + 1))
    assert (values[outputs:] == binary.limit + 1).all()
    assert words.nbytes + 4 * sliced.size == binary.parameter_bytes


def test_refuses_what_the_kernels_do_not_take():
    rng = np.random.default_rng(4)
    layer = weighted(rng, shape=(3, 3, 8), out_channels=4, bits=(1, 1), to_bits=False)
    parameters = dict(layer.frozen.parameters["y"])
    for key, value in [("bias", 2**31 - 1), ("shift", 0), ("weights", 0), ("weights", 3)]:
        changed = {**parameters, key: np.full_like(parameters[key], value)}
        frozen = FrozenNetwork(program=layer.frozen.program, parameters={"y": changed}, zero_points={"y": 0})
        with pytest.raises(UserError):
            pack(frozen, layer.step)
    pooled = Step(name="y", operator=Operator.MAX_POOL, unit="y", inputs=("x",), output="y", pool=2)
    with pytest.raises(UnsupportedLayerError):
        footprint(layer.frozen.program, pooled)


@pytest.mark.emulator
@pytest.mark.skipif(not ckernels.have_emulator(), reason="needs the RISC-V toolchain and QEMU")
def test_rv32():
    rng = np.random.default_rng(5)
    layers = [random_layer(rng, bits) for bits in PRECISIONS for _ in range(4)]
    layers += [packing(rng, shape=(2, 3, 45), a=a) for a in (1, 2, 3)]
    layers.append(weighted(rng, shape=(3, 3, 520), out_channels=290, bits=(3, 2)))
    layers.append(weighted(rng, shape=(3, 5, 64), out_channels=290, bits=(1, 2)))
    check(layers, ckernels.run_rv32([layer.case() for layer in layers]))
