"""Bias correction: what int8 adds to a channel's mean is taken from its bias (Nagel et al. 2019, arXiv 1906.04721).

Rounded weights and clipped values shift the mean of a layer's outputs, and layers behind it inherit that. Layer after
layer, the means over samples are compared with those of the float network; layers before are corrected by then.

Not every network gains by it: what the whole network makes of the samples says whether the biases stay.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from tinysearch.networks.graph import ABSENT, Element, Graph, Node, Tensor
from tinysearch.networks.operators import KINDS
from tinysearch.networks.real.agreement import Agreement, agreements, to_int8, to_reals
from tinysearch.networks.real.execute import trace_reals
from tinysearch.networks.real.nodes import Array

LEAST_SAMPLES, MOST_SAMPLES = 16, 64
"""Of fewer the mean of an output that is one value a sample says little, more add little."""

_JUDGED_TOGETHER = 8
"""Samples that are judged at a time."""

_MOST_BIAS = 1 << 29
_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def corrected_where_it_pays(real: Graph, quantized: Graph, inputs: Sequence[Array]) -> Graph:
    """The int8 network with other biases where its outputs come nearer to those of the float network by them.

    Args:
        real, inputs: as for :func:`corrected`.
    """
    changed = corrected(real, quantized, inputs)
    before, after = (agreements(real, graph, inputs, batch=_JUDGED_TOGETHER) for graph in (quantized, changed))
    return changed if _pays(before, after) else quantized


def _pays(before: Sequence[Agreement], after: Sequence[Agreement]) -> bool:
    """Whether more samples have the same largest value; where as many have it, whether there is less noise."""
    return _nearness(after) > _nearness(before)


def _nearness(outputs: Sequence[Agreement]) -> tuple[float, float]:
    """Sums over all outputs; without noise at all nothing is left to be won."""
    named = sum(output.same_largest or 0.0 for output in outputs)
    ratios = [math.inf if output.signal_to_noise_db is None else output.signal_to_noise_db for output in outputs]
    return named, sum(ratios)


def corrected(real: Graph, quantized: Graph, inputs: Sequence[Array]) -> Graph:
    """The int8 network with other biases.

    Args:
        real: the float network that it was made of: tensors of both have the same indices.
        inputs: float samples [N, *shape], LEAST_SAMPLES or more.
    """
    means = {index: _mean(values) for index, values in trace_reals(real, inputs)}
    stored = [to_int8(quantized, index, values) for index, values in zip(quantized.inputs, inputs, strict=True)]
    values = dict(zip(quantized.inputs, stored, strict=True))
    last = {index: place for place, node in enumerate(quantized.nodes) for index in node.inputs}
    graph = quantized
    for place, node in enumerate(quantized.nodes):
        found = _outputs(graph, node, values)
        tensor, wished = graph.tensors[node.outputs[0]], means.get(node.outputs[0])
        if node.operator in _WEIGHTED and tensor.element is Element.INT8 and wished is not None:
            graph = _with_bias(graph, node, wished - _mean(to_reals(graph, node.outputs[0], found[0])))
            found = _outputs(graph, node, values)
        values.update(zip(node.outputs, found, strict=True))
        for index in {*node.inputs, *node.outputs}:
            if last.get(index, -1) <= place:
                values.pop(index, None)
    return graph


def _mean(values: Array) -> Array:
    """float64 [channels] of [N, .., channels]."""
    return np.asarray(values.reshape(-1, values.shape[-1]).mean(0, dtype=np.float64), np.float64)


def _outputs(graph: Graph, node: Node, values: dict[int, Array]) -> list[Array]:
    sources = [None if index == ABSENT else _value(graph.tensors[index], values, index) for index in node.inputs]
    return KINDS[node.operator].run(graph, node, sources)


def _value(tensor: Tensor, values: dict[int, Array], index: int) -> Array:
    return values[index] if tensor.data is None else tensor.data[None]


def _with_bias(graph: Graph, node: Node, missing: Array) -> Graph:
    """The graph whose node gives so much more in every channel."""
    source, weights, bias = (graph.tensors[index] for index in node.inputs)
    if bias.data is None:
        raise TypeError(f"{node.name} has computed biases")
    step = source.quantized.scale * weights.quantized.scales.astype(np.float64)
    steps = np.clip(bias.data + np.rint(missing / step), -_MOST_BIAS, _MOST_BIAS)
    tensors = list(graph.tensors)
    tensors[node.inputs[2]] = dataclasses.replace(bias, data=steps.astype(np.int32))
    return dataclasses.replace(graph, tensors=tuple(tensors))
