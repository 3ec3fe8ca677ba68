"""Fully connected layer: int8, float32 and bit planes (:mod:`tinysearch.operators.binary`)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tinysearch.core.network import Linear, Operator, Shape, Unit
from tinysearch.core.program import Array, Element, FrozenNetwork, Program, Step
from tinysearch.operators.counts import padded
from tinysearch.operators.products import (
    CHANNEL_BYTES,
    FLOAT_BYTES,
    FLOAT_TILE,
    ProductsRecord,
    interleave,
    output_arrays,
    product,
    reads_int8,
    tiled_f32,
)
from tinysearch.operators.record import Fields, KernelFootprint, PackedStep, output_fields, packed

TILE = 8
"""Outputs that ``ts_fully_connected_s8`` computes together; its weights are padded to a multiple."""


class FullyConnected(ProductsRecord):
    """See :class:`~tinysearch.core.layers.Linear`."""

    name = Operator.FULLY_CONNECTED

    def accumulate(self, program: Program, step: Step, source: Array, weights: Array, zero_point: float) -> Array:
        del program, step
        return product(source.reshape(len(source), 1, 1, -1), weights.reshape(len(weights), -1), zero_point)

    def footprint_s8(self, program: Program, step: Step) -> KernelFootprint:
        outputs, inputs = program.weight_shape(step)
        rows = padded(outputs, TILE)
        parameter_bytes = rows * inputs + rows * 4 + outputs * CHANNEL_BYTES
        return KernelFootprint(kernel="ts_fully_connected_s8", scratch_bytes=0, parameter_bytes=parameter_bytes)

    def footprint_f32(self, program: Program, step: Step) -> KernelFootprint:
        outputs, inputs = program.weight_shape(step)
        parameter_bytes = padded(outputs, FLOAT_TILE) * (inputs + 1) * FLOAT_BYTES
        return KernelFootprint(kernel="ts_fully_connected_f32", scratch_bytes=0, parameter_bytes=parameter_bytes)

    def pack_s8(self, frozen: FrozenNetwork, step: Step) -> PackedStep:
        weights = interleave(frozen.parameters[step.name]["weights"], TILE)
        fields = {**_counts(frozen.program, step), **output_fields(frozen, step)}
        return packed("ts_fully_connected_s8", fields, {"weights": weights, **output_arrays(frozen, step, tile=TILE)})

    def pack_f32(self, frozen: FrozenNetwork, step: Step) -> PackedStep:
        fields = _counts(frozen.program, step)
        fields |= {"input_is_s8": reads_int8(frozen.program, step), "relu": int(step.relu)}
        return packed("ts_fully_connected_f32", fields, tiled_f32(frozen, step))

    def features_of_values(self, program: Program, step: Step) -> Mapping[str, float]:
        source, out = program.tensors[step.inputs[0]].shape, program.tensors[step.output]
        tile = FLOAT_TILE if out.element is Element.FLOAT32 else TILE
        return {"lane_macs": source.elements * padded(out.shape.channels, tile)}

    def example(self, source: str, shape: Shape, random: np.random.Generator) -> tuple[Unit, ...]:
        del shape
        return (Linear(name="full", input=source, out_features=int(random.integers(1, 20))),)


def _counts(program: Program, step: Step) -> Fields:
    source, out = program.tensors[step.inputs[0]].shape, program.tensors[step.output].shape
    return {"in_count": source.elements, "out_count": out.channels}
