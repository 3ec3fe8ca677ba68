"""Single binary steps with random parameters, and what a literal reference computes for them.

Shared by the tests of the binary kernels and by ``benchmarks/kernel_cases/xnor.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ckernels import Case

from tinysearch.core.network import Convolution, NetworkSpec, Shape
from tinysearch.core.program import Element, FrozenNetwork, Operator, Program, Step, Tensor
from tinysearch.core.quantization import XNOR_FRACTION_BITS, Precision, requantize
from tinysearch.firmware.packing import pack


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One step with its parameters, levels for input, and what the reference says."""

    frozen: FrozenNetwork
    levels: np.ndarray  # [N, H, W, C]
    expected: np.ndarray  # [N, bytes]

    @property
    def step(self) -> Step:
        return self.frozen.program.steps[0]

    def case(self) -> Case:
        program = self.frozen.program
        source = program.tensors["x"]
        inputs = bit_planes(self.levels, source.bits) if source.element is Element.BITS else self.levels
        size = program.tensors["y"].size_bytes
        return Case(packed=pack(self.frozen, self.step), inputs=(inputs,), output_bytes=size)


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
