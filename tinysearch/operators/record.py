"""What one operator is to all rooms: its arithmetic, its needs, its constants in C, its cost, and examples of it.

The oracle, the planner, flash, latency, packing, random networks and the conformance suite ask the record of a step's
operator and know none by name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinysearch.core.errors import UnsupportedLayerError
from tinysearch.core.network import Shape, Unit
from tinysearch.core.program import Array, Element, FrozenNetwork, Program, Step
from tinysearch.core.quantization import INT8_LOW
from tinysearch.operators.draw import Draw

ROUNDOFF = 2.0**-24
"""Largest relative error of one rounding to float32."""

Fields = dict[str, int | float | tuple[int, ...]]
"""Members of a layer's struct that are numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelFootprint:
    """Needs of one step.

    Attributes:
        kernel: name of the C function.
        scratch_bytes: working memory during the step, 16-byte aligned in the arena; mirrors the C scratch function.
        parameter_bytes: constants in flash, as packed for the kernel.
        in_place: index of the input that the output may overwrite when it dies here, or None.
    """

    kernel: str
    scratch_bytes: int
    parameter_bytes: int
    in_place: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedStep:
    """One step as the emitter writes it.

    The emitter turns it into ``static const <layer_type> <name> = { .<field> = <value>, ... }`` and the call
    ``<function>(&<name>, <inputs...>, <output>, <scratch>)``; every kernel has this one signature.

    Attributes:
        function: C function of the kernel, for example ``ts_conv_s8``.
        layer_type: its parameter struct, for example ``ts_conv_s8_layer``.
        header: header that declares both, for example ``ts_conv_s8.h``.
        fields: struct members that are numbers; floats are emitted as C99 hex floats; a tuple becomes a brace list.
        arrays: struct members that point to constant arrays, in the kernel's own layout; int8, uint8, int16, uint16,
            int32, uint32 or float32, one-dimensional.
        aligned: bytes that the arrays are aligned to, where that is more than their type asks for.
    """

    function: str
    layer_type: str
    header: str
    fields: Mapping[str, int | float | tuple[int, ...]]
    arrays: Mapping[str, Array]
    aligned: int = 0


class OperatorRecord(ABC):
    """One operator. Arrays of activations are ``[N, height, width, channels]``; bit planes are given as levels.

    Attributes:
        name: as :class:`~tinysearch.core.steps.Step` has it; kernels are ``ts_<name>_<s8|f32>``.
        keeps_scale: the output has scale and zero point of its input.
        selects: output values are values of the input: nothing is rounded.
        by_rows: the int8 kernel computes any rows of its output from a part of its input, padding above being cut.
        elementwise: an element is read before its place is written, by kernels of any backend.
        precisions: of networks that :meth:`example` is drawn for.
    """

    name: ClassVar[str]
    keeps_scale: ClassVar[bool] = False
    selects: ClassVar[bool] = False
    by_rows: ClassVar[bool] = False
    elementwise: ClassVar[bool] = False
    precisions: ClassVar[tuple[str, ...]] = ("float32", "int8", "xnor2/1")

    @abstractmethod
    def integer(self, frozen: FrozenNetwork, step: Step, sources: Sequence[Array]) -> Array:
        """Output of a step of an int8 or XNOR network, exactly: this defines the operator."""

    @abstractmethod
    def real(self, frozen: FrozenNetwork, step: Step, sources: Sequence[Array]) -> Array:
        """Output of a step of a float32 network before its ReLU, of float64 inputs."""

    def rounding(
        self, frozen: FrozenNetwork, step: Step, sources: Sequence[Array], variances: Sequence[Array]
    ) -> Array:
        """Variance of the output of a float32 step, in whatever order its terms are added; before its ReLU.

        Args:
            frozen: the network.
            step: the step.
            sources: its inputs, float64.
            variances: of these inputs, float64; :mod:`tinysearch.firmware.rounding` says what they stand for.
        """
        carried = self.real(frozen, step, variances)  # of sums and means at most that
        if self.selects:
            return carried
        tensors = frozen.program.tensors
        terms = sum(tensors[name].shape.elements for name in step.inputs) // tensors[step.output].shape.elements
        magnitudes = self.real(frozen, step, [np.abs(source) for source in sources])
        return np.asarray(carried + (terms * ROUNDOFF**2) * np.square(magnitudes))

    @abstractmethod
    def footprint(self, program: Program, step: Step) -> KernelFootprint:
        """What the portable kernel needs.

        Raises:
            UnsupportedLayerError: no kernel computes this step.
        """

    @abstractmethod
    def pack(self, frozen: FrozenNetwork, step: Step) -> PackedStep:
        """Constants of the step for the portable kernel.

        Raises:
            UnsupportedLayerError: no kernel computes this step, or its sums may overflow.
        """

    @abstractmethod
    def example(self, source: str, shape: Shape, random: np.random.Generator) -> tuple[Unit, ...]:
        """Units of a random geometry that read a tensor ``source`` and become steps of this operator, among others."""

    def features(self, program: Program, step: Step) -> Mapping[str, float]:
        """Features (:data:`~tinysearch.analytic.features.FEATURES`) other than ``macs``, ``outputs``, ``steps`` = 1."""
        del program, step
        return {}

    def kernel_class(self, program: Program, step: Step) -> str:
        """Which entry of a latency table describes the step."""
        del program, step
        return str(self.name)

    def draw_integer(self, draw: Draw, step: Step) -> dict[str, Array]:
        """Random parameters of a plausible size, and the output's scale, zero point and spread in ``draw``."""
        if self.keeps_scale:
            draw.keep(step)
        else:
            draw.stream(step)
        return {}

    def draw_real(self, draw: Draw, step: Step) -> dict[str, Array]:
        """Random parameters of a float32 step."""
        del draw, step
        return {}

    def sums(self, frozen: FrozenNetwork, step: Step, source: Array) -> Array:
        """What the thresholds of a step to bit planes are held against.

        Raises:
            UnsupportedLayerError: the operator writes no bit planes.
        """
        del frozen, source
        raise UnsupportedLayerError(
            "only packings and layers with weights may write bit planes", value=step.name, remedy="pack its output"
        )


def is_binary(program: Program, step: Step) -> bool:
    """Whether the step is computed by the kernels of bit planes."""
    return program.binary(step) or program.tensors[step.output].element is Element.BITS


def is_float(program: Program, step: Step) -> bool:
    """Whether the step is computed by a float32 kernel."""
    return program.precision.kind == "float32" and not is_binary(program, step)


def lowest(frozen: FrozenNetwork, step: Step) -> int:
    """Lower clamp of an int8 output: the zero point for a fused ReLU."""
    return frozen.zero_points[step.output] if step.relu else INT8_LOW


def output_fields(frozen: FrozenNetwork, step: Step) -> Fields:
    """Zero point and lower clamp of an int8 output."""
    return {"out_zero": frozen.zero_points[step.output], "low": lowest(frozen, step)}


def packed(kernel: str, fields: Fields, arrays: Mapping[str, Array] | None = None) -> PackedStep:
    """Constants of a portable kernel, whose struct and header are named after it."""
    return PackedStep(
        function=kernel, layer_type=f"{kernel}_layer", header=f"{kernel}.h", fields=fields, arrays=arrays or {}
    )


def without_parameters(kernel: str, *, scratch_bytes: int = 0) -> KernelFootprint:
    """Footprint of a kernel that has no constants and may overwrite its first input."""
    return KernelFootprint(kernel=kernel, scratch_bytes=scratch_bytes, parameter_bytes=0, in_place=0)


def require_values(program: Program, step: Step) -> None:
    """Refuse a step without weights that touches bit planes, or in float32 the int8 input of a network.

    Raises:
        UnsupportedLayerError: it does.
    """
    kind = Element.FLOAT32 if program.precision.kind == "float32" else Element.INT8
    if any(program.tensors[name].element is not kind for name in (*step.inputs, step.output)):
        raise no_kernel(program, step)


def no_kernel(program: Program, step: Step) -> UnsupportedLayerError:
    """The error for a step that no portable kernel computes."""
    kind = program.precision.kind
    rule, remedy = "every step must have an int8 kernel", "add it to the runtime"
    if kind == "float32":
        rule = "every step must have a float32 kernel, and only layers with weights may read a network's int8 input"
        remedy = "start the network with a convolution, or choose int8"
    elif is_binary(program, step):
        rule = "a step on bit planes must be a convolution without fused pool or a fully connected layer"
        remedy = "read and write int8 there"
    return UnsupportedLayerError(rule, value=f"{step.name}: {step.operator}", remedy=remedy)
