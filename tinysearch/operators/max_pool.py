"""Max pool whose stride is its side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tinysearch.core.network import MaxPool as MaxPoolUnit
from tinysearch.core.network import Operator, Shape, Unit
from tinysearch.core.program import Array, Element, FrozenNetwork, Program, Step
from tinysearch.operators.products import max_pool
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

_UNROLLED_POOL = 2  # side that ts_max_pool_s8.c has a loop of its own for


class MaxPool(OperatorRecord):
    """See :class:`~tinysearch.core.layers.MaxPool`."""

    name = Operator.MAX_POOL
    by_rows = True
    keeps_scale = True
    selects = True

    def integer(self, frozen: FrozenNetwork, step: Step, sources: Sequence[Array]) -> Array:
        del frozen
        return max_pool(sources[0], step.pool)

    def real(self, frozen: FrozenNetwork, step: Step, sources: Sequence[Array]) -> Array:
        return self.integer(frozen, step, sources)

    def footprint(self, program: Program, step: Step) -> KernelFootprint:
        require_values(program, step)
        if is_float(program, step):
            return without_parameters("ts_max_pool_f32")
        return without_parameters("ts_max_pool_s8")

    def pack(self, frozen: FrozenNetwork, step: Step) -> PackedStep:
        require_values(frozen.program, step)
        source = frozen.program.tensors[step.inputs[0]].shape
        fields: Fields = {"in_height": source.height, "in_width": source.width}
        fields |= {"channels": source.channels, "pool": step.pool}
        if is_float(frozen.program, step):
            return packed("ts_max_pool_f32", {**fields, "relu": int(step.relu)})
        return packed("ts_max_pool_s8", {**fields, "low": lowest(frozen, step)})

    def features(self, program: Program, step: Step) -> Mapping[str, float]:
        """Windows, and in the general loop their values and rows; int8 has 2x2 written out."""
        out = program.tensors[step.output].shape
        windows = {"sums": out.height * out.width}
        if step.pool == _UNROLLED_POOL and program.tensors[step.output].element is Element.INT8:
            return windows
        return windows | {"patch": out.elements * step.pool**2, "rows": out.elements * step.pool}

    def example(self, source: str, shape: Shape, random: np.random.Generator) -> tuple[Unit, ...]:
        most = min(shape.height, shape.width, 3)
        return (MaxPoolUnit(name="pool", input=source, pool=int(random.integers(1, most + 1))),)
