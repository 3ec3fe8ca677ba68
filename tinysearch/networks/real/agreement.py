"""How near an int8 network comes to the float network that it was made of, on samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinysearch.core.units import written
from tinysearch.networks.graph import Graph
from tinysearch.networks.operators.kind import offset
from tinysearch.networks.oracle import run
from tinysearch.networks.real.execute import run_reals
from tinysearch.networks.real.nodes import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One output.

    Attributes:
        samples: compared.
        same_largest: share of samples whose largest value stands at the same place; None for a single value.
        signal_to_noise_db: power of the float values over that of the differences; None where one of them is 0.
        largest_difference: in real numbers.
    """

    output: str
    samples: int
    same_largest: float | None
    signal_to_noise_db: float | None
    largest_difference: float

    def text(self) -> str:
        """On one line."""
        parts = [] if self.same_largest is None else [f"same largest value in {100 * self.same_largest:.1f} %"]
        parts += [] if self.signal_to_noise_db is None else [f"{self.signal_to_noise_db:.1f} dB signal to noise"]
        parts.append(f"differences up to {written(self.largest_difference, 3)}")
        return f"{', '.join(parts)} (float against int8, {self.samples} samples)"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "output": self.output,
            "samples": self.samples,
            "same_largest": self.same_largest,
            "signal_to_noise_db": self.signal_to_noise_db,
            "largest_difference": self.largest_difference,
        }


def agreements(real: Graph, quantized: Graph, inputs: Sequence[Array], *, batch: int) -> tuple[Agreement, ...]:
    """Compare all outputs on samples [N, *shape]."""
    wished: list[list[Array]] = [[] for _ in real.outputs]
    found: list[list[Array]] = [[] for _ in real.outputs]
    for start in range(0, len(inputs[0]), batch):
        part = [values[start : start + batch] for values in inputs]
        for rows, values in zip(wished, run_reals(real, part), strict=True):
            rows.append(values)
        stored = [to_int8(quantized, index, values) for index, values in zip(quantized.inputs, part, strict=True)]
        for rows, index, values in zip(found, quantized.outputs, run(quantized, stored), strict=True):
            rows.append(to_reals(quantized, index, values))
    return tuple(
        _agreement(real.tensors[index].name, np.concatenate(a), np.concatenate(b))
        for index, a, b in zip(real.outputs, wished, found, strict=True)
    )


def to_int8(graph: Graph, index: int, values: Array) -> Array:
    """Stored values of real ones."""
    tensor = graph.tensors[index]
    steps = np.rint(values / tensor.quantized.scales[0]) + offset(tensor)
    return np.asarray(np.clip(steps, -128, 127), np.int8)


def to_reals(graph: Graph, index: int, values: Array) -> Array:
    """Real values of stored ones."""
    tensor = graph.tensors[index]
    return np.asarray((values.astype(np.int64) - offset(tensor)) * tensor.quantized.scale, np.float32)


def _agreement(name: str, wished: Array, found: Array) -> Agreement:
    wished, found = (values.reshape(len(values), -1).astype(np.float64) for values in (wished, found))
    noise, signal = float(((wished - found) ** 2).sum()), float((wished**2).sum())
    several = wished.shape[1] > 1
    return Agreement(
        output=name,
        samples=len(wished),
        same_largest=float((wished.argmax(1) == found.argmax(1)).mean()) if several else None,
        signal_to_noise_db=round(10 * float(np.log10(signal / noise)), 2) if signal and noise else None,
        largest_difference=float(np.abs(wished - found).max()),
    )
