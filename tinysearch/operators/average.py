"""Mean over height and width."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from tinysearch.core.network import GlobalAveragePool, Operator, Shape, Unit
from tinysearch.core.program import Array, FrozenNetwork, Program, Step
from tinysearch.operators.record import (
    Fields,
    KernelFootprint,
    OperatorRecord,
    PackedStep,
    is_float,
    lowest,
    packed,
    require_values,
    without_parameters,
)


class Average(OperatorRecord):
    """See :class:`~tinysearch.core.layers.GlobalAveragePool`."""

    name = Operator.AVERAGE
    keeps_scale = True

    def integer(self, frozen: FrozenNetwork, step: Step, sources: Sequence[Array]) -> Array:
        return np.maximum(_rounded_mean(sources[0]), lowest(frozen, step)).astype(np.int8)

    def real(self, frozen: FrozenNetwork, step: Step, sources: Sequence[Array]) -> Array:
        del frozen, step
        return np.asarray(np.mean(sources[0], axis=(1, 2), keepdims=True, dtype=sources[0].dtype))

    def footprint(self, program: Program, step: Step) -> KernelFootprint:
        require_values(program, step)
        if is_float(program, step):
            return without_parameters("ts_average_f32")
        return without_parameters("ts_average_s8")

    def pack(self, frozen: FrozenNetwork, step: Step) -> PackedStep:
        require_values(frozen.program, step)
        source = frozen.program.tensors[step.inputs[0]].shape
        fields: Fields = {"pixels": source.height * source.width, "channels": source.channels}
        if is_float(frozen.program, step):
            return packed("ts_average_f32", {**fields, "relu": int(step.relu)})
        return packed("ts_average_s8", {**fields, "low": lowest(frozen, step)})

    def features(self, program: Program, step: Step) -> Mapping[str, float]:
        source, out = program.tensors[step.inputs[0]].shape, program.tensors[step.output].shape
        return {"outputs": source.elements, "sums": out.channels}

    def example(self, source: str, shape: Shape, random: np.random.Generator) -> tuple[Unit, ...]:
        del shape
        return (GlobalAveragePool(name="mean", input=source, relu=bool(random.integers(2))),)


def _rounded_mean(source: Array) -> npt.NDArray[np.int64]:
    """Halves away from zero, as TFLite's average pool."""
    count = source.shape[1] * source.shape[2]
    total = source.astype(np.int64).sum(axis=(1, 2), keepdims=True)
    return np.asarray(np.sign(total) * ((np.abs(total) + count // 2) // count))
