"""Packing of an int8 tensor into bit planes, once for all binary layers that read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tinysearch.core.network import Convolution, Operator, Shape, Unit
from tinysearch.core.program import LANE, Array, FrozenNetwork, Program, Step
from tinysearch.operators.counts import padded
from tinysearch.operators.draw import Draw
from tinysearch.operators.products import levels_reached
from tinysearch.operators.record import (
    KernelFootprint,
    OperatorRecord,
    PackedStep,
    is_binary,
    no_kernel,
    packed,
)

_TABLE_BYTES = 1024  # level of each int8 value
_THRESHOLD_BYTES = 4


class Pack(OperatorRecord):
    """int8 values to levels 0 .. 2^A - 1 by thresholds that all channels share."""

    name = Operator.PACK
    precisions = ("xnor1/1", "xnor2/1", "xnor3/1")

    def integer(self, frozen: FrozenNetwork, step: Step, sources: Sequence[Array]) -> Array:
        return levels_reached(sources[0], frozen.parameters[step.name]["thresholds"])

    def real(self, frozen: FrozenNetwork, step: Step, sources: Sequence[Array]) -> Array:
        del sources
        raise no_kernel(frozen.program, step)

    def sums(self, frozen: FrozenNetwork, step: Step, source: Array) -> Array:
        """The values themselves."""
        del frozen, step
        return source

    def footprint(self, program: Program, step: Step) -> KernelFootprint:
        if not is_binary(program, step):
            raise no_kernel(program, step)
        bits = program.tensors[step.output].bits
        return KernelFootprint(
            kernel="ts_pack_s8",
            scratch_bytes=_TABLE_BYTES if bits > 1 else 0,
            parameter_bytes=((1 << bits) - 1) * _THRESHOLD_BYTES,
        )

    def pack(self, frozen: FrozenNetwork, step: Step) -> PackedStep:
        out = frozen.program.tensors[step.output]
        thresholds = np.asarray(frozen.parameters[step.name]["thresholds"]).ravel()
        return packed(
            "ts_pack_s8",
            {
                "pixels": out.shape.height * out.shape.width,
                "channels": out.shape.channels,
                "activation_bits": out.bits,
            },
            {"thresholds": np.sort(thresholds).astype(np.int32)},
        )

    def features(self, program: Program, step: Step) -> Mapping[str, float]:
        source = program.tensors[step.inputs[0]].shape
        words = source.height * source.width * padded(source.channels, LANE) // LANE
        return {"outputs": source.elements, "sums": words}

    def draw_integer(self, draw: Draw, step: Step) -> dict[str, Array]:
        draw.levels(step)
        return {"thresholds": np.zeros(draw.program.precision.levels, np.int32)}

    def example(self, source: str, shape: Shape, random: np.random.Generator) -> tuple[Unit, ...]:
        del shape
        return (Convolution(name="conv", input=source, out_channels=int(random.integers(2, 40)), kernel=1, relu=False),)
