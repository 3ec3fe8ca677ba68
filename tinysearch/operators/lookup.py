"""Any function of one int8 value, by a table of its 256 results: sigmoid, tanh, hard swish and the like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinysearch.core.errors import UserError
from tinysearch.core.network import Lowering, OneInput, Shape, Unit, Weightless
from tinysearch.core.program import Array, FrozenNetwork, Program, Step
from tinysearch.core.quantization import INT8_HIGH, INT8_LOW
from tinysearch.operators.draw import Draw
from tinysearch.operators.record import (
    KernelFootprint,
    OperatorRecord,
    PackedStep,
    is_float,
    no_kernel,
    packed,
    require_values,
)

Floats = npt.NDArray[np.float64]

FUNCTIONS: Mapping[str, Callable[[Floats], Floats]] = MappingProxyType(
    {
        "hard_swish": lambda x: x * np.clip(x + 3.0, 0.0, 6.0) / 6.0,
        "logistic": lambda x: 1.0 / (1.0 + np.exp(-x)),
        "tanh": np.tanh,
    }
)
"""Functions that a network of one's own may name; a table that is imported may hold any other."""

_VALUES = INT8_HIGH - INT8_LOW + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup(OneInput, Weightless):
    """A function of every value by itself, one of :data:`FUNCTIONS`; int8 only.

    Raises:
        UserError: an unknown function.
    """

    name: str
    input: str
    function: str
    batch_norm: ClassVar[bool] = False
    relu: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.function not in FUNCTIONS:
            raise UserError(
                f"a look-up must be of {', '.join(FUNCTIONS)}", value=self.function, remedy="name one of these"
            )

    @property
    def operator(self) -> str:
        return LookupRecord.name

    def output(self, sources: Sequence[Shape]) -> Shape:
        return sources[0]

    def lower(self, to: Lowering) -> None:
        to.emit(self, self.operator, self.inputs, self.name, function=self.function)


class LookupRecord(OperatorRecord):
    """Parameter ``table``: int8 [256], the result of value v at v + 128."""

    name = "lookup"
    elementwise = True
    precisions = ("int8", "xnor2/1")

    def integer(self, frozen: FrozenNetwork, step: Step, sources: Sequence[Array]) -> Array:
        table = frozen.parameters[step.name]["table"]
        return np.asarray(table[sources[0].astype(np.int64) - INT8_LOW])

    def real(self, frozen: FrozenNetwork, step: Step, sources: Sequence[Array]) -> Array:
        del sources
        raise no_kernel(frozen.program, step)

    def footprint(self, program: Program, step: Step) -> KernelFootprint:
        self._require_int8(program, step)
        return KernelFootprint(kernel="ts_lookup_s8", scratch_bytes=0, parameter_bytes=_VALUES, in_place=0)

    def pack(self, frozen: FrozenNetwork, step: Step) -> PackedStep:
        self._require_int8(frozen.program, step)
        count = frozen.program.tensors[step.output].shape.elements
        return packed("ts_lookup_s8", {"count": count}, {"table": frozen.parameters[step.name]["table"]})

    def _require_int8(self, program: Program, step: Step) -> None:
        require_values(program, step)
        if is_float(program, step):
            raise no_kernel(program, step)

    def draw_integer(self, draw: Draw, step: Step) -> dict[str, Array]:
        draw.stream(step)
        source, output = step.inputs[0], step.output
        table = tabulate(
            FUNCTIONS[step.function],
            scales=(draw.scales[source], draw.scales[output]),
            zero_points=(draw.zero_points[source], draw.zero_points[output]),
        )
        return {"table": table}

    def example(self, source: str, shape: Shape, random: np.random.Generator) -> tuple[Unit, ...]:
        del shape
        return (Lookup(name="curve", input=source, function=str(random.choice(sorted(FUNCTIONS)))),)


def tabulate(
    function: Callable[[Floats], Floats], *, scales: tuple[float, float], zero_points: tuple[int, int]
) -> npt.NDArray[np.int8]:
    """Results of all 256 values, int8 [256], rounded half to even and clamped.

    Args:
        scales, zero_points: of the input and of the output.
    """
    values = np.arange(INT8_LOW, INT8_HIGH + 1, dtype=np.float64)
    results = np.rint(function((values - zero_points[0]) * scales[0]) / scales[1]) + zero_points[1]
    return np.asarray(np.clip(results, INT8_LOW, INT8_HIGH), np.int8)
