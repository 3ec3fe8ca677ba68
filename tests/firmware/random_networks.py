"""Random parameters for any program, and the kernel calls of a frozen network with the oracle's answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from ckernels import Case

from tinysearch.analytic.kernels import footprint
from tinysearch.core.network import INPUT, NetworkSpec, Shape, Unit
from tinysearch.core.program import LANE, Array, Element, FrozenNetwork, Operator, Program, Step, lower
from tinysearch.core.quantization import Precision, quantize_multiplier
from tinysearch.firmware import packing
from tinysearch.firmware.integer_network import trace


def program_of(*units: Unit, input_shape: tuple[int, int, int], precision: str) -> Program:
    """A program from units, in any precision."""
    height, width, channels = input_shape
    shape = Shape(height=height, width=width, channels=channels)
    return lower(NetworkSpec(name="test", input_shape=shape, units=units), Precision.parse(precision))


def randomized(program: Program, rng: np.random.Generator, *, extremes: bool = True) -> FrozenNetwork:
    """Random parameters that spread the outputs of float32 and int8 steps over their range.

    With extremes, some channels have multipliers of 0, shifts of 1 or shifts of 23 and more.
    """
    parameters = {step.name: _parameters(program, step, rng, extremes=extremes) for step in program.steps}
    zero_points = {
        name: int(rng.integers(-128, 128)) for name, tensor in program.tensors.items() if tensor.element is Element.INT8
    }
    return FrozenNetwork(program=program, parameters=parameters, zero_points=zero_points)


def _parameters(program: Program, step: Step, rng: np.random.Generator, *, extremes: bool) -> dict[str, Array]:
    if step.operator is Operator.ADD and program.precision.kind != "float32":
        reals = [0.5 if rng.random() < 0.3 else rng.uniform(0.01, 0.5) for _ in range(2)]
        reals.append(2.0 ** rng.uniform(-21, -17))
        pairs = np.array([quantize_multiplier(real) for real in reals], np.int32)
        return {"multiplier": pairs[:, 0], "shift": pairs[:, 1]}
    if not step.has_weights:
        return {}
    shape = program.weight_shape(step)
    channels, depth = shape[0], int(np.prod(shape[1:]))
    if program.precision.kind == "float32":
        weights = rng.normal(size=shape, scale=1 / np.sqrt(depth)).astype(np.float32)
        return {"weights": weights, "bias": rng.normal(size=channels).astype(np.float32)}
    if step.weight_bits < 8:
        levels = (1 << step.weight_bits) - 1
        weights = rng.choice(np.arange(-levels, levels + 1, 2, dtype=np.int8), size=shape)
    else:
        high = int(rng.choice([1, 11, 127])) if extremes else 127
        weights = rng.integers(-high, high + 1, size=shape, dtype=np.int8)
    spread = 74.0 * float(np.abs(weights).max()) * np.sqrt(depth) + 1
    reals = np.minimum(rng.uniform(20, 90, size=channels) / spread, 0.4999)
    reals[rng.random(channels) < 0.1 * extremes] = 0.0
    bias = rng.integers(-int(spread), int(spread) + 1, size=channels, dtype=np.int32)
    tiny = rng.random(channels) < 0.1 * extremes  # weights that vanish beside their bias: shifts of 23 and more
    reals[tiny] = 2.0 ** -rng.uniform(22, 30, size=channels)[tiny]
    bias[tiny] = rng.integers(-(1 << 29), 1 << 29, size=channels)[tiny]
    pairs = np.array([quantize_multiplier(float(real)) for real in reals], np.int32)
    return {"weights": weights, "bias": bias, "multiplier": pairs[:, 0], "shift": pairs[:, 1]}


def random_inputs(program: Program, count: int, rng: np.random.Generator) -> npt.NDArray[np.int8]:
    """int8 [count, height, width, channels], extremes included."""
    shape = program.tensors[INPUT].shape
    inputs = rng.integers(-128, 128, size=(count, shape.height, shape.width, shape.channels), dtype=np.int8)
    inputs[0] = rng.choice(np.array([-128, 127], np.int8), size=inputs[0].shape)
    return inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCase:
    """A kernel call with what the oracle computes and what the planner reserves for it."""

    case: Case
    expected: Array
    scratch_bytes: int


def memory_of(program: Program, tensor: str, values: Array) -> Array:
    """A batch of the oracle's values as the bytes that a kernel reads or writes; levels become bit planes."""
    if program.tensors[tensor].element is not Element.BITS:
        return np.ascontiguousarray(values)
    lanes = np.pad(values.astype(np.uint8), ((0, 0),) * 3 + ((0, -values.shape[-1] % LANE),))
    planes = np.stack([lanes >> bit & 1 for bit in range(program.tensors[tensor].bits)], axis=3)
    return np.packbits(planes, axis=-1, bitorder="little").view(np.uint32)


def step_cases(frozen: FrozenNetwork, inputs: npt.NDArray[np.int8]) -> list[StepCase]:
    """Every step as a kernel call, apart and, where the footprint allows it, in place, with the oracle's output.

    The packed constants are checked against the footprint on the way.
    """
    tensors = trace(frozen, inputs)
    cases = []
    for step in frozen.program.steps:
        needs, packed = footprint(frozen.program, step), packing.pack(frozen, step)
        assert packed.function == needs.kernel
        assert sum(array.nbytes for array in packed.arrays.values()) == needs.parameter_bytes, step
        sources = tuple(memory_of(frozen.program, name, tensors[name]) for name in step.inputs)
        expected = memory_of(frozen.program, step.output, tensors[step.output])
        size = frozen.program.tensors[step.output].size_bytes
        places = (None,) if needs.in_place is None else (None, *range(len(sources)))
        for place in places:
            case = Case(packed=packed, inputs=sources, output_bytes=size, in_place=place)
            cases.append(StepCase(case=case, expected=expected, scratch_bytes=needs.scratch_bytes))
    return cases
