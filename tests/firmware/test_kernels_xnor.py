"""The binary kernels against a literal reference: any shape, all six A/B, under sanitizers, and on RV32IMC."""

from __future__ import annotations

from dataclasses import dataclass

import ckernels
import numpy as np
import pytest

from tinysearch.analytic.kernels.xnor import footprint
from tinysearch.core.errors import UnsupportedLayerError, UserError
from tinysearch.core.network import Convolution, NetworkSpec, Shape
from tinysearch.core.program import Element, FrozenNetwork, Operator, Program, Step, Tensor
from tinysearch.core.quantization import XNOR_FRACTION_BITS, Precision, requantize
from tinysearch.firmware.packing.xnor import pack

PRECISIONS = [(1, 1), (2, 1), (3, 1), (1, 2), (2, 2), (3, 2)]


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One step with its parameters, levels for input, and what the reference says."""

    frozen: FrozenNetwork
    levels: np.ndarray  # [N, H, W, C]
    expected: np.ndarray  # [N, bytes]

    @property
    def step(self) -> Step:
        return self.frozen.program.steps[0]

    def case(self) -> ckernels.Case:
        program = self.frozen.program
        source = program.tensors["x"]
        inputs = bit_planes(self.levels, source.bits) if source.element is Element.BITS else self.levels
        size = program.tensors["y"].size_bytes
        return ckernels.Case(packed=pack(self.frozen, self.step), inputs=(inputs,), output_bytes=size)


def bit_planes(levels: np.ndarray, bits: int) -> np.ndarray:
    """[N, H, W, C] levels as uint32 words [N, H, W, A, ceil(C / 32)], bit by bit."""
    *outer, channels = levels.shape
    words = np.zeros((*outer, bits, -(-channels // 32)), np.uint32)
    for plane in range(bits):
        for channel in range(channels):
            bit = (levels[..., channel].astype(np.uint32) >> plane) & 1
            words[..., plane, channel // 32] |= bit << np.uint32(channel % 32)
    return words


def accumulate(levels: np.ndarray, weights: np.ndarray, *, stride: int, padding: int) -> np.ndarray:
    """Plain convolution [N, H, W, C] with [O, kH, kW, C], int64."""
    padded = np.pad(levels.astype(np.int64), ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    _, k_h, k_w, _ = weights.shape
    height, width = (padded.shape[1] - k_h) // stride + 1, (padded.shape[2] - k_w) // stride + 1
    out = np.zeros((len(levels), height, width, len(weights)), np.int64)
    for y in range(height):
        for x in range(width):
            window = padded[:, y * stride : y * stride + k_h, x * stride : x * stride + k_w]
            out[:, y, x] = np.tensordot(window, weights.astype(np.int64), axes=([1, 2, 3], [1, 2, 3]))
    return out


def frozen_step(step: Step, tensors: dict[str, Tensor], bits: tuple[int, int], parameters: dict) -> FrozenNetwork:
    program = Program(
        network=NetworkSpec(
            name="one",
            input_shape=tensors["x"].shape,
            units=(Convolution(name="y", input="input", out_channels=1, kernel=1),),
        ),
        precision=Precision(kind="xnor", activation_bits=bits[0], weight_bits=bits[1]),
        tensors=tensors,
        steps=(step,),
    )
    return FrozenNetwork(program=program, parameters={"y": parameters}, zero_points={"y": parameters.pop("zero", 0)})


def weighted(
    rng: np.random.Generator,
    *,
    shape: tuple[int, int, int],
    out_channels: int,
    bits: tuple[int, int],
    kernel: int | None = 3,
    stride: int = 1,
    padding: int = 1,
    to_bits: bool = True,
    relu: bool = True,
    levels: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    density: float = 0.5,
    batch: int = 1,
) -> Layer:
    """A convolution, or with ``kernel`` None a fully connected layer; random where nothing is given."""
    a, b = bits
    high = (1 << b) - 1
    k_h, k_w = (kernel, kernel) if kernel else shape[:2]
    if levels is None:
        planes = rng.random((a, batch, *shape)) < density
        levels = np.tensordot(1 << np.arange(a), planes.astype(np.int64), axes=1).astype(np.int8)
    if weights is None:
        weights = (2 * rng.integers(0, high + 1, (out_channels, k_h, k_w, shape[2])) - high).astype(np.int8)
    sums = accumulate(levels, weights, stride=stride, padding=padding)
    _, height, width, _ = sums.shape
    tensors = {
        "x": Tensor(
            name="x", shape=Shape(height=shape[0], width=shape[1], channels=shape[2]), element=Element.BITS, bits=a
        ),
        "y": Tensor(
            name="y",
            shape=Shape(height=height, width=width, channels=out_channels),
            element=Element.BITS if to_bits else Element.INT8,
            bits=a if to_bits else 0,
        ),
    }
    step = Step(
        name="y",
        operator=Operator.CONV if kernel else Operator.FULLY_CONNECTED,
        unit="y",
        inputs=("x",),
        output="y",
        kernel=kernel or 1,
        stride=stride,
        padding=padding,
        relu=relu,
        weight_bits=b,
        activation_bits=a,
    )
    stored = weights if kernel else weights.reshape(out_channels, -1)
    if to_bits:
        spread = sums.reshape(-1, out_channels)
        thresholds = np.sort(spread[rng.integers(0, len(spread), (1 << a) - 1)].T + rng.integers(-1, 2, (1, 1)), axis=1)
        thresholds[rng.random(thresholds.shape) < 0.03] = rng.choice([-(2**31), 2**31 - 1])
        thresholds = np.sort(thresholds, axis=1).astype(np.int32)
        reached = (sums[..., None] >= thresholds).sum(-1)
        parameters = {"weights": stored, "thresholds": thresholds}
        return Layer(
            frozen=frozen_step(step, tensors, bits, parameters),
            levels=levels,
            expected=bit_planes(reached, a).reshape(len(levels), -1).view(np.uint8),
        )
    limit = k_h * k_w * shape[2] * ((1 << a) - 1) * high
    parameters = {
        "weights": stored,
        "bias": rng.integers(-limit * 100, limit * 100 + 1, out_channels).astype(np.int32),
        "multiplier": rng.integers(1 << 30, 1 << 31, out_channels).astype(np.int32),
        "shift": np.clip(np.round(np.log2(limit) + rng.uniform(-2, 3, out_channels)), 1, 31).astype(np.int32),
    }
    zero = int(rng.integers(-128, 128))
    wide = (sums << XNOR_FRACTION_BITS) + parameters["bias"]
    expected = requantize(
        wide, parameters["multiplier"], parameters["shift"], zero_point=zero, low=zero if relu else -128
    )
    return Layer(
        frozen=frozen_step(step, tensors, bits, {**parameters, "zero": zero}),
        levels=levels,
        expected=expected.reshape(len(levels), -1).view(np.uint8),
    )


def packing(rng: np.random.Generator, *, shape: tuple[int, int, int], a: int, batch: int = 1) -> Layer:
    """A step from int8 to bit planes."""
    values = rng.integers(-128, 128, (batch, *shape)).astype(np.int8)
    thresholds = np.sort(rng.choice([-(2**31), -129, -128, -40, 0, 0, 1, 50, 127, 128, 2**31 - 1], (1 << a) - 1))
    tensor = {"shape": Shape(height=shape[0], width=shape[1], channels=shape[2])}
    tensors = {
        "x": Tensor(name="x", element=Element.INT8, **tensor),
        "y": Tensor(name="y", element=Element.BITS, bits=a, **tensor),
    }
    step = Step(name="y", operator=Operator.PACK, unit="y", inputs=("x",), output="y", activation_bits=a)
    reached = (values[..., None].astype(np.int64) >= thresholds).sum(-1)
    return Layer(
        frozen=frozen_step(step, tensors, (a, 1), {"thresholds": thresholds.astype(np.int32)}),
        levels=values,
        expected=bit_planes(reached, a).reshape(batch, -1).view(np.uint8),
    )


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


@pytest.mark.parametrize("bits", PRECISIONS)
def test_random_shapes(bits):
    rng = np.random.default_rng(bits)
    run_host([random_layer(rng, bits) for _ in range(24)])


@pytest.mark.parametrize("to_bits", [True, False])
def test_extreme_inputs_and_widest_counters(to_bits):
    """All zeros, all ones against all the highest and all the lowest weights, K = 3 x 3 x 512 with A = 3, B = 2."""
    rng = np.random.default_rng(1)
    layers = []
    for (a, b), channels in [((3, 2), 512), ((1, 1), 512), ((3, 2), 37), ((2, 1), 112)]:
        high = (1 << b) - 1
        weights = np.full((6, 3, 3, channels), high, np.int8)
        weights[1], weights[2] = -high, 2 * (np.arange(channels) % 2) - 1
        for level in (0, (1 << a) - 1, 1):
            levels = np.full((1, 4, 3, channels), level, np.int8)
            layers.append(
                weighted(
                    rng,
                    shape=(4, 3, channels),
                    out_channels=6,
                    bits=(a, b),
                    levels=levels,
                    weights=weights,
                    to_bits=to_bits,
                )
            )
    run_host(layers)


def test_wide_layers():
    """More groups than immediate offsets reach, with lists that slide and with lists in runs."""
    rng = np.random.default_rng(2)
    cases = [
        {"shape": (3, 4, 40), "out_channels": 330, "bits": (1, 1)},
        {"shape": (3, 4, 40), "out_channels": 300, "bits": (2, 2)},
        {"shape": (3, 3, 400), "out_channels": 290, "bits": (3, 2)},
        {"shape": (3, 3, 600), "out_channels": 34, "bits": (3, 1), "density": 0.9},
        {"shape": (1, 1, 2100), "out_channels": 520, "bits": (2, 1), "kernel": None, "padding": 0, "density": 0.97},
        {"shape": (7, 7, 64), "out_channels": 65, "bits": (3, 2), "kernel": None, "padding": 0},
    ]
    run_host([weighted(rng, to_bits=to_bits, **case) for case in cases for to_bits in (True, False)])


def test_pack():
    rng = np.random.default_rng(3)
    shapes = [(1, 1, 1), (2, 3, 31), (3, 2, 32), (1, 4, 33), (2, 2, 100)]
    run_host([packing(rng, shape=shape, a=a, batch=2) for shape in shapes for a in (1, 2, 3)])


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
