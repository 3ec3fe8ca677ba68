"""From a float network and samples to the int8 graph, and how near that comes to the float network."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinysearch.networks.checking import check
from tinysearch.networks.graph import Graph
from tinysearch.networks.real.agreement import Agreement, agreements
from tinysearch.networks.real.correction import LEAST_SAMPLES, MOST_SAMPLES, corrected_where_it_pays
from tinysearch.networks.real.meeting import with_meeting_scales
from tinysearch.networks.real.nodes import Array, RealNetwork
from tinysearch.networks.real.quantize import has_all_scales, quantize, spans, states_scales
from tinysearch.networks.real.translating import Translated, translate

_NOISE_SAMPLES, _SEED = 1, 0
_BATCH_VALUES, _CORRECTED_VALUES = 1 << 20, 1 << 23
"""Values of the largest tensor that a batch of samples may have together."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibrated:
    """An int8 graph and its float graph.

    Attributes:
        samples: that were looked at.
        from_noise: scales come from noise: only costs mean something.
        agreement: of every output, empty without samples.
        input_axes, output_axes: the author's axis at every place of a tensor.
    """

    graph: Graph
    samples: int
    from_noise: bool
    agreement: tuple[Agreement, ...]
    input_axes: tuple[tuple[int, ...], ...]
    output_axes: tuple[tuple[int, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "samples": self.samples,
            "from_noise": self.from_noise,
            "agreement": [entry.to_dict() for entry in self.agreement],
        }


def calibrated(network: RealNetwork, samples: Sequence[Array] | None) -> Calibrated:
    """Quantize a network of nodes over named values.

    Args:
        samples: float32 [N, *sides] for every input, in the author's order of axes; None: normal noise.

    Raises:
        UserError: a network that cannot be computed, or samples on which it is not finite.
    """
    shapes = [None] * len(network.inputs) if samples is None else [values.shape[1:] for values in samples]
    return calibrated_graph(translate(network, shapes), samples)


def calibrated_graph(translated: Translated, samples: Sequence[Array] | None) -> Calibrated:
    """Quantize a float graph; ``samples`` and errors as for :func:`calibrated`."""
    translated = dataclasses.replace(translated, graph=with_meeting_scales(translated.graph))
    complete = samples is None and has_all_scales(translated.graph)
    inputs = placed(translated, _noise(translated) if samples is None else samples)
    batch = _batch(translated.graph)
    seen = {} if complete else spans(translated.graph, inputs, batch=batch)
    quantized = quantize(translated.graph, seen)
    check(quantized)
    room = min(_batch(translated.graph, most=_CORRECTED_VALUES), MOST_SAMPLES)
    if samples is not None and min(room, len(inputs[0])) >= LEAST_SAMPLES and not states_scales(translated.graph):
        quantized = corrected_where_it_pays(translated.graph, quantized, [values[:room] for values in inputs])
        check(quantized)
    return Calibrated(
        graph=quantized,
        samples=0 if samples is None else len(inputs[0]),
        from_noise=samples is None and not complete,
        agreement=() if samples is None else agreements(translated.graph, quantized, inputs, batch=batch),
        input_axes=translated.inputs,
        output_axes=translated.outputs,
    )


def placed(translated: Translated, samples: Sequence[Array]) -> list[Array]:
    """Samples [N, *sides] in the graph's order of axes, with a batch of 1: [N, 1, ..]."""
    return [
        np.ascontiguousarray(values[:, None].transpose(0, *(1 + axis for axis in order)))
        for values, order in zip(samples, translated.inputs, strict=True)
    ]


def _noise(translated: Translated) -> list[Array]:
    """Normal noise in place of samples, where only the cost of a network is asked for."""
    random, found = np.random.default_rng(_SEED), []
    for index, order in zip(translated.graph.inputs, translated.inputs, strict=True):
        sides = dict(zip(order, translated.graph.tensors[index].shape, strict=True))
        shape = [sides[axis] for axis in range(1, len(sides))]
        found.append(random.normal(size=(_NOISE_SAMPLES, *shape)).astype(np.float32))
    return found


def _batch(graph: Graph, *, most: int = _BATCH_VALUES) -> int:
    largest = max((tensor.elements for tensor in graph.tensors if tensor.data is None), default=1)
    return max(1, math.floor(most / largest))
