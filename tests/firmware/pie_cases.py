"""Steps of the backends of assembly: random layers of every kernel, what the oracle says, and machines that run them.

Shared by the tests and by ``benchmarks/simd.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from binary_layers import Layer as BinaryLayer
from binary_layers import weighted
from random_networks import memory_of, program_of, random_inputs, randomized

from tinysearch.core.network import INPUT, Addition, Convolution, GlobalAveragePool, Linear, MaxPool, Unit
from tinysearch.core.program import Element, FrozenNetwork, Operator, Step
from tinysearch.firmware.integer_network import execute, trace
from tinysearch.firmware.packing import pie, xespv
from tinysearch.firmware.packing.block import COMMON
from tinysearch.firmware.packing.unit import VectorUnit
from tinysearch.firmware.verify.simd.instructions import InstructionSet
from tinysearch.firmware.verify.simd.machine import Machine, Outcome
from tinysearch.firmware.verify.simd.riscv import RISCV
from tinysearch.firmware.verify.simd.xtensa import XTENSA

_SCRATCH = COMMON.index("scratch_bytes")
_COMPONENTS = Path(__file__).resolve().parents[2] / "firmware_templates/esp_idf/components"


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """A backend of assembly: its constants, and whose instructions it has."""

    name: str
    packing: VectorUnit
    core: InstructionSet

    @property
    def component(self) -> Path:
        """Folder of its sources."""
        return _COMPONENTS / f"backend_{self.name}"


PIE = Assembly(name="pie", packing=pie.UNIT, core=XTENSA)
XESPV = Assembly(name="xespv", packing=xespv.UNIT, core=RISCV)


@cache
def machine(name: str) -> Machine:
    """All kernels of a backend, compiled once."""
    assembly = {"pie": PIE, "xespv": XESPV}[name]
    folder = assembly.component
    return Machine(sorted(folder.glob("*.S")), folders=(folder / "include",), core=assembly.core)


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One step with random parameters and one input of each of its sources."""

    frozen: FrozenNetwork
    step: Step
    sources: tuple[np.ndarray, ...]
    expected: np.ndarray

    def run(self, assembly: Assembly = PIE, *, offsets: tuple[int, int] = (0, 0), in_place: bool = False) -> Outcome:
        """The step on the machine of a backend; arguments as in :meth:`Machine.run`.

        Raises:
            AssertionError: another output than the oracle's.
        """
        kernel = assembly.packing.kernel(self.frozen.program, self.step)
        assert kernel is not None
        name, block = f"ts_{assembly.name}_{kernel.name}", assembly.packing.pack(self.frozen, self.step).arrays["block"]
        right = self.sources[1] if len(self.sources) > 1 else None
        on = machine(assembly.name)
        outcome = on.run(name, block, self.sources[0], right, offsets=offsets, in_place=in_place)
        expected = np.ascontiguousarray(self.expected).reshape(-1).view(np.int8)
        np.testing.assert_array_equal(outcome.output, expected, err_msg=f"{name} {self.step}")
        return outcome


def layer_of(
    *units: Unit, shape: tuple[int, int, int], rng: np.random.Generator, precision: str = "int8", extremes: bool = True
) -> Layer:
    """The last unit as a step, its input computed by those before it."""
    program = program_of(*units, input_shape=shape, precision=precision)
    frozen = randomized(program, rng, extremes=extremes)
    tensors = trace(frozen, random_inputs(program, 1, rng))
    step = program.steps[-1]
    return Layer(
        frozen=frozen,
        step=step,
        sources=tuple(memory_of(program, name, tensors[name])[0] for name in step.inputs),
        expected=memory_of(program, step.output, tensors[step.output])[0],
    )


def convolution(rng: np.random.Generator) -> Layer:
    """Any kernel, stride, padding, pool and channel counts; some with weights of one or two bits."""
    kernel = int(rng.choice([1, 1, 2, 3, 3, 5, 7]))
    stride, padding = int(rng.integers(1, 4)), int(rng.integers(0, kernel + 1))
    pool = int(rng.choice([1, 1, 1, 2, 3, 4, 5]))
    channels = int(rng.choice([1, 3, 16, 32, rng.integers(1, 40), rng.integers(1, 10)]))
    if rng.random() < 0.2:
        kernel, stride, padding, pool = 1, 1, 0, 1
    least = max(kernel + (pool - 1) * stride - 2 * padding, 1)
    height, width = (least + int(rng.integers(0, 9)) for _ in range(2))
    unit = Convolution(
        name="x",
        input=INPUT,
        out_channels=int(rng.choice([8, 16, 24, 32, rng.integers(1, 40)])),
        kernel=kernel,
        stride=stride,
        padding=padding,
        pool=pool,
        relu=bool(rng.integers(2)),
    )
    precision = str(rng.choice(["int8", "int8", "int8", "xnor1/1", "xnor1/2"]))
    return layer_of(unit, shape=(height, width, channels), rng=rng, precision=precision)


def fully_connected(rng: np.random.Generator) -> Layer:
    """Any number of inputs and outputs."""
    unit = Linear(name="x", input=INPUT, out_features=int(rng.integers(1, 40)), relu=bool(rng.integers(2)))
    return layer_of(unit, shape=(1, 1, int(rng.integers(1, 300))), rng=rng)


def depthwise(rng: np.random.Generator) -> Layer:
    """Any kernel up to 5x5, stride, padding and channel count."""
    kernel = int(rng.choice([1, 2, 3, 3, 4, 5]))
    padding = int(rng.integers(0, kernel + 1))
    least = max(kernel - 2 * padding, 1)
    channels = int(rng.choice([8, 16, 32, rng.integers(1, 50)]))
    unit = Convolution(
        name="x",
        input=INPUT,
        out_channels=channels,
        kernel=kernel,
        stride=int(rng.integers(1, 4)) if kernel != 3 else int(rng.integers(1, 3)),
        padding=padding,
        depthwise=True,
        relu=bool(rng.integers(2)),
    )
    shape = (least + int(rng.integers(0, 9)), least + int(rng.integers(0, 24)), channels)
    return layer_of(unit, shape=shape, rng=rng)


def addition(rng: np.random.Generator) -> Layer:
    """Two different tensors of any size."""
    channels = int(rng.integers(1, 20))
    units = (
        Convolution(name="a", input=INPUT, out_channels=channels, kernel=1, relu=False),
        Addition(name="x", left=INPUT, right="a", relu=bool(rng.integers(2))),
    )
    return layer_of(*units, shape=(int(rng.integers(1, 9)), int(rng.integers(1, 9)), channels), rng=rng)


def binary_convolution(rng: np.random.Generator) -> Layer:
    """Any precision, kernel, stride, padding, channel counts and density, to bits and int8; whole maps among them."""
    kernel = int(rng.choice([1, 2, 3, 5]))
    padding, least = int(rng.integers(0, kernel + 1)), kernel
    sides = (least + int(rng.integers(0, 14)) for _ in range(2))
    channels = int(rng.choice([1, 3, 32, 64, 33, rng.integers(1, 100)]))
    whole = rng.random() < 0.15
    return of_binary(
        weighted(
            rng,
            shape=(*sides, channels),
            out_channels=int(rng.integers(1, 70)),
            bits=(int(rng.integers(1, 4)), int(rng.integers(1, 3))),
            kernel=None if whole else kernel,
            stride=1 if whole else int(rng.integers(1, 4)),
            padding=0 if whole else padding,
            to_bits=bool(rng.integers(2)),
            relu=bool(rng.integers(2)),
            density=float(rng.choice([0.5, 0.1, 0.95])),
        )
    )


def of_binary(layer: BinaryLayer) -> Layer:
    """A step of :mod:`binary_layers`, which has its own literal reference."""
    return Layer(frozen=layer.frozen, step=layer.step, sources=(layer.case().inputs[0][0],), expected=layer.expected[0])


def max_pool(rng: np.random.Generator) -> Layer:
    """Any side, leftover rows and columns, any channel count."""
    pool = int(rng.integers(1, 5))
    sides = (pool + int(rng.integers(0, 12)) for _ in range(2))
    unit = MaxPool(name="x", input=INPUT, pool=pool)
    return layer_of(unit, shape=(*sides, int(rng.choice([16, 32, rng.integers(1, 70)]))), rng=rng)


def average(rng: np.random.Generator) -> Layer:
    """Maps of up to 4096 pixels, extremes among them, and halves on both sides of zero."""
    sides = [(64, 64), tuple(int(side) for side in rng.integers(1, 12, 2))]
    unit = GlobalAveragePool(name="x", input=INPUT, batch_norm=False)
    return layer_of(unit, shape=(*sides[int(rng.random() < 0.95)], int(rng.integers(1, 50))), rng=rng)


def packing(rng: np.random.Generator) -> Layer:
    """Any channel count and precision, thresholds that every value reaches or none does among them."""
    bits = int(rng.integers(1, 4))
    shape = tuple(int(side) for side in rng.integers(1, 9, 2))
    units = (
        Convolution(name="a", input=INPUT, out_channels=int(rng.choice([32, 64, rng.integers(1, 100)])), kernel=1),
        Convolution(name="x", input="a", out_channels=1, kernel=1),
    )
    program = program_of(*units, input_shape=(*shape, 3), precision=f"xnor{bits}/1")
    step = next(step for step in program.steps if step.operator == Operator.PACK)
    high = int(rng.choice([3, 140]))
    thresholds = np.sort(rng.integers(-high, high + 1, (1 << bits) - 1)).astype(np.int32)
    source = program.tensors[step.inputs[0]].shape
    values = rng.integers(-128, 128, (1, source.height, source.width, source.channels), dtype=np.int8)
    frozen = FrozenNetwork(program=program, parameters={step.name: {"thresholds": thresholds}})
    expected = memory_of(program, step.output, execute(frozen, step, [values]))[0]
    return Layer(frozen=frozen, step=step, sources=(values[0],), expected=expected)


def run_everywhere(layer: Layer, rng: np.random.Generator, assembly: Assembly = PIE) -> int:
    """Run a layer, at odd addresses where its kernel takes them, and again in place where it may be.

    Returns:
        How often it ran; 0 for a layer that the backend leaves to the portable kernel.

    Raises:
        AssertionError: another output than the oracle's, or scratch or constants that the planner does not know.
    """
    program, step = layer.frozen.program, layer.step
    packing = assembly.packing
    kernel = packing.kernel(program, step)
    if kernel is None:
        return 0
    block, planned = kernel.block(layer.frozen, step), packing.constant_bytes(program, step)
    assert kernel.scratch(program, step) == block.view(np.int32)[_SCRATCH]
    assert len(block) <= planned if program.binary(step) else len(block) == planned
    words = program.tensors[step.output].element is Element.BITS or program.binary(step)
    odd = (0, 0) if words or rng.random() < 0.5 else (int(rng.integers(16)), int(rng.integers(16)))
    layer.run(assembly, offsets=odd)
    if packing.footprint(program, step).in_place != 0:
        return 1
    layer.run(assembly, offsets=odd, in_place=True)
    return 2


KERNELS: dict[str, Callable[[np.random.Generator], Layer]] = {
    "conv_s8": convolution,
    "fully_connected_s8": fully_connected,
    "xnor_conv": binary_convolution,
    "depthwise_s8": depthwise,
    "add_s8": addition,
    "max_pool_s8": max_pool,
    "average_s8": average,
    "pack_s8": packing,
}
"""A random layer for every kernel of :data:`tinysearch.firmware.packing.pie.KERNELS`."""
