"""Functions of one value: real ones with gradients in training, their table in integers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from tinysearch.core.program import Array, Step
from tinysearch.core.quantization import INT8_LOW
from tinysearch.operators.lookup import FUNCTIONS, Lookup, tabulate
from tinysearch.training.operators.record import Layer, Parameters, TrainedOperator
from tinysearch.training.quantized_program import QuantizedProgram

_REAL: Mapping[str, Callable[[Tensor], Tensor]] = MappingProxyType(
    {"hard_swish": F.hardswish, "logistic": torch.sigmoid, "tanh": torch.tanh}
)


class TrainedLookup(TrainedOperator):
    """See :class:`tinysearch.operators.lookup.LookupRecord`."""

    def real(self, layer: Layer, sources: Sequence[Tensor], parameters: Parameters) -> Tensor:
        del parameters
        return _REAL[cast("Lookup | Step", layer).function](sources[0])

    def emulate(self, quantized: QuantizedProgram, step: Step, sources: Sequence[Tensor]) -> Tensor:
        table = torch.from_numpy(self.freeze(quantized, step)["table"]).to(sources[0])
        return table[sources[0].long() - INT8_LOW]

    def freeze(self, quantized: QuantizedProgram, step: Step) -> dict[str, Array]:
        source, output = step.inputs[0], step.output
        table = tabulate(
            FUNCTIONS[step.function],
            scales=(quantized.scales[source], quantized.scales[output]),
            zero_points=(quantized.zero_points[source], quantized.zero_points[output]),
        )
        return {"table": table}
