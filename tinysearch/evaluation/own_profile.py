"""A network of one's own as the analytic models see it: bytes of code and constants, features of its kernels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from tinysearch.analytic.code_size import CodeSizes
from tinysearch.analytic.features import FEATURES
from tinysearch.analytic.flash import array_bytes
from tinysearch.analytic.latency import Profile
from tinysearch.core.execution import PLAIN, Execution
from tinysearch.networks.accelerated import Accelerated
from tinysearch.networks.arena import ArenaPlan
from tinysearch.networks.call import Call
from tinysearch.networks.lowering import LoweredNetwork
from tinysearch.networks.traffic import Traffic

ARITHMETIC = "tflite"
"""Of the kernels in a latency table."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OwnNetwork:
    """A network with its plan.

    Attributes:
        name: of its file.
        labels: names of the classes that the first output holds; empty where none are given.
        accelerated: with the vector units of chips, by processor.
        execution: whether calls are bands.
        traffic: to and from the second memory, of one whose plan has one.
    """

    name: str
    lowered: LoweredNetwork
    memory: ArenaPlan
    labels: tuple[str, ...] = ()
    accelerated: Mapping[str, Accelerated] = field(default_factory=dict)
    execution: Execution = PLAIN
    traffic: Traffic = field(default_factory=Traffic)

    @property
    def slow_bytes(self) -> int:
        """Bytes of the second arena, 0 where one holds all."""
        return 0 if self.memory.slow is None else self.memory.slow.peak_bytes

    def placement(self) -> dict[str, Any]:
        """What differs from whole maps in one arena, for a point's platform."""
        return {"memory": "split"} if self.slow_bytes else self.execution.to_dict()

    @property
    def weight_bytes(self) -> int:
        """Bytes of all constants in flash, every array aligned to 16 bytes."""
        arrays = [array.nbytes for call in self.lowered.calls for array in call.constants]
        arrays += [self.lowered.graph.tensors[index].size_bytes for index in self.lowered.constant_inputs]
        return array_bytes(arrays)

    @property
    def kernels(self) -> frozenset[str]:
        """Functions that it calls."""
        return frozenset(function for call in self.lowered.calls for function in call.functions)

    def code_bytes(self, code: CodeSizes) -> int:
        """Bytes of calls, constant structures and names in flash."""
        calls = self.lowered.calls
        layers = sum(code.layers[layer.function].flash for call in calls for layer in call.layers)
        steps = sum(1 if call.band is None else len(call.band.actions) for call in calls)
        named = [*(call.name for call in calls), *self.labels]
        names = sum(len(name.encode()) + code.name_alignment for name in named)
        return math.ceil(code.branch.flash + code.step.flash * steps + layers) + names

    @property
    def edge_bytes(self) -> int:
        """Bytes of all inputs and outputs, which the application keeps beside the arena."""
        graph = self.lowered.graph
        return sum(graph.tensors[index].size_bytes for index in (*graph.inputs, *graph.outputs))

    def profile(self, accelerated: Accelerated | None = None) -> Profile:
        """Features summed over the calls of each kernel class; a backend's weights are told by its steps."""
        costs = {} if accelerated is None else accelerated.costs
        apart = set() if accelerated is None else {step.key for step in accelerated.streamed}
        found = features_of(call for number, call in enumerate(self.lowered.calls) if number not in costs)
        return _summed(chain(((key, features) for key, features in costs.values() if key not in apart), found.items()))


def features_of(calls: Iterable[Call]) -> Profile:
    """Features of calls by portable kernels, summed over each kernel class."""
    return _summed(((ARITHMETIC, kernel), features) for call in calls for kernel, features in call.work)


def _summed(work: Iterable[tuple[tuple[str, str], Mapping[str, float]]]) -> Profile:
    found: dict[tuple[str, str], dict[str, float]] = {}
    for key, features in work:
        total = found.setdefault(key, dict.fromkeys(FEATURES, 0.0))
        for name, value in features.items():
            total[name] += value
    return found
